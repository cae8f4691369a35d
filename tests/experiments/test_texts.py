"""Texts of every task name the keys of its answers."""

import pytest

from experiments.keys import keys_of
from experiments.texts import PAGES, texts_of
from experiments.texts.en import TASK_TEXTS as TEXTS
from experiments.texts.en import key_name
from stimuli_store.tasks import TASKS


def test_every_task_has_a_text_and_there_is_no_other() -> None:
    assert set(TEXTS) == set(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_every_page_is_filled_and_the_first_names_every_key(name) -> None:
    task = TASKS[name]
    keys = keys_of({"quit": "q"}, task.answers)
    texts = texts_of({}, task, keys)
    pages = {page: texts.page(page, 3, 8) for page in PAGES}
    assert not any("{" in page for page in (*pages.values(), texts.answer))
    for answer in task.answers:
        shown = keys[answer]
        assert shown in texts.answer
        assert shown in pages["welcome"] and shown in pages["resume"]
    assert "the Q key" in pages["welcome"]
    assert "3 of 8" in pages["rest"]


def test_a_task_without_a_text_is_described_by_its_answers() -> None:
    from dataclasses import replace

    task = replace(TASKS["pair"], name="ours")
    texts = texts_of({}, task, keys_of({}, task.answers))
    assert "For the answer left press the left arrow key." in texts.page("welcome", 0, 1)


def test_a_design_may_replace_a_text() -> None:
    own = {
        "question": "Links {A}, rechts {B}?",
        "rest": "Pause: {done} von {total}",
        "answer": "{A}",
    }
    texts = texts_of(own, TASKS["abx"], {"A": "a", "B": "b", "quit": "q"})
    assert "Links the A key, rechts the B key?" in texts.page("welcome", 0, 1)
    assert texts.page("rest", 1, 2) == "Pause: 1 von 2"
    assert texts.answer == key_name("a")

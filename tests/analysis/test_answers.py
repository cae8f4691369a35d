"""Answers as a table with gates: what is left out comes back, groups are whole, the two sorts stay apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.data.answers import Answers
from analysis.data.exclusions import excluded_of, reason_counts, with_reason, without_reason
from analysis.data.reading import read_trials
from stimuli_store.errors import InputError

ROLES = {
    "participant": "subj",
    "level": "contrast",
    "answer": "side",
    "response": "key",
    "evidence": {"ssim": "d"},
}


@pytest.fixture
def answers() -> Answers:
    rng = np.random.default_rng(0)
    n = 60
    table = pd.DataFrame(
        {
            "subj": np.repeat(["ann", "bob", "cy"], 20),
            "contrast": np.tile([0.1, 0.2], 30),
            "eye": rng.choice(["left", "right", None], n),
            "side": rng.choice(["left", "right"], n),
            "key": rng.choice(["left", "right", None], n, p=[0.45, 0.45, 0.1]),
            "rt_s": rng.uniform(0.1, 3.0, n),
            "d": rng.random(n),
        }
    )
    return read_trials(table, ROLES, task="pair")


def test_reasons_are_counted_and_taken_back(answers: Answers) -> None:
    unanswered = int((answers.table.excluded == "no answer").sum())
    slow = answers.table.rt_s > 2
    made = answers.exclude_rt(max_s=2.0).exclude_participants("bob", "a headache")
    counted = dict(made.exclusions.to_numpy().tolist())
    assert counted == {"no answer": unanswered, "response time": slow.sum(), "a headache": 20}
    missed = answers.table.response.isna()
    assert len(made.kept) == (~(slow | missed | (answers.table.participant == "bob"))).sum()
    back = made.include("a headache").include("response time")
    assert back.table.excluded.tolist() == answers.table.excluded.tolist()
    assert made.include("no answer").kept.response.isna().any()  # they count as wrong
    assert len(answers.kept) == len(answers) - unanswered  # the first one is as it was


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.lists(st.booleans(), min_size=5, max_size=5)),
        max_size=8,
    ),
    st.sampled_from("abc"),
)
def test_a_reason_taken_back_leaves_the_others(
    steps: list[tuple[str, list[bool]]], gone: str
) -> None:
    """Every row's reasons are the set of those that were given to it."""
    meant: list[set[str]] = [set() for _ in range(5)]
    excluded = excluded_of(5, {})
    for reason, mask in steps:
        excluded = with_reason(excluded, reason, np.array(mask))
        for row, chosen in zip(meant, mask, strict=True):
            row |= {reason} if chosen else set()
    assert [set(text.split("; ")) - {""} for text in excluded] == meant
    counted = dict(reason_counts(excluded).to_numpy().tolist())
    assert counted == {r: n for r in "abc" if (n := sum(r in row for row in meant))}
    if gone in counted:
        left = without_reason(excluded, gone)
        assert [set(text.split("; ")) - {""} for text in left] == [row - {gone} for row in meant]


def test_people_and_simulated_observers_are_apart_until_asked(answers: Answers) -> None:
    table = answers.table.assign(simulated=answers.table.participant == "cy")
    both = read_trials(table, unit="")
    with pytest.raises(InputError, match=r"are simulated and the others are of people; take one"):
        _ = both.kept
    with pytest.raises(InputError, match="take one sort"):
        both.counts()
    assert set(both.only(simulated=False).kept.participant) == {"ann", "bob"}
    assert set(both.only(simulated=True).kept.participant) == {"cy"}
    assert len(both.exclude_participants("cy").kept) > 0
    for (simulated,), part in both.groups("simulated"):
        assert part.kept.simulated.eq(simulated).all()


def test_groups_are_whole_and_in_order(answers: Answers) -> None:
    found = dict(answers.groups(["subj", "eye"]))
    assert list(found) == [
        (subj, eye) for subj in ("ann", "bob", "cy") for eye in ("left", "right", None)
    ]
    assert sum(map(len, found.values())) == len(answers)
    for (subj, eye), part in found.items():
        rows = answers.table[
            (answers.table.participant == subj)
            & (answers.table.eye.isna() if eye is None else answers.table.eye == eye)
        ]
        assert part.table.rt_s.tolist() == rows.rt_s.tolist()
    assert [key for key, _ in answers.exclude_participants("bob").groups("participant")] == [
        ("ann",),
        ("cy",),
    ]


def test_counts_add_up_under_the_users_own_names(answers: Answers) -> None:
    counts = answers.counts(by=["subj", "contrast"])
    assert counts.columns.tolist() == ["subj", "contrast", "n_correct", "n_trials"]
    kept = answers.kept
    for row in counts.itertuples():
        own = kept[(kept.participant == row.subj) & (kept.level == row.contrast)]
        assert row.n_trials == len(own)
        assert row.n_correct == (own.answer == own.response).sum() == own.n_correct.sum()
    assert answers.counts("eye").n_trials.sum() == len(kept)
    assert answers.counts(()).to_numpy().tolist() == [[kept.n_correct.sum(), len(kept)]]
    assert answers.counts(["level", "level"]).equals(answers.counts())
    assert [(key, len(part)) for key, part in answers.groups(())] == [((), 60)]


def test_only_takes_values_and_lists_of_them(answers: Answers) -> None:
    part = answers.only(subj=["ann", "cy"], level=0.2)
    assert set(part.table.participant) == {"ann", "cy"}
    assert set(part.table.level) == {0.2}
    assert len(part) == 20


def test_a_rule_can_be_changed(answers: Answers) -> None:
    assert set(answers.table.rule) == {"likelihood"}
    oddity = read_trials([[1, 2, 3]], task="oddity")
    assert oddity.with_rule("likelihood").table.rule.tolist() == ["likelihood"]
    assert oddity.table.rule.tolist() == ["differencing"]


def test_answers_describe_themselves(answers: Answers) -> None:
    text = repr(answers)
    for said in (
        "trials: 60",
        "left out (no answer",
        "participants: 3",
        "2",
        "ssim",
        "eye",
        "pair",
    ):
        assert said in text
    assert len(text) < 300
    page = answers._repr_html_()
    assert "<table" in page
    assert "ann" in page


WRONG: dict[str, tuple[Callable[[Answers], Any], str]] = {
    "no column": (lambda a: a.column("sbuj"), "did you mean 'subj'"),
    "no group": (lambda a: list(a.groups(["eyee"])), "did you mean 'eye'"),
    "no count": (lambda a: a.counts(by="leve"), "did you mean 'level'"),
    "no value": (lambda a: a.only(participant="anm"), "did you mean 'ann'"),
    "no participant": (lambda a: a.exclude_participants("anm"), "did you mean 'ann'"),
    "no reason": (lambda a: a.include("no answr"), "did you mean 'no answer'"),
    "nothing left": (lambda a: a.only(level=0.1).only(level=0.2), "value of level"),
    "nothing in common": (lambda a: a.only(order=0, level=0.2), "no answer has order = 0"),
    "an empty reason": (lambda a: a.exclude(" ", np.ones(60, dtype=bool)), "a few words"),
    "two reasons": (lambda a: a.exclude("a; b", np.ones(60, dtype=bool)), "a few words"),
    "a short mask": (lambda a: a.exclude("b", np.ones(59, dtype=bool)), r"not bool of shape \(59,"),
    "no mask": (lambda a: a.exclude("b", np.arange(60)), "must be 60 booleans"),
    "bounds in disorder": (lambda a: a.exclude_rt(2.0, 1.0), "not from 2.0 to 1.0"),
    "no frames": (lambda a: a.exclude_dropped_frames(), "do not say which frames"),
    "no rule": (lambda a: a.with_rule("differencng"), "unknown decision rule of the task pair"),
    "no times": (lambda a: read_trials([[1, 2, 3]]).exclude_rt(0.1), "no answer has a response"),
    "no task": (lambda a: read_trials([[1, 2, 3]]).task, "no task is stated"),
    "no task for a rule": (lambda a: read_trials([[1, 2, 3]]).with_rule("x"), "no task is stated"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_is_refused_in_a_sentence(name: str, answers: Answers) -> None:
    call, said = WRONG[name]
    with pytest.raises(InputError, match=said) as error:
        call(answers)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("nothing", ["", None])
def test_a_word_of_ones_own_says_that_there_was_no_answer(nothing: str | None) -> None:
    words = {"answer": ["links", "rechts", "links"], "response": ["links", "Keine", "rechts"]}
    table, own = pd.DataFrame(words), {"links": "left", "rechts": "right"}
    with pytest.raises(InputError, match='"Keine" = ""} if it says that there was no answer'):
        read_trials(table, {"answers": own}, task="pair")
    read = read_trials(table, {"answers": {**own, "keine": nothing}}, task="pair")
    assert read.exclusions.trials.tolist() == [1]
    assert read.kept.n_correct.tolist() == [1, 0]
    plain = table.replace({"links": "left", "rechts": "right"})
    assert len(read_trials(plain, {"answers": {"keine": nothing}}, task="pair").kept) == 2

"""Answers in the words of a table, read as the answers of a task."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.data.columns.meanings import NO, YES, distinct, is_missing, word
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks.types import Task

_SHOWN = 6


def reader_of_answers(
    task: Task | None, own: Mapping[str, str], columns: Sequence[pd.Series]
) -> Callable[[Any], str | None]:
    """Return a function from a value in some columns to an answer of the task, or None for a missing one.

    The table's words may be the task's answers in small or large letters, words that `own` maps to them (or
    to "" if they say that there was no answer), or 1 and 0, true and false for a task that is answered by yes
    and no. If none of them is, and they are not
    more than the task has answers, they are taken as they are: left and right for first and second.

    Raises
    ------
    InputError
        If a word is none of the answers, or `own` leads to something that is none.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> column = pd.Series(["Links", "rechts", None])
    >>> read = reader_of_answers(task_named("pair"), {"links": "left", "rechts": "right"}, [column])
    >>> read("Links"), read("rechts")
    ('left', 'right')
    """
    known = _lexicon(task, own)
    found = {value: word(value) for column in columns for value in distinct(column)[1]}
    none = {word(text).lower() for text, answer in own.items() if not answer}
    answers = {value: known.get(text.lower()) for value, text in found.items()}
    strange = [
        v
        for v, answer in answers.items()
        if answer is None and not is_missing(v) and found[v].lower() not in none
    ]
    if strange and task is not None:
        some_known = any(answer is not None for answer in answers.values())
        if some_known or any(own.values()) or not _may_stand(task, [found[v] for v in strange]):
            raise InputError(_no_answer(task, columns, [found[v] for v in strange]))
    spelled: dict[str, str] = {}
    for value in strange:
        answers[value] = spelled.setdefault(found[value].lower(), found[value])
    return answers.get


def _may_stand(task: Task, words: Sequence[str]) -> bool:
    """Return whether words may stand for themselves: no matter which of them reports a difference."""
    return not task.criterion and len({text.lower() for text in words}) <= len(task.answers)


def _lexicon(task: Task | None, own: Mapping[str, str]) -> dict[str, str | None]:
    """Return words in small letters to answers, or to None if they say that there was none."""
    mapped = {word(text).lower(): answer or None for text, answer in own.items()}
    if task is None:
        return mapped
    for answer in filter(None, own.values()):
        if answer not in task.answers:
            raise unknown_name(f"answer of the task {task.name}", answer, list(task.answers))
    known: dict[str, str | None] = {answer.lower(): answer for answer in task.answers}
    yes = [answer for answer in task.answers if answer.lower() in YES]
    no = [answer for answer in task.answers if answer.lower() in NO]
    if len(yes) == len(no) == 1:
        known |= dict.fromkeys(YES, yes[0]) | dict.fromkeys(NO, no[0])
    return known | mapped


def _no_answer(task: Task, columns: Sequence[pd.Series], strange: Sequence[str]) -> str:
    words = list(dict.fromkeys(strange))
    named = " and ".join(dict.fromkeys(repr(str(column.name)) for column in columns))
    more = ", …" if len(words) > _SHOWN else ""
    return (
        f"{', '.join(map(repr, words[:_SHOWN]))}{more} in {named} is no answer of the task {task.name} "
        f"({', '.join(task.answers)}); correct it, or say what the table's words mean with the role answers, "
        f'as in answers = {{"{words[0]}" = "{task.answers[0]}"}}, or answers = {{"{words[0]}" = ""}} if it '
        "says that there was no answer"
    )

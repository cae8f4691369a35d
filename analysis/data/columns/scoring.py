"""Right answers, given answers and counts of right ones, from whichever of them a table has."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.columns.answer_words import reader_of_answers
from analysis.data.columns.meanings import distinct, numbers, truths, word
from analysis.observers.checks import check_no_shares, check_whole
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Right answer, given answer, and number right of how many, by row.

    Attributes
    ----------
    answer, response
        Codes of the right answer and of the given one (n,), -1 where unknown.
    labels
        The answers that the codes stand for: those of the tasks, then words of the table.
    n_correct, n_trials
        Float64 (n,); without an answer none of 1 is right.
    unanswered
        Mask (n,) of trials without an answer.
    preferences
        Whether no answer is right; then `answer` is the first of each row's task, and counts as right.
    """

    answer: np.ndarray
    response: np.ndarray
    labels: tuple[str, ...]
    n_correct: np.ndarray
    n_trials: np.ndarray
    unanswered: np.ndarray
    preferences: bool


def scored(
    columns: Mapping[str, pd.Series],
    tasks: Sequence[Task | None],
    of_row: np.ndarray,
    own: Mapping[str, str],
) -> Scored:
    """Return right answer, given answer and number right of how many in each row, from columns by role.

    Parameters
    ----------
    columns
        Role to column; some of ``correct``, ``answer``, ``response``, ``n_correct``, ``n_trials``.
    tasks, of_row
        Tasks, and the index of the task of each row (n,).
    own
        The table's words to answers of the tasks.

    Raises
    ------
    InputError
        If none of the columns is there, or they contradict each other or the tasks.
    """
    n = len(of_row)
    codes, labels = _coded(columns, tasks, of_row, own)
    answer, response = (codes.get(role, np.full(n, -1)) for role in ("answer", "response"))
    right, total = _given(columns, n, {word(w).lower() for w, says in own.items() if not says})
    preferences = right is None and "answer" not in columns and "response" in columns
    known = {role for role in ("answer", "response") if role in columns}
    if right is None:
        if "response" not in known:
            raise InputError(_unrecognised(known))
        if preferences:
            answer = _first_answers(tasks, of_row, labels)
        if (answer[response >= 0] < 0).any():
            row = int(np.flatnonzero((response >= 0) & (answer < 0))[0])
            raise InputError(f"row {row + 1} has a response but no right answer; give both")
        unanswered = response < 0
        right = (answer == response).astype(np.float64)
    else:
        unanswered = np.isnan(right)
        if (response >= 0).any():
            unanswered |= (response < 0) & (total == 1)
        _check_agreement(right, total, answer, response)
        other = _others(tasks, of_row, labels)
        one = (total == 1) & ~unanswered
        derived = _derived(right, one, answer, response, other)
        answer, response = derived if len(known) == 1 else (answer, response)
    return Scored(
        answer=answer,
        response=np.where(unanswered, -1, response),
        labels=labels,
        n_correct=np.where(unanswered, 0.0, right),
        n_trials=total,
        unanswered=unanswered,
        preferences=preferences,
    )


def _unrecognised(known: set[str]) -> str:
    if known:
        return (
            "a column of right answers needs one of responses, or one that says which were correct"
        )
    return (
        "no column says which answers were right; name one with the role correct, or answer and response, "
        'or n_correct and n_trials, as in roles={"correct": "acc"}'
    )


def _given(
    columns: Mapping[str, pd.Series], n: int, none: Collection[str]
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return numbers right (None if no column gives them) and numbers of trials; some words are no answer."""
    counts = [role for role in ("n_correct", "n_trials") if role in columns]
    if len(counts) == 1:
        lacking = "n_trials" if counts == ["n_correct"] else "n_correct"
        raise InputError(
            f"counts need two columns; {counts[0]} is there, but none has the role {lacking}"
        )
    if counts:
        right, total = (numbers(columns[role], role) for role in counts)
        _check_counts(right, total)
        return right, total
    known = truths(columns["correct"], "correct", none) if "correct" in columns else None
    return known, np.ones(n)


def _check_counts(right: np.ndarray, total: np.ndarray) -> None:
    if np.isnan(right).any() or np.isnan(total).any():
        row = int(np.flatnonzero(np.isnan(right) | np.isnan(total))[0])
        raise InputError(f"row {row + 1} lacks n_correct or n_trials; give both, or leave it out")
    broken = right != np.round(right)
    if broken.any() and (right <= 1).all() and (total > 1).any():
        row = int(np.flatnonzero(broken)[0])
        raise InputError(
            f"n_correct holds proportions ({right[row]:g} of {total[row]:g} trials), where numbers of right "
            "answers belong; multiply them by n_trials"
        )
    for role, counts in (("n_correct", right), ("n_trials", total)):
        odd = np.flatnonzero((counts != np.round(counts)) | (counts < 0))
        if len(odd):
            raise InputError(
                f"{role} must hold whole numbers of 0 or more; row {odd[0] + 1} has {counts[odd[0]]:g}"
            )
    for role, counts in (("n_correct", right), ("n_trials", total)):
        check_whole(counts, role)
    check_no_shares(right, total)
    above = np.flatnonzero(right > total)
    if len(above):
        row = int(above[0])
        raise InputError(
            f"n_correct must not exceed n_trials; row {row + 1} has {right[row]:g} of {total[row]:g}"
        )


def _coded(
    columns: Mapping[str, pd.Series],
    tasks: Sequence[Task | None],
    of_row: np.ndarray,
    own: Mapping[str, str],
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return codes of the answers by role, and the labels that they stand for."""
    labels = {answer: None for task in tasks if task is not None for answer in task.answers}
    place = {label: i for i, label in enumerate(labels)}
    spoken = {role: columns[role] for role in ("answer", "response") if role in columns}
    codes = {role: np.full(len(of_row), -1) for role in spoken}
    for number, task in enumerate(tasks):
        rows = np.flatnonzero(of_row == number)
        parts = {role: column.iloc[rows] for role, column in spoken.items()}
        read = reader_of_answers(task, own, list(parts.values()))
        for role, part in parts.items():
            at, found = distinct(part)
            answers = [read(value) for value in found]
            found_at = [-1 if a is None else place.setdefault(a, len(place)) for a in answers]
            codes[role][rows] = np.array([*found_at, -1])[at]
    return codes, tuple(place)


def _first_answers(
    tasks: Sequence[Task | None], of_row: np.ndarray, labels: Sequence[str]
) -> np.ndarray:
    """Return the first answer of each row's task, which preferences are counted for."""
    firsts = []
    for task in tasks:
        if task is None or not task.directed or len(task.answers) != 2:
            raise InputError(
                "responses without right answers are preferences, which need a task that asks which of two "
                "is the higher; name the role answer or correct, or such a task"
            )
        firsts.append(labels.index(task.answers[0]))
    return np.array(firsts)[of_row]


def _others(
    tasks: Sequence[Task | None], of_row: np.ndarray, labels: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two answers of each row's task as codes (n,), -1 for tasks with another number of them."""
    pairs = np.full((len(tasks), 2), -1)
    for number, task in enumerate(tasks):
        if task is not None and len(task.answers) == 2:
            pairs[number] = [labels.index(answer) for answer in task.answers]
    return pairs[of_row, 0], pairs[of_row, 1]


def _derived(
    right: np.ndarray,
    one: np.ndarray,
    answer: np.ndarray,
    response: np.ndarray,
    pair: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return answers and responses; where one is missing it follows from the other and the score."""
    known = np.maximum(answer, response)
    other = np.where(known == pair[0], pair[1], np.where(known == pair[1], pair[0], -1))
    missing = np.where(one & (known >= 0), np.where(right == 1, known, other), -1)
    return np.where(answer >= 0, answer, missing), np.where(response >= 0, response, missing)


def _check_agreement(
    right: np.ndarray, total: np.ndarray, answer: np.ndarray, response: np.ndarray
) -> None:
    both = (answer >= 0) & (response >= 0) & (total == 1) & ~np.isnan(right)
    wrong = np.flatnonzero(both & ((answer == response) != (right == 1)))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"row {row + 1} is {'correct' if right[row] == 1 else 'incorrect'}, but its response "
            f"{'differs from' if right[row] == 1 else 'equals'} its right answer; correct the table, or name "
            "only one of the two by a role"
        )

"""The cells of a task as numbers, on which decision rules and their proportions correct depend."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task

_Row = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Structure:
    """The cells of a task for a decision rule: percepts of the intervals, and the answer.

    Two tasks of one structure have the same proportions correct, whatever their names.

    Attributes
    ----------
    cells
        For each cell where the percept of each interval lies (0, or 1 for d'), and the index of the answer.
    exchanged
        For each cell where the percepts lie if the two stimuli that differ change places.
    parts
        The part of its picture that each interval shows.
    n_answers
        Number of answers.
    criterion
        Whether an observer needs a criterion.
    """

    cells: tuple[tuple[_Row, int], ...]
    exchanged: tuple[_Row, ...]
    parts: tuple[str, ...]
    n_answers: int
    criterion: bool = False

    @property
    def at(self) -> np.ndarray:
        """Places of the percepts, 0 or 1, (cells, intervals)."""
        return np.array([row for row, _ in self.cells])

    @property
    def answers(self) -> np.ndarray:
        """Index of the right answer in each cell."""
        return np.array([answer for _, answer in self.cells])

    @property
    def at_exchanged(self) -> np.ndarray:
        """Places of the percepts if the two stimuli change places, (cells, intervals)."""
        return np.array(self.exchanged)

    @property
    def votes(self) -> np.ndarray:
        """Matrix (cells, answers) of 1 where the answer is right in the cell, else 0."""
        return np.eye(self.n_answers)[self.answers]


def structure_of(task: Task) -> Structure:
    """Return the structure of a task.

    That of the last task is kept, since an observer asks for it several times in every trial.
    """
    return _kept(_SameTask(task))


class _SameTask:
    """A task as a key that is equal for one and the same object only; its cells cannot be hashed."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __hash__(self) -> int:
        return id(self.task)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameTask) and other.task is self.task


@lru_cache(maxsize=8)
def _kept(key: _SameTask) -> Structure:
    task = key.task
    low, high = task.contrast
    swap = {low: high, high: low}
    rows = []
    for cell in task.cells:
        roles = [cell.fills[name] for name in task.intervals]
        at = tuple(float(task.at(role)) for role in roles)
        other = tuple(float(task.at(swap.get(role, role))) for role in roles)
        rows.append((at, task.answers.index(cell.answer), other))
    rows.sort()
    return Structure(
        cells=tuple((at, answer) for at, answer, _ in rows),
        exchanged=tuple(other for _, _, other in rows),
        parts=tuple(task.part(name) for name in task.intervals),
        n_answers=len(task.answers),
        criterion=task.criterion,
    )


@lru_cache(maxsize=256)
def same_pairs(structure: Structure) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return for each answer the pairs of intervals that ought to look the same if it is right.

    They show the same part of a picture and have equal percepts in every cell of the answer; pairs that all
    answers have in common are left out.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> same_pairs(structure_of(task_named("abx")))
    (((0, 2),), ((1, 2),))
    """
    at, answers = structure.at, structure.answers
    pairs = [
        (i, j)
        for i, j in combinations(range(at.shape[1]), 2)
        if structure.parts[i] == structure.parts[j]
    ]
    alike = [
        {(i, j) for i, j in pairs if (at[answers == a, i] == at[answers == a, j]).all()}
        for a in range(structure.n_answers)
    ]
    common = set.intersection(*alike)
    return tuple(tuple(sorted(own - common)) for own in alike)


def signal_of(structure: Structure) -> int:
    """Return the index of the answer that reports a difference, of the two of a task with a criterion.

    It is the answer without pairs that ought to look the same (different, not same), else the one with the
    higher percepts (yes, not no), else the last.

    Raises
    ------
    InputError
        If the task has another number of answers than two.
    """
    if structure.n_answers != 2:
        raise InputError(
            "a task with a criterion must have two answers; this one has "
            f"{structure.n_answers}, so declare it without a criterion"
        )
    have = [bool(pairs) for pairs in same_pairs(structure)]
    if have[0] != have[1]:
        return have.index(False)
    means = [structure.at[structure.answers == a].mean() for a in (0, 1)]
    return 1 if means[1] >= means[0] else 0


def mirrors(structure: Structure, used: Sequence[int]) -> bool:
    """Return whether exchanging the two stimuli makes the other of two answers right in every cell.

    Only the intervals in `used` are looked at.
    """
    known = {(tuple(row[i] for i in used), answer) for row, answer in structure.cells}
    return structure.n_answers == 2 and all(
        (tuple(other[i] for i in used), 1 - answer) in known
        for (_, answer), other in zip(structure.cells, structure.exchanged, strict=True)
    )


def keeps(structure: Structure) -> bool:
    """Return whether exchanging the two stimuli leaves the right answer of every cell as it is."""
    known = set(structure.cells)
    return all(
        (other, answer) in known
        for (_, answer), other in zip(structure.cells, structure.exchanged, strict=True)
    )

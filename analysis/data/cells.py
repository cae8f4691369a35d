"""Counts of answers by cell, on which models are compared, and the links from d' to answers there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.special import ndtr

from analysis.observers.criterion import Operating, operating_of
from analysis.observers.links import Link, link_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task

_STEP = 1e-4
_OfBoth = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Counts of answers by participant, image, pair of stimuli, task and rule; arrays (C,).

    In a task with a criterion a cell holds the trials with a difference, and right answers are hits.

    Attributes
    ----------
    tasks
        The tasks by the names that stand in `task`.
    participant, image, pair, task, rule
        Names.
    condition, level
        Name of the condition, and the level as a number; empty and NaN where there is none.
    criterion
        Standard normal deviate that is exceeded as often as the participant gives a false alarm; NaN in a
        task without a criterion.
    n_correct, n_trials
        Counts, float64.
    evidence
        What each model says about each cell's pair: a distance, or a signed preference
        (`analysis.observers.evidence`).
    """

    tasks: Mapping[str, Task]
    participant: np.ndarray
    image: np.ndarray
    pair: np.ndarray
    task: np.ndarray
    rule: np.ndarray
    condition: np.ndarray
    level: np.ndarray
    criterion: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray
    evidence: Mapping[str, np.ndarray]

    def take(self, chosen: np.ndarray) -> "Cells":
        """Return the cells for which `chosen` (C,) is true, or the cells with the numbers `chosen`."""
        arrays = [f.name for f in fields(self) if f.name not in ("tasks", "evidence")]
        return replace(
            self,
            **{name: getattr(self, name)[chosen] for name in arrays},
            evidence={label: e[chosen] for label, e in self.evidence.items()},
        )


@dataclass(frozen=True, kw_only=True)
class CellLink:
    """Relation between d' and the proportion of right answers in some cells, all of one task and rule.

    Attributes
    ----------
    where
        Numbers of the cells (n,), ascending.
    guess
        Proportion of right answers at d' = 0 in each (n,).
    criterion
        Criterion in each (n,); NaN in a task without one.
    curve, slope
        Functions of d' (…, n) and criterion (n,): the proportion of right answers, and its derivative.
    """

    where: np.ndarray
    guess: np.ndarray
    criterion: np.ndarray
    curve: _OfBoth
    slope: _OfBoth

    def p_correct(self, d: np.ndarray) -> np.ndarray:
        """Return the proportion of right answers at d' (…, n)."""
        return self.curve(d, self.criterion)

    def p_slope(self, d: np.ndarray) -> np.ndarray:
        """Return the derivative of `p_correct` at d' (…, n)."""
        return self.slope(d, self.criterion)

    def take(self, chosen: np.ndarray) -> "CellLink":
        """Return the link of its cells that are in `chosen` (ascending), numbered by their place there."""
        kept = np.isin(self.where, chosen)
        return replace(
            self,
            where=np.searchsorted(chosen, self.where[kept]),
            guess=self.guess[kept],
            criterion=self.criterion[kept],
        )


def links_of(cells: Cells) -> tuple[CellLink, ...]:
    """Return the links of all cells, one for every task and rule.

    Where a task has a criterion, the answer that reports a difference is given as often as the participant's
    own false alarms and d' imply.
    """
    names, kind = kinds_of(cells)
    links = []
    for number, (task, rule) in enumerate(names):
        where = np.flatnonzero(kind == number)
        if cells.tasks[task].criterion:
            observer = operating_of(cells.tasks[task], rule)
            links.append(_at_criterion(observer, cells.criterion[where], where))
        else:
            links.append(_unbiased(link_of(cells.tasks[task], rule), where))
    return tuple(links)


def kinds_of(cells: Cells) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Return the pairs of task and rule in use, and for each cell the number of its pair (C,)."""
    tasks, task = np.unique(cells.task, return_inverse=True)
    rules, rule = np.unique(cells.rule, return_inverse=True)
    used, kind = np.unique(task * len(rules) + rule, return_inverse=True)
    names = [(str(tasks[u // len(rules)]), str(rules[u % len(rules)])) for u in used]
    return names, kind


def _unbiased(link: Link, where: np.ndarray) -> CellLink:
    return CellLink(
        where=where,
        guess=np.full(len(where), link.guess),
        criterion=np.full(len(where), np.nan),
        curve=lambda d, _: link.p_correct(d),
        slope=lambda d, _: link.slope(d),
    )


def _at_criterion(observer: Operating, criterion: np.ndarray, where: np.ndarray) -> CellLink:
    def hits(d: np.ndarray, z: np.ndarray) -> np.ndarray:
        return observer.hits(d if observer.signed else np.abs(d), np.broadcast_to(z, d.shape))

    def slope(d: np.ndarray, z: np.ndarray) -> np.ndarray:
        return (hits(d + _STEP, z) - hits(d - _STEP, z)) / (2 * _STEP)

    z = np.clip(criterion, -observer.reach, observer.reach)
    return CellLink(where=where, guess=ndtr(-z), criterion=z, curve=hits, slope=slope)


def guesses_of(cells: Cells) -> np.ndarray:
    """Return the guess rate of each cell (C,): the proportion of right answers at no difference."""
    guess = np.empty(len(cells.n_trials))
    for link in links_of(cells):
        guess[link.where] = link.guess
    return guess


def strength_of(cells: Cells, label: str) -> np.ndarray:
    """Return a model's evidence in each cell (C,).

    Raises
    ------
    InputError
        If it is missing somewhere, or negative although the task does not ask which stimulus is the higher.
    """
    strength = np.asarray(cells.evidence[label], dtype=np.float64)
    directed = [name for name, task in cells.tasks.items() if task.directed]
    may_be_negative = np.isin(cells.task, directed)
    if not (np.isfinite(strength) & ((strength >= 0) | may_be_negative)).all():
        raise InputError(
            f"the model {label!r} has no distance for some pairs that were shown, or a negative "
            "one; rank models for which there is a distance of every pair"
        )
    return strength

"""Decision rules: from the percepts of a trial to an answer, for any task.

The percept of an interval is at(role)·d' plus standard normal noise. Two rules follow from the cells of a
task alone:

- **likelihood**: the answer whose cells have the largest sum of likelihoods of the percepts, the best that
  can be done;
- **differencing**: the answer whose pairs of intervals that ought to look the same differ least (mean squared
  difference of their percepts).

**independent** is a rule of ABX only: A against B tells which is higher, and X alone whether it is high or
low. In a task with a criterion the decision variable of the rule (the percept of a single interval, the log
likelihood ratio, or the root mean squared difference) is compared with the criterion. Source: Macmillan &
Creelman (2005), *Detection Theory: A User's Guide*, chapters 7 and 9.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.checks import as_numbers
from analysis.observers.closed_forms import same_different_criterion
from analysis.observers.structure import Structure, same_pairs, signal_of, structure_of
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_number, a_text, briefly, like, optional, takes

_LARGEST = 1e9  # d' of which squares can be compared
LIKELIHOOD, DIFFERENCING, INDEPENDENT = "likelihood", "differencing", "independent"

given_task = like("a Task, such as task_named('abx')", "rules", "cells", "intervals")

#: d' and percepts (n, intervals) to scores of answers (n, answers); the highest is given.
Scores = Callable[[Structure, np.ndarray, np.ndarray], np.ndarray]


def rule_of(task: Task, rule: str | None = None) -> str:
    """Return the name of a decision rule of a task, the task's first one if none is given.

    Raises
    ------
    InputError
        If the task has no such rule, or its cells do not determine it.
    """
    name = task.rules[0] if rule is None else a_text(rule, "rule")
    if name not in task.rules:
        raise unknown_name(f"decision rule of the task {task.name}", name, list(task.rules))
    if name not in RULES:
        raise unknown_name("decision rule", name, list(RULES))
    fault = _fault(structure_of(task), name)
    if fault:
        raise InputError(f"the task {task.name!r} has no rule {name!r}: {fault}")
    return name


@lru_cache(maxsize=256)
def _fault(structure: Structure, rule: str) -> str:
    if rule == INDEPENDENT:
        return "" if structure == structure_of(ABX) else "only ABX has it; use likelihood"
    if structure.criterion:
        signal = signal_of(structure)
        lacking = rule == DIFFERENCING and not same_pairs(structure)[1 - signal]
    else:
        lacking = rule == DIFFERENCING and not all(same_pairs(structure))
    return "no pair of intervals ought to look the same for some answer" if lacking else ""


@takes(task=given_task, criterion=optional(a_number))
def decide(
    task: Task,
    rule: str | None,
    dprime: ArrayLike,
    percepts: ArrayLike,
    *,
    criterion: float | None = None,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Return the index of the answer in each of n trials, (n,).

    Parameters
    ----------
    task, rule
        The task, and one of its rules (None: the first).
    dprime
        Sensitivity that the observer assumes, 0 or more; one number or (n,).
    percepts
        One row for each trial, one column for each of the task's intervals, (n, intervals).
    criterion
        Value that the decision variable must exceed for the answer that reports a difference, in a task with
        a criterion; None for the one that makes fewest errors.
    rng
        Draws among equal answers; without it the first of them is given.

    Raises
    ------
    InputError
        If the rule is not one of the task, or the percepts do not fit its intervals.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> decide(task_named("oddity"), "differencing", 1.0, [[0.1, 2.0, 0.2], [0.3, 0.2, -1.0]]).tolist()
    [1, 2]
    """
    name, structure = rule_of(task, rule), structure_of(task)
    x = as_numbers(percepts, "percepts")
    if x.ndim != 2 or x.shape[1] != len(task.intervals):
        raise InputError(
            f"percepts of the task {task.name!r} must have the shape (trials, {len(task.intervals)}); "
            f"not {x.shape}"
        )
    d = as_numbers(dprime, "d'")
    if d.shape not in ((), (1,), (len(x),)) or not (np.abs(d) <= _LARGEST).all():
        raise InputError(
            f"d' must be one finite number, or one for each of {len(x)} trials; not {briefly(dprime)}"
        )
    d = np.broadcast_to(d, (len(x),))
    return choose(structure, name, d, x, criterion=criterion, rng=rng)


def choose(
    structure: Structure,
    rule: str,
    d: np.ndarray,
    x: np.ndarray,
    *,
    criterion: float | None = None,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Return the index of the answer in each trial, from a structure and a rule known to fit it."""
    if structure.criterion:
        limit = best_criterion(structure, rule, d) if criterion is None else criterion
        signal = signal_of(structure)
        over = decision_variable(structure, rule, d, x) - limit
        scores = np.zeros((len(x), 2))
        scores[:, signal] = over
    else:
        scores = RULES[rule](structure, d, x)
    top = scores.max(axis=1, keepdims=True)
    if rng is not None:
        equal = scores >= top - 1e-12 * np.maximum(1.0, np.abs(top))
        tied = equal.sum(axis=1) > 1
        if tied.any():
            scores = np.where(equal, 1.0, 0.0)
            scores[tied] *= rng.uniform(0.5, 1.0, size=(int(tied.sum()), scores.shape[1]))
    return scores.argmax(axis=1)


def log_likelihoods(at: np.ndarray, votes: np.ndarray, d: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the log likelihood of percepts (n, intervals) for each answer, up to a constant, (n, answers).

    `at` (cells, intervals) says where percepts lie, `votes` (cells, answers) which answer a cell counts for.
    """
    # Cells are rows, since numpy sums long rows much faster than short ones.
    by_cell = d * (at @ x.T) - 0.5 * d**2 * (at**2).sum(axis=1, keepdims=True)
    return np.stack([_log_sum_exp(by_cell[column > 0]) for column in votes.T], axis=1)


def _log_sum_exp(x: np.ndarray) -> np.ndarray:
    """Return log(sum(exp(x))) of finite columns; scipy's function takes five times as long."""
    if len(x) == 1:
        return x[0]
    top = x.max(axis=0)
    return top + np.log(np.exp(x - top).sum(axis=0))


def _likelihood(structure: Structure, d: np.ndarray, x: np.ndarray) -> np.ndarray:
    return log_likelihoods(structure.at, structure.votes, d, x)


def _differencing(structure: Structure, d: np.ndarray, x: np.ndarray) -> np.ndarray:
    return scores_of_differences(structure, x)


def scores_of_differences(structure: Structure, x: np.ndarray) -> np.ndarray:
    """Return minus the root mean squared difference of each answer's pairs of intervals, (n, answers)."""
    columns = [_squared_difference(pairs, x) for pairs in same_pairs(structure)]
    return -np.sqrt(np.stack(columns, axis=1))


def _squared_difference(pairs: tuple[tuple[int, int], ...], x: np.ndarray) -> np.ndarray:
    columns = x.T  # pair by pair, without copies of the columns
    total = sum((columns[one] - columns[two]) ** 2 for one, two in pairs)
    return np.asarray(total) / len(pairs)


def _independent(structure: Structure, d: np.ndarray, x: np.ndarray) -> np.ndarray:
    a, b, last = x.T
    is_a = (a > b) == (last > d / 2)
    return np.stack([is_a, ~is_a], axis=1).astype(np.float64)


RULES: Mapping[str, Scores] = MappingProxyType(
    {LIKELIHOOD: _likelihood, DIFFERENCING: _differencing, INDEPENDENT: _independent}
)


def decision_variable(structure: Structure, rule: str, d: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the value (n,) that is compared with the criterion, in a task with a criterion.

    It is the percept for the likelihood rule with a single interval, else the log likelihood ratio; for
    differencing it is the root mean squared difference. The higher it is, the more does the trial look like
    one with a difference.
    """
    signal = signal_of(structure)
    if rule == DIFFERENCING:
        return np.sqrt(_squared_difference(same_pairs(structure)[1 - signal], x))
    if x.shape[1] == 1:
        return x[:, 0]
    ratio = _likelihood(structure, d, x)
    return ratio[:, signal] - ratio[:, 1 - signal]


def best_criterion(structure: Structure, rule: str, d: np.ndarray) -> np.ndarray:
    """Return the criterion (n,) with the fewest errors at sensitivities d (n,), all cells equally often."""
    if rule == DIFFERENCING and single_pair(structure):
        return same_different_criterion(d)
    if rule == DIFFERENCING:
        values, place = np.unique(d, return_inverse=True)
        return np.array([_best_by_drawing(structure, float(v)) for v in values])[place]
    counts = structure.votes.sum(axis=0)
    signal = signal_of(structure)
    prior = float(np.log(counts[1 - signal] / counts[signal]))
    if len(structure.parts) == 1:
        return d / 2 + prior / np.maximum(d, 1e-9)
    # Likelihoods are summed over cells, so they hold the shares of the cells already.
    return np.zeros_like(d)


def single_pair(structure: Structure) -> bool:
    """Return whether differencing compares one pair that differs by d' in half of the cells, else by 0."""
    signal = signal_of(structure)
    pairs = same_pairs(structure)[1 - signal]
    if len(pairs) != 1:
        return False
    i, j = pairs[0]
    apart = np.abs(structure.at[:, i] - structure.at[:, j])
    differs = structure.answers == signal
    return bool((apart == differs).all() and differs.mean() == 0.5)


@lru_cache(maxsize=1024)
def _best_by_drawing(structure: Structure, d: float) -> float:
    """Return the criterion with the fewest errors over drawn percepts."""
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((4000, 1, len(structure.parts))) + d * structure.at).reshape(
        -1, len(structure.parts)
    )
    reports = np.tile(structure.answers == signal_of(structure), 4000)
    values = decision_variable(structure, DIFFERENCING, np.full(len(x), d), x)
    order = np.argsort(values)
    errors = np.cumsum(reports[order]) + (~reports).sum() - np.cumsum(~reports[order])
    return float(values[order][errors.argmin()])

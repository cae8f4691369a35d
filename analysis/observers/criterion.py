"""Sensitivity and criterion from hits and false alarms, for tasks with a criterion.

A hit is the answer that reports a difference ("yes", "different") where there is one; a false alarm is the
same answer where there is none. Source: Macmillan & Creelman (2005), chapters 1, 2 and 9.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import RectBivariateSpline
from scipy.special import ndtr, ndtri

from analysis.observers.rules import (
    DIFFERENCING,
    best_criterion,
    decision_variable,
    rule_of,
    single_pair,
)
from analysis.observers.structure import Structure, mirrors, signal_of, structure_of
from analysis.observers.tabulated import quasi_normal
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task

_DROP95 = 1.9207294103470622  # half of the 95 % point of χ² with one degree of freedom
_HIGHEST = 12.0
_SECTIONS = 48
_Function = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Counts of hits and false alarms, and the criterion that they imply.

    `criterion` is a value of the rule's decision variable: the percept of a single interval, the difference
    of two. `bias` is its distance from the criterion with the fewest errors (c of yes-no): above 0 for
    somebody who reports a difference too rarely.
    """

    n_hits: int
    n_signal: int
    n_false_alarms: int
    n_noise: int
    criterion: float
    bias: float


@dataclass(frozen=True, kw_only=True)
class Operating:
    """Receiver operating characteristic: hits as a function of d' and of the false alarms.

    False alarms are given as z, the standard normal deviate that is exceeded as often.

    Attributes
    ----------
    hits
        d' and z, arrays of one shape, to the rate of hits.
    criterion
        d' and z to the criterion, a value of the rule's decision variable.
    best
        d' to the criterion with the fewest errors.
    signed
        Whether d' may be negative (yes-no: "yes" is said more often where there is nothing).
    reach
        Range of z is from −reach to reach.
    """

    hits: _Function
    criterion: _Function
    best: Callable[[np.ndarray], np.ndarray]
    signed: bool
    reach: float = 8.0


def operating_of(task: Task, rule: str | None = None) -> Operating:
    """Return the receiver operating characteristic of a task with a criterion, under a rule.

    Raises
    ------
    InputError
        If the task has no criterion, or the rule is not one of it.
    """
    if not task.criterion:
        raise InputError(
            f"the task {task.name!r} has no criterion, so it has no hits and false alarms; use proportion "
            "correct"
        )
    return _operating(structure_of(task), rule_of(task, rule))


@lru_cache(maxsize=32)
def _operating(structure: Structure, rule: str) -> Operating:
    def best(d: np.ndarray) -> np.ndarray:
        return best_criterion(structure, rule, np.atleast_1d(d))

    if rule == DIFFERENCING and single_pair(structure):
        return Operating(hits=_different, criterion=_difference, best=best, signed=False)
    if len(structure.parts) == 1 and mirrors(structure, (0,)):
        return Operating(
            hits=lambda d, z: ndtr(d - z), criterion=lambda d, z: z + 0 * d, best=best, signed=True
        )
    return _drawn(structure, rule, best)


def _difference(d: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the limit on |x₁ − x₂|, where x₁ − x₂ has variance 2."""
    return -np.sqrt(2) * ndtri(ndtr(-z) / 2) + 0 * d


def _different(d: np.ndarray, z: np.ndarray) -> np.ndarray:
    k = _difference(d, z)
    return ndtr((d - k) / np.sqrt(2)) + ndtr((-d - k) / np.sqrt(2))


def _drawn(structure: Structure, rule: str, best: Callable[[np.ndarray], np.ndarray]) -> Operating:
    """Return the characteristic of quasi-random percepts, interpolated between tabulated d' and z."""
    noise, share = quasi_normal(len(structure.parts), 14, 0)
    cell = np.minimum((share * len(structure.at)).astype(int), len(structure.at) - 1)
    reports = structure.answers[cell] == signal_of(structure)
    d_grid, z_grid = np.linspace(0.0, _HIGHEST, 61), np.linspace(-3.5, 3.5, 141)
    limits, hits = [], []
    for d in np.maximum(d_grid, 1e-3):  # at 0 a likelihood ratio is 1 for every percept
        x = noise + d * structure.at[cell]
        found = decision_variable(structure, rule, np.full(len(x), d), x)
        limit = np.quantile(found[~reports], ndtr(z_grid))
        with_difference = np.sort(found[reports])
        limits.append(limit)
        hits.append(1 - np.searchsorted(with_difference, limit) / len(with_difference))
    smooth = [RectBivariateSpline(d_grid, z_grid, np.array(v), kx=1, ky=1) for v in (hits, limits)]
    return Operating(
        hits=lambda d, z: smooth[0].ev(d, z),
        criterion=lambda d, z: smooth[1].ev(d, z),
        best=best,
        signed=False,
        reach=3.5,
    )


def from_hits(
    task: Task, rule: str | None, n_hits: int, n_signal: int, n_false_alarms: int, n_noise: int
) -> tuple[float, float, float, Rates]:
    """Return d' with the ends of its 95 % interval, and the rates, from hits and false alarms.

    A rate of 0 or 1 counts as half a trial (the 1/(2N) rule). The interval is that of the likelihood profile
    over the criterion, without this correction, so that an end is infinite where the counts set no bound.

    Raises
    ------
    InputError
        If a count is larger than its number of trials, or there is no trial of one of the two sorts.
    """
    if not (0 <= n_hits <= n_signal and 0 <= n_false_alarms <= n_noise and n_signal and n_noise):
        raise InputError(
            f"{n_hits} hits of {n_signal} and {n_false_alarms} false alarms of {n_noise} are not valid "
            "counts; d' needs trials with a difference and trials without one"
        )
    observer = operating_of(task, rule)
    hit, false_alarm = _between(n_hits, n_signal), _between(n_false_alarms, n_noise)
    d = dprime_of_rates(observer, hit, false_alarm)
    k = float(observer.criterion(np.array(d), ndtri(1 - false_alarm)))
    low, high = _interval(observer, (n_hits, n_signal, n_false_alarms, n_noise))
    middle = d / 2 if observer.signed else float(observer.best(np.array([d]))[0])
    rates = Rates(
        n_hits=n_hits,
        n_signal=n_signal,
        n_false_alarms=n_false_alarms,
        n_noise=n_noise,
        criterion=k,
        bias=k - middle,
    )
    return d, min(low, d), max(high, d), rates


def _between(count: int, total: int) -> float:
    return min(max(float(count), 0.5), total - 0.5) / total


def dprime_of_rates(observer: Operating, hit: float, false_alarm: float) -> float:
    """Return the d' at which an observer has a rate of hits and one of false alarms, by bisection.

    It is 0 where hits are not more frequent than false alarms, or negative where the task allows that.
    """
    z = np.array(ndtri(1 - false_alarm))
    low, high = (-_HIGHEST if observer.signed else 0.0), _HIGHEST
    if observer.hits(np.array(low), z) >= hit:
        return low
    for _ in range(_SECTIONS):
        middle = 0.5 * (low + high)
        if observer.hits(np.array(middle), z) < hit:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _interval(observer: Operating, counts: tuple[int, int, int, int]) -> tuple[float, float]:
    """Return the d' between which the likelihood profile is within half the 95 % point of χ² of its top."""
    grid = np.linspace(-_HIGHEST if observer.signed else 0.0, _HIGHEST, 121)
    height = _profile(observer, counts, grid)
    best = int(height.argmax())
    finer = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], 41)
    finer_height = _profile(observer, counts, finer)
    top = max(float(finer_height.max()), float(height.max()))
    grid, order = np.unique(np.concatenate([grid, finer]), return_index=True)
    height = np.concatenate([height, finer_height])[order]
    inside = np.flatnonzero(height >= top - _DROP95)
    ends = []
    for side, inner in ((-1, int(inside[0])), (1, int(inside[-1]))):
        outer = inner + side
        if not 0 <= outer < len(grid):
            ends.append(0.0 if side < 0 and not observer.signed else side * np.inf)
            continue
        near, far = grid[inner], grid[outer]
        for _ in range(4):
            between = np.linspace(near, far, 9)
            fall = top - _profile(observer, counts, between) - _DROP95
            last = int(np.flatnonzero(fall <= 0).max(initial=0))
            near, far = between[last], between[min(last + 1, 8)]
        ends.append(float(0.5 * (near + far)))
    return ends[0], ends[1]


def _profile(observer: Operating, counts: tuple[int, int, int, int], d: np.ndarray) -> np.ndarray:
    """Return the largest log likelihood over criteria at each d', by sections of the range of z."""
    hits, n_signal, false_alarms, n_noise = counts

    def height(z: np.ndarray) -> np.ndarray:
        h, f = (np.clip(r, 1e-15, 1 - 1e-15) for r in (observer.hits(d, z), ndtr(-z)))
        seen = hits * np.log(h) + (n_signal - hits) * np.log1p(-h)
        return seen + false_alarms * np.log(f) + (n_noise - false_alarms) * np.log1p(-f)

    low, high = np.full_like(d, -observer.reach), np.full_like(d, observer.reach)
    for _ in range(_SECTIONS):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        left = height(one) > height(two)
        low, high = np.where(left, low, one), np.where(left, two, high)
    return height(0.5 * (low + high))

"""Receiver operating characteristics of tasks with a criterion: hits against false alarms at every d'.

A hit is the answer that reports a difference ("yes", "different") where there is one; a false alarm is the
same answer where there is none. Source: Macmillan & Creelman (2005), chapters 1, 2 and 9.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import RectBivariateSpline
from scipy.special import expit, ndtr, ndtri

from analysis.observers.rules import (
    DIFFERENCING,
    best_criterion,
    decision_variable,
    log_likelihoods,
    rule_of,
    single_pair,
)
from analysis.observers.structure import Structure, mirrors, signal_of, structure_of
from analysis.observers.tabulated import quasi_normal
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task

#: Largest d' that is looked for from rates.
LARGEST_DPRIME = 12.0
_SECTIONS = 48
_DRAWN_AT = np.concatenate([np.arange(0, 4, 0.2), np.arange(4, LARGEST_DPRIME + 0.1, 0.5)])
_DRAWN_REACH = 12.0
_LOG_POINTS = 13
_Function = Callable[[np.ndarray, np.ndarray], np.ndarray]


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
    reach: float = 20.0


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
    """Return the characteristic of quasi-random percepts, interpolated between tabulated d' and z.

    Every percept counts for both sorts of trials, by the probability that it came from either, so that hits
    are known to about 2e-4.
    """
    noise, _ = quasi_normal(len(structure.parts), _LOG_POINTS, 0)
    signal, z_grid = signal_of(structure), np.linspace(-_DRAWN_REACH, _DRAWN_REACH, 481)
    limits, hits = [], []
    for d in np.maximum(_DRAWN_AT, 1e-3):  # at 0 a likelihood ratio is 1 for every percept
        x = (noise[:, None, :] + d * structure.at).reshape(-1, noise.shape[1])
        sensitivity = np.full(len(x), d)
        found = decision_variable(structure, rule, sensitivity, x)
        logs = log_likelihoods(structure.at, structure.votes, sensitivity, x)
        odds, order = logs[:, signal] - logs[:, 1 - signal], np.argsort(found)
        z_hits, z_false = (_deviates(expit(side * odds[order])) for side in (1, -1))
        limits.append(np.interp(z_grid, z_false, found[order]))
        hits.append(ndtr(-np.interp(z_grid, z_false, z_hits)))
    smooth = [
        RectBivariateSpline(_DRAWN_AT, z_grid, np.array(v), kx=3, ky=1) for v in (hits, limits)
    ]
    return Operating(
        hits=lambda d, z: np.clip(smooth[0].ev(d, z), 0.0, 1.0),
        criterion=lambda d, z: smooth[1].ev(d, z),
        best=best,
        signed=False,
        reach=_DRAWN_REACH,
    )


def _deviates(weights: np.ndarray) -> np.ndarray:
    """Return the normal deviate of the share of weight below each value, half of its own included."""
    below = np.cumsum(weights) - weights / 2
    above = np.cumsum(weights[::-1])[::-1] - weights / 2
    tail = ndtri(np.minimum(below, above) / weights.sum())
    return np.where(below < above, tail, -tail)


def dprime_of_rates(observer: Operating, hit: float, false_alarm: float) -> float:
    """Return the d' at which an observer has a rate of hits and one of false alarms.

    It is 0 where hits are not more frequent than false alarms, or negative where the task allows that.
    """
    return float(dprimes_of_rates(observer, np.array(hit), np.array(false_alarm)))


def dprimes_of_rates(observer: Operating, hit: np.ndarray, false_alarm: np.ndarray) -> np.ndarray:
    """Return `dprime_of_rates` of arrays of one shape, by bisection."""
    z = ndtri(1 - false_alarm)
    low = np.full(np.shape(hit), -LARGEST_DPRIME if observer.signed else 0.0)
    high, bottom = np.full_like(low, LARGEST_DPRIME), low
    below = observer.hits(low, z) >= hit
    for _ in range(_SECTIONS):
        middle = 0.5 * (low + high)
        short = observer.hits(middle, z) < hit
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.where(below, bottom, 0.5 * (low + high))

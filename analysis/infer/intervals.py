"""Likelihood profiles and the intervals derived from them.

A profile fixes one parameter at many values and maximizes over all others. The interval holds the values
whose profile lies within half the 95 % point of χ² (one degree of freedom) of the maximum. Its end is
infinite if the profile never falls that far, because then the data exclude no value on that side.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtri

from analysis.infer.likelihood import Climb, CurveProblem, climb

DROP95 = float(chdtri(1, 0.05)) / 2
_REFINED = 24


@dataclass(frozen=True, kw_only=True)
class LikelihoodProfile:
    """Likelihood profile of one parameter: its values (V,), heights (V,), and all parameters (V, K)."""

    index: int
    values: np.ndarray
    height: np.ndarray
    x: np.ndarray

    @property
    def best(self) -> int:
        """Index of the highest point."""
        return int(np.argmax(self.height))


def likelihood_profile(
    problem: CurveProblem, index: int, values: np.ndarray, starts: np.ndarray
) -> LikelihoodProfile:
    """Return the likelihood profile of parameter `index` at `values`, maximized from each start (M, K)."""
    n_values, n_starts = len(values), len(starts)
    x = np.tile(starts, (n_values, 1, 1))
    x[:, :, index] = np.asarray(values)[:, None]
    found = _climb_others(problem, index, x.reshape(n_values * n_starts, -1))
    heights = found.value.reshape(n_values, n_starts)
    best = heights.argmax(axis=1)
    rows = np.arange(n_values)
    return LikelihoodProfile(
        index=index,
        values=np.asarray(values, dtype=np.float64),
        height=heights[rows, best],
        x=found.x.reshape(n_values, n_starts, -1)[rows, best],
    )


def with_point(found: LikelihoodProfile, x: np.ndarray, height: float) -> LikelihoodProfile:
    """Return the likelihood profile with the point `x` (K,) and its height inserted."""
    place = int(np.searchsorted(found.values, x[found.index]))
    return replace(
        found,
        values=np.insert(found.values, place, x[found.index]),
        height=np.insert(found.height, place, height),
        x=np.insert(found.x, place, x, axis=0),
    )


def interval_of(
    problem: CurveProblem, found: LikelihoodProfile, drop: float = DROP95
) -> tuple[float, float]:
    """Return both ends of the interval of the profiled parameter; an end without a bound is infinite.

    If the likelihood profile has several maxima within `drop`, the interval covers all of them.
    """
    inside = np.flatnonzero(found.height >= found.height.max() - drop)
    low = _end(problem, found, int(inside[0]), -1, drop)
    high = _end(problem, found, int(inside[-1]), +1, drop)
    return low, high


def _end(
    problem: CurveProblem, found: LikelihoodProfile, inner: int, side: int, drop: float
) -> float:
    outer = inner + side
    if not 0 <= outer < len(found.values):
        return side * np.inf
    between = np.linspace(found.values[inner], found.values[outer], _REFINED)
    warm = np.stack([found.x[inner], found.x[outer]])
    finer = likelihood_profile(problem, found.index, between, warm)
    fall = found.height.max() - finer.height - drop
    fall[0], fall[-1] = min(fall[0], 0.0), max(fall[-1], 1e-12)
    last = int(np.flatnonzero(fall <= 0)[-1])
    share = -fall[last] / (fall[last + 1] - fall[last])
    return float(between[last] + share * (between[last + 1] - between[last]))


def _climb_others(problem: CurveProblem, index: int, x: np.ndarray) -> Climb:
    free = tuple(i for i in range(x.shape[1]) if i != index)
    return climb(problem, x, free, tolerance=1e-6)

"""Proportion correct of any task and rule, integrated over percepts and tabulated against d'.

For percepts x the rule's answer is right with the probability that x came from one of its cells. The mean of
this probability over quasi-random percepts (scrambled Sobol points, some for every cell) is proportion
correct; it varies much less than a count of right answers. The seed is fixed, so a table is always the same.
"""

from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtri

from analysis.observers.closed_forms import LinkCurve
from analysis.observers.rules import LIKELIHOOD, choose, log_likelihoods
from analysis.observers.structure import Structure

GRID = np.concatenate([np.linspace(0, 4, 21), np.linspace(4.5, 8, 8), [10.0, 12.0, 16.0, 20.0]])
_REPLICATES = 8
#: Base-2 logarithm of the number of points in each replicate; the likelihood rule's mean varies least.
_LOG_POINTS, _LOG_POINTS_LIKELIHOOD = 14, 12


@lru_cache(maxsize=128)
def tabulated(structure: Structure, rule: str, *, exchanged: bool = False) -> LinkCurve:
    """Return proportion correct against d' by interpolation of a table.

    With `exchanged` the two stimuli have changed places, and the observer does not know it. The curve's
    `error` is the largest standard error of the table.
    """
    by_replicate = np.stack(
        [_means(structure, rule, exchanged, seed) for seed in range(_REPLICATES)]
    )
    means = by_replicate.mean(axis=0)
    error = float(by_replicate.std(axis=0, ddof=1).max() / np.sqrt(_REPLICATES))
    means = np.maximum.accumulate(means) if means[-1] >= means[0] else np.minimum.accumulate(means)
    return curve_through(means, error)


def curve_through(means: np.ndarray, error: float) -> LinkCurve:
    """Return the monotone cubic through values at `GRID`; beyond the grid it is constant."""
    value = PchipInterpolator(GRID, means)
    rise = value.derivative()
    end = GRID[-1]

    def slope(d: np.ndarray) -> np.ndarray:
        return np.where(d < end, rise(np.minimum(d, end)), 0.0)

    return LinkCurve(
        p=lambda d: value(np.minimum(d, end)),
        slope=slope,
        formula=f"P by integration over percepts (error below {max(error, 1e-4):.1g})",
        error=error,
    )


@lru_cache(maxsize=8)
def quasi_normal(n_intervals: int, log_points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return quasi-random standard normal numbers (n, intervals), and uniform ones (n,) beside them."""
    from scipy.stats import qmc  # loaded where a table is needed: it takes a second

    # The argument is called `rng` only since SciPy 1.15; `seed` is taken by all.
    points = qmc.Sobol(n_intervals + 1, seed=np.random.default_rng(seed)).random_base2(log_points)
    return ndtri(np.clip(points[:, 1:], 1e-12, 1 - 1e-12)), points[:, 0]


def _means(structure: Structure, rule: str, exchanged: bool, seed: int) -> np.ndarray:
    """Return proportion correct at each d' of the grid."""
    truth = structure.at_exchanged if exchanged else structure.at
    log_points = _LOG_POINTS_LIKELIHOOD if rule == LIKELIHOOD else _LOG_POINTS
    noise, share = quasi_normal(len(structure.parts), log_points, seed)
    cell = np.minimum((share * len(truth)).astype(int), len(truth) - 1)
    rows, found = np.arange(len(noise)), []
    for d in GRID:
        assumed = np.full(len(noise), d)
        x = noise + d * truth[cell]
        said = choose(structure, rule, assumed, x)
        logs = log_likelihoods(truth, structure.votes, assumed, x)
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        found.append(float((odds[rows, said] / odds.sum(axis=1)).mean()))
    return np.array(found)

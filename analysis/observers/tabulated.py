"""Proportion correct of any task and rule, integrated over percepts and tabulated against d'.

For percepts x the rule's answer is right with the probability that x came from one of its cells. The mean of
this probability over quasi-random percepts (scrambled Sobol points, some for every cell) is proportion
correct; it varies much less than a count of right answers. The seed is fixed, so a table is always the same.
"""

from functools import lru_cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr, ndtri

from analysis.observers.closed_forms import LinkCurve, density
from analysis.observers.rules import DIFFERENCING, LIKELIHOOD, choose, log_likelihoods
from analysis.observers.structure import Structure

GRID = np.concatenate(
    [
        [0, 0.05, 0.1, 0.15, 0.2],
        np.arange(0.3, 1, 0.1),
        np.arange(1, 4, 0.25),
        np.arange(4, 8, 0.5),
        [8, 9, 10, 12, 16, 20],
    ]
)
_REPLICATES = 8
#: Base-2 logarithms of the number of points in each replicate, tried in turn until the error is small enough.
_LOG_POINTS = (12, 13, 14, 15, 16)
#: Standard error that is small enough: four times this is 0.001.
_ENOUGH = 2.5e-4
#: d' at which that is tried: proportions correct vary most where they are neither chance nor 1.
_TRIED = np.array([1.0, 1.75, 2.5, 3.25, 4.0])


@lru_cache(maxsize=128)
def tabulated(structure: Structure, rule: str, *, exchanged: bool = False) -> LinkCurve:
    """Return proportion correct against d' by interpolation of a table.

    With `exchanged` the two stimuli have changed places, and the observer does not know it. The curve's
    `error` is the largest standard error of the table.
    """
    for log_points in _LOG_POINTS:
        error = _replicated(structure, rule, exchanged, log_points, _TRIED)[1]
        if error <= _ENOUGH:
            break
    return curve_through(*_replicated(structure, rule, exchanged, log_points, GRID))


def curve_through(means: np.ndarray, error: float) -> LinkCurve:
    """Return the monotone curve through proportions at `GRID`; beyond the grid it is constant.

    What is interpolated by a monotone cubic is the normal deviate u of the way from chance, P = P₀ +
    (E − P₀)(2Φ(u) − 1), where E is 1, or 0 for a falling curve. For one comparison it is a straight line, and
    for every rule it becomes one at large d'.
    """
    start, end = float(means[0]), float(means[-1] >= means[0])
    share = np.maximum.accumulate((means - start) / (end - start))
    deviate = PchipInterpolator(GRID, -ndtri(np.maximum(1 - share, 2e-16) / 2))
    rise, last = deviate.derivative(), GRID[-1]

    def p(d: np.ndarray) -> np.ndarray:
        return end - 2 * (end - start) * ndtr(-deviate(np.minimum(d, last)))

    def slope(d: np.ndarray) -> np.ndarray:
        at = np.minimum(d, last)
        steep = 2 * (end - start) * density(deviate(at)) * rise(at)
        return np.where(d < last, steep, 0.0)

    return LinkCurve(
        p=p,
        slope=slope,
        formula=f"P by integration over percepts (error below {max(4 * error, 1e-4):.1g})",
        error=error,
    )


@lru_cache(maxsize=8)
def quasi_normal(n_intervals: int, log_points: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return quasi-random standard normal numbers (n, intervals), and uniform ones (n,) beside them."""
    from scipy.stats import qmc  # loaded where a table is needed: it takes a second

    # The argument is called `rng` only since SciPy 1.15; `seed` is taken by all.
    points = qmc.Sobol(n_intervals + 1, seed=np.random.default_rng(seed)).random_base2(log_points)
    return ndtri(np.clip(points[:, 1:], 1e-12, 1 - 1e-12)), points[:, 0]


def _replicated(
    structure: Structure, rule: str, exchanged: bool, log_points: int, at: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return proportion correct at each d', and the largest standard error over replicates."""
    found = np.stack(
        [
            _means(
                structure, rule, exchanged, quasi_normal(len(structure.parts), log_points, seed), at
            )
            for seed in range(_REPLICATES)
        ]
    )
    return found.mean(axis=0), float(found.std(axis=0, ddof=1).max() / np.sqrt(_REPLICATES))


def _means(
    structure: Structure,
    rule: str,
    exchanged: bool,
    points: tuple[np.ndarray, np.ndarray],
    at: np.ndarray,
) -> np.ndarray:
    """Return proportion correct at each d'."""
    truth = structure.at_exchanged if exchanged else structure.at
    noise, share = points
    cell = np.minimum((share * len(truth)).astype(int), len(truth) - 1)
    rows, found, seen = np.arange(len(noise)), [], _seen(structure, rule)
    for d in at:
        assumed = np.full(len(noise), d)
        x = noise + d * truth[cell]
        logs = log_likelihoods(truth @ seen, structure.votes, assumed, x @ seen)
        odds = np.exp(logs - logs.max(axis=1, keepdims=True))
        # The likeliest answer needs no second look, unless the observer takes the stimuli for each other.
        likeliest = rule == LIKELIHOOD and not exchanged
        said = odds.argmax(axis=1) if likeliest else choose(structure, rule, assumed, x)
        found.append(float((odds[rows, said] / odds.sum(axis=1)).mean()))
    return np.array(found)


def _seen(structure: Structure, rule: str) -> np.ndarray:
    """Return the matrix (intervals, intervals) from percepts to what a rule takes from them.

    Differencing does not know the mean percept of the pictures that it compares. Without it the probability
    of being right varies much less between percepts.
    """
    parts = np.array(structure.parts)
    same = (parts[:, None] == parts).astype(np.float64)
    centre = np.eye(len(parts)) - same / same.sum(axis=1)
    return centre if rule == DIFFERENCING else np.eye(len(parts))

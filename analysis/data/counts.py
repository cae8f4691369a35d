"""Counts of right answers and trials by level, their trend over the levels, and their dispersion."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, chdtrc, chdtri, fdtri

from analysis.observers.checks import check_counts, numbers_of
from stimuli_store.errors import InputError

_FEW_TRIALS = 5  # mean trials per level below which a deviance is not used
_LEAST_FREE = 4
_COMMON, _RARE = (
    0.4,
    0.1,
)  # shares of good fits between which a larger deviance comes to widen an interval
_SAME = 1e-9  # proportions nearer to each other are one
_USUAL_ETA = 0.17  # overdispersion that a trend supposes, with the weight of as many levels
_USUAL_WEIGHT = 3
SURE = 1e-3  # probability of an error when answers are said to fall, or to be below chance
TOLD_APART = 9.21  # 99 % point of χ² with two degrees of freedom: a curve against a line at chance


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Counts:
    """Counts of right answers and trials by level, three float64 arrays (L,) without empty levels."""

    levels: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.levels, self.n_correct, self.n_trials))

    def __repr__(self) -> str:
        right, total = self.n_correct.sum(), self.n_trials.sum()
        return f"Counts({right:.0f} right of {total:.0f} at {len(self.levels)} levels)"


def counts_of(levels: ArrayLike, n_correct: ArrayLike, n_trials: ArrayLike) -> Counts:
    """Return checked counts by level, ascending; levels without trials are left out.

    Raises
    ------
    InputError
        If the three differ in length, hold no trial or no numbers, a level is not finite, a count is not
        whole, or not 0 <= n_correct <= n_trials.

    Examples
    --------
    >>> counts_of([2, 1, 2], [1, 0, 1], [1, 1, 1]).n_correct.tolist()
    [0.0, 2.0]
    """
    given = [
        np.atleast_1d(numbers_of(values, name))
        for name, values in (
            ("levels", levels),
            ("n_correct", n_correct),
            ("n_trials", n_trials),
        )
    ]
    if len({v.shape for v in given}) != 1 or given[0].ndim != 1:
        raise InputError(
            "levels, n_correct and n_trials must be lists of the same length; "
            f"their shapes are {', '.join(str(v.shape) for v in given)}"
        )
    level, right, total = given
    check_counts(right, total)
    if not np.isfinite(level[total > 0]).all():
        raise InputError("a level is not a finite number; leave out conditions without a level")
    return summed_counts(level, right, total)


def summed_counts(level: np.ndarray, right: np.ndarray, total: np.ndarray) -> Counts:
    """Return counts (R,) of checked answers by level, ascending; levels without trials are left out."""
    used = total > 0
    known, place = np.unique(level[used], return_inverse=True)
    return Counts(
        levels=known,
        n_correct=np.bincount(place, right[used]),
        n_trials=np.bincount(place, total[used]),
    )


def widening_of(deviance: np.ndarray, n_free: np.ndarray, n_trials: np.ndarray) -> np.ndarray:
    """Return the factors by which answers that scatter beyond chance widen the drop of a profile.

    With a heterogeneity factor h, the deviance over its ν degrees of freedom, the drop of a 95 % interval is
    h times half the 95 % point of F(1, ν) instead of χ²(1) (Finney 1971, *Probit Analysis*, chapter 4). Here
    that comes in gradually: not at all where 40 % of good fits have a larger deviance, and in full where
    only 10 % have; and ν in F is at least 4, because nobody's answers scatter without limit.
    `docs/fits.md` has the coverage.

    Parameters
    ----------
    deviance, n_free, n_trials
        Deviances, degrees of freedom and mean trials per level, arrays of one shape. Without a degree of
        freedom, or with fewer than 5 trials per level, the factor is 1.

    Examples
    --------
    >>> factors = widening_of(np.array([2.0, 8.0]), np.array([4, 4]), np.array([40, 40]))
    >>> factors.round(3).tolist()
    [1.0, 4.013]
    """
    free = np.maximum(n_free, 1)
    full = deviance / free * fdtri(1, np.maximum(free, _LEAST_FREE), 0.95) / chdtri(1, 0.05)
    weight = np.clip((_COMMON - chdtrc(free, deviance)) / (_COMMON - _RARE), 0, 1)
    used = (n_free >= 1) & (n_trials >= _FEW_TRIALS)
    return np.where(used, 1 + weight * np.maximum(full - 1, 0), 1.0)


def dispersion_of(deviance: float, counts: Counts, *, n_parameters: int) -> float:
    """Return the factor by which scatter beyond chance widens the drop of one fit (`widening_of`).

    Examples
    --------
    >>> counts = counts_of([1, 2, 3, 4, 5], [1, 3, 5, 7, 9], [10] * 5)
    >>> dispersion_of(1.0, counts, n_parameters=3), round(dispersion_of(9.0, counts, n_parameters=3), 2)
    (1.0, 9.03)
    """
    free = np.array(len(counts.levels) - n_parameters)
    return float(widening_of(np.array(deviance), free, np.array(counts.n_trials.mean())))


def trend_of(x: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray) -> np.ndarray:
    """Return the normal deviate (B,) of a linear trend of answers (B, L) over positions x (B, L).

    It is the test of Cochran (1954, Biometrics 10, 417) and Armitage, divided by the root of the scatter
    beyond chance. The scatter is about the best monotone curve in the direction of the trend, so that a late
    drop, which no straight line follows, counts as a fall. Few levels hardly show it, so it is averaged with
    that of an overdispersion η = .17, which weighs as three degrees of freedom: flat answers of η = .2 then
    pass for falling (`SURE`) in at most 1 % of sets of 3 to 10 levels with 10 to 200 trials each. It is 0
    where all answers are alike or there is one level.

    Examples
    --------
    >>> x, total = np.arange(5.0)[None], np.full((1, 5), 160.0)
    >>> trend_of(x, np.array([[156.0, 155, 156, 142, 89]]), total).round(2).tolist()
    [-5.37]
    """
    total = n_trials.sum(axis=-1, keepdims=True)
    mean = n_correct.sum(axis=-1, keepdims=True) / total
    off = x - (n_trials * x).sum(axis=-1, keepdims=True) / total
    square = (n_trials * off**2).sum(axis=-1)
    spread = (mean * (1 - mean))[..., 0]
    varied = spread > 0
    slope = (n_correct * off).sum(axis=-1) / np.where(square > 0, square, 1)
    toward = np.where(slope[..., None] < 0, n_trials - n_correct, n_correct)
    order = np.argsort(np.where(n_trials > 0, x, np.inf), axis=-1, kind="stable")
    in_order = (np.take_along_axis(v, order, axis=-1) for v in (toward, n_trials))
    scatter, free = _scatter_of(*in_order)
    scatter /= np.where(varied, spread, 1)
    usual = 1 + _USUAL_ETA**2 * (n_trials * (n_trials - 1) * off**2).sum(axis=-1) / np.where(
        square > 0, square, 1
    )
    pooled = (_USUAL_WEIGHT * usual + scatter) / (_USUAL_WEIGHT + free)
    beyond = np.maximum(np.maximum(pooled, scatter / np.maximum(free, 1)), 1)
    scale = square / np.where(varied, spread, 1) / beyond
    return np.where(varied, slope * np.sqrt(scale), 0.0)


def _scatter_of(right: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared deviations per trial (B,) of answers in order (B, L) from the best rising curve.

    With them come their degrees of freedom: levels less blocks of levels that the curve takes together.
    """
    used = total > 0
    curve = _rising_curve(right, total)
    square = np.where(used, (right - total * curve) ** 2 / np.where(used, total, 1), 0.0)
    steps = (np.diff(curve, axis=-1) > _SAME) & used[..., 1:]
    return square.sum(axis=-1), used.sum(axis=-1) - 1 - steps.sum(axis=-1)


def _rising_curve(right: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return the proportions (B, L) of the most likely curve that never falls.

    They are the max-min of means over neighbouring levels (Barlow et al. 1972, *Statistical Inference under
    Order Restrictions*, equation 1.9). Levels without trials come last.
    """
    curve = np.full(right.shape, -np.inf)
    for begin in range(right.shape[-1]):
        sums, sizes = (v[..., begin:].cumsum(axis=-1) for v in (right, total))
        means = np.where(sizes > 0, sums / np.maximum(sizes, 1), 0.0)
        least = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
        curve[..., begin:] = np.maximum(curve[..., begin:], least)
    return curve


def is_below(chance: float, n_correct: np.ndarray, n_trials: np.ndarray) -> np.ndarray:
    """Return whether answers (B, L) are below chance beyond doubt, altogether or at one level (B,)."""
    if chance == 0:
        return np.zeros(len(n_correct), dtype=bool)
    alone = bdtr(n_correct, n_trials.astype(np.int64), chance).min(axis=-1)
    right, total = n_correct.sum(axis=-1), n_trials.sum(axis=-1).astype(np.int64)
    n_levels = (n_trials > 0).sum(axis=-1)
    return np.minimum(alone * n_levels, bdtr(right, total, chance)) < SURE / 2

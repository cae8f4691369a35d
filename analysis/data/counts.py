"""Counts of right answers and trials by level, and their dispersion about a curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri

from stimuli_store.errors import InputError

_RARE = 0.2  # share of good fits whose deviance calls for a wider interval
_FEW_TRIALS = 5  # mean trials per level below which a deviance is not used


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts of right answers and trials by level, three float64 arrays (L,) without empty levels."""

    levels: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray


def counts_of(levels: ArrayLike, n_correct: ArrayLike, n_trials: ArrayLike) -> Counts:
    """Return checked counts by level, ascending; levels without trials are left out.

    Raises
    ------
    InputError
        If the three differ in length, hold no trial, or a count is not 0 <= n_correct <= n_trials.
    """
    given = [np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (levels, n_correct, n_trials)]
    if len({v.shape for v in given}) != 1 or given[0].ndim != 1:
        raise InputError(
            "levels, n_correct and n_trials must be lists of the same length; "
            f"their shapes are {', '.join(str(v.shape) for v in given)}"
        )
    level, right, total = given
    if not ((right >= 0) & (right <= total)).all():
        raise InputError("n_correct must lie between 0 and n_trials at every level")
    used = total > 0
    if not used.any():
        raise InputError("there is no trial to fit; give at least one level with n_trials above 0")
    known, place = np.unique(level[used], return_inverse=True)
    return Counts(
        levels=known,
        n_correct=np.bincount(place, right[used]),
        n_trials=np.bincount(place, total[used]),
    )


def dispersion_of(deviance: float, counts: Counts, *, n_parameters: int) -> float:
    """Return the factor by which answers vary more about a curve than chance alone explains.

    It is the deviance over its degrees of freedom (the heterogeneity factor; Finney 1971, *Probit
    Analysis*, chapter 4) if only one good fit in five has a larger deviance, and 1 otherwise.

    Examples
    --------
    >>> counts = counts_of([1, 2, 3, 4, 5], [1, 3, 5, 7, 9], [10] * 5)
    >>> dispersion_of(1.0, counts, n_parameters=3), dispersion_of(9.0, counts, n_parameters=3)
    (1.0, 4.5)
    """
    free = len(counts.levels) - n_parameters
    if free < 1 or counts.n_trials.mean() < _FEW_TRIALS:
        return 1.0
    return deviance / free if deviance > chdtri(free, _RARE) else 1.0

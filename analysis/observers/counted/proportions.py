"""The 95 % score interval of proportions (Wilson 1927), and as it is used for an interval of d'."""

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.checks import right_of_trials
from analysis.observers.links import Link

Z95 = 1.959963984540054


def wilson(n_correct: ArrayLike, n_trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % Wilson score interval of a proportion (Wilson 1927), in the counts' shape.

    Parameters
    ----------
    n_correct, n_trials
        Counts of right answers and of trials; numbers, or arrays of one shape.

    Raises
    ------
    InputError
        If the counts are not 0 <= n_correct <= n_trials with at least one trial.

    Examples
    --------
    >>> [round(float(end), 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    return _wilson_ends(*right_of_trials(n_correct, n_trials))


def _wilson_ends(k: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle = (k + Z95**2 / 2) / (n + Z95**2)
    scatter = k * (n - k) / np.where(n > 0, n, 1)
    half = Z95 / (n + Z95**2) * np.sqrt(scatter + Z95**2 / 4)
    low = np.where(k <= 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(k >= n, 1.0, np.minimum(middle + half, 1.0))
    return low, high


def share_ends(link: Link, k: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's 95 % ends of the proportions k of n, which need not be whole, for an interval of d'.

    Where a task has no negative d', no upper end lies below that of as many answers exactly at chance.
    """
    low, high = _wilson_ends(k, n)
    if link.curve.below is None:
        high = np.maximum(high, _wilson_ends(link.guess * n, n)[1])
    return low, high

"""Draws from the posterior of a function of a proportion, with a flat prior on proportions."""

import numpy as np
from scipy.special import betainc

#: Trials beyond which a proportion is not told apart from 1.
FINEST = 1e9
_GRID = 2001
_DRAWS = 20_000


def proportion_grid(low: float) -> np.ndarray:
    """Return proportions from `low` to 1, finer towards 1, and towards 0 if it starts there.

    Examples
    --------
    >>> grid = proportion_grid(0.5)
    >>> float(grid[0]), float(grid[-1])
    (0.5, 1.0)
    """
    near = np.geomspace(0.5 / FINEST, 0.01, _GRID // 4)
    below = [np.zeros(1), near] if low == 0 else [np.array([low])]
    middle = np.linspace(max(low, 0.01), 0.99, _GRID)[1:]
    return np.unique(np.concatenate([*below, middle, 1 - near, np.ones(1)]))


def posterior_draws(
    grid: np.ndarray, values: np.ndarray, counts: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Return draws (D,) from the posterior of a quantity that has `values` at the proportions of a grid.

    `counts` are right answers and trials; the prior of the proportion is flat over the grid.
    """
    k, n = counts
    cumulative = betainc(k + 1, n - k + 1, grid)
    p = np.interp(rng.uniform(cumulative[0], cumulative[-1], _DRAWS), cumulative, grid)
    return np.interp(p, grid, values)


def share_below(one: np.ndarray, other: np.ndarray) -> float:
    """Return the probability that a draw of the first lies below one of the second; ties count half.

    Examples
    --------
    >>> share_below(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    order = np.sort(other)
    above = len(order) - np.searchsorted(order, one, side="right")
    equal = np.searchsorted(order, one, side="right") - np.searchsorted(order, one, side="left")
    return float((above + 0.5 * equal).mean() / len(order))

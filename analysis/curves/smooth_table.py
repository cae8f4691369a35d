"""Functions of one number tabulated with their slopes, for array modules that do not know the function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

_TINY = 1e-5  # of the argument, for slopes


@dataclass(frozen=True, kw_only=True, eq=False)
class SmoothTable:
    """Values of a function at equal steps from `low` on, with slopes per step; cubic between them."""

    low: float
    step: float
    values: np.ndarray
    slopes: np.ndarray

    def __call__(self, xp: Any, at: Any) -> Any:
        """Return the function at any numbers (same shape); beyond the ends it is constant."""
        last = len(self.values) - 1
        place = xp.clip((at - self.low) / self.step, 0.0, float(last))
        left = xp.clip(xp.floor(place), 0.0, last - 1.0).astype(int)
        t = place - left
        values, slopes = xp.asarray(self.values), xp.asarray(self.slopes)
        one, two = values[left], values[left + 1]
        rise, run = slopes[left], slopes[left + 1]
        return (
            one
            + t * rise
            + t**2 * (3 * (two - one) - 2 * rise - run)
            + t**3 * (2 * (one - two) + rise + run)
        )


def tabulate(
    function: Callable[[np.ndarray], np.ndarray], low: float, high: float, n_steps: int
) -> SmoothTable:
    """Return the table of a smooth function.

    Examples
    --------
    >>> sine = tabulate(np.sin, 0.0, 3.0, 300)
    >>> bool(abs(sine(np, np.array(1.234)) - np.sin(1.234)) < 1e-9)
    True
    """
    grid = np.linspace(low, high, n_steps + 1)
    step = (high - low) / n_steps
    slopes = (function(grid + _TINY) - function(grid - _TINY)) / (2 * _TINY)
    return SmoothTable(low=low, step=step, values=function(grid), slopes=slopes * step)

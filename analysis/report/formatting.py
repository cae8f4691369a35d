"""How numbers and outcomes read in the terminal and in the report."""

import math

from analysis.fits.fit import Fit

_TASKS = {"abx": "ABX", "2afc": "2AFC"}


def task(name: str) -> str:
    """Return a task's name as papers write it."""
    return _TASKS.get(name, name)


def sigmoid(name: str) -> str:
    """Return a sigmoid's name as papers write it.

    Examples
    --------
    >>> sigmoid("reversed_gumbel"), sigmoid("normal")
    ('reversed Gumbel', 'normal')
    """
    words = name.replace("_", " ")
    return words.replace("gumbel", "Gumbel").replace("weibull", "Weibull")


def short_unit(unit: str) -> str:
    """Return the part of a level's unit that is read after a number.

    Examples
    --------
    >>> short_unit("window_px"), short_unit("deg")
    ('px', 'deg')
    """
    return unit.rsplit("_", maxsplit=1)[-1]


def level(value: float | None) -> str:
    """Return a level with three digits that matter.

    Examples
    --------
    >>> level(41.277), level(float("inf")), level(0.0)
    ('41.3', 'beyond the levels shown', 'below the levels shown')
    """
    if value is None:
        return "–"
    if math.isinf(value) and value > 0:
        return "beyond the levels shown"
    if value == 0 or math.isinf(value):
        return "below the levels shown"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def interval(low: float, high: float) -> str:
    """Return an interval; an end that nothing excludes reads as open.

    Examples
    --------
    >>> interval(31.02, 52.4), interval(31.02, float("inf"))
    ('[31, 52.4]', '[31, ∞)')
    """
    left = f"[{low:.3g}" if math.isfinite(low) else "(−∞"
    right = f"{high:.3g}]" if math.isfinite(high) else "∞)"
    return f"{left}, {right}"


def threshold(fit: Fit) -> str:
    """Return a threshold with its interval."""
    return f"{level(fit.threshold)} {interval(fit.low, fit.high)}"


def inside(low: float, true: float, high: float) -> str:
    """Return whether a true value lies in an interval, in words."""
    return "inside the interval" if low <= true <= high else "outside the interval"


def share(part: float, whole: float) -> str:
    """Return a count with its percentage.

    Examples
    --------
    >>> share(3, 12)
    '3 of 12 (25 %)'
    """
    return f"{part:.0f} of {whole:.0f} ({100 * part / whole:.3g} %)" if whole else "none"

"""Numbers as words, for plots, the terminal and the report."""

import math
from types import MappingProxyType

from analysis.fits.fit import Fit
from analysis.fits.fit_status import FitStatus

_NO_THRESHOLD = MappingProxyType(
    {
        FitStatus.AT_CHANCE: "none, answers at chance",
        FitStatus.BELOW_CHANCE: "none, answers below chance",
        FitStatus.ONE_LEVEL: "none, only one level",
        FitStatus.WRONG_WAY: "none, answers go the other way",
    }
)


def level(value: float | None) -> str:
    """Return a level as text with three significant digits.

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


def interval(low: float, high: float, digits: int | None = None) -> str:
    """Return an interval as text, to three digits or to decimals; an infinite end is written as open.

    Examples
    --------
    >>> interval(31.02, 52.4), interval(31.02, float("inf"))
    ('[31, 52.4]', '[31, ∞)')
    """
    form = ".3g" if digits is None else f".{digits}f"
    left = f"[{low:{form}}" if math.isfinite(low) else "(−∞"
    right = f"{high:{form}}]" if math.isfinite(high) else "∞)"
    return f"{left}, {right}"


def estimate(value: float, low: float, high: float) -> str:
    """Return an estimate with its interval as text; an interval open at both ends determines nothing.

    Examples
    --------
    >>> estimate(41.277, 31.02, 52.4), estimate(float("inf"), 90.0, float("inf"))
    ('41.3 [31, 52.4]', 'beyond the levels shown')
    >>> estimate(41.277, 0.0, float("inf"))
    'not determined'
    """
    if math.isinf(high) and (low == 0 or math.isinf(low)):
        return "not determined"
    if value == 0 or math.isinf(value):
        return level(value)
    return f"{level(value)} {interval(low, high)}"


def threshold_of(fit: Fit) -> str:
    """Return the threshold of a fit with its interval as text, or why there is none.

    Examples
    --------
    >>> from analysis import fit_psychometric
    >>> threshold_of(fit_psychometric([8, 16, 32], [21, 19, 20], [40] * 3))
    'none, answers at chance'
    """
    found = estimate(fit.threshold, fit.low, fit.high)
    return _NO_THRESHOLD.get(fit.status, found)


def group_name(key: object) -> str:
    """Return the key of a group as text: its values with commas between them.

    Examples
    --------
    >>> group_name(("near", 2.0)), group_name("ann"), group_name((None,)), group_name(())
    ('near, 2', 'ann', '–', 'all answers')
    """
    values = key if isinstance(key, tuple) else (key,)
    said = ["–" if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in values]
    return ", ".join(said) or "all answers"

"""Format numbers and outcomes as text for the terminal and the report."""

from analysis.fits.fit import Fit
from analysis.observers.from_counts import DPrime, DPrimeStatus
from analysis.plots.words import interval, level


def case(value: float | str | None) -> str:
    """Return a level of a condition as text: a number, a word, or a dash for none.

    Examples
    --------
    >>> case(8.0), case("coarse"), case(None)
    ('8', 'coarse', '–')
    """
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:g}"


def with_unit(value: float | str | None, unit: str) -> str:
    """Return a level of a condition with its unit as text.

    Examples
    --------
    >>> with_unit(8.0, "window_px"), with_unit("coarse", "")
    ('8 px', 'coarse')
    """
    short = short_unit(unit)
    return f"{case(value)} {short}".rstrip() if isinstance(value, float) else case(value)


def rates(found: DPrime) -> str:
    """Return hits and false alarms with the criterion as text; empty for a task without a criterion."""
    r = found.rates
    if r is None:
        return ""
    return (
        f"hits {r.n_hits} of {r.n_signal}, false alarms {r.n_false_alarms} of {r.n_noise}, "
        f"criterion {r.criterion:.2f} (bias {r.bias:+.2f})"
    )


def dprime_text(found: DPrime | None) -> str:
    """Return d' with its interval as text, or a dash."""
    if found is None:
        return "–"
    said = " (reliably below chance)" if found.status is DPrimeStatus.BELOW_CHANCE else ""
    return f"{found.estimate:.2f} {interval(found.low, found.high)}{said}"


def sigmoid(name: str) -> str:
    """Return a sigmoid's name as it is written in papers.

    Examples
    --------
    >>> sigmoid("reversed_gumbel"), sigmoid("normal")
    ('reversed Gumbel', 'normal')
    """
    words = name.replace("_", " ")
    return words.replace("gumbel", "Gumbel").replace("weibull", "Weibull")


def short_unit(unit: str) -> str:
    """Return the short form of a level's unit, to be written after a number.

    Examples
    --------
    >>> short_unit("window_px"), short_unit("deg")
    ('px', 'deg')
    """
    return unit.rsplit("_", maxsplit=1)[-1]


def threshold(fit: Fit) -> str:
    """Return a fitted threshold with its interval as text."""
    return f"{level(fit.threshold)} {interval(fit.low, fit.high)}"


def inside(low: float, true: float, high: float) -> str:
    """Return text that says whether a true value is inside or outside an interval."""
    return "inside the interval" if low <= true <= high else "outside the interval"


def share(part: float, whole: float) -> str:
    """Return a count with its percentage as text.

    Examples
    --------
    >>> share(3, 12)
    '3 of 12 (25 %)'
    """
    return f"{part:.0f} of {whole:.0f} ({100 * part / whole:.3g} %)" if whole else "none"

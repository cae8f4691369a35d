"""Format numbers and outcomes as text for the terminal, the report and its JSON."""

import math
from typing import Any

from analysis.observers.counted.dprime_result import DPrime
from analysis.plots.words import level

#: Units that are written after a number; the name of any other, such as a model's parameter, is before it.
_AFTER = frozenset(
    {"px", "deg", "arcmin", "arcsec", "m", "cm", "mm", "s", "ms", "Hz", "cpd", "cd", "dB", "%"}
    | {"pixels", "degrees", "percent", "octaves", "seconds", "frames", "jnd", "JND"}
)


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
    >>> with_unit(8.0, "window_px"), with_unit(0.5, "scaling_factor"), with_unit("coarse", "")
    ('8 px', 'scaling factor 0.5', 'coarse')
    """
    return _in_unit(case(value), unit) if isinstance(value, float) else case(value)


def short_unit(unit: str) -> str:
    """Return the short form of a unit that is written after a number; "" for other names.

    Examples
    --------
    >>> short_unit("window_px"), short_unit("deg"), short_unit("scaling_factor")
    ('px', 'deg', '')
    """
    short = unit.rsplit("_", maxsplit=1)[-1]
    return short if short in _AFTER else ""


def _in_unit(said: str, unit: str) -> str:
    short = short_unit(unit)
    return f"{said} {short}" if short else f"{unit.replace('_', ' ')} {said}".lstrip()


def estimated(value: float, unit: str) -> str:
    """Return an estimated level with its unit as text, with three significant digits.

    Examples
    --------
    >>> estimated(41.277, "window_px"), estimated(6.56, "pool"), estimated(-0.5, "")
    ('41.3 px', 'pool 6.56', '−0.5')
    >>> estimated(math.inf, "window_px")
    'beyond the levels shown'
    """
    said = _minus(level(value))
    return said if said.endswith("shown") else _in_unit(said, unit)


def bounds(
    low: float,
    high: float,
    unit: str = "",
    *,
    lowest: float = -math.inf,
    decimals: int | None = None,
) -> str:
    """Return an interval in words; one that is open at an end says so.

    Parameters
    ----------
    low, high
        The ends.
    unit
        Unit of both, as of a level.
    lowest
        A lower end at or below this is none.
    decimals
        Digits behind the point; None for three significant digits.

    Examples
    --------
    >>> bounds(31.02, 52.4, "window_px"), bounds(0.0, 9.0, "px", lowest=0.0), bounds(1.5, math.inf)
    ('31 to 52.4 px', 'up to 9 px, no lower bound', 'from 1.5, no upper bound')
    """
    short, ends = short_unit(unit), [number(end, decimals) for end in (low, high)]
    if low > lowest and math.isfinite(high):
        return f"{ends[0]} to {ends[1]} {short}".rstrip()
    if math.isfinite(high):
        return f"up to {ends[1]} {short}".rstrip() + ", no lower bound"
    if low > lowest:
        return f"from {ends[0]} {short}".rstrip() + ", no upper bound"
    return "no bound"


def number(value: float, decimals: int | None = None) -> str:
    """Return a number as text, with some digits behind the point or three significant ones.

    Examples
    --------
    >>> number(-0.01234), number(-0.01234, 2), number(12345.6)
    ('−0.0123', '−0.01', '12346')
    """
    if decimals is not None:
        return _minus(f"{value:.{decimals}f}")
    return _minus(f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}")


def _minus(text: str) -> str:
    return f"−{text[1:]}" if text.startswith("-") else text


def rates(found: DPrime) -> str:
    """Return hits and false alarms with the criterion as text; empty for a task without a criterion."""
    r = found.rates
    if r is None:
        return ""
    return (
        f"hits {r.n_hits} of {r.n_signal}, false alarms {r.n_false_alarms} of {r.n_noise}, "
        f"criterion {_minus(f'{r.criterion:.2f}')} (bias {_minus(f'{r.bias:+.2f}')})"
    )


def dprime_bounds(found: DPrime) -> str:
    """Return the interval of d' in words.

    Examples
    --------
    >>> from analysis.observers.counted.from_counts import dprime_from_counts
    >>> dprime_bounds(dprime_from_counts(10, 10, "2ifc"))
    'from 0.83, no upper bound'
    """
    return bounds(found.low, found.high, decimals=2)


def sigmoid(name: str) -> str:
    """Return a sigmoid's name as it is written in papers.

    Examples
    --------
    >>> sigmoid("reversed_gumbel"), sigmoid("normal")
    ('reversed Gumbel', 'normal')
    """
    words = name.replace("_", " ")
    return words.replace("gumbel", "Gumbel").replace("weibull", "Weibull")


def inside(low: float, true: float, high: float) -> str:
    """Return text that says whether a true value is inside or outside an interval."""
    return "inside the interval" if low <= true <= high else "outside the interval"


def tally(n: float, noun: str) -> str:
    """Return a number of things in words, singular or plural.

    Examples
    --------
    >>> tally(1, "trial"), tally(2, "participant"), tally(0, "image")
    ('1 trial', '2 participants', '0 images')
    """
    return f"{n:.0f} {noun}{'' if n == 1 else 's'}"


def percent(p: float) -> str:
    """Return a proportion in per cent as text.

    Examples
    --------
    >>> percent(0.75), percent(0.794)
    ('75 %', '79.4 %')
    """
    return f"{100 * p:.3g} %"


def described(value: Any) -> str:
    """Return a value of a booth's or observer's description as text.

    Examples
    --------
    >>> described(None), described(True), described((800, 600)), described(59.94012)
    ('–', 'yes', '800 × 600', '59.94')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " × ".join(described(v) for v in value)
    return str(value)


def sentence(text: str) -> str:
    """Return text that begins with a capital letter and ends with a full stop.

    Examples
    --------
    >>> sentence("the fit of MSE"), sentence("are the keys swapped?")
    ('The fit of MSE.', 'Are the keys swapped?')
    """
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?")) else ".")


def share(part: float, whole: float) -> str:
    """Return a count with its percentage as text.

    Examples
    --------
    >>> share(3, 12)
    '3 of 12 (25 %)'
    """
    return f"{part:.0f} of {whole:.0f} ({100 * part / whole:.3g} %)" if whole else "none"

"""Ranges of values between black and white for images."""

from collections.abc import Sequence

import numpy as np

from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly

Range = tuple[float, float]


def display_ranges(images: Sequence[np.ndarray], vrange: str | Range) -> list[Range]:
    """Return the (lowest, highest) value to show for each image.

    Parameters
    ----------
    images
        Arrays of any shape, real.
    vrange
        (lowest, highest) for all; or ``"auto"`` followed by a digit for one common range, or ``"indep"``
        followed by a digit for a range of each image. Digits: 0, symmetric about zero and as wide as the
        largest absolute value; 1, minimum to maximum (``"auto"`` is ``"auto1"``); 2, mean ± 2 standard
        deviations; 3, from the 10th to the 90th percentile, and an eighth of this distance beyond on
        either side. Values that are NaN or infinite do not count.

    Raises
    ------
    InputError
        If there is no such range.

    Examples
    --------
    >>> display_ranges([np.array([-1.0, 2.0]), np.array([0.0, 4.0])], "indep0")
    [(-2.0, 2.0), (-4.0, 4.0)]
    """
    if not isinstance(vrange, str):
        try:
            low, high = (float(end) for end in vrange)
        except (TypeError, ValueError) as error:
            raise _no_range(vrange) from error
        if not low <= high:
            raise _no_range(vrange)
        return [(low, high)] * len(images)
    name = "auto1" if vrange == "auto" else vrange
    kind, digit = name[:-1], name[-1:]
    if kind not in ("auto", "indep") or digit not in _RULES:
        raise _no_range(vrange)
    rule = _RULES[digit]
    finite = [_finite(image) for image in images]
    if kind == "indep":
        return [rule(values) for values in finite]
    return [rule(np.concatenate(finite))] * len(images)


def range_colors(vrange: str | Range) -> str:
    """Return the colour map of a range: two-sided if zero is in the middle by rule 0, else grey.

    Examples
    --------
    >>> range_colors("indep0"), range_colors("auto1"), range_colors((-1, 1))
    ('RdBu_r', 'gray', 'gray')
    """
    return "RdBu_r" if isinstance(vrange, str) and vrange.endswith("0") else "gray"


def range_words(values: np.ndarray, shown: Range) -> str:
    """Return the line of a title that says which values are black and white, or that there are none.

    Examples
    --------
    >>> range_words(np.array([0.0, 0.25]), (0.0, 0.25)), range_words(np.array([np.nan]), (0.0, 0.0))
    ('range: [0, 0.25]', 'range: all NaN')
    """
    if np.isfinite(values).any():
        return f"range: [{shown[0]:.3g}, {shown[1]:.3g}]"
    return "range: all NaN" if np.isnan(values).all() else "range: no finite value"


def short_range(shown: Range) -> str:
    """Return a range as text without a space, so that it stays on one line.

    Examples
    --------
    >>> short_range((-0.25, 0.25)), short_range((0.0, 1.5))
    ('±0.25', '[0,1.5]')
    """
    low, high = shown
    return f"±{high:.3g}" if low == -high else f"[{low:.3g},{high:.3g}]".replace("-", "−")


def _finite(image: np.ndarray) -> np.ndarray:
    """Return the finite values in double precision; a single 0 if there are none."""
    values = np.asarray(image, dtype=np.float64).ravel()
    found = values[np.isfinite(values)]
    return found if found.size else np.zeros(1)


def _no_range(vrange: object) -> InputError:
    return InputError(
        f"vrange must be (low, high), auto, auto0 to auto3, or indep0 to indep3; not {briefly(vrange)}"
    )


def _symmetric(x: np.ndarray) -> Range:
    largest = float(np.abs(x).max())
    return -largest, largest


def _full(x: np.ndarray) -> Range:
    return float(x.min()), float(x.max())


def _two_deviations(x: np.ndarray) -> Range:
    mean, deviation = float(x.mean()), float(x.std())
    return mean - 2 * deviation, mean + 2 * deviation


def _percentiles(x: np.ndarray) -> Range:
    low, high = (float(v) for v in np.percentile(x, (10, 90)))
    beyond = (high - low) / 8
    return low - beyond, high + beyond


_RULES = {"0": _symmetric, "1": _full, "2": _two_deviations, "3": _percentiles}

"""Ranges of values between black and white for images."""

from collections.abc import Sequence

import numpy as np

from stimuli_store.errors import InputError

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
        either side.

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
        return [(low, high)] * len(images)
    name = "auto1" if vrange == "auto" else vrange
    kind, digit = name[:-1], name[-1:]
    if kind not in ("auto", "indep") or digit not in _RULES:
        raise _no_range(vrange)
    rule = _RULES[digit]
    if kind == "indep":
        return [rule(image) for image in images]
    return [rule(np.concatenate([image.ravel() for image in images]))] * len(images)


def _no_range(vrange: object) -> InputError:
    return InputError(
        f"vrange must be (low, high), auto, auto0 to auto3, or indep0 to indep3; not {vrange!r}"
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

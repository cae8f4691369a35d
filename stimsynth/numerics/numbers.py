"""Real numbers as people type them: Python's, numpy's and torch's."""

import math
from textwrap import shorten
from typing import Any

from stimuli_store.errors import InputError


def real_number(
    value: Any, what: str, least: float | None = None, *, infinite: bool = False
) -> float:
    """Return a real number as a plain float.

    Parameters
    ----------
    value
        A number of Python, numpy or torch; True and False are none.
    what
        Name of the argument, for the error.
    least
        Smallest number that is accepted; None for any.
    infinite
        Whether infinity is accepted.

    Raises
    ------
    InputError
        If it is no such number.

    Examples
    --------
    >>> real_number(2, "alpha"), real_number(math.inf, "level", 0, infinite=True)
    (2.0, inf)
    >>> real_number(True, "alpha", 0)
    Traceback (most recent call last):
    stimuli_store.errors.InputError: alpha must be a finite number of 0 or more; not True
    """
    # Numpy's and torch's True and False become 1.0 and 0.0 too.
    named = isinstance(value, bool | str | bytes) or "bool" in str(getattr(value, "dtype", ""))
    try:
        number = math.nan if named else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        number = math.nan
    fits = not math.isnan(number) if infinite else math.isfinite(number)
    if not fits or (least is not None and number < least):
        kind = "a number" if infinite else "a finite number"
        limit = "" if least is None else f" of {least:g} or more"
        given = shorten(repr(value), 60, placeholder=" …")  # a tensor prints itself in many lines
        raise InputError(f"{what} must be {kind}{limit}; not {given}")
    return number

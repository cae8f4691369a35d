"""Whole numbers as people type them: Python's, numpy's, and floats without a fraction."""

import operator
from typing import Any

from stimuli_store.errors import InputError

#: Larger sizes and counts are slips.
MOST = 2**31 - 1


def whole(value: Any, what: str, least: int | None = None, most: int = MOST) -> int:
    """Return a whole number as a plain int.

    Parameters
    ----------
    value
        An integer of Python, numpy or torch, or a float without a fraction, such as 4.0.
    what
        Name of the argument, for the error.
    least
        Smallest number that is accepted; None for any.
    most
        Largest absolute value that is accepted.

    Raises
    ------
    InputError
        If it is no whole number, or a smaller or larger one.

    Examples
    --------
    >>> whole(4.0, "n_scales", 1)
    4
    >>> whole(2.5, "n_scales", 1)
    Traceback (most recent call last):
    stimuli_store.errors.InputError: n_scales must be a whole number of 1 or more; not 2.5
    """
    number = _integer(value)
    if number is None or (least is not None and number < least):
        limit = "" if least is None else f" of {least} or more"
        raise InputError(f"{what} must be a whole number{limit}; not {_in_a_line(value)}")
    if abs(number) > most:
        raise _too_large(value, what, most)
    return number


def wholes(
    value: Any, what: str, least: int | None = None, *, count: int | None = None
) -> tuple[int, ...]:
    """Return one whole number, or several, as a tuple.

    Parameters
    ----------
    value, what, least
        As for `whole`; `value` may be any iterable of such numbers.
    count
        How many there must be; None for any number.

    Raises
    ------
    InputError
        If one of them is no whole number, too small or too large, or there are more or fewer.

    Examples
    --------
    >>> wholes(3, "dim"), wholes([8.0, 6], "image_shape", 1, count=2)
    ((3,), (8, 6))
    """
    try:
        given = [value] if _integer(value) is not None else list(value)
    except TypeError:
        given = [value]
    numbers = tuple(number for number in map(_integer, given) if number is not None)
    small = least is not None and any(number < least for number in numbers)
    if small or len(numbers) != len(given) or count not in (None, len(numbers)):
        several = "whole numbers" if count is None else f"{count} whole numbers"
        limit = "" if least is None else f" of {least} or more"
        raise InputError(f"{what} must be {several}{limit}; not {_in_a_line(value)}")
    if any(abs(number) > MOST for number in numbers):
        raise _too_large(value, what, MOST)
    return numbers


def pair(value: Any, what: str, least: int = 1) -> tuple[int, int]:
    """Return (height, width) from one whole number for both, or from two.

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> pair(8, "size"), pair([8.0, 6], "size")
    ((8, 8), (8, 6))
    """
    if _integer(value) is not None:
        return (whole(value, what, least),) * 2
    height, width = wholes(value, f"{what}, if not one number,", least, count=2)
    return height, width


def _too_large(value: Any, what: str, most: int) -> InputError:
    return InputError(f"{what} must be at most {most:,} in size; not {_in_a_line(value)}")


def _in_a_line(value: Any) -> str:
    return " ".join(repr(value).split())  # a table prints itself in several


def _integer(value: Any) -> int | None:
    """Return a number without a fraction as a plain int; None for anything else."""
    if type(value) is int:  # what `torch.compile` can follow
        return value
    if isinstance(value, bool | str | bytes) or getattr(value, "ndim", 0) != 0:
        return None
    if "bool" in str(getattr(value, "dtype", "")):  # numpy's and torch's
        return None
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return int(number) if number.is_integer() else None

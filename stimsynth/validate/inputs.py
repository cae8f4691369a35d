"""Checks of numbers, seeds and ranges, and of what torch can make a tensor of."""

import math
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from stimuli_store.errors import InputError, WrongType


def as_tensor(values: Any, what: str = "an image") -> Tensor:
    """Return `values` as a tensor.

    Raises
    ------
    WrongType
        (also a TypeError) if torch can make none of them.
    """
    try:
        return values if isinstance(values, Tensor) else torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise WrongType(
            f"{what} is a torch tensor, or what torch.as_tensor makes one of; not a "
            f"{type(values).__name__}"
        ) from error


def is_number(value: object) -> bool:
    """Say whether this is a real number, numpy's included."""
    return isinstance(value, Real)


def finite_number(value: Any, what: str) -> float:
    """Return a real, finite number as a plain one.

    Raises
    ------
    InputError
        If it is none; `what` begins the sentence.
    """
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{what} is a finite number; not {value!r}")
    return number


def validate_allowed_range(allowed_range: tuple[float, float]) -> tuple[float, float]:
    """Return a range of pixel values, checked, as two floats.

    Parameters
    ----------
    allowed_range
        (low, high).

    Raises
    ------
    InputError
        If low is not below high; a reversed range is named as such.

    Examples
    --------
    >>> validate_allowed_range((0, 1))
    (0.0, 1.0)
    """
    try:
        low, high = (float(v) for v in allowed_range)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"allowed_range is two numbers, (low, high) with low < high; not {allowed_range!r}"
        ) from error
    if low > high:
        raise InputError(f"allowed_range {allowed_range!r} is reversed; give ({high:g}, {low:g})")
    if not low < high:
        raise InputError(f"allowed_range is (low, high) with low < high; not {allowed_range!r}")
    return low, high

"""Checks of ranges, and conversion to tensors."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimsynth.numerics.numbers import real_number
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import briefly


def as_tensor(values: Any, what: str = "an image") -> Tensor:
    """Return `values` as a tensor; raise WrongType if torch cannot convert them.

    Raises
    ------
    WrongType
        (also a TypeError) if torch cannot convert them.
    InputError
        If they are a numpy array with masked values, which a tensor cannot have.
    """
    if isinstance(values, np.ndarray) and np.ma.is_masked(values):
        raise InputError(
            f"{what} must have a value in every pixel; this array has masked ones: fill them first, with "
            "image.filled(value)"
        )
    try:
        if isinstance(
            values, np.ndarray
        ):  # torch takes no reversed axes, and no foreign byte order
            values = np.asarray(values, values.dtype.newbyteorder("="), order="C")
        return values if isinstance(values, Tensor) else torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        of_type = f" of {values.dtype}" if isinstance(values, np.ndarray) else ""
        raise WrongType(
            f"{what} must be a torch tensor, or a value that torch.as_tensor converts; not a "
            f"{type(values).__name__}{of_type}"
        ) from error


def validate_allowed_range(allowed_range: tuple[float, float]) -> tuple[float, float]:
    """Return a range of pixel values as two floats, after checking it.

    Parameters
    ----------
    allowed_range
        (low, high).

    Raises
    ------
    InputError
        If low is not below high; the error says if the range is reversed.

    Examples
    --------
    >>> validate_allowed_range((0, 1))
    (0.0, 1.0)
    """
    try:
        low, high = (real_number(v, "a bound", infinite=True) for v in allowed_range)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"allowed_range must be two numbers, (low, high) with low < high; not {briefly(allowed_range)}"
        ) from error
    if low > high:
        raise InputError(
            f"allowed_range {briefly(allowed_range)} is reversed; give ({high:g}, {low:g})"
        )
    if not low < high:
        raise InputError(
            f"allowed_range must be (low, high) with low < high; not {briefly(allowed_range)}"
        )
    return low, high

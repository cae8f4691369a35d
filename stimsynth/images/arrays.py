"""Convert tensors to numpy arrays, and float images to integers."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import a_yes_or_no, briefly, takes


@takes(squeeze=a_yes_or_no)
def to_numpy(x: Tensor | np.ndarray, squeeze: bool = False) -> np.ndarray:
    """Return a tensor (or array) as a numpy array of the same type, detached and on the CPU.

    Numpy has no bfloat16: such a tensor becomes float32.

    Parameters
    ----------
    x
        Tensor on any device, with or without gradient, or an array.
    squeeze
        Drop all dimensions of size 1.

    Examples
    --------
    >>> import torch
    >>> to_numpy(torch.ones(1, 1, 2, 3, requires_grad=True), squeeze=True).shape
    (2, 3)
    """
    if isinstance(x, Tensor) and x.dtype == torch.bfloat16:
        x = x.float()
    array = x.detach().cpu().resolve_conj().resolve_neg().numpy() if isinstance(x, Tensor) else x
    array = np.asarray(array)
    return array.squeeze() if squeeze else array


def convert_float_to_int(im: np.ndarray, dtype: Any = np.uint8) -> np.ndarray:
    """Return an image with values in [0, 1] as integers, rounded to the nearest integer.

    Parameters
    ----------
    im
        Any shape.
    dtype
        ``np.uint8`` (white is 255) or ``np.uint16`` (white is 65535).

    Raises
    ------
    InputError
        If a value lies outside [0, 1] or is NaN, or `dtype` is another type.

    Examples
    --------
    >>> convert_float_to_int(np.array([0.0, 0.2, 1.0])).tolist()
    [0, 51, 255]
    """
    try:
        target, values = np.dtype(dtype), np.asarray(im, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise WrongType(
            f"an image must be an array of numbers, and dtype np.uint8 or np.uint16; not {briefly(im)} and "
            f"{briefly(dtype)}"
        ) from error
    if target not in (np.uint8, np.uint16):
        raise InputError(f"dtype must be np.uint8 or np.uint16; not {target}")
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise InputError(
            f"image values must lie in [0, 1] for integers; these lie in [{values.min():g}, "
            f"{values.max():g}]: rescale or clamp them first"
        )
    return np.rint(values * np.iinfo(target).max).astype(target)

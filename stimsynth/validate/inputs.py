"""Checks of images and ranges."""

import math
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from stimuli_store.errors import InputError, WrongType


def validate_input(
    input_tensor: Tensor,
    no_batch: bool = False,
    allowed_range: tuple[float, float] | None = None,
    *,
    any_dims: bool = False,
) -> None:
    """Check that an image is a tensor (batch, channel, height, width), real or complex, finite, not empty.

    Parameters
    ----------
    input_tensor
        What to check.
    no_batch
        Whether the batch must be of size 1.
    allowed_range
        (low, high), inclusive, for its values; None for any.
    any_dims
        Accept any number of dimensions, for models of something else than images.

    Raises
    ------
    InputError
        A ValueError with one sentence on what is wrong and what would do.

    Examples
    --------
    >>> validate_input(torch.rand(1, 1, 8, 8), no_batch=True, allowed_range=(0, 1))
    """
    if not isinstance(input_tensor, Tensor):
        raise InputError(
            f"an image is a torch tensor; this is a {type(input_tensor).__name__}: "
            "convert it with torch.as_tensor"
        )
    if not (input_tensor.is_floating_point() or input_tensor.is_complex()):
        raise InputError(
            f"an image is of a floating-point or complex type; this one is {input_tensor.dtype}: "
            "convert it with image.float(), and divide by its largest possible value"
        )
    if input_tensor.layout != torch.strided or input_tensor.is_meta:
        raise InputError(
            "an image is a dense tensor with values; this one is sparse or of device meta"
        )
    if input_tensor.dim() != 4 and not any_dims:
        raise InputError(
            "an image has shape (batch, channel, height, width); this one has "
            f"{tuple(input_tensor.shape)}: add dimensions with image[None, None]"
        )
    if input_tensor.numel() == 0:
        raise InputError(
            f"the image is empty: its shape is {tuple(input_tensor.shape)}, and every dimension is at least 1"
        )
    if no_batch and (input_tensor.dim() == 0 or len(input_tensor) != 1):
        raise InputError(
            f"this takes one image at a time (batch of 1); the shape is {tuple(input_tensor.shape)}"
        )
    if not bool(torch.isfinite(input_tensor).all()):
        raise InputError("the image holds NaN or infinite values")
    if allowed_range is not None:
        _check_range(input_tensor, allowed_range)


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


def is_whole(value: object, least: int) -> bool:
    """Say whether this is a whole number of `least` or more, numpy's included."""
    return isinstance(value, Integral) and int(value) >= least


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


def _check_range(image: Tensor, allowed_range: tuple[float, float]) -> None:
    low, high = allowed_range
    if image.is_complex():
        raise InputError(
            "complex values have no order; leave allowed_range out for a complex image"
        )
    smallest, largest = float(image.min()), float(image.max())
    if smallest < low or largest > high:
        raise InputError(
            f"image values lie in [{smallest:g}, {largest:g}], outside the allowed range "
            f"[{low:g}, {high:g}]; rescale or clamp the image"
        )

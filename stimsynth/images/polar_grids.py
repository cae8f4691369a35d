"""Polar coordinates of the pixels of an image."""

import math
from typing import Literal

import torch
from torch import Tensor

from stimsynth.validate.gates import a_device, a_dtype, two_numbers
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, a_text, as_float, briefly, optional, takes
from stimuli_store.tools.whole import pair

ImageSize = int | tuple[int, int]
Origin = float | tuple[float, float] | None


@takes(phase=a_number, device=optional(a_device), direction=a_text, dtype=a_dtype)
def polar_angle(
    size: ImageSize,
    phase: float = 0.0,
    origin: Origin = None,
    device: str | torch.device | None = None,
    *,
    direction: Literal["clockwise", "counter-clockwise"] = "clockwise",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return the angle of every pixel about an origin, in radians in (-π, π].

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    phase
        Angle, in radians, that becomes zero.
    origin
        (row, column) of the origin, or one number for both, counted from 1 at the upper left pixel. None
        for the middle of the image, (size + 1) / 2.
    device, dtype
        Device and type of the result.
    direction
        Whether angles grow clockwise from the x axis, as seen on a screen, or counter-clockwise.

    Returns
    -------
    Tensor
        Shape (height, width).

    Raises
    ------
    InputError
        If the size or the direction is not valid.

    Examples
    --------
    >>> polar_angle(3)[1, 2].item(), round(polar_angle(3)[2, 1].item(), 4)
    (0.0, 1.5708)
    """
    if direction not in ("clockwise", "counter-clockwise"):
        raise InputError(
            f"direction must be 'clockwise' or 'counter-clockwise'; not {briefly(direction)}"
        )
    rows, columns = _offsets(size, origin, device)
    angle = torch.atan2(rows if direction == "clockwise" else -rows, columns) - phase
    wrapped = math.pi - torch.remainder(math.pi - angle, 2 * math.pi)
    return wrapped.to(dtype)


@takes(exponent=a_number, device=optional(a_device), dtype=a_dtype)
def polar_radius(
    size: ImageSize,
    exponent: float = 1.0,
    origin: Origin = None,
    device: str | torch.device | None = None,
    *,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return the distance of every pixel from an origin, in pixels, raised to a power.

    Parameters
    ----------
    size, origin, device, dtype
        As for `polar_angle`.
    exponent
        The power. If it is negative the origin, where the result would be infinite, is set to 0, so that
        the result can weight a spectrum.

    Returns
    -------
    Tensor
        Shape (height, width).

    Raises
    ------
    InputError
        If the size is not valid.

    Examples
    --------
    >>> polar_radius(3, exponent=2).tolist()
    [[2.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 2.0]]
    """
    rows, columns = _offsets(size, origin, device)
    radius = torch.hypot(rows, columns)
    power = radius**exponent
    return (power if exponent >= 0 else torch.where(radius > 0, power, 0.0)).to(dtype)


def height_and_width(size: ImageSize) -> tuple[int, int]:
    """Return an image size, one number or two, as (height, width).

    Raises
    ------
    InputError
        If `size` is not one positive whole number or two.
    """
    return pair(size, "size")


def _offsets(
    size: ImageSize, origin: Origin, device: str | torch.device | None
) -> tuple[Tensor, Tensor]:
    """Return row and column of each pixel relative to the origin, each (height, width)."""
    shape = height_and_width(size)
    if origin is None:
        origin = ((shape[0] + 1) / 2, (shape[1] + 1) / 2)
    elif (number := as_float(origin)) is not None:
        origin = (number, number)
    origin = two_numbers(origin, "origin, if not one number,")
    precise = torch.float32 if torch.device(device or "cpu").type == "mps" else torch.float64
    rows, columns = (
        torch.arange(1, n + 1, device=device, dtype=precise) - centre
        for n, centre in zip(shape, origin, strict=True)
    )
    return rows[:, None].expand(shape), columns[None, :].expand(shape)

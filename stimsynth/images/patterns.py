"""Gratings, plaids, checkerboards and bars, computed from formulas.

A direction is the one in which luminance changes: in degrees, clockwise on the screen from the x axis, so
that 0 gives vertical stripes. Phase is defined at the pixel (height // 2, width // 2).
"""

import math
from typing import Literal

import torch
from torch import Tensor

from stimsynth.images.polar_grids import ImageSize, height_and_width
from stimsynth.validate.gates import a_dtype, two_numbers
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, a_text, briefly, optional, takes
from stimuli_store.tools.whole import whole


@takes(
    cycles_per_image=optional(a_number),
    cycles_per_pixel=optional(a_number),
    direction_deg=a_number,
    phase_deg=a_number,
    contrast=a_number,
    mean=a_number,
    waveform=a_text,
    dtype=a_dtype,
)
def grating(
    size: ImageSize = 256,
    *,
    cycles_per_image: float | None = None,
    cycles_per_pixel: float | None = None,
    direction_deg: float = 0.0,
    phase_deg: float = 0.0,
    contrast: float = 1.0,
    mean: float = 0.5,
    waveform: Literal["sine", "square"] = "sine",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return an image of a grating: mean · (1 + contrast · wave).

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    cycles_per_image, cycles_per_pixel
        Frequency, one of the two, in cycles per width of the image or per pixel; at most 0.5 cycles/pixel.
    direction_deg, phase_deg
        See the top of this module; the wave is a cosine, bright in the middle at phase 0.
    contrast
        Michelson contrast in [0, 1].
    mean
        Mean luminance, with ``mean · (1 + contrast) <= 1``.
    waveform
        ``"sine"`` or ``"square"``.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), in [0, 1].

    Raises
    ------
    InputError
        If an argument is out of range.

    Examples
    --------
    >>> grating(4, cycles_per_pixel=0.5).flatten()[:4].tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    shape = height_and_width(size)
    frequency = _per_pixel(cycles_per_image, cycles_per_pixel, shape[1])
    if waveform not in ("sine", "square"):
        raise InputError(f"waveform must be 'sine' or 'square'; not {briefly(waveform)}")
    _check_light(mean, contrast)
    cycles = frequency * _along(shape, direction_deg) + phase_deg / 360
    if waveform == "sine":
        wave = torch.cos(2 * math.pi * cycles)
    else:
        wave = _half_of_each_cycle(cycles + 0.25, 0.5) * 2 - 1
    return _image(mean * (1 + contrast * wave), dtype)


@takes(
    cycles_per_image=optional(a_number),
    cycles_per_pixel=optional(a_number),
    directions_deg=two_numbers,
    phases_deg=two_numbers,
    contrasts=two_numbers,
    mean=a_number,
    dtype=a_dtype,
)
def plaid(
    size: ImageSize = 256,
    *,
    cycles_per_image: float | None = None,
    cycles_per_pixel: float | None = None,
    directions_deg: tuple[float, float] = (45.0, 135.0),
    phases_deg: tuple[float, float] = (0.0, 0.0),
    contrasts: tuple[float, float] = (0.5, 0.5),
    mean: float = 0.5,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return an image of a plaid: the sum of two sine gratings of the same frequency.

    Parameters
    ----------
    directions_deg, phases_deg, contrasts
        One value for each grating; the sum of the contrasts must be at most 1.
    size, cycles_per_image, cycles_per_pixel, mean, dtype
        As for `grating`.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), in [0, 1].

    Raises
    ------
    InputError
        If an argument is out of range.

    Examples
    --------
    >>> plaid(32, cycles_per_image=4).max().item()
    1.0
    """
    shape = height_and_width(size)
    frequency = _per_pixel(cycles_per_image, cycles_per_pixel, shape[1])
    _check_light(mean, sum(contrasts))
    waves = [
        contrast * torch.cos(2 * math.pi * (frequency * _along(shape, direction) + phase / 360))
        for direction, phase, contrast in zip(directions_deg, phases_deg, contrasts, strict=True)
    ]
    return _image(mean * (1 + waves[0] + waves[1]), dtype)


@takes(dtype=a_dtype)
def checkerboard(
    size: ImageSize = 256, *, check_px: int = 16, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Return an image of a checkerboard of black (0) and white (1) squares, black at the upper left.

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    check_px
        Side of a square in pixels.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width).

    Raises
    ------
    InputError
        If a size is not valid.

    Examples
    --------
    >>> checkerboard((2, 4), check_px=2)[0, 0].tolist()
    [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]
    """
    shape = height_and_width(size)
    side = whole(check_px, "check_px", 1)
    rows, columns = (torch.arange(n) // side for n in shape)
    return _image(((rows[:, None] + columns) % 2).double(), dtype)


@takes(bar_px=a_number, period_px=a_number, direction_deg=a_number, dtype=a_dtype)
def bars(
    size: ImageSize = 256,
    *,
    bar_px: float = 8.0,
    period_px: float = 32.0,
    direction_deg: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return an image of white bars on black at equal distances, one bar in the middle.

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    bar_px, period_px
        Width of a bar, and distance from one to the next, in pixels.
    direction_deg
        Direction across the bars; see the top of this module.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), of zeros and ones.

    Raises
    ------
    InputError
        If an argument is out of range.

    Examples
    --------
    >>> bars((1, 8), bar_px=2, period_px=4).flatten().tolist()
    [1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    """
    shape = height_and_width(size)
    if not 0 < bar_px <= period_px < math.inf:
        raise InputError(
            f"bars need 0 < bar_px <= period_px; not bar_px {bar_px} and period_px {period_px}"
        )
    share = bar_px / period_px
    cycles = _along(shape, direction_deg) / period_px
    return _image(_half_of_each_cycle(cycles + share / 2, share), dtype)


def _per_pixel(cycles_per_image: float | None, cycles_per_pixel: float | None, width: int) -> float:
    if (cycles_per_image is None) == (cycles_per_pixel is None):
        raise InputError("give either cycles_per_image or cycles_per_pixel")
    frequency = cycles_per_pixel if cycles_per_image is None else cycles_per_image / width
    assert frequency is not None
    if not 0 <= frequency <= 0.5:
        raise InputError(
            f"the frequency must lie between 0 and 0.5 cycles per pixel ({width / 2:g} cycles per image "
            f"of {width} pixels); not {frequency:g} cycles per pixel"
        )
    return frequency


def _check_light(mean: float, contrast: float) -> None:
    if not (0 <= contrast <= 1 and mean > 0 and mean * (1 + contrast) <= 1 + 1e-12):
        raise InputError(
            "contrast must lie in [0, 1] and mean · (1 + contrast) be at most 1; not contrast "
            f"{contrast:g} with a mean of {mean:g}"
        )


def _along(shape: tuple[int, int], direction_deg: float) -> Tensor:
    """Return each pixel's coordinate along a direction, in pixels, from (height // 2, width // 2)."""
    rows, columns = (torch.arange(n, dtype=torch.float64) - n // 2 for n in shape)
    angle = math.radians(direction_deg)
    return rows[:, None] * math.sin(angle) + columns * math.cos(angle)


def _half_of_each_cycle(cycles: Tensor, share: float) -> Tensor:
    """Return 1 in the first fraction `share` of every cycle and 0 elsewhere."""
    # The small offset keeps rounding errors from deciding edges that fall exactly on a pixel.
    return (torch.remainder(cycles + 1e-9, 1.0) < share).double()


def _image(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    return pixels.clamp(0, 1).to(dtype)[None, None]

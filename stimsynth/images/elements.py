"""Textures of drawn elements: scattered shapes, and binary textures of Julesz."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from stimsynth.images.noise import Seed, as_generator
from stimsynth.images.polar_grids import ImageSize, height_and_width
from stimsynth.numerics.numbers import real_number
from stimsynth.validate.gates import a_dtype
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_number, a_text, briefly, takes

Shape = Literal["square", "disk", "bar", "plus"]

#: Whether a place belongs to a shape, by its distances along and across, in sides of the shape.
_INSIDE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "square": lambda along, across: torch.maximum(along, across) <= 0.5,
    "disk": lambda along, across: along**2 + across**2 <= 0.25,
    "bar": lambda along, across: (along <= 0.5) & (across <= 0.125),
    "plus": lambda along, across: (
        (torch.maximum(along, across) <= 0.5) & (torch.minimum(along, across) <= 0.125)
    ),
}


@takes(shape=a_text, dtype=a_dtype)
def scattered_shapes(
    size: ImageSize = 256,
    *,
    shape: Shape = "square",
    side_px: float = 14.0,
    spacing_px: float = 32.0,
    direction_deg: float | None = 0.0,
    seed: Seed = 0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return an image of black shapes scattered over white, as in drawn textures.

    The image is divided into cells of about `spacing_px`, with one shape at a random place in each.
    Shapes that cross a border go on at the opposite one, so that the texture can be tiled.

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    shape
        ``"square"``, ``"disk"``, or ``"bar"`` or ``"plus"`` with strokes a quarter as wide as long.
    side_px, spacing_px
        Side (or diameter, or length) of a shape, and width of a cell, in pixels.
    direction_deg
        Direction of all shapes, clockwise from horizontal; None for a random one for each.
    seed
        Number, or a generator to draw from.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), of zeros and ones, on the CPU.

    Raises
    ------
    InputError
        If an argument is out of range, or the shape is not known.

    References
    ----------
    J. Portilla & E. P. Simoncelli (2000), "A parametric texture model based on joint statistics of complex
    wavelet coefficients", Int. J. Computer Vision 40(1), 49–71, figures 12 and 18.

    Examples
    --------
    >>> image = scattered_shapes(64, side_px=8, seed=1)
    >>> int((image == 0).sum())  # four squares
    256
    """
    if shape not in _INSIDE:
        raise unknown_name("shape", shape, list(_INSIDE))
    side, spacing = real_number(side_px, "side_px"), real_number(spacing_px, "spacing_px")
    if not 1 <= side <= spacing:
        raise InputError(
            f"shapes need 1 <= side_px <= spacing_px; not side_px {side:g} and spacing_px {spacing:g}"
        )
    extent = height_and_width(size)
    draws = _one_for_each_cell(extent, spacing, as_generator(seed, "scattered shapes"))
    turns = torch.pi * draws[..., 2]
    if direction_deg is not None:
        turns = torch.full_like(turns, real_number(direction_deg, "direction_deg") * torch.pi / 180)
    y, x = (_places(draws[..., dim], dim, extent[dim], side) for dim in range(2))
    black = torch.zeros(extent, dtype=torch.bool)
    for place in zip(y.flatten(), x.flatten(), turns.flatten(), strict=True):
        down, right = _away(place[0], extent[0])[:, None], _away(place[1], extent[1])
        cosine, sine = place[2].cos(), place[2].sin()
        along, across = right * cosine + down * sine, down * cosine - right * sine
        black |= _INSIDE[shape](along.abs() / side, across.abs() / side)
    return (~black).to(dtype)[None, None]


def _one_for_each_cell(
    extent: tuple[int, int], spacing: float, generator: torch.Generator
) -> Tensor:
    """Return three uniform numbers for each cell, shape (rows, columns, 3)."""
    cells = [max(1, int(n // spacing)) for n in extent]
    shape = (*cells, 3)
    return torch.rand(
        shape, generator=generator, dtype=torch.float64, device=generator.device
    ).cpu()


def _places(draws: Tensor, dim: int, extent: int, side: float) -> Tensor:
    """Return a coordinate of each cell's shape, in pixels, such that shapes stay in their cells."""
    cell = extent / draws.shape[dim]
    steps = (torch.arange(draws.shape[dim], dtype=torch.float64) + 0.5) * cell
    return steps.view(-1, *[1] * (1 - dim)) + (draws - 0.5) * (cell - side)


def _away(place: Tensor, extent: int) -> Tensor:
    """Return how far pixels lie from a place, the shorter way around."""
    pixels = torch.arange(extent, dtype=torch.float64) + 0.5
    return torch.remainder(pixels - place + extent / 2, extent) - extent / 2


@takes(product=a_number, dtype=a_dtype)
def isotrigon(
    size: ImageSize = 256,
    *,
    product: Literal[1, -1] = 1,
    seed: Seed = 0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return a black and white texture in which every 2 × 2 pixels, as ±1, have one product.

    Textures of either product have the same statistics up to the third order (of any three pixels), and
    look different: a counterexample to the conjecture that textures of equal second order look alike.

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    product
        1 or -1, the product of any four pixels that share a corner.
    seed
        Number, or a generator to draw from.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), of zeros and ones, on the CPU.

    Raises
    ------
    InputError
        If `product` is another number.

    References
    ----------
    B. Julesz, E. N. Gilbert & J. D. Victor (1978), "Visual discrimination of textures with identical
    third-order statistics", Biological Cybernetics 31, 137–140.

    Examples
    --------
    >>> x = 2 * isotrigon(16, product=-1, seed=1)[0, 0] - 1
    >>> (x[1:, 1:] * x[1:, :-1] * x[:-1, 1:] * x[:-1, :-1]).unique().tolist()
    [-1.0]
    """
    if product not in (1, -1):
        raise InputError(f"the product of four pixels is 1 or -1; not {briefly(product)}")
    height, width = height_and_width(size)
    generator = as_generator(seed, "isotrigon")
    ends = (height + width,)
    signs = torch.randint(0, 2, ends, generator=generator, device=generator.device).cpu() * 2 - 1
    odd = (torch.arange(height)[:, None] * torch.arange(width)) % 2 == 1
    pixels = signs[:height, None] * signs[height:] * torch.where(odd, product, 1)
    return (pixels > 0).to(dtype)[None, None]

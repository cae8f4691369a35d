"""Random textures with edges: dead leaves and Voronoi cells."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from stimsynth.images.noise import Seed, as_generator
from stimsynth.images.polar_grids import ImageSize, height_and_width
from stimsynth.validate.gates import a_dtype
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, takes, within
from stimuli_store.tools.whole import whole


@takes(min_radius_px=a_number, max_radius_px=a_number, exponent=within(100), dtype=a_dtype)
def dead_leaves(
    size: ImageSize = 256,
    *,
    min_radius_px: float = 3.0,
    max_radius_px: float = 64.0,
    exponent: float = 3.0,
    seed: Seed = 0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return an image of overlapping disks of uniform random grey (the dead leaves model).

    Disks are placed from the top down until no pixel is free, which gives the stationary pattern exactly.

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    min_radius_px, max_radius_px
        Smallest and largest radius in pixels; the largest is at most 1024, or 16 times the longer side.
    exponent
        The density of radii falls as radius to minus this power, from -100 to 100; 3 gives a
        scale-invariant pattern, as in photographs.
    seed
        Number, or a generator to draw from.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), in [0, 1], on the CPU.

    Raises
    ------
    InputError
        If the radii are not valid.

    References
    ----------
    A. B. Lee, D. Mumford & J. Huang (2001), "Occlusion models for natural images", Int. J. Computer
    Vision 41, 35–59. W. S. Kendall & E. Thönnes (1999), "Perfect simulation in stochastic geometry",
    Pattern Recognition 32(9), 1569–1586.

    Examples
    --------
    >>> dead_leaves(64, seed=1).shape
    torch.Size([1, 1, 64, 64])
    """
    if not 1 <= min_radius_px < max_radius_px:
        raise InputError(
            "dead leaves need 1 <= min_radius_px < max_radius_px; not "
            f"{min_radius_px} and {max_radius_px}"
        )
    height, width = height_and_width(size)
    largest = max(1024, 16 * max(height, width))
    if max_radius_px > largest:  # almost all leaves would miss the image
        raise InputError(
            f"max_radius_px must be at most {largest} for an image of {height}x{width}; not {max_radius_px:g}"
        )
    generator = as_generator(seed, "dead leaves")
    grey, free = np.zeros((height, width)), np.ones((height, width), dtype=bool)
    left = height * width
    for across, down, which, light in _draws(generator):
        radius = _radius(which, min_radius_px, max_radius_px, exponent)
        reach = 2 * max_radius_px  # leaves that only touch the image from outside count too
        y = down * (height + reach) - max_radius_px
        x = across * (width + reach) - max_radius_px
        rows = slice(max(0, int(np.ceil(y - radius))), min(height, int(y + radius) + 1))
        columns = slice(max(0, int(np.ceil(x - radius))), min(width, int(x + radius) + 1))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        above = (np.arange(rows.start, rows.stop) - y)[:, None] ** 2
        beside = (np.arange(columns.start, columns.stop) - x) ** 2
        seen = free[rows, columns] & (above + beside <= radius**2)
        grey[rows, columns][seen] = light
        free[rows, columns][seen] = False
        left -= int(seen.sum())
        if left == 0:
            break
    return torch.from_numpy(grey).to(dtype)[None, None]


@takes(dtype=a_dtype)
def voronoi(
    size: ImageSize = 256,
    *,
    cells: int = 64,
    seed: Seed = 0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Return an image of Voronoi cells of uniform random grey, one around each random point.

    Parameters
    ----------
    size
        Side in pixels, or (height, width).
    cells
        Number of points.
    seed
        Number, or a generator to draw from.
    dtype
        Type of the result.

    Returns
    -------
    Tensor
        Shape (1, 1, height, width), in [0, 1], on the CPU.

    Raises
    ------
    InputError
        If `cells` is below 1.

    Examples
    --------
    >>> len(voronoi(64, cells=9, seed=1).unique())
    9
    """
    from scipy.spatial import cKDTree

    height, width = height_and_width(size)
    cells = whole(cells, "cells", 1)
    generator = as_generator(seed, "voronoi")
    draws = _uniform(generator, (cells, 3))
    points = draws[:, :2] * (height, width) - 0.5
    pixels = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
    _, nearest = cKDTree(points).query(pixels.reshape(-1, 2))
    return torch.from_numpy(draws[:, 2][nearest].reshape(height, width)).to(dtype)[None, None]


def _draws(generator: torch.Generator) -> Iterator[tuple[float, float, float, float]]:
    while True:
        yield from map(tuple, _uniform(generator, (1024, 4)).tolist())


def _uniform(generator: torch.Generator, shape: tuple[int, int]) -> np.ndarray:
    draws = torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
    return draws.cpu().numpy()


def _radius(which: float, low: float, high: float, exponent: float) -> float:
    """Return the quantile `which` in [0, 1) of the density r ** -exponent on [low, high]."""
    power = 1 - exponent
    if abs(power) < 1e-9:
        return low * (high / low) ** which
    return (low**power + which * (high**power - low**power)) ** (1 / power)

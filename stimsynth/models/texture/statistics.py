"""Moments and correlations of maps, with finite values for every image.

A correlation of a constant map is 0 by definition here. A map counts as constant if it varies by no more than
the rounding of a Fourier transform: a quotient of such numbers would be noise.
"""

import math

import torch
from torch import Tensor
from torch.linalg import vecdot

from stimsynth.numerics.reductions import centred
from stimsynth.transforms.spectra import Size, columns_counted

_NOISE = (
    16  # machine epsilons of rounding that a transform may leave, relative to the image's amplitude
)


def noise_power(image: Tensor) -> Tensor:
    """Return the power (m,) that rounding errors may have in the bands of images (m, h, w)."""
    tolerance = _NOISE * torch.finfo(image.dtype).eps
    pixels = image.flatten(1)
    return tolerance**2 / pixels.shape[1] * vecdot(pixels, pixels)


def map_norms(maps: Tensor) -> Tensor:
    """Return the Euclidean norms (m, k) of maps (m, k, h, w)."""
    return torch.linalg.vector_norm(maps.flatten(2), dim=-1)


def map_products(maps: Tensor, others: Tensor) -> Tensor:
    """Return the sums of products (m, i * j) of all pairs of maps (m, i, h, w) and (m, j, h, w)."""
    return torch.bmm(maps.flatten(2), others.flatten(2).mT).flatten(1)


def varying(norm: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
    """Return norms and their reciprocals, both 0 where a norm is at most the threshold `least`."""
    flat = norm <= least  # false for NaN, which is passed on
    return torch.where(flat, 0.0, norm), torch.where(flat, torch.inf, norm).reciprocal()


def pixel_statistics(image: Tensor, floor: Tensor) -> Tensor:
    """Return mean, unbiased variance, skew, kurtosis, minimum and maximum of images (m, h, w), (m, 6).

    Skew and kurtosis are third and fourth moment divided by powers of the unbiased variance; for a constant
    image they are 0 and 3, as for a Gaussian.
    """
    away, mean = (part.flatten(1) for part in centred(image))
    count = away.shape[-1]
    square = away * away
    norm = torch.linalg.vector_norm(away, dim=-1)
    norm, inverse = varying(norm, (count * floor).sqrt())
    scale = inverse * math.sqrt(count - 1)  # of the unbiased standard deviation
    skew = vecdot(square, away) / count * scale**3
    kurtosis = torch.where(inverse == 0, 3.0, vecdot(square, square) / count * scale**4)
    variance = norm**2 / (count - 1)
    pixels = image.flatten(1)
    ends = pixels.amin(-1), pixels.amax(-1)
    return torch.stack([mean.squeeze(-1), variance, skew, kurtosis, *ends], dim=-1)


def lag_tables(size: Size, width: int) -> tuple[Tensor, Tensor]:
    """Return the matrices of `central_autocorrelation` for images of `size` and lags up to ``width // 2``."""
    # They hold only the needed rows and columns of an inverse Fourier transform.
    lags = torch.arange(width, dtype=torch.float64) - width // 2
    height, breadth = size
    rows = torch.arange(height, dtype=torch.float64)
    columns = torch.arange(breadth // 2 + 1, dtype=torch.float64)
    down = 2 * math.pi / height * torch.outer(lags, rows)
    across = 2 * math.pi / breadth * torch.outer(columns, lags)
    twice = columns_counted(breadth)[:, None]
    # In both factors the entries for real and imaginary parts are neighbours in memory, so that the sums of
    # their products need no rearrangement.
    left = torch.stack([torch.cos(down), -torch.sin(down)], dim=-1) / (height * breadth)
    right = torch.cat([twice * torch.cos(across), twice * torch.sin(across)], dim=1)
    return left.flatten(1), right.repeat_interleave(2, dim=0)


def central_autocorrelation(spectrum: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return central autocorrelations (n, width, width) from half spectra (n, h, w//2 + 1).

    They are circular sums of products; lag (0, 0) is the squared norm.
    """
    count, size = len(spectrum), spectrum.shape[-2]
    squares = torch.view_as_real(spectrum).square().view(count, size, -1)
    # Image by image, which is faster than one product of all rows.
    rows = torch.bmm(squares, right.expand(count, -1, -1)).view(count, left.shape[1], -1)
    return torch.bmm(left.expand(count, -1, -1), rows)

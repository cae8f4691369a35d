"""Moments and correlations of bands, finite for every image.

A correlation of something that does not vary is 0 by definition here. What varies by no more than the
rounding of a Fourier transform counts as not varying: a quotient of such numbers would be noise.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.transforms.spectra import Size

_NOISE = (
    16  # machine epsilons of rounding that a transform may leave, relative to the image's amplitude
)


def noise_power(image: Tensor) -> Tensor:
    """Return the power (b, c) that rounding may leave in a band of images (b, c, h, w)."""
    tolerance = _NOISE * torch.finfo(image.dtype).eps
    return tolerance**2 * image.square().mean(dim=(-2, -1))


@dataclass(frozen=True, kw_only=True)
class Norms:
    """Euclidean norms of maps and their reciprocals, both 0 for a map that does not vary."""

    norm: Tensor
    inverse: Tensor


def norms(maps: Tensor, floor: Tensor) -> Norms:
    """Return the norms of maps (b, c, …, n); one of mean power up to `floor` (b, c) does not vary."""
    norm = torch.linalg.vector_norm(maps, dim=-1)
    least = (maps.shape[-1] * floor).sqrt()
    above = norm > least.view(*least.shape, *(1,) * (norm.dim() - 2))
    return Norms(
        norm=torch.where(above, norm, 0.0),
        inverse=torch.where(above, norm, torch.inf).reciprocal(),
    )


def correlations(maps: Tensor, own: Norms, others: Tensor, theirs: Norms) -> Tensor:
    """Return the correlations (b, c, i, j) of all pairs of maps (b, c, i, n) and (b, c, j, n)."""
    products = maps @ others.mT
    return products * own.inverse.unsqueeze(-1) * theirs.inverse.unsqueeze(-2)


def moments(x: Tensor, inverse: Tensor) -> tuple[Tensor, Tensor]:
    """Return skew and kurtosis (b, c) of maps (b, c, n) of mean 0, with reciprocals of their norms.

    Of a map that does not vary they are those of a Gaussian, 0 and 3.
    """
    square, count = x * x, x.shape[-1]
    skew = (square * x).sum(dim=-1) * inverse**3 * math.sqrt(count)
    kurtosis = (square * square).sum(dim=-1) * inverse**4 * count
    return skew, torch.where(inverse > 0, kurtosis, 3.0)


def pixel_statistics(image: Tensor, floor: Tensor) -> list[Tensor]:
    """Return mean, unbiased variance, skew, kurtosis, minimum and maximum, each (b, c).

    Skew and kurtosis are those of the original statistics: third and fourth moment over powers of the
    unbiased variance.
    """
    pixels = image.flatten(2)
    mean = pixels.mean(dim=-1, keepdim=True)
    centred = pixels - mean
    variation, count = norms(centred, floor), pixels.shape[-1]
    skew, kurtosis = moments(centred, variation.inverse)
    bias = (count - 1) / count
    varies = variation.inverse > 0
    return [
        mean.squeeze(-1),
        variation.norm**2 / (count - 1),
        skew * bias**1.5,
        torch.where(varies, kurtosis * bias**2, kurtosis),
        pixels.amin(-1),
        pixels.amax(-1),
    ]


def lag_tables(size: Size, width: int) -> tuple[Tensor, Tensor]:
    """Return the matrices of `autocorrelation` for images of `size` and lags up to ``width // 2``.

    They hold the few rows and columns of an inverse Fourier transform that are asked for, so none of
    the others is computed.
    """
    lags = torch.arange(width, dtype=torch.float64) - width // 2
    height, breadth = size
    rows = torch.arange(height, dtype=torch.float64)
    columns = torch.arange(breadth // 2 + 1, dtype=torch.float64)
    down = 2 * math.pi / height * torch.outer(lags, rows)
    across = 2 * math.pi / breadth * torch.outer(columns, lags)
    # A half spectrum holds each frequency once, but the first and, of an even side, the last column.
    twice = torch.full((len(columns), 1), 2.0, dtype=torch.float64)
    twice[0] = 1
    if breadth % 2 == 0:
        twice[-1] = 1
    left = torch.cat([torch.cos(down), -torch.sin(down)], dim=1) / (height * breadth)
    right = torch.cat([twice * torch.cos(across), twice * torch.sin(across)], dim=1)
    # The squares of real and imaginary parts, next to each other in memory, are added on the way.
    return left, right.repeat_interleave(2, dim=0)


def autocorrelation(spectrum: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return the central lags (…, width, width) of images from half spectra (…, h, w//2 + 1).

    Circular sums of products; lag (0, 0) is the squared norm.
    """
    squares = torch.view_as_real(spectrum).square().flatten(-2)
    cosines, sines = (squares @ right).chunk(2, dim=-1)
    return left @ torch.cat([cosines, sines], dim=-2)

"""Moments and correlations of bands, finite for every image.

A correlation of something that does not vary is 0 by definition here. What varies by no more than the
rounding of a Fourier transform counts as not varying: such a quotient would be noise.
"""

import math

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


def ratio(numerator: Tensor, denominator: Tensor, floor: Tensor, otherwise: float = 0.0) -> Tensor:
    """Return a quotient where the denominator is above the floor, and else a constant."""
    above = denominator > floor
    return torch.where(above, numerator / torch.where(above, denominator, 1.0), otherwise)


def root(power: Tensor, floor: Tensor) -> Tensor:
    """Return the square root where the power is above the floor, and else 0."""
    above = power > floor
    return torch.where(above, torch.where(above, power, 1.0).sqrt(), 0.0)


def mean_square(x: Tensor) -> Tensor:
    """Return the mean square over the last axis."""
    return torch.linalg.vecdot(x, x) / x.shape[-1]


def correlations(
    ones: Tensor, powers: Tensor, others: Tensor, other_powers: Tensor, floor: Tensor
) -> Tensor:
    """Return the correlations (b, c, i, j) of all pairs of maps (b, c, i, n) and (b, c, j, n).

    `powers` and `other_powers` are their mean squares, (b, c, i) and (b, c, j); `floor` is (b, c).
    """
    covariance = ones @ others.mT / ones.shape[-1]
    limit = floor.unsqueeze(-1)
    scales = root(powers, limit).unsqueeze(-1) * root(other_powers, limit).unsqueeze(-2)
    return ratio(covariance, scales, torch.zeros_like(scales))


def moments(x: Tensor, variance: Tensor, floor: Tensor) -> tuple[Tensor, Tensor]:
    """Return skew and kurtosis (b, c) of maps (b, c, n) of mean 0 and this variance.

    Of maps that do not vary they are those of a Gaussian, 0 and 3.
    """
    square = x * x
    third = torch.linalg.vecdot(square, x) / x.shape[-1]
    fourth = mean_square(square)
    return ratio(third, variance**1.5, floor**1.5), ratio(fourth, variance**2, floor**2, 3.0)


def pixel_statistics(image: Tensor, floor: Tensor) -> list[Tensor]:
    """Return mean, unbiased variance, skew, kurtosis, minimum and maximum, each (b, c)."""
    pixels = image.flatten(2)
    mean = pixels.mean(dim=-1, keepdim=True)
    centred = pixels - mean
    variance = mean_square(centred) * (pixels.shape[-1] / (pixels.shape[-1] - 1))
    skew, kurtosis = moments(centred, variance, floor)
    return [mean.squeeze(-1), variance, skew, kurtosis, pixels.amin(-1), pixels.amax(-1)]


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
    left = torch.cat([torch.cos(down), -torch.sin(down)], dim=1) / (height * breadth) ** 2
    right = torch.cat([twice * torch.cos(across), twice * torch.sin(across)], dim=1)
    # The squares of real and imaginary parts, next to each other in memory, are added on the way.
    return left, right.repeat_interleave(2, dim=0)


def autocorrelation(spectrum: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return the central lags (…, width, width) of images from half spectra (…, h, w//2 + 1).

    Circular, and divided by the number of pixels, so that lag (0, 0) is the mean square.
    """
    squares = torch.view_as_real(spectrum).square().flatten(-2)
    cosines, sines = (squares @ right).chunk(2, dim=-1)
    return left @ torch.cat([cosines, sines], dim=-2)

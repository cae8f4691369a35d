r"""Transfer functions of the steerable pyramid, computed from their formulas in float64.

With r the base-2 logarithm of the frequency's radius (0 at the Nyquist frequency), w the width of a
transition in octaves and K orientations, the pyramid is made of

.. math::

    H(r) = \cos\frac{\pi r}{2w},\quad L(r) = \sin\frac{-\pi r}{2w}\quad (-w \le r \le 0),\qquad
    A_b(\theta) = \sqrt{c}\,\cos^{K-1}(\theta - \pi b / K)

for which :math:`H^2 + L^2 = 1` and :math:`\sum_b A_b^2 = 1`: analysis and synthesis with the same
functions reconstruct a spectrum exactly. L is zero from the Nyquist frequency up, so each scale needs
half the samples of the one before, whether the number of samples is even or odd.

A. Karasaridis & E. P. Simoncelli (1996), "A filter design technique for steerable pyramid image
transforms", ICASSP 4, 2387–2390.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.transforms.spectra import Size, crop_spectrum

# The radius of the origin: so many octaves below that only the low-pass residual contains the mean.
_TINY = 2.0**-1000


@dataclass(frozen=True, kw_only=True)
class Frequencies:
    """Frequencies of an image's samples in units of Nyquist: float64, (h, w) or (h, w//2 + 1)."""

    rows: Tensor
    columns: Tensor
    half: bool

    @property
    def log_radius(self) -> Tensor:
        """Base-2 logarithm of the radial frequency, very negative at the origin."""
        return torch.log2(torch.hypot(self.rows, self.columns).clamp_min(_TINY))

    def cosine(self, angle: float) -> Tensor:
        """Cosine of the angle between each frequency and `angle`; 0 at the origin."""
        along = math.cos(angle) * self.columns + math.sin(angle) * self.rows
        return along / torch.hypot(self.rows, self.columns).clamp_min(_TINY)

    def cropped(self, size: Size) -> "Frequencies":
        """Return the frequencies that an image of fewer samples keeps."""
        return Frequencies(
            rows=crop_spectrum(self.rows, size, half=self.half),
            columns=crop_spectrum(self.columns, size, half=self.half),
            half=self.half,
        )


def frequencies(size: Size, *, half: bool) -> Frequencies:
    """Return the frequencies of an image of (height, width) in the order of `fft2` (`rfft2` if `half`)."""
    rows = 2 * torch.fft.fftfreq(size[0], dtype=torch.float64)
    frequency = torch.fft.rfftfreq if half else torch.fft.fftfreq
    columns = 2 * frequency(size[1], dtype=torch.float64)
    grid = torch.meshgrid(rows, columns, indexing="ij")
    return Frequencies(rows=grid[0].contiguous(), columns=grid[1].contiguous(), half=half)


def high_pass(log_radius: Tensor, width: float) -> Tensor:
    """Return the radial high-pass H: 1 from log radius 0 up, 0 from `width` octaves below."""
    inside = torch.cos(math.pi / (2 * width) * log_radius.clamp(-width, 0))
    return torch.where(log_radius <= -width, 0.0, inside)


def low_pass(log_radius: Tensor, width: float) -> Tensor:
    """Return the radial low-pass L, for which L² + H² = 1 with H of `high_pass`."""
    return torch.sin(-math.pi / (2 * width) * log_radius.clamp(-width, 0))


def oriented(grid: Frequencies, order: int, *, one_sided: bool) -> Tensor:
    """Return the angular transfer functions of all orientations, shape (order + 1, h, w).

    `one_sided` keeps the half plane around each orientation, times 2: coefficients become complex, and
    their real parts do not change.
    """
    count = order + 1
    scale = 2.0**order * math.factorial(order) / math.sqrt(count * math.factorial(2 * order))
    cosines = torch.stack([grid.cosine(math.pi * b / count) for b in range(count)])
    angular = scale * cosines**order
    return torch.where(cosines > 0, 2 * angular, 0.0) if one_sided else angular


@dataclass(frozen=True, kw_only=True)
class PyramidMasks:
    """Transfer functions from an image's spectrum to each level of its pyramid, all real.

    `bands[s]` has shape (orientations, h_s, w_s) and includes all low-passes of finer scales. `sizes[s]`
    is the size of scale s; the last entry is the size of the low-pass residual.
    """

    high: Tensor
    bands: tuple[Tensor, ...]
    low: Tensor
    sizes: tuple[Size, ...]


def pyramid_masks(
    size: Size,
    height: int,
    order: int,
    width: float,
    *,
    one_sided: bool = False,
    downsample: bool = True,
) -> PyramidMasks:
    """Return the transfer functions of a pyramid for images of `size`, up to the factor :math:`(-i)^{order}`.

    One-sided functions have the layout of `fft2`, the others of `rfft2`.
    """
    grid = frequencies(size, half=not one_sided)
    high = high_pass(grid.log_radius, width)
    passed = low_pass(grid.log_radius, width)
    bands, sizes = [], [size]
    for scale in range(height):
        radial = passed * high_pass(grid.log_radius + scale + 1, width)
        bands.append(oriented(grid, order, one_sided=one_sided) * radial)
        if downsample:
            size = (math.ceil(size[0] / 2), math.ceil(size[1] / 2))
            grid, passed = grid.cropped(size), crop_spectrum(passed, size, half=grid.half)
        passed = passed * low_pass(grid.log_radius + scale + 1, width)
        sizes.append(size)
    return PyramidMasks(high=high, bands=tuple(bands), low=passed, sizes=tuple(sizes))

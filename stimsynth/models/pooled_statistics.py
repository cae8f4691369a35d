"""Statistics of images averaged in windows, the outputs of foveated models.

The statistics are from J. Portilla & E. P. Simoncelli (2000), "A parametric texture model based on joint
statistics of complex wavelet coefficients", Int. J. Computer Vision 40(1), 49–71, pooled as in J. Freeman &
E. P. Simoncelli (2011), "Metamers of the ventral stream", Nature Neuroscience 14, 1195–1201: every mean
over the image becomes a weighted mean over a window.

All are in units of the image: a correlation r of maps with standard deviations s and t is given as
r √(s t), a skew times the standard deviation. In a uniform window they go to zero, with finite gradients.

Each function takes a `View` and returns named tensors of shape (b, c, …, windows).
"""

# In units of the image, a sum of squared differences gives more weight to more visible differences: to
# pixels more than to correlations, and to correlations of strong bands more than of weak ones.

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from stimsynth.numerics.caching import cached_tensors
from stimsynth.numerics.reductions import centred
from stimsynth.numerics.safe import modulus_and_direction
from stimsynth.transforms.averages import Averages
from stimsynth.transforms.log_polar import LogPolar, window_averages
from stimsynth.transforms.polar import modulate_phase
from stimsynth.transforms.pyramids.steerable import SteerablePyramidFreq
from stimsynth.transforms.spectra import pad_spectrum

Named = dict[str, Tensor]
_EPSILON = 1e-3  # in units of pixel values: standard deviations below this count as zero


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """An image with its windows and its pyramid, which is computed when first used.

    Attributes
    ----------
    image
        Shape (b, c, height, width).
    layout
        Layout of the windows.
    n_scales, n_orientations
        Numbers of scales and orientations of the complex steerable pyramid.
    neighbours
        Lags (rows, columns) of the autocorrelations of bands.
    """

    image: Tensor
    layout: LogPolar
    n_scales: int
    n_orientations: int
    neighbours: Sequence[tuple[int, int]]

    def windows(self, maps: Tensor) -> Averages:
        """Return the windows on the grid of maps (…, h, w)."""
        grid = (maps.shape[-2], maps.shape[-1])
        return window_averages(self.layout, maps.dtype, maps.device, grid)

    def means(self, maps: Tensor) -> Tensor:
        """Return window averages (…, windows) of maps (…, h, w)."""
        return self.windows(maps).means(maps)

    @cached_property
    def levels(self) -> Mapping[str | int, Tensor]:
        """Complex bands (b, c, orientations, h_s, w_s) and high-pass residual of the image's pyramid.

        Each is divided by the gain of downsampling, so that all levels are in units of the image.
        """
        image = self.image
        shape = (image.shape[-2], image.shape[-1])
        kind = (image.dtype, image.device)
        levels = _pyramid(shape, self.n_scales, self.n_orientations, *kind)(
            image, scales=["residual_highpass", *range(self.n_scales)]
        )
        n_pixels = math.prod(shape)
        return {key: band * (math.prod(band.shape[-2:]) / n_pixels) for key, band in levels.items()}


@cached_tensors(maxsize=16)
def _pyramid(
    shape: tuple[int, int],
    n_scales: int,
    n_orientations: int,
    dtype: torch.dtype,
    device: torch.device,
) -> SteerablePyramidFreq:
    made = SteerablePyramidFreq(shape, n_scales, n_orientations - 1, is_complex=True)
    return made.to(device, dtype)


def luminance(view: View) -> Named:
    """Return the pixels of the fovea (b, c, pixels) and the mean of each window (b, c, n)."""
    windows = view.windows(view.image)
    return {"fovea": windows.uncovered(view.image), "mean": windows.means(view.image)}


def highpass(view: View) -> Named:
    """Return the root mean square of the high-pass residual in each window (b, c, n)."""
    return {"rms_highpass": _root(view.means(view.levels["residual_highpass"] ** 2))}


def energies(view: View) -> Named:
    """Return the root of the mean oriented energy in each window, for each scale (b, c, orientations, n)."""
    return {
        f"energy_{scale}": _root(view.means(_energy(view.levels[scale])))
        for scale in range(view.n_scales)
    }


def moments(view: View) -> Named:
    """Return standard deviation, skew and kurtosis of pixels in each window (b, c, n).

    They are taken about the window's mean. In place of a kurtosis k the third is s k^(1/4), the fourth root
    of the fourth moment, for a standard deviation s.
    """
    # A kurtosis itself depends strongly on single pixels in a window that is nearly uniform.
    second, third, fourth = view.windows(view.image).central_moments(view.image, (2, 3, 4))
    deviation = _root(second)
    return {
        "std": deviation,
        "skew": third / deviation**2,
        "kurtosis": (fourth + _EPSILON**4) ** 0.25,
    }


def magnitudes(view: View) -> Named:
    """Return means, standard deviations and correlations of bands' magnitudes in each window, by name.

    For scale s: ``magnitude_mean_s`` and ``magnitude_std_s`` (b, c, orientations, n);
    ``magnitude_space_s`` (b, c, orientations, neighbours, n), the autocorrelation of a band at each lag;
    ``magnitude_orientation_s`` (b, c, pairs, n), correlations across orientations.
    """
    named: Named = {}
    first, second = torch.triu_indices(view.n_orientations, view.n_orientations, 1).tolist()
    for scale in range(view.n_scales):
        magnitude = _magnitude(view.levels[scale])
        away, centre = _centred(magnitude)
        mean, deviation = _spread(view, away)
        named[f"magnitude_mean_{scale}"] = mean + centre
        named[f"magnitude_std_{scale}"] = deviation
        if view.neighbours:
            steps = [torch.roll(away, step, (-2, -1)) for step in view.neighbours]
            shifted = torch.stack(steps, dim=3)
            there_mean, there_deviation = _spread(view, shifted)
            covariance = view.means(away.unsqueeze(3) * shifted) - mean.unsqueeze(3) * there_mean
            unit = torch.sqrt(deviation.unsqueeze(3) * there_deviation)
            named[f"magnitude_space_{scale}"] = covariance / unit
        named[f"magnitude_orientation_{scale}"] = _correlations(view, magnitude, (first, second))
    return named


def across_scales(view: View) -> Named:
    """Return correlations, in each window, of each scale's bands with bands of the next coarser scale.

    For scale s: ``magnitude_scale_s`` (b, c, orientations², n), of magnitudes; ``phase_scale_s``
    (b, c, 2 orientations², n), of real parts with real and imaginary parts of the coarser bands after
    doubling their phase, which then changes as fast as the phase of the finer bands.
    """
    named: Named = {}
    count = view.n_orientations
    for scale in range(view.n_scales - 1):
        fine = view.levels[scale]
        coarse = _enlarged(view.levels[scale + 1], (fine.shape[-2], fine.shape[-1]))
        for name, maps, others in (
            ("magnitude", torch.cat([_magnitude(fine), _magnitude(coarse)], dim=2), count),
            ("phase", torch.cat([fine.real, _phase_doubled(coarse)], dim=2), 2 * count),
        ):
            pairs = [(i, count + j) for i in range(count) for j in range(others)]
            first, second = zip(*pairs, strict=True)
            named[f"{name}_scale_{scale}"] = _correlations(view, maps, (list(first), list(second)))
    return named


STATISTICS: Mapping[str, tuple[Callable[[View], Named], ...]] = {
    "luminance": (luminance,),
    "energy": (luminance, highpass, energies),
    "texture": (luminance, moments, highpass, magnitudes, across_scales),
}


def _root(mean_square: Tensor) -> Tensor:
    """Return the square root of a mean square (floored at 0) plus a small constant."""
    return torch.sqrt(mean_square.clamp_min(0) + _EPSILON**2)


def _energy(band: Tensor) -> Tensor:
    return band.real**2 + band.imag**2


def _magnitude(band: Tensor) -> Tensor:
    return modulus_and_direction(band)[0]


def _phase_doubled(band: Tensor) -> Tensor:
    """Return real and imaginary parts (b, c, 2 k, h, w) of z² / |z| for bands z (b, c, k, h, w)."""
    doubled = modulate_phase(band)
    return torch.cat([doubled.real, doubled.imag], dim=2)


def _enlarged(band: Tensor, size: tuple[int, int]) -> Tensor:
    """Return complex bands (…, h, w) upsampled to a finer grid by Fourier interpolation."""
    small = (band.shape[-2], band.shape[-1])
    spectrum = pad_spectrum(torch.fft.fft2(band), small, size)
    return torch.fft.ifft2(spectrum) * (math.prod(size) / math.prod(small))


def _centred(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps (…, h, w) minus their means over the image, and these means (…, 1)."""
    # Covariances do not depend on the mean, but without it differences of averaged squares cancel less.
    away, centre = centred(maps)
    return away, centre.squeeze(-1)


def _correlations(view: View, maps: Tensor, pairs: tuple[Sequence[int], Sequence[int]]) -> Tensor:
    """Return correlations in windows, (b, c, pairs, n), of pairs of maps (b, c, k, h, w)."""
    away, _ = _centred(maps)
    mean, deviation = _spread(view, away)
    first, second = (list(side) for side in pairs)
    joint = view.means(away[:, :, first] * away[:, :, second])
    covariance = joint - mean[:, :, first] * mean[:, :, second]
    return covariance / torch.sqrt(deviation[:, :, first] * deviation[:, :, second])


def _spread(view: View, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and standard deviations in windows, (…, n), of maps (…, h, w)."""
    mean = view.means(maps)
    return mean, _root(view.means(maps**2) - mean**2)

"""Statistics of an image inside windows: what a foveated model keeps of it.

Statistics are those of J. Portilla & E. P. Simoncelli (2000), "A parametric texture model based on joint
statistics of complex wavelet coefficients", Int. J. Computer Vision 40(1), 49–71, as J. Freeman & E. P.
Simoncelli (2011), "Metamers of the ventral stream", Nature Neuroscience 14, 1195–1201, pool them: every
mean over the image becomes a weighted mean over a window.

All are in units of the image, so that a sum of squared differences weighs what is seen more, more: pixels
before correlations, and correlations between strong bands before those between weak ones. A correlation
r of maps with standard deviations s and t is given as r √(s t), a skew times the standard deviation. In
a flat window all of these go to zero, with finite slopes.

Each function takes a `View` and returns named tensors of shape (b, c, …, windows).
"""

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
_EPSILON = 1e-3  # of the range of pixels: standard deviations below this count as none


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """An image as a foveated model sees it: its windows, and its pyramid once that is asked for.

    Attributes
    ----------
    image
        Shape (b, c, height, width).
    layout
        Where windows lie.
    n_scales, n_orientations
        Of the complex steerable pyramid.
    neighbours
        Steps (rows, columns) at which a band is compared with itself.
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
        """Return averages (…, windows) of maps (…, h, w)."""
        return self.windows(maps).means(maps)

    @cached_property
    def levels(self) -> Mapping[str | int, Tensor]:
        """The pyramid's complex bands (b, c, orientations, h_s, w_s) and its high-pass residual.

        Divided by the factor by which a band gains amplitude as it loses samples, so that all levels
        are in units of the image.
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
    """Return the pixels of the fovea as they are (b, c, pixels), and the windows' means (b, c, n)."""
    windows = view.windows(view.image)
    return {"fovea": windows.uncovered(view.image), "mean": windows.means(view.image)}


def highpass(view: View) -> Named:
    """Return the root mean square of what is finer than all bands (b, c, n)."""
    return {"rms_highpass": _root(view.means(view.levels["residual_highpass"] ** 2))}


def energies(view: View) -> Named:
    """Return the root of the mean oriented energy, for each scale (b, c, orientations, n)."""
    return {
        f"energy_{scale}": _root(view.means(_energy(view.levels[scale])))
        for scale in range(view.n_scales)
    }


def moments(view: View) -> Named:
    """Return standard deviation, skew and kurtosis of pixels (b, c, n), each about its window's mean.

    With standard deviation s, the third is s k^(1/4) for a kurtosis k: the fourth root of the fourth
    moment. A kurtosis itself makes much of single pixels in a window that is nearly flat.
    """
    second, third, fourth = view.windows(view.image).central_moments(view.image, (2, 3, 4))
    deviation = _root(second)
    return {
        "std": deviation,
        "skew": third / deviation**2,
        "kurtosis": torch.sqrt(torch.sqrt(fourth + _EPSILON**4)),
    }


def magnitudes(view: View) -> Named:
    """Return means, deviations and correlations of magnitudes in space and across orientations.

    For scale s: ``magnitude_mean_s`` and ``magnitude_std_s`` (b, c, orientations, n);
    ``magnitude_space_s`` (b, c, orientations, neighbours, n), the correlation of a band with itself some
    samples on; ``magnitude_orientation_s`` (b, c, pairs, n).
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
    """Return correlations of the bands of each scale with those of the next coarser one.

    For scale s: ``magnitude_scale_s`` (b, c, orientations², n), of magnitudes; ``phase_scale_s``
    (b, c, 2 orientations², n), of real parts with real and imaginary parts of the coarser bands, whose
    phase is doubled so that it turns as fast as that of the finer ones.
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
    """Return the root of what is at least zero but for rounding, with a slope everywhere."""
    return torch.sqrt(mean_square.clamp_min(0) + _EPSILON**2)


def _energy(band: Tensor) -> Tensor:
    return band.real**2 + band.imag**2


def _magnitude(band: Tensor) -> Tensor:
    return modulus_and_direction(band)[0]


def _phase_doubled(band: Tensor) -> Tensor:
    """Return real, then imaginary parts (b, c, 2 k, h, w) of z² / |z| for bands z (b, c, k, h, w)."""
    doubled = modulate_phase(band)
    return torch.cat([doubled.real, doubled.imag], dim=2)


def _enlarged(band: Tensor, size: tuple[int, int]) -> Tensor:
    """Return complex bands (…, h, w) interpolated to a finer grid by their own frequencies."""
    small = (band.shape[-2], band.shape[-1])
    spectrum = pad_spectrum(torch.fft.fft2(band), small, size)
    return torch.fft.ifft2(spectrum) * (math.prod(size) / math.prod(small))


def _centred(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps (…, h, w) less their means over the image, and these means (…, 1).

    No covariance depends on it, but differences of averaged squares are so taken between small numbers.
    """
    away, centre = centred(maps)
    return away, centre.squeeze(-1)


def _correlations(view: View, maps: Tensor, pairs: tuple[Sequence[int], Sequence[int]]) -> Tensor:
    """Return correlations inside windows (b, c, pairs, n) of pairs of maps (b, c, k, h, w)."""
    away, _ = _centred(maps)
    mean, deviation = _spread(view, away)
    first, second = (list(side) for side in pairs)
    joint = view.means(away[:, :, first] * away[:, :, second])
    covariance = joint - mean[:, :, first] * mean[:, :, second]
    return covariance / torch.sqrt(deviation[:, :, first] * deviation[:, :, second])


def _spread(view: View, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and standard deviations (…, n) inside windows of maps (…, h, w)."""
    mean = view.means(maps)
    return mean, _root(view.means(maps**2) - mean**2)

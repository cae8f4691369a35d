"""Band-pass images from which texture statistics are computed, and their transfer functions."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.models.texture.layout import TextureScale
from stimsynth.models.texture.statistics import lag_tables
from stimsynth.numerics.caching import Tables
from stimsynth.numerics.reductions import centred
from stimsynth.transforms.modulus import parts
from stimsynth.transforms.pyramids.masks import frequencies, high_pass, low_pass, pyramid_masks
from stimsynth.transforms.spectra import (
    Size,
    columns_counted,
    crop_spectrum,
    pad_spectrum,
    paired,
    weigh,
)


@dataclass(frozen=True, kw_only=True)
class Band:
    """Complex bands (m, k, h, w): real part, imaginary part, modulus `length` with its `mean`, and
    `magnitude`, the modulus minus its mean.
    """

    real: Tensor
    imaginary: Tensor
    length: Tensor
    mean: Tensor
    magnitude: Tensor


@dataclass(frozen=True, kw_only=True)
class ScaleImages:
    """Images of one scale from which its texture statistics are computed.

    `place` is the number of the scale, from fine to coarse. `low` is the half spectrum of the image
    low-passed to this scale's size, and `pixels` (m, h, w) this low-passed image, of mean 0. `band` holds
    the bands of this scale (None for the low-pass residual), `parent` the bands of the next coarser scale
    at this scale's samples (None for the coarsest). A map with a norm of at most `least` (m, 1) counts as
    constant.
    """

    place: int
    scale: TextureScale
    least: Tensor
    low: Tensor
    pixels: Tensor
    band: Band | None
    parent: Band | None


def split_bands(spectrum: Tensor, masks: Tensor) -> Band:
    """Return the bands of images, given their spectrum (m, h, w) and transfer functions (k, h, w, 2)."""
    bands = torch.fft.ifft2(weigh(spectrum.unsqueeze(1), masks))
    return _band(*parts(bands))


def thinned(parent: Band) -> Band:
    """Return bands downsampled by 2, from the bands of the same scale at twice the samples."""
    # The bands have no frequencies above the new Nyquist frequency, so no filter is needed.
    kept = (..., slice(None, None, 2), slice(None, None, 2))
    parts = parent.real, parent.imaginary, parent.length
    return _band(*(4 * part[kept] for part in parts))


def _band(real: Tensor, imaginary: Tensor, length: Tensor) -> Band:
    magnitude, mean = centred(length)
    return Band(real=real, imaginary=imaginary, length=length, mean=mean, magnitude=magnitude)


def scale_sizes(shape: Size, n_scales: int) -> list[Size]:
    """Return the (height, width) of each scale and, last, of the low-pass residual."""
    return [(shape[0] >> scale, shape[1] >> scale) for scale in range(n_scales + 1)]


def texture_tables(shape: Size, n_scales: int, n_orientations: int, width: int) -> Tables:
    """Return transfer functions and matrices of the texture model, by name and scale, in float64."""
    masks = pyramid_masks(shape, n_scales, n_orientations - 1, 1.0, one_sided=True)
    sizes = masks.sizes
    grid = frequencies(shape, half=True)
    counted = columns_counted(shape[1]) / (shape[0] * shape[1]) ** 2
    high = high_pass(grid.log_radius, 1.0) ** 2 * counted
    tables = {"high power": paired(high)}
    passed = torch.ones_like(grid.rows)
    for place, size in enumerate(sizes):
        grid, passed = grid.cropped(size), crop_spectrum(passed, size, half=True)
        # Reconstruction from all coarser levels applies every low-pass so far twice; the mean is left out.
        passed = passed * low_pass(grid.log_radius + place, 1.0)
        low = passed**2
        low[0, 0] = 0
        tables[f"low {place}"] = paired(low)
        tables[f"left {place}"], tables[f"right {place}"] = lag_tables(size, width)
    for scale, bands in enumerate(masks.bands):
        tables[f"bands {scale}"] = paired(bands)
        if scale:  # the same band at twice the samples, to be compared with the finer one
            finer = pad_spectrum(bands, sizes[scale], sizes[scale - 1])
            tables[f"parents {scale - 1}"] = paired(finer)
    return tables

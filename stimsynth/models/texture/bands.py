"""Bands of images for texture statistics: their transfer functions, and their parts."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.models.texture.layout import TextureScale
from stimsynth.models.texture.statistics import lag_tables
from stimsynth.numerics.caching import Tables
from stimsynth.numerics.reductions import centred
from stimsynth.transforms.modulus import parts
from stimsynth.transforms.pyramids.masks import frequencies, high_pass, low_pass, pyramid_masks
from stimsynth.transforms.spectra import Size, crop_spectrum, pad_spectrum, paired, weigh


@dataclass(frozen=True, kw_only=True)
class Band:
    """Complex bands (m, k, h, w) in parts; `magnitude` is their `length` without its `mean`."""

    real: Tensor
    imaginary: Tensor
    length: Tensor
    mean: Tensor
    magnitude: Tensor


@dataclass(frozen=True, kw_only=True)
class ScaleImages:
    """What the statistics of one scale are computed from, the `place`-th from fine to coarse.

    `low` is the half spectrum of the image low-passed to this scale's size and `pixels` (m, h, w) that
    image, of mean 0. `band` holds the bands of this scale (None for the low-pass rest), `parent` those of
    the next coarser one at this scale's samples (None for the coarsest). A map of norm `least` (m, 1) or
    less does not vary.
    """

    place: int
    scale: TextureScale
    least: Tensor
    low: Tensor
    pixels: Tensor
    band: Band | None
    parent: Band | None


def split_bands(spectrum: Tensor, masks: Tensor) -> Band:
    """Return the bands of images from their spectrum (m, h, w) under masks (k, h, w, 2)."""
    bands = torch.fft.ifft2(weigh(spectrum.unsqueeze(1), masks))
    return _band(*parts(bands))


def thinned(parent: Band) -> Band:
    """Return the bands of one scale from the same at twice its samples.

    They have no frequencies that the dropped samples would be needed for.
    """
    kept = (..., slice(None, None, 2), slice(None, None, 2))
    parts = parent.real, parent.imaginary, parent.length
    return _band(*(4 * part[kept] for part in parts))


def _band(real: Tensor, imaginary: Tensor, length: Tensor) -> Band:
    magnitude, mean = centred(length)
    return Band(real=real, imaginary=imaginary, length=length, mean=mean, magnitude=magnitude)


def scale_sizes(shape: Size, n_scales: int) -> list[Size]:
    """Return the sizes of the scales, with that of the low-pass rest last."""
    return [(shape[0] >> scale, shape[1] >> scale) for scale in range(n_scales + 1)]


def texture_tables(shape: Size, n_scales: int, n_orientations: int, width: int) -> Tables:
    """Return transfer functions and transforms, by name and scale, in float64."""
    masks = pyramid_masks(shape, n_scales, n_orientations - 1, 1.0, one_sided=True)
    sizes = masks.sizes
    grid = frequencies(shape, half=True)
    # A half spectrum holds each frequency once, but the first and the last column.
    twice = torch.full((shape[1] // 2 + 1,), 2.0, dtype=torch.float64)
    twice[0] = twice[-1] = 1
    high = high_pass(grid.log_radius, 1.0) ** 2 * twice / (shape[0] * shape[1]) ** 2
    tables = {"high power": paired(high)}
    passed = torch.ones_like(grid.rows)
    for place, size in enumerate(sizes):
        grid, passed = grid.cropped(size), crop_spectrum(passed, size, half=True)
        # Joining all coarser levels passes the square of every low-pass so far; the mean is left out.
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

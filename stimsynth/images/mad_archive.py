"""Published results of the first maximum differentiation study (Wang & Simoncelli 2008)."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stimsynth.images.fetch import fetch_data
from stimsynth.images.files import open_image
from stimuli_store.errors import InputError, unknown_name

ORIGINALS = tuple(f"samp{i}" for i in range(1, 11))
NOISE_LEVELS = tuple(2**i for i in range(1, 11))
#: The stimuli in a file, in the order they are shown.
MAD_STIMULI = (
    "im_init",
    "im_fixmse_maxssim",
    "im_fixmse_minssim",
    "im_fixssim_minmse",
    "im_fixssim_maxmse",
)


@dataclass(frozen=True, kw_only=True)
class MADResults:
    """Results for one original image: five stimuli and their scores for every noise level.

    `original` and each of `images[level][name]` are (height, width) with values in [0, 255]; `scores[level]`
    holds all other values in the file.
    """

    original: np.ndarray
    images: Mapping[int, Mapping[str, np.ndarray]]
    scores: Mapping[int, Mapping[str, Any]]


def load_mad_results(
    original_image: str,
    noise_levels: Sequence[int] | None = None,
    results_dir: str | os.PathLike[str] | None = None,
    ssim_images_dir: str | os.PathLike[str] | None = None,
) -> MADResults:
    """Return the published stimuli and scores for one original image.

    Parameters
    ----------
    original_image
        ``"samp1"`` to ``"samp10"``.
    noise_levels
        Mean squared errors of the initial noise, powers of two from 2 to 1024; None for all.
    results_dir
        Folder with the ``.mat`` files; None downloads it (``MAD_results.tar.gz``).
    ssim_images_dir
        Folder with the ``.tif`` files of the originals; None downloads it (``ssim_images.tar.gz``).

    Raises
    ------
    InputError
        If there is no such image, level or file, or a stimulus is missing in a file.
    DownloadError
        If a folder cannot be downloaded.

    References
    ----------
    Z. Wang & E. P. Simoncelli (2008), "Maximum differentiation (MAD) competition: a methodology for
    comparing computational models of perceptual quantities", J. Vision 8(12):8.
    """
    if original_image not in ORIGINALS:
        raise unknown_name("original image", original_image, list(ORIGINALS))
    levels = NOISE_LEVELS if noise_levels is None else tuple(noise_levels)
    if not levels or any(level not in NOISE_LEVELS for level in levels):
        raise InputError(f"noise levels must be powers of two from 2 to 1024; not {list(levels)}")
    results = _folder(results_dir, "MAD_results.tar.gz")
    originals = _folder(ssim_images_dir, "ssim_images.tar.gz")
    path = originals / f"{original_image}.tif"
    original = np.rint(open_image(path, path).values * 255)
    images, scores = {}, {}
    for level in levels:
        held = _read_mat(results / f"{original_image}_L{level}_results.mat")
        images[level] = {name: np.asarray(held.pop(name), dtype=np.float64) for name in MAD_STIMULI}
        scores[level] = held
    return MADResults(original=original, images=images, scores=scores)


def _folder(given: str | os.PathLike[str] | None, name: str) -> Path:
    return fetch_data(name) if given is None else Path(given).expanduser()


def _read_mat(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise InputError(f"there is no {path}; it belongs to MAD_results.tar.gz (see fetch_data)")
    try:
        held = loadmat(path, squeeze_me=True)
    except (MatReadError, ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a .mat file: {error}") from error
    missing = [name for name in MAD_STIMULI if name not in held]
    if missing:
        raise InputError(f"{path} has no {', '.join(missing)}; it is not one of the MAD results")
    return {name: value for name, value in held.items() if not name.startswith("__")}

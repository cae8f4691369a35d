"""Distorted photographs and how people rated them (TID2013)."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from stimsynth.images.fetch import fetch_data
from stimsynth.images.files import read_image, stack_images
from stimuli_store.disk.paths import as_path
from stimuli_store.errors import InputError
from stimuli_store.tools.whole import wholes

N_REFERENCES, N_DISTORTIONS, N_LEVELS = 25, 24, 5
#: Numbers of the distortions that are seen without colour: all but 2 and 18.
DISTORTIONS_OF_GREY = (1, *range(3, 18), *range(19, 25))


@dataclass(frozen=True, kw_only=True)
class RatedImages:
    """One photograph, its distorted versions, and their mean opinion scores.

    Parameters
    ----------
    reference
        Photograph, shape (1, 1, height, width), in [0, 1].
    distorted
        Distorted versions, shape (distortions, levels, 1, height, width), in [0, 1].
    scores
        Mean opinion scores, shape (distortions, levels), higher for what looks better.

    Examples
    --------
    >>> import torch
    >>> photograph = torch.rand(1, 1, 16, 16)
    >>> noisy = photograph + 0.1 * torch.randn(1, 2, 1, 16, 16)
    >>> rated = RatedImages(reference=photograph, distorted=noisy, scores=np.array([[5.2, 4.9]]))
    """

    reference: Tensor
    distorted: Tensor
    scores: np.ndarray


def load_tid2013(
    folder: str | os.PathLike[str] | None = None,
    *,
    references: Sequence[int] = tuple(range(1, N_REFERENCES + 1)),
    distortions: Sequence[int] = DISTORTIONS_OF_GREY,
) -> Iterator[RatedImages]:
    """Return an iterator over photographs of TID2013 in grey, each with its distorted versions and scores.

    One photograph is in memory at a time (about 90 MB).

    Parameters
    ----------
    folder
        Folder with ``mos.txt``, ``reference_images`` and ``distorted_images``; None downloads it
        (``tid2013.tar.gz``, about 1 GB).
    references
        Numbers of the photographs, from 1 to 25.
    distortions
        Numbers of the distortions, from 1 to 24. The default leaves out 2 and 18, which change colours.

    Raises
    ------
    InputError
        If a number is out of range, a file is missing, or the scores are not 3000 numbers.
    DownloadError
        If the folder cannot be downloaded.

    References
    ----------
    N. Ponomarenko et al. (2015), "Image database TID2013: Peculiarities, results and perspectives", Signal
    Processing: Image Communication 30, 57–77.

    Examples
    --------
    >>> load_tid2013("no such folder")
    Traceback (most recent call last):
    ...
    stimuli_store.errors.InputError: there is no mos.txt in no such folder; it belongs to tid2013.tar.gz ...
    """
    which = _numbers(references, "references", N_REFERENCES)
    kinds = _numbers(distortions, "distortions", N_DISTORTIONS)
    place = fetch_data("tid2013.tar.gz") if folder is None else as_path(folder)
    scores = _scores(place)
    return (_rated(place, number, kinds, scores) for number in which)


def _numbers(given: Sequence[int], what: str, largest: int) -> tuple[int, ...]:
    numbers = wholes(given, what, 1)
    if not numbers or max(numbers) > largest:
        raise InputError(f"{what} must be numbers from 1 to {largest}; not {list(numbers)}")
    return numbers


def _scores(folder: Path) -> np.ndarray:
    path = folder / "mos.txt"
    if not path.is_file():
        raise InputError(
            f"there is no mos.txt in {folder}; it belongs to tid2013.tar.gz (see fetch_data)"
        )
    shape = (N_REFERENCES, N_DISTORTIONS, N_LEVELS)
    try:
        return np.array(path.read_text(encoding="utf-8").split(), dtype=float).reshape(shape)
    except ValueError as error:
        raise InputError(f"{path} must hold {np.prod(shape)} numbers: {error}") from error


def _rated(
    folder: Path, number: int, distortions: tuple[int, ...], scores: np.ndarray
) -> RatedImages:
    (reference,) = _images(folder / "reference_images", [f"i{number:02}.bmp"])
    names = [
        f"i{number:02}_{kind:02}_{level}.bmp"
        for kind in distortions
        for level in range(1, N_LEVELS + 1)
    ]
    distorted = _images(folder / "distorted_images", names)
    return RatedImages(
        reference=reference[None],
        distorted=distorted.unflatten(0, (len(distortions), N_LEVELS)),
        scores=scores[number - 1][np.array(distortions) - 1],
    )


def _images(folder: Path, names: Sequence[str]) -> Tensor:
    """Return files of a folder as (files, 1, height, width), whatever the case of their names."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; it belongs to tid2013.tar.gz")
    known = {path.name.lower(): path for path in folder.iterdir()}
    files = [known.get(name, folder / name) for name in names]
    return stack_images([(file, read_image(file, file, as_gray=True)) for file in files])

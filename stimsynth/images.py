"""Target images: bundled photographs of known licence, files, and noise to start from."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stimuli_store.errors import InputError, unknown_name

_DATA = files("stimsynth") / "data"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A grey image with its name and licence; `pixels` is float32 (height, width) in [0, 1]."""

    name: str
    pixels: np.ndarray
    license: str
    source: str = ""


def bundled() -> Mapping[str, Mapping[str, str]]:
    """Return the bundled photographs: name to author, licence and source.

    Examples
    --------
    >>> bundled()["camera"]["license"]
    'CC0-1.0'
    """
    return json.loads((_DATA / "images.json").read_text())


def load_picture(
    name_or_path: str, size: int | None = None, *, license: str = "unknown"
) -> Picture:
    """Return a bundled photograph by name, or an image file by path, as a grey picture.

    Parameters
    ----------
    name_or_path
        A name from `bundled`, or the path of an image file (anything Pillow reads; 8- or 16-bit).
    size
        Side of a square to return in pixels. The largest central square is averaged down to it; an
        image with a smaller side is refused. None keeps the image as it is.
    license
        Licence of a file; bundled photographs bring their own.

    Raises
    ------
    InputError
        If there is no such name or file, it cannot be read, or it is too small.
    """
    entry = bundled().get(name_or_path)
    if entry is not None:
        with (_DATA / f"{name_or_path}.png").open("rb") as stream:
            pixels = _read(stream, name_or_path)
        name, license, source = name_or_path, entry["license"], entry["source"]
    else:
        path = Path(name_or_path)
        if not path.is_file():
            if path.suffix or os.sep in name_or_path:
                raise InputError(f"there is no image file {name_or_path}")
            raise unknown_name("bundled image", name_or_path, sorted(bundled()))
        pixels, name, source = _read(path, name_or_path), path.stem, path.name
    if size is not None:
        pixels = _square(pixels, size, name_or_path)
    return Picture(name=name, pixels=pixels, license=license, source=source)


def load(name_or_path: str, size: int | None = None) -> Tensor:
    """Return an image as a float32 tensor (1, 1, height, width) in [0, 1]; see `load_picture`.

    Examples
    --------
    >>> load("camera", size=128).shape
    torch.Size([1, 1, 128, 128])
    """
    return torch.from_numpy(load_picture(name_or_path, size).pixels)[None, None]


def save(path: str | os.PathLike[str], image: Tensor | np.ndarray) -> None:
    """Write a grey image with values in [0, 1] as an 8-bit PNG, exactly as it would be shown.

    Parameters
    ----------
    path
        File to write.
    image
        (height, width), with any leading dimensions of size 1.
    """
    from PIL import Image

    from stimuli_store.frames import quantize

    array = image.detach().cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
    grey = array.reshape(array.shape[-2:])
    Image.fromarray(quantize(grey.astype(np.float32)).pixels).save(path)


def uniform_noise(
    shape: tuple[int, ...], seed: int, allowed_range: tuple[float, float] = (0.0, 1.0)
) -> Tensor:
    """Return uniform noise from a seed of its own: the same whatever else was drawn before.

    Examples
    --------
    >>> bool((uniform_noise((1, 1, 4, 4), 3) == uniform_noise((1, 1, 4, 4), 3)).all())
    True
    """
    low, high = allowed_range
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator) * (high - low) + low


def _read(source: Any, shown: str) -> np.ndarray:
    """Return the grey values in [0, 1] of a file, alpha dropped, colours weighted by Rec. 601.

    8-bit values are divided by 255 and 16-bit values by 65535; floating-point values are taken as they
    are and must lie in [0, 1].
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(source) as image:
            image.load()
            mode = image.mode
            plain = mode == "F" or mode.startswith("I")
            array = np.asarray(image if plain else image.convert("L"), dtype=np.float64)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise InputError(f"{shown} cannot be read as an image: {error}") from error
    if plain:
        array = array / (1 if mode == "F" else 65535)
        if not (array.min() >= 0 and array.max() <= 1):
            raise InputError(
                f"{shown} holds values outside the range of its type (16-bit, or 0 to 1 for floating point); "
                "save it as an 8- or 16-bit image"
            )
        return array.astype(np.float32)
    return (array / 255).astype(np.float32)


def _square(pixels: np.ndarray, size: int, shown: str) -> np.ndarray:
    """Return the central square averaged down to `size`, on the 8-bit grid of a photograph."""
    from PIL import Image

    side = min(pixels.shape)
    if size < 1:
        raise InputError(f"the size of an image is 1 or more pixels; not {size}")
    if side < size:
        raise InputError(
            f"{shown} is {pixels.shape[0]}x{pixels.shape[1]} pixels, too small for a size of {size}"
        )
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    if side == size:
        return square
    small = Image.fromarray(square).resize((size, size), Image.Resampling.BOX)
    return (np.rint(np.asarray(small) * 255) / 255).astype(np.float32)

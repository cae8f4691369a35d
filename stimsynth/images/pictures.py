"""Pictures by name: bundled photographs of known licence, or image files."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stimsynth.images.decoding import Decoded
from stimsynth.images.files import load_images, open_image, read_image, stack_images
from stimuli_store.disk.paths import as_path, is_file
from stimuli_store.errors import InputError, NotOne, unknown_name
from stimuli_store.tools.gates import a_yes_or_no, takes
from stimuli_store.tools.whole import whole

_DATA = files("stimsynth") / "data"
#: What is said of a picture that loses its colours.
GREY = "colours become grey"
_REC_601 = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A grey image with its name and licence.

    Parameters
    ----------
    name
        Name of the image in plans and banks.
    pixels
        Shape (height, width), float32, in [0, 1].
    license
        Licence of the image.
    source
        Where it comes from.
    changes
        Changes on the way from the file, as parts of a sentence: colours that became grey, a side that was
        cropped, a colour profile that was applied.

    Examples
    --------
    >>> load_picture("camera", size=64).license
    'CC0-1.0'
    """

    name: str
    pixels: np.ndarray
    license: str
    source: str = ""
    changes: tuple[str, ...] = ()


def bundled() -> Mapping[str, Mapping[str, str]]:
    """Return the table of bundled photographs: name to author, licence, source and, if any, colour file.

    Examples
    --------
    >>> bundled()["camera"]["license"]
    'CC0-1.0'
    """
    return json.loads((_DATA / "images.json").read_text(encoding="utf-8"))


def get(*item_names: str, as_gray: bool | None = None) -> Tensor:
    """Return bundled photographs by name as one batch, float32 (names, channel, height, width) in [0, 1].

    Parameters
    ----------
    item_names
        Names from `bundled`.
    as_gray
        True for grey; False for colour if the photograph has a colour file; None for the file of this
        name (``"coffee"`` is grey, ``"coffee_color"`` has colour).

    Raises
    ------
    NotOne
        (also an AssertionError) if there is no such photograph.
    InputError
        If no name is given, or some photographs have colour and some do not.

    Examples
    --------
    >>> get("camera", "grass").shape, get("coffee", as_gray=False).shape
    (torch.Size([2, 1, 256, 256]), torch.Size([1, 3, 256, 256]))
    """
    if not item_names:
        raise InputError(f"give one name or more (known: {', '.join(sorted(bundled()))})")
    table = bundled()
    images = []
    for name in item_names:
        found = table.get(name, {}).get("color") if as_gray is False else None
        path = _DATA / found if found else get_path(name)
        images.append((name, read_image(path, name, as_gray=bool(as_gray))))
    return stack_images(images)


def get_path(item_name: str, *, folder: str | os.PathLike[str] | None = None) -> Traversable:
    """Return the path of the only image file with a name, whatever its extension.

    Parameters
    ----------
    item_name
        File name without extension.
    folder
        Folder to search; None for the bundled photographs.

    Raises
    ------
    NotOne
        (also an AssertionError) if no file, or more than one, has this name.

    Examples
    --------
    >>> get_path("camera").name
    'camera.png'
    """
    place: Traversable = _DATA if folder is None else as_path(folder)
    if not place.is_dir():
        raise InputError(f"there is no folder {place}")
    images = [p for p in place.iterdir() if p.is_file() and not p.name.endswith(".json")]
    matches = sorted(
        (p for p in images if Path(p.name).stem == str(item_name)), key=lambda p: p.name
    )
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise NotOne(
            f"{len(matches)} files are called {item_name!r} ({', '.join(p.name for p in matches)}); "
            "keep one of them, or give the path itself to load_images"
        )
    raise NotOne(
        str(unknown_name("image", str(item_name), sorted(Path(p.name).stem for p in images)))
    )


def load_picture(
    name_or_path: str, size: int | None = None, *, license: str = "unknown"
) -> Picture:
    """Return a bundled photograph by name, or an image file by path, as a grey picture.

    Parameters
    ----------
    name_or_path
        A name from `bundled`, or the path of an image file (see `load_images`).
    size
        Side in pixels of a square to return. The largest central square is averaged down to it; an
        image with a smaller side is refused. None does not change the image.
    license
        Licence of a file; bundled photographs have their own.

    Raises
    ------
    InputError
        If there is no such name or file, it cannot be read, or it is too small.

    Examples
    --------
    >>> load_picture("camera", size=64).pixels.shape
    (64, 64)
    """
    path, given = as_path(name_or_path), str(name_or_path)
    file: Path | Traversable = path
    entry = bundled().get(given)
    if entry is not None:
        file = _DATA / f"{given}.png"
        name, license, source = given, entry["license"], entry["source"]
    else:
        if not is_file(path) and not path.suffix and os.sep not in given:
            raise unknown_name("bundled image", given, sorted(bundled()))
        name, source = path.stem, path.name
    decoded = open_image(file, name_or_path)
    pixels = _grey_on_the_grid(decoded)
    height, width = pixels.shape
    changes = list(decoded.changes)
    if decoded.values.ndim == 3 and np.ptp(decoded.values, axis=2).any():
        changes.append(GREY)
    if size is not None:
        pixels = _square(pixels, size, name_or_path)
        if height != width:
            side = min(height, width)
            changes.append(f"{width}x{height} pixels are cropped to the central {side}x{side}")
    return Picture(name=name, pixels=pixels, license=license, source=source, changes=tuple(changes))


@takes(as_gray=a_yes_or_no)
def load(name_or_path: str, size: int | None = None, *, as_gray: bool = True) -> Tensor:
    """Return an image as a float32 tensor (1, channel, height, width) in [0, 1].

    Parameters
    ----------
    name_or_path, size
        As for `load_picture`.
    as_gray
        Return a grey image, with exactly the pixels of `load_picture`; False for red, green and blue if
        the image has colour.

    Raises
    ------
    InputError
        As for `load_picture`.

    Examples
    --------
    >>> load("camera", size=128).shape, load("coffee", size=64, as_gray=False).shape
    (torch.Size([1, 1, 128, 128]), torch.Size([1, 3, 64, 64]))
    """
    if as_gray:
        return torch.from_numpy(load_picture(name_or_path, size).pixels)[None, None]
    load_picture(name_or_path)  # for its errors
    if name_or_path in bundled():
        image = get(name_or_path, as_gray=False)
    else:
        image = load_images(name_or_path, as_gray=False)
    if size is None:
        return image
    channels = [_square(channel, size, name_or_path) for channel in image[0].numpy()]
    return torch.from_numpy(np.stack(channels))[None]


def _grey_on_the_grid(decoded: Decoded) -> np.ndarray:
    """Return the grey values of a file, float32 in [0, 1].

    Colours are weighted by Rec. 601. Those of 8 bits become the 8-bit levels that the usual integer formula
    gives, so that a photograph is a set of grey levels that a screen shows exactly.
    """
    values = decoded.values
    if decoded.bits > 8:
        return (values if values.ndim == 2 else values @ _REC_601).astype(np.float32)
    levels = np.rint(values * 255)
    if levels.ndim == 3:
        levels = (levels @ np.array([19595.0, 38470.0, 7471.0]) + 32768) // 65536
    return (levels / 255).astype(np.float32)


def _square(pixels: np.ndarray, size: int, shown: str) -> np.ndarray:
    """Return the central square of an image, averaged down to `size` and rounded to 8-bit levels."""
    from PIL import Image

    side = min(pixels.shape)
    size = whole(size, "size", 1)
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

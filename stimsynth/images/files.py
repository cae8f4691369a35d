"""Read and write image files, grey and colour."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from stimsynth.images.arrays import to_numpy
from stimsynth.images.decoding import Decoded, begins_as_image, decode_image
from stimuli_store.disk.atomic import replacing
from stimuli_store.disk.paths import as_path, as_target, is_file, is_folder, reached
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list, briefly

PathLike = str | os.PathLike[str]
#: Weights of red, green and blue in luminance, for the primaries of common screens (ITU-R BT.709).
LUMINANCE = (0.2125, 0.7154, 0.0721)
#: Endings of image files, also of such as cannot be read here: they are named, not passed over.
_ENDING = re.compile(
    r"\.(a?png|jpe?g|jpe|jfif|tiff?|bmp|dib|gif|webp|p[bgnp]m|pfm|jp2|j2k|jpx|avif|hei[cf]|jxl|psd|tga|exr|"
    r"hdr|dng|ico)",
    re.IGNORECASE,
)
#: Largest distance of a value outside [0, 1] that is still saved as black or white.
ROUNDING = 1e-6


def load_images(
    paths: PathLike | Sequence[PathLike],
    as_gray: bool = True,
    sorted_key: Callable[[Path], Any] | None = None,
) -> Tensor:
    """Return image files as one batch, float32 (batch, channel, height, width) in [0, 1].

    Parameters
    ----------
    paths
        A file, a list of files, or a folder. Of a folder, the files themselves are read in the order of
        their names (folders inside it are not); hidden files and files of other kinds, such as text, are
        passed over.
    as_gray
        Convert colours to luminance (BT.709 weights); False for 3 channels, red, green and blue. An
        image without colour has 1 channel in both cases.
    sorted_key
        Function of a file's path by which the files of a folder are sorted instead, as for `sorted`: for
        instance ``lambda path: int(path.stem)`` for files with numbers as names.

    Raises
    ------
    InputError
        If a file is missing, damaged or no image, a folder holds no image, images differ in size, or files
        that are named one by one have a `sorted_key`, which would put them into another order.

    Notes
    -----
    Statements of a file about its pixels are applied: images are upright, 16-bit colours keep their 16 bits,
    transparent parts show mid-grey (0.5), and values of a colour profile or gamma other than sRGB become
    sRGB; inks (CMYK) without a profile are subtracted from white. What cannot be applied is refused: several
    frames or pages, colours other than grey, RGB and CMYK, formats other than PNG, TIFF, JPEG, BMP, GIF, WebP
    and PPM.

    Examples
    --------
    >>> from stimsynth.images import get_path
    >>> load_images([get_path("camera"), get_path("coffee")]).shape
    torch.Size([2, 1, 256, 256])
    """
    files = _files(paths) if sorted_key is None else _sorted_files(paths, sorted_key)
    if not files:
        raise InputError(f"there is no readable image in {paths!s}; name one, or another folder")
    return stack_images([(path, read_image(path, path, as_gray=as_gray)) for path in files])


def stack_images(images: Sequence[tuple[object, np.ndarray]]) -> Tensor:
    """Return named images (channel, height, width) as one batch, after checking that their shapes agree.

    Raises
    ------
    InputError
        If they differ in size or in the number of channels; the error names two that differ.
    """
    first_name, first = images[0]
    for name, pixels in images[1:]:
        if pixels.shape != first.shape:
            raise InputError(
                f"images of one batch must have the same size: {first_name} has (channel, height, width) "
                f"{first.shape} and {name} has {pixels.shape}; crop or resize them, or load them one by one"
            )
    return torch.from_numpy(np.stack([pixels for _, pixels in images]))


def read_image(file: Path | Traversable, shown: object, *, as_gray: bool) -> np.ndarray:
    """Return the pixels of one file, float32 (channel, height, width) in [0, 1].

    Parameters
    ----------
    file
        The file.
    shown
        Name of the file in error messages.
    as_gray
        As for `load_images`.

    Raises
    ------
    InputError
        As for `load_images`.
    """
    values = open_image(file, shown).values
    if values.ndim == 2:
        return values.astype(np.float32)[None]
    if as_gray:
        return (values @ np.array(LUMINANCE)).astype(np.float32)[None]
    return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


def open_image(file: Path | Traversable, shown: object) -> Decoded:
    """Return the decoded pixels of a file; every reader of images goes through here.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        link = ": it is a link to a file that is gone" if Path(str(file)).is_symlink() else ""
        raise InputError(f"there is no image file {shown}{link}") from error
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {error.strerror}") from error
    return decode_image(content, shown)


def save(path: PathLike, image: Tensor | np.ndarray) -> None:
    """Write an image with values in [0, 1] as an 8-bit PNG file.

    Parameters
    ----------
    path
        File to write.
    image
        (height, width) or (3, height, width), with any leading dimensions of size 1.

    Raises
    ------
    InputError
        If the image has another shape, or holds values outside [0, 1] (by more than 1e-6) or NaN.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder) / "grey.png", np.full((8, 8), 0.2))
    ...     float(load_images(Path(folder) / "grey.png").mean())
    0.2...
    """
    _write(path, _frame(image))


def _frame(image: Tensor | np.ndarray) -> np.ndarray:
    """Return the 8-bit frame, (h, w) or (h, w, 3), of an image with values in [0, 1]."""
    from stimuli_store.frames import quantize

    array = to_numpy(image)
    shape = array.shape
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 3:
        array = array.transpose(1, 2, 0)
    elif array.ndim != 2:
        raise InputError(
            f"an image to save must be (height, width) or (3, height, width); not {shape}: "
            "for several, use save_images"
        )
    if not array.size or array.dtype.kind not in "biuf":
        raise InputError(
            f"an image to save must be real and not empty; not {array.shape} of {array.dtype}"
        )
    if not bool(((array >= -ROUNDING) & (array <= 1 + ROUNDING)).all()):
        raise InputError(
            f"image values must lie in [0, 1] to be saved; these lie in [{array.min():g}, "
            f"{array.max():g}]: divide integers by their largest possible value, rescale or clamp"
        )
    return quantize(array.astype(np.float32)).pixels


def _write(path: PathLike, frame: np.ndarray) -> None:
    """Write an 8-bit frame as a PNG file, completely or not at all."""
    from PIL import Image

    path = as_target(path)
    if path.suffix.lower() != ".png":
        raise InputError(
            f"images are saved as PNG, which keeps every pixel; the file name must end in .png, "
            f"not {path.name!r}"
        )
    with reached(path, "written"), replacing(path) as temporary:
        Image.fromarray(frame).save(temporary, format="PNG")


def save_images(
    folder: PathLike, images: Tensor | np.ndarray, names: Sequence[str] | None = None
) -> list[Path]:
    """Write a batch of images as 8-bit PNG files into a folder, and return their paths.

    Parameters
    ----------
    folder
        Folder of the files; made if it does not exist.
    images
        (batch, channel, height, width) in [0, 1], with 1 or 3 channels.
    names
        File names without extension, one for each image; None for ``image-000``, ``image-001``, …

    Raises
    ------
    InputError
        If the shape or the number of names does not fit, two names are the same, or one is no plain file
        name; and as in `save`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save_images(folder, torch.rand(2, 3, 8, 8))]
    ['image-000.png', 'image-001.png']
    """
    images = to_numpy(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise InputError(
            f"images to save must have shape (batch, 1 or 3, height, width); not {images.shape}"
        )
    if isinstance(names, str):
        raise InputError(f"names must be a list, one name for each image; not {briefly(names)}")
    chosen = (
        [f"image-{i:03d}" for i in range(len(images))] if names is None else a_list(names, "names")
    )
    if len(chosen) != len(images) or len(set(chosen)) != len(chosen):
        raise InputError(f"{len(images)} images need as many names, all different; not {chosen}")
    for name in chosen:
        if not isinstance(name, str) or not name or any(sign in name for sign in "/\\:\0"):
            raise InputError(
                f"names must be plain file names, without folders; not {briefly(name)}: give the "
                "folder as `folder`"
            )
    frames = [_frame(image) for image in images]  # check all before the first is written
    target = as_path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {target} cannot be made: {error.strerror}") from error
    paths = [target / f"{name}.png" for name in chosen]
    for path, frame in zip(paths, frames, strict=True):
        _write(path, frame)
    return paths


def _files(paths: PathLike | Sequence[PathLike]) -> list[Path]:
    """Return the image files that are meant."""
    if isinstance(paths, Iterable) and not isinstance(paths, str):
        return [as_path(path) for path in paths]
    path = as_path(paths)
    if not is_folder(path):
        return [path]
    with reached(path):
        return [file for file in sorted(path.iterdir()) if looks_like_an_image(file)]


def _sorted_files(
    paths: PathLike | Sequence[PathLike], sorted_key: Callable[[Path], Any]
) -> list[Path]:
    """Return the image files of a folder in the order of a key."""
    several = isinstance(paths, Iterable) and not isinstance(paths, str)
    if several or not is_folder(as_path(cast("PathLike", paths))):
        raise InputError("sorted_key sorts the files of a folder; name a folder, or leave it out")
    files = _files(paths)
    try:
        return sorted(files, key=sorted_key)
    except Exception as error:
        names = ", ".join(file.name for file in files[:3])
        raise InputError(f"sorted_key cannot sort the files {names}, …: {error}") from error


def looks_like_an_image(file: Path) -> bool:
    """Return whether a file is an image by its name or by its first bytes, whole, damaged or missing."""
    if file.name.startswith("."):  # macOS hides one beside each file on other disks
        return False
    if not is_file(file):
        return file.is_symlink() and not file.exists() and _ends_as_image(file)
    return _ends_as_image(file) or begins_as_image(file)


def _ends_as_image(file: Path) -> bool:
    return bool(_ENDING.fullmatch(file.suffix))

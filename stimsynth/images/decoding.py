"""Image files decoded: all that a file states about its pixels is applied, or the file is refused."""

import io
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stimsynth.images.color_statements import (
    Refused,
    by_profile,
    by_statements,
    check_deep_profile,
)
from stimuli_store.errors import InputError

#: Value behind transparent pixels: the grey of a screen between stimuli.
BACKDROP = 0.5
_FORMATS = ("PNG", "TIFF", "JPEG", "MPO", "BMP", "DIB", "GIF", "WEBP", "PPM")
_DEEP_GREY = ("I", "I;16", "I;16B", "I;16L", "F")
_GREY = ("1", "L", "LA", "La")
_COLOR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")
_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
#: First bytes of files, even of those whose header is cut, and a mark at the end of whole ones.
_BEGINS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
_END_OF_JPEG, _END_OF_PNG = b"\xff\xd9", b"IEND\xaeB`\x82"
_ORIENTATION = 0x0112  # of EXIF
_SUBFILE, _BITS, _PHOTOMETRIC, _PLANES, _SAMPLES = 254, 258, 262, 284, 339  # tags of TIFF
# A damaged file leads decoders astray: there is no telling which error it ends in.
_ASTRAY = (OSError, ValueError, TypeError, LookupError, AttributeError, SyntaxError, EOFError)
_BROKEN = (*_ASTRAY, struct.error, OverflowError, ZeroDivisionError)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Pixels of an image file.

    Attributes
    ----------
    values
        Float64 in [0, 1]: (height, width) of a grey image, (height, width, 3) of one with colour.
    bits
        8 or 16 bits for a value; 32 for floating point.
    changes
        Changes to the stored values that the file asks for, as parts of a sentence.
    """

    values: np.ndarray
    bits: int
    changes: tuple[str, ...]


def decode_image(content: bytes, shown: object) -> Decoded:
    """Return the pixels of an image file: upright, opaque, black as 0 and white as 1, on the sRGB curve.

    Parameters
    ----------
    content
        All bytes of the file.
    shown
        What errors call it.

    Raises
    ------
    InputError
        If it is no image, is damaged, holds several images, or states something that cannot be applied.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            for fault in _faults(image, content):
                raise Refused(fault)
            decoded = _decoded(image, content)
    except Refused as error:
        raise InputError(f"{shown} {error}") from error
    except UnidentifiedImageError as error:  # its own words name the bytes in memory, not the file
        raise InputError(f"{shown} cannot be read as an image: it does not begin as one") from error
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise InputError(f"{shown} cannot be read as an image: {error}") from error
    if not (decoded.values.min() >= 0 and decoded.values.max() <= 1):
        raise InputError(
            f"{shown} holds floating-point values outside 0 to 1; save it as an 8- or 16-bit image"
        )
    return decoded


def begins_as_image(file: Path) -> bool:
    """Return whether a file of any name begins as an image of a format that is read here."""
    from PIL import Image

    try:
        with file.open("rb") as handle:
            if handle.read(4).startswith(_BEGINS):
                return True
        with Image.open(file) as image:
            return image.format in _FORMATS
    except Image.DecompressionBombError:
        return True
    except _BROKEN:
        return False


def _faults(image: Any, content: bytes) -> Iterator[str]:
    """Yield reasons why an image cannot be read as intended: format, colours, depth, number of frames."""
    if image.format not in _FORMATS:
        yield f"is in the format {image.format}, which is not read here; save it as PNG or TIFF"
    if not _is_whole(image, content):
        yield "cannot be read as a whole image: the mark at its end is missing; copy it again"
    if image.mode not in (*_DEEP_GREY, *_GREY, *_COLOR):
        yield f"stores colours as {image.mode}; save it with red, green and blue"
    if image.format == "TIFF":
        yield from _tiff_faults(image)
    # The second image in an MPO file, which cameras make, is another view that no viewer shows.
    elif image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        yield f"holds {image.n_frames} frames, and a stimulus is one; save the one you mean by itself"
    if image.format == "PPM" and image.mode == "RGB" and _ppm_bits(content) > 8:
        yield f"has {_ppm_bits(content)}-bit colours, of which 8 bits are read; save it as PNG"


def _is_whole(image: Any, content: bytes) -> bool:
    """Return whether a file ends as its format does; a decoder fills missing parts with grey or black."""
    if image.format == "GIF":
        return content.rstrip(b"\0").endswith(b";")
    if image.format == "PNG":
        return _END_OF_PNG in content
    # A preview before the picture has an end of its own.
    return image.format not in ("JPEG", "MPO") or content.find(_END_OF_JPEG, image.fp.tell()) > 0


def _tiff_faults(image: Any) -> Iterator[str]:
    tags = image.tag_v2
    if tags.get(_SUBFILE, 0) & 1:
        yield "begins with a preview, as raw files of cameras do; export it as PNG or TIFF"
    if image.mode == "I" or (image.mode != "F" and set(tags.get(_SAMPLES, (1,))) - {1, 4}):
        yield "holds integers of 32 bits or with a sign, whose white is not stated; save it with 16 bits"
    if tags.get(_PLANES, 1) == 2 and max(tags.get(_BITS, (1,))) > 8:
        yield "holds 16-bit colours in separate planes; save it with interleaved colours"
    pages = 1
    for page in range(1, image.n_frames):
        image.seek(page)
        pages += not image.tag_v2.get(_SUBFILE, 0) & 1  # a smaller copy of the first does not count
    image.seek(0)
    if pages > 1:
        yield f"holds {pages} pages, and a stimulus is one; save the one you mean by itself"


def _ppm_bits(content: bytes) -> int:
    """Return the bits per value of a portable pixel map, from its number for white."""
    lines = content[:4096].split(b"\n")
    return int(b" ".join(line.split(b"#")[0] for line in lines).split()[3]).bit_length()


def _decoded(image: Any, content: bytes) -> Decoded:
    """Return the pixels of an open image."""
    profile = image.info.get("icc_profile")
    deep_grey = image.mode in _DEEP_GREY
    if deep_grey or any(";16" in _raw_mode(tile) for tile in image.tile):
        if "transparency" in image.info:
            raise Refused("makes a 16-bit colour transparent; save it with an alpha channel")
        if profile:
            check_deep_profile(profile)
        bits, changes = 32 if image.mode == "F" else 16, list[str]()
        values, alpha = (_deep_grey(image), None) if deep_grey else _deep_color(image, content)
    else:
        bits = 8
        values, alpha, changes = _eight_bits(image, profile)
    if not profile:
        values, more = by_statements(values, image, content)
        changes += more
    if alpha is not None and alpha.min() < 1:
        weight = alpha if values.ndim == 2 else alpha[..., None]
        values = weight * values + (1 - weight) * BACKDROP
        changes.append("transparent parts become mid-grey")
    upright = _turned(values, image.getexif().get(_ORIENTATION, 1))
    return Decoded(values=np.ascontiguousarray(upright), bits=bits, changes=tuple(changes))


def _turned(array: np.ndarray, orientation: int) -> np.ndarray:
    """Return an array (h, w, …) upright; `orientation` is EXIF's, 1 to 8, and others count as 1."""
    turned = array.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else array
    up, side = (-1 if orientation in flips else 1 for flips in ((3, 4, 7, 8), (2, 3, 6, 7)))
    return turned[::up, ::side]


def _eight_bits(
    image: Any, profile: bytes | None
) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """Return values (h, w) or (h, w, 3), alpha (h, w) or None, and changes by a profile in words."""
    image.load()
    mode, alpha = "L" if image.mode in _GREY else "RGB", None
    if image.mode in _ALPHA or "transparency" in image.info:
        image = image.convert(mode + "A")
        alpha = np.asarray(image.getchannel("A"), dtype=np.float64) / 255
    changes: list[str] = []
    if image.mode != "CMYK" or not profile:
        if image.mode == "CMYK":
            changes.append(
                "inks (CMYK) without a colour profile become RGB by subtraction from white"
            )
        image = image.convert(mode)
    if profile:
        image, changes = by_profile(image, profile)
    return np.asarray(image, dtype=np.float64) / 255, alpha, changes


def _deep_grey(image: Any) -> np.ndarray:
    """Return the values (h, w) of an image of 9 to 16 bits, or of floating-point numbers."""
    tags = image.tag_v2 if image.format == "TIFF" else {}
    values = np.asarray(image, dtype=np.float64)
    if image.mode == "F":
        values = values * image.info.get("scale", 1.0)  # of a portable float map
    else:
        values = values / (2 ** tags.get(_BITS, (16,))[0] - 1)
    return 1 - values if tags.get(_PHOTOMETRIC) == 0 else values


def _deep_color(image: Any, content: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """Return values (h, w, 3) and alpha (h, w) or None of an image with 16 bits for each colour.

    Pillow gives the upper 8 bits of each; read with the other order of bytes, it gives the lower ones.
    """
    from PIL import Image

    raw = _raw_mode(image.tile[0])
    if image.mode not in ("RGB", "RGBA") or raw[:-1] not in ("RGB;16", "RGBX;16", "RGBA;16"):
        raise Refused(
            "has 16 bits for CMYK, or for grey with alpha, of which 8 are read; save it as RGB"
        )
    image.load()
    with Image.open(io.BytesIO(content)) as other:
        other.tile = [_with_other_byte(tile) for tile in other.tile]
        other.load()
        array = (256.0 * np.asarray(image) + np.asarray(other)) / 65535
    return array[..., :3], array[..., 3] if image.mode == "RGBA" else None


def _raw_mode(tile: Any) -> str:
    return tile.args if isinstance(tile.args, str) else str(tile.args[0])


def _with_other_byte(tile: Any) -> Any:
    """Return a tile of 16-bit colours that is read with the other order of bytes."""
    raw = _raw_mode(tile)
    other = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}[raw[-1]]
    args = raw[:-1] + other
    return tile._replace(args=args if isinstance(tile.args, str) else (args, *tile.args[1:]))

"""Encoding of images as PNG files of 8 or 16 bits, and as TIFF files of float32."""

import struct
import zlib

import numpy as np

from stimuli_store.errors import InputError
from stimuli_store.tools import html

_PNG_COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels to the standard's type of colour
_SIDE = 128  # least display pixels of the longest side in a notebook
_SHORT, _LONG = 3, 4  # types of a TIFF tag


def png_bytes(pixels: np.ndarray) -> bytes:
    """Return an image (H, W) or (H, W, C), uint8 or uint16, as a PNG file (ISO 15948).

    Raises
    ------
    InputError
        If it is of another type, or has more than four channels.

    Examples
    --------
    >>> png_bytes(np.zeros((2, 2), np.uint8))[:4]
    b'\\x89PNG'
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if pixels.dtype not in (np.uint8, np.uint16) or channels not in _PNG_COLOURS:
        raise InputError(
            f"a PNG file must have one to four channels of uint8 or uint16; not {channels} of {pixels.dtype}"
        )
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).reshape(height, -1)
    plain = np.zeros((height, 1), np.uint8)  # the filter of every row: none
    data = np.hstack([plain, rows.view(np.uint8)]).tobytes()
    kind = (8 * pixels.dtype.itemsize, _PNG_COLOURS[channels], 0, 0, 0)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, *kind)),
        (b"IDAT", zlib.compress(data)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def enlarged(pixels: np.ndarray, description: str) -> str:
    """Return an image of `png_bytes` as HTML; a small one has whole numbers of display pixels for each pixel.

    Examples
    --------
    >>> enlarged(np.zeros((32, 64), np.uint8), "black").partition(" alt=")[2]
    '"black" width="128">'
    """
    zoom = max(1, _SIDE // max(pixels.shape[:2]))
    large = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    return html.picture(png_bytes(large), description, large.shape[1])


def tiff_bytes(pixels: np.ndarray) -> bytes:
    """Return an image (H, W) or (H, W, C), float32, as a TIFF file (TIFF 6.0), its values unchanged.

    Raises
    ------
    InputError
        If it is of another type.

    Examples
    --------
    >>> tiff_bytes(np.zeros((2, 2), np.float32))[:4]
    b'II*\\x00'
    """
    if pixels.dtype != np.float32:
        raise InputError(f"the pixels of a TIFF file must be float32; not {pixels.dtype}")
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = np.ascontiguousarray(pixels, "<f4").tobytes()
    tags = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [32] * channels),  # bits
        (259, _SHORT, [1]),  # not compressed
        (262, _SHORT, [2 if channels >= 3 else 1]),  # red, green and blue, or grey
        (273, _LONG, [8]),  # where the values begin
        (277, _SHORT, [channels]),
        (278, _LONG, [height]),  # rows in the only strip
        (279, _LONG, [len(data)]),
        (339, _SHORT, [3] * channels),  # floating point
    ]
    if channels not in (1, 3):
        tags.insert(9, (338, _SHORT, [0] * (channels - (3 if channels > 3 else 1))))
    place = 8 + len(data)
    return struct.pack("<2sHI", b"II", 42, place) + data + _directory(tags, place)


def _directory(tags: list[tuple[int, int, list[int]]], place: int) -> bytes:
    """Return the tag directory of a TIFF file, to stand at byte `place`; long values follow it."""
    beyond = place + 2 + 12 * len(tags) + 4
    entries, extra = [], b""
    for tag, kind, values in tags:
        packed = struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
        if len(packed) > 4:
            packed, extra = struct.pack("<I", beyond + len(extra)), extra + packed
        entries.append(struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0"))
    return struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4) + extra

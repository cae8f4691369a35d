"""Image files as other programs write them, byte by byte: what Pillow itself cannot write."""

import struct
import zlib
from pathlib import Path

import numpy as np


def png(
    path: Path, array: np.ndarray, kind: int, *, chunks: dict[bytes, bytes] | None = None
) -> None:
    """Write a 16-bit PNG of a colour type, its rows as differences from the pixel to the left."""
    rows = array.astype(">u2").view(np.uint8).reshape(len(array), -1).astype(int)
    step = rows.shape[1] // array.shape[1]
    rows[:, step:] -= rows[:, :-step].copy()
    raw = b"".join(b"\1" + (row % 256).astype(np.uint8).tobytes() for row in rows)

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", array.shape[1], len(array), 16, kind, 0, 0, 0)
    more = b"".join(chunk(name, data) for name, data in (chunks or {}).items())
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + more
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


def with_chunk(path: Path, name: bytes, data: bytes) -> None:
    """Put a chunk behind the header of a PNG file."""
    whole, body = path.read_bytes(), name + data
    chunk = struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(whole[:33] + chunk + whole[33:])


def tiff(
    path: Path, array: np.ndarray, *, order: str = "<", deflate: bool = False, **tags: int
) -> None:
    """Write a TIFF of one strip; `tags` are further tags or other values for these.

    `array` is (height, width) or (height, width, samples); its type says the bits.
    """
    samples = 1 if array.ndim == 2 else array.shape[2]
    known = {
        "subfile": 254, "width": 256, "height": 257, "bits": 258, "compression": 259, "photometric": 262,
        "offset": 273, "samples": 277, "rows": 278, "bytes": 279, "planes": 284, "extra": 338, "format": 339,
    }  # fmt: skip
    bits = tags.pop("bits", 8 * array.itemsize)
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    data = packed_12(array) if bits == 12 else data
    data = zlib.compress(data) if deflate else data
    values: dict[str, int | list[int]] = {
        "width": array.shape[1], "height": len(array), "bits": [bits] * samples,
        "compression": 8 if deflate else 1, "photometric": 1 if samples == 1 else 2, "samples": samples,
        "rows": len(array), "bytes": len(data),
        "format": [{"u": 1, "i": 2, "f": 3}[array.dtype.kind]] * samples, **tags,
    }  # fmt: skip
    count = len(values) + 1
    behind = 8 + 2 + 12 * count + 4
    lists: bytes = b""
    entries = {}
    for name, value in values.items():
        several = value if isinstance(value, list) else [value]
        if len(several) > 2:
            entries[known[name]] = (3, len(several), struct.pack(order + "I", behind + len(lists)))
            lists += struct.pack(order + f"{len(several)}H", *several)
        else:
            held = struct.pack(order + f"{len(several)}H", *several).ljust(4, b"\0")
            entries[known[name]] = (3, len(several), held)
    entries[known["offset"]] = (4, 1, struct.pack(order + "I", behind + len(lists)))
    table = b"".join(
        struct.pack(order + "HHI", tag, kind, n) + held
        for tag, (kind, n, held) in sorted(entries.items())
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    path.write_bytes(head + struct.pack(order + "H", count) + table + b"\0\0\0\0" + lists + data)


def packed_12(array: np.ndarray) -> bytes:
    """Two values in three bytes."""
    a, b = (array.reshape(-1)[i::2].astype(int) for i in (0, 1))
    return np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], -1).astype(np.uint8).tobytes()


def profile(gamma: float, *, grey: bool = False, swapped: bool = False) -> bytes:
    """An ICC profile with the primaries of sRGB, `swapped` red for green, and a power law."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(number, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    name = b"made for a test\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)
    tags = {b"desc": text, b"wtpt": xyz(0.9642, 1.0, 0.8249)}
    if grey:
        tags[b"kTRC"] = curve
    else:
        red, green, blue = (
            (0.4361, 0.2225, 0.0139),
            (0.3851, 0.7169, 0.0971),
            (0.1431, 0.0606, 0.7141),
        )
        if swapped:
            red, green = green, red
        tags |= {b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for key, data in tags.items():
        data += bytes(-len(data) % 4)
        table += key + struct.pack(">II", place + len(body), len(data))
        body += data
    head = struct.pack(">I", place + len(body)) + bytes(4) + b"\x02\x10\0\0" + b"mntr"
    head += (b"GRAY" if grey else b"RGB ") + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    head += number(0.9642) + number(1.0) + number(0.8249) + bytes(48)
    return head + struct.pack(">I", len(tags)) + table + body

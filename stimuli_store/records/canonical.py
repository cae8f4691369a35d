"""Canonical bytes of values and images, and their SHA-256 hashes as identities.

Pixels are identified by their values, never by how they were made: the same seed gives pixels that
differ in the last digits on another machine, so only a hash of the pixels themselves can say which
stimulus a participant saw.
"""

import hashlib
import json
from typing import Any

import numpy as np

from stimuli_store.errors import InputError


def canonical_json(value: Any) -> bytes:
    """Return the canonical UTF-8 JSON of `value`: sorted keys, no spaces, no NaN.

    Raises
    ------
    InputError
        If `value` holds NaN, an infinity, or anything that JSON cannot hold.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": [0.5, None]})
    b'{"a":[0.5,null],"b":1}'
    """
    try:
        text = json.dumps(
            value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"this value cannot be written as canonical JSON: {error}") from error
    return text.encode()


def sha256(data: bytes | bytearray) -> str:
    """Return the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def key_of(value: Any) -> str:
    """Return the identity of a JSON value: the SHA-256 of its canonical form."""
    return sha256(canonical_json(value))


def as_master(pixels: Any) -> np.ndarray:
    """Return `pixels` as a master image: float32, little-endian, C order, no NaN, no -0.0.

    Parameters
    ----------
    pixels
        Array of shape (H, W) or (H, W, C).

    Raises
    ------
    InputError
        If the shape is another one or any value is not finite.
    """
    array = np.asarray(pixels)
    if array.ndim not in (2, 3) or array.size == 0:
        raise InputError(f"an image must have shape (H, W) or (H, W, C); not {array.shape}")
    master = np.ascontiguousarray(array, dtype="<f4")
    if not np.isfinite(master).all():
        raise InputError(
            "an image holds NaN or infinite values; the pixels of a bank must be finite"
        )
    return master + np.float32(0)  # turns -0.0 into 0.0, so that equal pixels have equal bytes


def pixel_id(pixels: Any) -> str:
    """Return the identity of a master image: SHA-256 over its type, shape and values.

    Byte order and memory order of the array make no difference.

    Parameters
    ----------
    pixels
        Array of shape (H, W) or (H, W, C), which is taken as float32.

    Raises
    ------
    InputError
        If the shape is another one or any value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.arange(6.0).reshape(2, 3)
    >>> pixel_id(a) == pixel_id(np.asfortranarray(a.astype(">f8")))
    True
    """
    return _array_id(as_master(pixels), "<f4")


def frame_id(frame: np.ndarray) -> str:
    """Return the identity of an 8-bit display frame (uint8, shape (H, W) or (H, W, C))."""
    if frame.dtype != np.uint8:
        raise InputError(f"a display frame must be uint8; not {frame.dtype}")
    return _array_id(np.ascontiguousarray(frame), "|u1")


def _array_id(array: np.ndarray, dtype: str) -> str:
    digest = hashlib.sha256(canonical_json({"dtype": dtype, "shape": list(array.shape)}) + b"\n")
    digest.update(memoryview(np.ascontiguousarray(array)).cast("B"))
    return digest.hexdigest()


def curves_id(curves: np.ndarray) -> str | None:
    """Return the identity of loss curves (float32, one after another), None if there are none."""
    return _array_id(curves.astype("<f4"), "<f4") if len(curves) else None

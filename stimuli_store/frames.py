"""Convert master pixels to the 8-bit frame that a screen shows, and back.

All three machines use these functions: the cluster certifies the frame, the booth shows it, the
notebook recomputes its distance.
"""

from dataclasses import dataclass

import numpy as np

from stimuli_store.records.canonical import frame_id

BITS = 8
_TOP = 2**BITS - 1


@dataclass(frozen=True, kw_only=True)
class Frame:
    """An 8-bit display frame, its hash, and the fraction of pixels that were clipped."""

    pixels: np.ndarray
    sha256: str
    clipped_fraction: float


def quantize(master: np.ndarray) -> Frame:
    """Return the 8-bit frame of a master image: clipped to [0, 1], then rounded half to even.

    Parameters
    ----------
    master
        Float array (H, W) or (H, W, C); 0 is black and 1 is white.

    Examples
    --------
    >>> frame = quantize(np.array([[0.0, 0.5, 1.2]], dtype=np.float32))
    >>> frame.pixels.tolist(), round(frame.clipped_fraction, 3)
    ([[0, 128, 255]], 0.333)
    """
    clipped = np.clip(master, 0.0, 1.0)
    pixels = np.rint(clipped.astype(np.float64) * _TOP).astype(np.uint8)
    return Frame(
        pixels=pixels,
        sha256=frame_id(pixels),
        clipped_fraction=float(np.mean(clipped != master)),
    )


def dequantize(frame: np.ndarray, dtype: type[np.floating] = np.float32) -> np.ndarray:
    """Return an 8-bit frame as an image with values in [0, 1].

    Examples
    --------
    >>> dequantize(np.array([[0, 255]], dtype=np.uint8)).tolist()
    [[0.0, 1.0]]
    """
    return (frame.astype(np.float64) / _TOP).astype(dtype)

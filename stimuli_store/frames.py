"""Convert master pixels to the 8-bit frame that a screen shows, and back.

All three machines use these functions: the cluster certifies the frame, the booth shows it, the
notebook recomputes its distance.
"""

import math
from dataclasses import dataclass

import numpy as np

from stimuli_store.errors import InputError
from stimuli_store.pictures.encoding import enlarged
from stimuli_store.records.canonical import frame_id
from stimuli_store.tools.shown import FactSheet, size_of

BITS = 8
_TOP = 2**BITS - 1
DITHERS = ("none", "uniform")


@dataclass(frozen=True, kw_only=True, repr=False)
class Frame(FactSheet):
    """An 8-bit display frame, its hash, and the fraction of pixels that were clipped.

    Attributes
    ----------
    pixels
        uint8, (H, W) or (H, W, C).
    sha256
        Identity of the frame: SHA-256 over its type, shape and values (64 hexadecimal digits).
    clipped_fraction
        Fraction of the values that had to be clipped to the range of the frame, from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from stimsynth import quantize
    >>> frame = quantize(np.full((2, 2), 0.5, np.float32))
    >>> frame.pixels.tolist(), frame.clipped_fraction
    ([[128, 128], [128, 128]], 0.0)
    """

    pixels: np.ndarray
    sha256: str
    clipped_fraction: float

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("size", size_of(self.pixels.shape)),
            ("clipped", f"{self.clipped_fraction:.2%}"),
            ("sha256", self.sha256[:16]),
        ]

    def _pictures(self) -> str:
        return enlarged(self.pixels, "frame")


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

    Parameters
    ----------
    frame
        uint8, of any shape.
    dtype
        Floating-point type of the image, which has the shape of the frame.

    Examples
    --------
    >>> dequantize(np.array([[0, 255]], dtype=np.uint8)).tolist()
    [[0.0, 1.0]]
    """
    return (frame.astype(np.float64) / _TOP).astype(dtype)


def perturb(
    target: np.ndarray, distortion: np.ndarray, amplitude: float, dither: str, seed: int
) -> Frame:
    """Return the 8-bit frame of a target with a distortion added at some amplitude.

    The sum is rounded with dither (Roberts 1962, "Picture coding using pseudo-random noise"): a shift of up
    to half a level, drawn for every pixel, that keeps a distortion smaller than half a level on average.
    Pixels where the distortion is 0 stay as they are, and at amplitude 0 the frame is the target's. The same
    arguments give the same frame on every machine.

    Parameters
    ----------
    target
        Frame of the target, uint8, (H, W) or (H, W, C).
    distortion
        Float array of the same shape; of Euclidean norm 1 for `amplitude` to be a norm.
    amplitude
        Factor of the distortion, in units of pixel values from 0 to 1.
    dither
        ``"uniform"``, or ``"none"`` for plain rounding.
    seed
        Of the dither, 0 or more.

    Raises
    ------
    InputError
        If shapes differ, the amplitude is not finite, or there is no such dither.

    Examples
    --------
    >>> grey = np.full((2, 2), 100, np.uint8)
    >>> e = np.array([[0.5, 0.5], [0.5, -0.5]])
    >>> perturb(grey, e, 10 / 255, "none", 0).pixels.tolist()
    [[105, 105], [105, 95]]
    """
    if target.shape != distortion.shape or target.dtype != np.uint8:
        raise InputError(
            f"perturb needs a uint8 frame and a distortion of its shape; not {target.shape} of "
            f"{target.dtype} and {distortion.shape}"
        )
    if not math.isfinite(amplitude) or dither not in DITHERS or seed < 0:
        raise InputError(
            f"perturb needs a finite amplitude, a dither of {', '.join(DITHERS)} and a seed of 0 or more; "
            f"not {amplitude!r}, {dither!r} and {seed!r}"
        )
    change = distortion.astype(np.float64) * amplitude * _TOP
    values = target.astype(np.float64) + change
    if dither == "uniform":
        shift = np.random.default_rng(seed).random(target.shape) - 0.5
        values = values + np.where(change == 0, 0.0, shift)
    wanted = np.rint(values)
    pixels = np.clip(wanted, 0, _TOP).astype(np.uint8)
    return Frame(
        pixels=pixels,
        sha256=frame_id(pixels),
        clipped_fraction=float(np.mean(pixels != wanted)),
    )

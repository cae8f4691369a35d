"""Frames of a GIF: pictures of 255 colours, transparent where nothing changes."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

CLEAR = 255  # number of the transparent colour, after the others
_EXACT = 32  # most frequent colours, which are kept as they are


def gif_frames(frames: Iterator[np.ndarray], samples: Sequence[np.ndarray]) -> "Iterator[Image]":
    """Yield the frames of a GIF as pictures in common colours, transparent where the one before is kept.

    Colours of each frame's own would flicker, and to choose them takes long.

    Parameters
    ----------
    frames
        Frames, uint8, shape (height, width, 4) each.
    samples
        Frames from which the colours are chosen.
    """
    from PIL import Image

    colors = _Colors(samples)
    before: np.ndarray | None = None
    for frame in frames:
        now = colors.numbers(frame)
        shown = now if before is None else np.where(now == before, np.uint8(CLEAR), now)
        picture = Image.fromarray(shown)
        picture.putpalette(np.resize(colors.palette, (CLEAR + 1, 3)).tobytes())
        before = now
        yield picture


class _Colors:
    """Up to 255 colours, and the number of the nearest one for every other."""

    def __init__(self, samples: Sequence[np.ndarray]) -> None:
        codes, counts = np.unique(
            np.concatenate([_codes(sample).ravel() for sample in samples]), return_counts=True
        )
        found = _channels(codes[np.argsort(-counts, kind="stable")])
        if len(found) > CLEAR:
            found = np.concatenate([found[:_EXACT], _spread(found[_EXACT:], CLEAR - _EXACT)])
        self.palette = found
        self._number = np.full(1 << 24, -1, np.int16)  # by code; -1 for those not yet met

    def numbers(self, frame: np.ndarray) -> np.ndarray:
        """Return the number of the nearest colour of each pixel, uint8 (height, width)."""
        codes = _codes(frame)
        numbers = self._number[codes]
        if (numbers < 0).any():
            new = np.unique(codes[numbers < 0])
            self._number[new] = self._nearest(_channels(new))
            numbers = self._number[codes]
        return numbers.astype(np.uint8)

    def _nearest(self, colors: np.ndarray) -> np.ndarray:
        # |x - y|² = |x|² - 2xy + |y|², whole numbers below 2**24, which float32 holds exactly
        x, y = colors.astype(np.float32), self.palette.astype(np.float32)
        return np.asarray(((y**2).sum(axis=1) - 2 * (x @ y.T)).argmin(axis=1))


def _spread(colors: np.ndarray, count: int) -> np.ndarray:
    """Return `count` colours, shape (count, 3), spread among colours (n, 3)."""
    from PIL import Image

    chosen = Image.fromarray(colors[None]).quantize(count, method=Image.Quantize.MAXCOVERAGE)
    return np.array(chosen.getpalette(), np.uint8).reshape(-1, 3)[:count]


def _codes(frame: np.ndarray) -> np.ndarray:
    """Return the colour of each pixel as a number below 2**24."""
    red, green, blue = (frame[..., channel].astype(np.int32) for channel in range(3))
    return np.asarray(red << 16 | green << 8 | blue)


def _channels(codes: np.ndarray) -> np.ndarray:
    """Return codes (n,) as colours, uint8 (n, 3)."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)

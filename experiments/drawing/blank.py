"""Scenes without pictures: before, between and after them, and while an answer is awaited."""

from functools import lru_cache
from typing import Literal

import numpy as np

from experiments.drawing.marks import cross, put_mark, put_text, ring

_MARKS = {"cross": cross, "ring": ring}


@lru_cache(maxsize=8)  # they are the same in every trial, and lettering takes longer than all else
def blank_scene(
    size: tuple[int, int],
    level: int,
    mark: Literal["none", "cross", "ring"],
    text: str,
    patch_px: int,
) -> np.ndarray:
    """Return the pixels of a scene of one grey level with a mark, a text and a black patch, read-only.

    Parameters
    ----------
    size
        Width and height, in pixels.
    level
        Grey level of the background, 0 to 255.
    mark
        Mark in the middle.
    text
        Text below it; may be empty.
    patch_px
        Side of the patch in the lower left corner.

    Examples
    --------
    >>> blank_scene((64, 48), 128, "cross", "", 4)[[0, 24, 47], [0, 32, 0]].tolist()
    [128, 0, 0]
    """
    canvas = np.full((size[1], size[0]), level, dtype=np.uint8)
    if mark in _MARKS:
        put_mark(canvas, _MARKS[mark](), level)
    if text:
        put_text(canvas, text, level)
    if patch_px:
        canvas[-patch_px:, :patch_px] = 0
    canvas.setflags(write=False)
    return canvas

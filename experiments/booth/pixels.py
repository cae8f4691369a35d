"""Rectangles of scenes that are drawn, and pixels of the window read back, without any scaling.

A textured quad is exact in the window only at its own size, at a whole position, and if its width and
height are both even or odd as the window's. So what a scene has beside its background is cut out with
a row or a column of background more where its size needs one.
"""

from typing import Any

import numpy as np

from experiments.drawing.layout import Box


def cut_of(pixels: np.ndarray, level: int) -> Box | None:
    """Return the smallest rectangle of a scene that can be drawn exactly and holds all but background.

    Parameters
    ----------
    pixels
        uint8, (H, W) or (H, W, 3).
    level
        Grey level of the background.

    Returns
    -------
    The rectangle; None for a scene that is all background.

    Examples
    --------
    >>> scene = np.full((10, 10), 9, np.uint8)
    >>> scene[2, 3:6] = 0
    >>> cut_of(scene, 9)
    Box(left=3, top=2, width=4, height=2)
    """
    drawn = pixels != level
    if drawn.ndim == 3:
        drawn = drawn.any(axis=2)
    if not drawn.any():
        return None
    height, width = drawn.shape
    top, bottom = _even_or_odd_as(np.flatnonzero(drawn.any(axis=1)), height)
    left, right = _even_or_odd_as(np.flatnonzero(drawn.any(axis=0)), width)
    return Box(left, top, right - left, bottom - top)


def _even_or_odd_as(used: np.ndarray, side: int) -> tuple[int, int]:
    """Return the first and the end of a range that holds `used`, its length even or odd as `side`."""
    first, end = int(used[0]), int(used[-1]) + 1
    if (side - (end - first)) % 2:
        if end < side:
            end += 1
        else:
            first -= 1
    return first, end


def middle_of(box: Box, size: tuple[int, int]) -> tuple[int, int]:
    """Return the middle of a rectangle from the middle of the window, in pixels, y up.

    Examples
    --------
    >>> middle_of(Box(left=3, top=2, width=4, height=2), (10, 10))
    (0, 2)
    """
    x = box.left - (size[0] - box.width) // 2
    return x, (size[1] - box.height) // 2 - box.top


def read_back(gl: Any, size: tuple[int, int]) -> np.ndarray:
    """Return the pixels of the back buffer of a window: uint8, (H, W, 3), top row first."""
    width, height = size
    buffer = (gl.GLubyte * (3 * width * height))()
    gl.glReadBuffer(gl.GL_BACK)
    gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
    gl.glReadPixels(0, 0, width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, buffer)
    return np.frombuffer(buffer, dtype=np.uint8).reshape(height, width, 3)[::-1]


def is_scene(read: np.ndarray, scene: np.ndarray) -> bool:
    """Return whether pixels read back, (H, W, 3), equal a scene, (H, W) or (H, W, 3).

    Examples
    --------
    >>> is_scene(np.full((2, 2, 3), 7, np.uint8), np.full((2, 2), 7, np.uint8))
    True
    """
    return bool((read == (scene if scene.ndim == 3 else scene[..., None])).all())

"""Convert frames to pixels of the window and read them back, without scaling or interpolation.

An image is exact on the screen only at its own size, at a whole position, and if its width and
height are both even or odd as the window's. Otherwise it is padded by one column on its right or one
row at its bottom in the background's grey, which is invisible. The image is read back and hashed
without the padding.
"""

from typing import Any, NamedTuple

import numpy as np

from stimuli_store.errors import DisplayError


class Place(NamedTuple):
    """Rectangle of an image in the window: left and bottom edge, width, height, in pixels."""

    left: int
    bottom: int
    width: int
    height: int


def background_level(background: float) -> int:
    """Return the 8-bit grey level of a background given from 0 to 1.

    Examples
    --------
    >>> background_level(0.5)
    128
    """
    return int(np.rint(background * 255.0))


def check_fits(shape: tuple[int, ...], window: tuple[int, int]) -> None:
    """Raise DisplayError if a frame of `shape` is larger than the window (width, height).

    Raises
    ------
    DisplayError
        With both sizes.
    """
    height, width = shape[:2]
    if width > window[0] or height > window[1]:
        raise DisplayError(
            f"an image of {width} x {height} pixels does not fit into a window of "
            f"{window[0]} x {window[1]}; make the size in the design's [screen] larger"
        )


def padded(frame: np.ndarray, window: tuple[int, int], level: int) -> np.ndarray:
    """Return `frame` padded so that its width and height are even or odd as the window's.

    Parameters
    ----------
    frame
        uint8, (H, W) or (H, W, 3).
    window
        Width and height of the window, in pixels.
    level
        Grey level of the padding.

    Examples
    --------
    >>> padded(np.zeros((3, 4), np.uint8), (10, 10), 9)[:, 0].tolist()
    [0, 0, 0, 9]
    """
    height, width = frame.shape[:2]
    rows, columns = (window[1] - height) % 2, (window[0] - width) % 2
    widths = [(0, rows), (0, columns)] + [(0, 0)] * (frame.ndim - 2)
    return np.pad(frame, widths, constant_values=level)


def place_of(shape: tuple[int, ...], window: tuple[int, int]) -> Place:
    """Return the rectangle of a frame of `shape`, padded and centred, in the window.

    Examples
    --------
    >>> place_of((3, 4), (10, 10))
    Place(left=3, bottom=4, width=4, height=3)
    """
    height, width = shape[:2]
    left = (window[0] - width) // 2
    top = (window[1] - height) // 2
    return Place(left, window[1] - top - height, width, height)


def read_back(gl: Any, place: Place) -> np.ndarray:
    """Return the pixels of the back buffer at `place`: uint8, (H, W, 3), top row first."""
    buffer = (gl.GLubyte * (3 * place.width * place.height))()
    gl.glReadBuffer(gl.GL_BACK)
    gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
    gl.glReadPixels(*place, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, buffer)
    pixels = np.frombuffer(buffer, dtype=np.uint8)
    return pixels.reshape(place.height, place.width, 3)[::-1]


def as_given(pixels: np.ndarray, ndim: int) -> np.ndarray:
    """Return pixels read back, (H, W, 3), in the shape of the original frame with `ndim` dimensions.

    A grey frame (`ndim` 2) is read back as three equal channels; if they differ, all three are
    returned, so that the result matches no frame of a bank.

    Examples
    --------
    >>> as_given(np.full((2, 2, 3), 7, np.uint8), 2).shape
    (2, 2)
    """
    grey = pixels[..., 0]
    if ndim == 2 and (pixels == grey[..., None]).all():
        return np.ascontiguousarray(grey)
    return np.ascontiguousarray(pixels)


def cross(level: int, *, arm: int = 6) -> np.ndarray:
    """Return an image of a fixation cross, two pixels wide with arms of `arm` pixels, on grey `level`."""
    size = 2 * arm + 2  # even, so that the lines are two pixels wide about the centre
    image = np.full((size, size), level, dtype=np.uint8)
    ink = 0 if level > 127 else 255
    image[arm : arm + 2, :] = ink
    image[:, arm : arm + 2] = ink
    return image

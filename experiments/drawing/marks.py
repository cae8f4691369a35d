"""Marks that are not pictures: fixation cross, answer ring, and the text of the answer screen.

Every mark has a core in black or white, whichever is further from the background, and an outline of one
pixel in the other, so that it can be seen over any picture.
"""

from collections.abc import Callable

import numpy as np

SIZE_PX = 16
_ARM = 6  # pixels of an arm of the cross beyond its two-pixel middle


def ink_of(level: int) -> int:
    """Return the grey level, 0 or 255, of marks on a background of a grey level.

    Examples
    --------
    >>> ink_of(128), ink_of(100)
    (0, 255)
    """
    return 0 if level > 127 else 255


def cross() -> np.ndarray:
    """Return where the fixation cross is, in a square of `SIZE_PX`: lines two pixels wide."""
    core = np.zeros((SIZE_PX, SIZE_PX), dtype=bool)
    middle = slice(SIZE_PX // 2 - 1, SIZE_PX // 2 + 1)
    core[middle, 1:-1] = core[1:-1, middle] = True
    return core


def ring() -> np.ndarray:
    """Return where the ring is that asks for the answer, in a square of `SIZE_PX`."""
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] - (SIZE_PX - 1) / 2
    radius = np.hypot(x, y)
    return (radius > 3.5) & (radius < 6.5)


def put_mark(canvas: np.ndarray, core: np.ndarray, level: int) -> None:
    """Draw a mark with its outline in the middle of `canvas`, in place; what lies beyond it is cut."""
    grown = np.pad(core, 1)
    grown = np.logical_or.reduce(
        [np.roll(grown, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    )[1:-1, 1:-1]
    top, left = ((side - SIZE_PX) // 2 for side in canvas.shape[:2])
    rows, columns = (slice(max(0, start), start + SIZE_PX) for start in (top, left))
    under = canvas[rows, columns]
    cut = (slice(max(0, -top), None), slice(max(0, -left), None))
    core, grown = (part[cut][: under.shape[0], : under.shape[1]] for part in (core, grown))
    under[grown] = 255 - ink_of(level)
    under[core] = ink_of(level)


def put_text(canvas: np.ndarray, text: str, level: int) -> None:
    """Write `text` below the middle of `canvas`, in place; without Pillow nothing is written."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:  # the mark alone says that an answer is asked for
        return
    height, width = canvas.shape[:2]
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(10, height // 30))
    lines = _wrapped(text, lambda line: draw.textlength(line, font) <= 0.9 * width)
    top = (width // 2, height // 2 + SIZE_PX)
    draw.multiline_text(top, "\n".join(lines), 255, font, anchor="ma", align="center")
    share = np.asarray(image) / 255.0
    if canvas.ndim == 3:
        share = share[..., None]
    canvas[...] = np.rint(canvas + share * (float(ink_of(level)) - canvas))


def _wrapped(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Return the lines of a text, broken at spaces where they do not fit."""
    lines: list[str] = []
    for given in text.splitlines():
        line, *words = given.split(" ")
        for word in words:
            if fits(f"{line} {word}"):
                line = f"{line} {word}"
            else:
                lines.append(line.strip())
                line = word
        lines.append(line.strip())
    return lines

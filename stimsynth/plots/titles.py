"""Titles broken into lines that fit."""

from collections.abc import Iterator
from functools import lru_cache

TITLE_POINTS = 9  # font size of titles of images
_SYMBOLS = "+/_-"
LINE = 12  # height in pixels of a line of a title


def text_width(text: str, points: float = TITLE_POINTS) -> float:
    """Return the width of a line of text in display pixels.

    Parameters
    ----------
    text
        One line.
    points
        Font size; a point is a pixel, since new figures have 72 pixels per inch.

    Examples
    --------
    >>> text_width("mm") > 1.5 * text_width("m") > 0
    True
    """
    return _measured(text, points)


@lru_cache(maxsize=4096)
def _measured(text: str, points: float) -> float:
    from matplotlib import cbook
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=points)
    width, *_ = text_to_path.get_text_width_height_descent(text, font, cbook.is_math_text(text))
    return float(width)


def fitted_title(title: str, room: float, points: float = TITLE_POINTS) -> str:
    r"""Return a title with line breaks, so that no line is wider than `room` display pixels.

    Lines are broken between words. A word that is too wide is broken after one of its symbols + / _ -, and
    between characters if a part of it is still too wide.

    Examples
    --------
    >>> fitted_title("a title of several words", 60)
    'a title of\nseveral\nwords'
    >>> fitted_title("std+skew+kurtosis", 60)
    'std+skew+\nkurtosis'
    """
    return "\n".join(
        part for line in title.split("\n") for part in _lines(line.split(" "), room, points)
    )


def _lines(words: list[str], room: float, points: float) -> Iterator[str]:
    line = ""
    for piece in (piece for word in words for piece in _pieces(word, room, points)):
        longer = f"{line} {piece}" if line else piece
        if line and _measured(longer, points) > room:
            yield line
            line = piece
        else:
            line = longer
    yield line


def _pieces(word: str, room: float, points: float) -> Iterator[str]:
    """Yield a word in pieces no wider than `room`, of at least one character each."""
    start = 0
    for end in range(1, len(word) + 1):
        if end - start > 1 and _measured(word[start:end], points) > room:
            cut = _last_break(word, start, end - 1)
            yield word[start:cut]
            start = cut
    yield word[start:]


def _last_break(word: str, start: int, end: int) -> int:
    """Return the last place up to `end` where a part of a word may end, after a symbol if there is one."""
    after = [place for place in range(start + 1, end + 1) if word[place - 1] in _SYMBOLS]
    return max(after, default=end)

"""Small line drawings for notebooks, as SVG in the colour of the text; the plots are larger figures.

Nothing is imported for them, so that a result can be shown where matplotlib is not installed.
"""

import math
from collections.abc import Sequence

from stimuli_store.tools.html import text

_WIDTH, _HEIGHT, _EDGE = 280, 140, 12
_LEFT, _BELOW = 28, 22  # room for the words at the axes
_ROW, _SCALE = 20, 16  # height of a row, and of the numbers below
_LETTER, _MOST_LETTERS = 7.4, 40  # width of a letter of a label, at most
_MOST_ROWS = 12


def curve_drawing(
    points: Sequence[tuple[float, float]],
    line: Sequence[tuple[float, float]],
    description: str,
    *,
    ends: tuple[str, str] = ("", ""),
    mark: float = math.nan,
) -> str:
    """Return proportions as points, the curve that was fitted to them, and a mark on the axis.

    Parameters
    ----------
    points, line
        Position on the axis, and proportion from 0 to 1.
    description
        What a reader who sees no pictures is told.
    ends
        Words for the lowest and the highest position.
    mark
        Position of a dashed line; NaN for none.

    Examples
    --------
    >>> drawn = curve_drawing([(0, 0.5), (1, 0.9)], [(0, 0.5), (0.5, 0.7), (1, 0.9)], "two points")
    >>> drawn.count("<circle"), drawn.count("<polyline")
    (2, 1)
    """
    at = [x for x, _ in (*points, *line)]
    low, high = min(at), max(at)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - low) / ((high - low) or 1)
        return (
            round(_LEFT + across * (_WIDTH - _LEFT - _EDGE), 1),
            round(_HEIGHT - _BELOW - min(max(y, 0.0), 1.0) * (_HEIGHT - _BELOW - _EDGE), 1),
        )

    parts = [_line(*place(low, 0), *place(high, 0)), _line(*place(low, 0), *place(low, 1))]
    parts.append(_line(*place(low, 0.5), *place(high, 0.5), dashed=True))
    if low <= mark <= high:
        parts.append(_line(*place(mark, 0), *place(mark, 1), dashed=True))
    for share in (0, 0.5, 1):
        parts.append(_words(f"{share:g}", _LEFT - 4, place(low, share)[1] + 4, "end"))
    parts.append(_words(ends[0], _LEFT, _HEIGHT - 4, "start"))
    parts.append(_words(ends[1], _WIDTH - _EDGE, _HEIGHT - 4, "end"))
    path = " ".join("{:g},{:g}".format(*place(x, y)) for x, y in line)
    parts.append(f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="2"/>')
    for x, y in points:
        across, down = place(x, y)
        parts.append(f'<circle cx="{across:g}" cy="{down:g}" r="3.5" fill="currentColor"/>')
    return _drawing(_WIDTH, _HEIGHT, description, parts)


def interval_drawing(rows: Sequence[tuple[str, float, float, float]], description: str) -> str:
    """Return a row for each value with its interval, and the ends of their axis in numbers.

    An interval that is not finite ends at the edge.

    Parameters
    ----------
    rows
        Label, value and the ends of the interval.
    description
        What a reader who sees no pictures is told.

    Examples
    --------
    >>> drawn = interval_drawing([("ann", 2, 1, 3), ("ben", 3, 2, float("inf"))], "two people")
    >>> drawn.count("<circle"), drawn.count("<line")
    (2, 2)
    """
    shown = rows[:_MOST_ROWS]
    finite = [x for _, *values in shown for x in values if math.isfinite(x)] or [0.0]
    low, high = min(finite), max(finite)
    labels = [_short(label) for label, *_ in shown]
    beside = _LETTER * max(map(len, labels), default=0)

    def place(x: float) -> float:
        if math.isnan(x):
            x = low
        across = min(max((x - low) / ((high - low) or 1), 0.0), 1.0)
        return round(beside + _EDGE + across * (_WIDTH - 2 * _EDGE), 1)

    parts = []
    for number, (label, (_, value, least, most)) in enumerate(zip(labels, shown, strict=True)):
        down = _ROW * (number + 0.5)
        parts.append(_words(label, beside, down + 4, "end"))
        parts.append(_line(place(least), down, place(most), down))
        if math.isfinite(value):
            parts.append(f'<circle cx="{place(value):g}" cy="{down:g}" r="4" fill="currentColor"/>')
    below = _ROW * len(shown) + _SCALE - 4
    ends = {low: "start", high: "end"} if high > low else {low: "start"}
    parts += [_words(f"{x:.3g}".replace("-", "−"), place(x), below, at) for x, at in ends.items()]
    return _drawing(beside + _WIDTH, _ROW * len(shown) + _SCALE, description, parts)


def _short(label: str) -> str:
    return label if len(label) <= _MOST_LETTERS else f"{label[: _MOST_LETTERS - 1]}…"


def _line(x1: float, y1: float, x2: float, y2: float, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="3 3"' if dashed else ""
    ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="0.6"{dashes}/>'


def _words(words: str, x: float, y: float, anchor: str) -> str:
    place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}"'
    return f'<text {place} font-size="11" fill="currentColor">{text(words)}</text>'


def _drawing(width: float, height: float, description: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img"><title>{text(description)}</title>'
        f"{''.join(parts)}</svg>"
    )

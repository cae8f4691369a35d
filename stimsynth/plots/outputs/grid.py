"""Axes in a grid in the place of one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.blank import DPI, empty_figure
from stimsynth.plots.titles import LINE, TITLE_POINTS, fitted_title
from stimuli_store.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NARROWEST = 2.0  # inches
_LABELS = 1.0  # inches for the labels and the numbers at the left of axes


def margined_axes(figsize: tuple[float, float]) -> "Axes":
    """Return axes in a new figure, with room for labels on the left and for a title of two lines."""
    width, height = figsize
    if min(width, height) < _NARROWEST:
        raise InputError(
            f"figsize must be at least {_NARROWEST} × {_NARROWEST} inches, for the labels too; not "
            f"{width:g} × {height:g}"
        )
    figure = empty_figure(width, height)
    from stimuli_store.tools.figures import PlotAxes

    left, right, bottom, top = 50 / width, 20 / width, 25 / height, 50 / height
    share = (left / DPI, bottom / DPI, 1 - (left + right) / DPI, 1 - (bottom + top) / DPI)
    return figure.add_axes(share, axes_class=PlotAxes)


def grid_in_place(
    axes: "Axes", titles: Sequence[str], *, title: str = "", beside_px: float = 44
) -> "list[Axes]":
    """Return new axes with titles in a grid in the place of one, which is hidden.

    Parameters
    ----------
    axes
        The place. One title needs no grid: the axes are returned.
    titles
        A title for each of the axes; long ones are broken into lines.
    title
        Title above all.
    beside_px
        Display pixels between columns, for labels.
    """
    if len(titles) == 1:
        axes.set_title(titles[0] or title, fontsize=TITLE_POINTS)
        return [axes]
    axes.set_axis_off()
    figure: Any = axes.figure
    scale = figure.dpi / DPI
    box, whole_figure = axes.get_window_extent(), figure.bbox
    beside = beside_px * scale
    columns = _columns(len(titles), box.width / box.height)
    rows = -(-len(titles) // columns)
    wide = (box.width - beside * (columns - 1)) / columns
    broken = [fitted_title(one, wide / scale + min(beside_px, 24) - 6) for one in titles]
    above = (LINE * max(one.count("\n") + 1 for one in broken) + 14) * scale
    if title:  # where the figure has too little room above the place, the title takes some of it
        top = whole_figure.height - above - (LINE - 2) * scale
        box = box.shrunk(1, min(1, (top - box.y0) / box.height))
    high = (box.height - above * (rows - 1)) / rows
    if min(wide, high) <= 0:
        raise InputError(
            f"the axes have too little room for {len(titles)} plots, each with a title; give a larger "
            "figure, by figsize or ax"
        )
    from stimuli_store.tools.figures import PlotAxes

    made = []
    for number, words in enumerate(broken):
        row, column = divmod(number, columns)
        left = box.x0 + column * (wide + beside)
        bottom = box.y1 - (row + 1) * high - row * above
        share = (
            left / whole_figure.width,
            bottom / whole_figure.height,
            wide / whole_figure.width,
            high / whole_figure.height,
        )
        one = figure.add_axes(share, axes_class=PlotAxes)
        one.set_title(words, fontsize=TITLE_POINTS, pad=4, linespacing=1.2)
        made.append(one)
    if title:
        top = (box.y1 + above - 6 * scale) / whole_figure.height
        middle = (box.x0 + box.width / 2) / whole_figure.width
        figure.text(middle, top, title, ha="center", va="bottom", fontsize=TITLE_POINTS + 1)
    return made


def split_axes(axes: "Axes") -> "list[Axes]":
    """Return two axes side by side in the place of one, which is hidden."""
    axes.set_axis_off()
    spec = axes.get_subplotspec()
    figure = axes.figure
    from stimuli_store.tools.figures import PlotAxes

    if spec is not None:
        width = axes.get_window_extent().width / figure.dpi
        beside = min(_LABELS, width / 2)
        halves = spec.subgridspec(1, 2, wspace=max(0.4, 2 * beside / (width - beside)))
        return [figure.add_subplot(halves[0, half], axes_class=PlotAxes) for half in (0, 1)]
    box = axes.get_position()
    width = box.width * 0.42
    return [
        figure.add_axes((left, box.y0, width, box.height), axes_class=PlotAxes)
        for left in (box.x0, box.x1 - width)
    ]


def _columns(count: int, ratio: float) -> int:
    """Return the number of columns whose cells are most nearly square, for a place of this width/height."""
    return min(range(1, count + 1), key=lambda n: abs(np.log(ratio * -(-count // n) / n)))

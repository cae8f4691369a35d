"""Style of all plots: colours that colour-blind readers and grey prints keep apart, and plain axes."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import is_color_like, to_rgb, to_rgba
from matplotlib.legend import Legend
from matplotlib.typing import RGBColorType

from stimuli_store.errors import InputError
from stimuli_store.tools.axes import check_axes
from stimuli_store.tools.figures import PlotFigure, new_figure
from stimuli_store.tools.figures import axes_in_row as axes_in_row
from stimuli_store.tools.figures import to_png as to_png
from stimuli_store.tools.gates import briefly

INK = "#1f2933"
QUIET = "#6b7785"  # letters in it can be read on white

DATA = "#0072b2"
TRUE = "#d55e00"
BEST = "#00674b"
BAND = "#9ecae1"

#: Colour and marker of the first, second, … data set on the same axes; the colours differ in grey too.
SERIES = ((DATA, "o"), ("#e69f00", "s"), (INK, "^"), ("#56b4e9", "D"), ("#a33c00", "v"))

#: Ink on dark axes.
_CHALK = "#eef1f4"
_DARK = 0.4  # grey of 0 to 1 below which paper is dark

SMALL = 8.5
_SERIES, _LEGEND = "series", "legend"
_LONGEST = 44  # characters of a label of which two stand side by side below a figure
_AREA, _SMALLEST = 46.0, 8.0  # points² of the largest marker, and the least of any
_SIDE = "side"


def a_color(value: Any, name: str) -> Any:
    """Return a colour of matplotlib, a name or numbers (a gate of `stimuli_store.tools.gates`)."""
    if not is_color_like(value):
        raise InputError(
            f"{name} must be a colour, such as 'black' or '#0072b2'; not {briefly(value)}"
        )
    return value


def figure(width: float, height: float) -> PlotFigure:
    """Return an empty figure of `width` × `height` inches whose texts are kept apart."""
    return new_figure(width, height, layout="constrained")


def axes_for(ax: Axes | None, width: float, height: float) -> Axes:
    """Return axes to draw on: `ax`, or plain axes in a new figure of `width` × `height` inches.

    Raises
    ------
    WrongType
        (also a TypeError) if `ax` is neither None nor axes.
    """
    check_axes(ax)
    return quiet(axes_in_row(figure(width, height))[0]) if ax is None else ax


def quiet(axes: Axes) -> Axes:
    """Remove the upper and right frame lines of axes, colour the rest, and return the axes."""
    axes.set_facecolor("white")  # as the paper, in dark styles too
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
    axes.tick_params(colors=INK, labelsize=9, color=QUIET)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    return axes


def paper(axes: Axes) -> RGBColorType:
    """Return the colour behind axes, on which hollow marks lie: their own, or that of the figure."""
    own = to_rgba(axes.get_facecolor())
    behind = axes.get_figure(root=True).get_facecolor()  # type: ignore[union-attr]
    return to_rgb(own if own[3] > 0.5 else behind)


def ink(axes: Axes) -> str:
    """Return the colour of letters and dark marks, which is a light one on a user's dark axes."""
    grey = float(np.dot(to_rgb(paper(axes)), (0.299, 0.587, 0.114)))
    return INK if grey > _DARK else _CHALK


def is_ours(ax: Axes | None) -> bool:
    """Return whether a plot gets a legend and labels beside it: on new axes, and on those that have them.

    A user's own axes may be small; ``ax.legend()`` adds a legend to them.
    """
    check_axes(ax)
    return ax is None or any(made.get_gid() == _LEGEND for made in _legends(ax))


def legend(axes: Axes, title: str = "") -> None:
    """Draw the legend of a new figure below its axes, where there are no data, instead of an older one."""
    for old in [made for made in _legends(axes) if made.get_gid() == _LEGEND]:
        old.remove()
    handles, labels = axes.get_legend_handles_labels()
    longest = max(map(len, labels), default=0)
    made = axes.get_figure(root=True).legend(  # type: ignore[union-attr]
        handles,
        labels,
        loc="outside lower center",
        ncols=2 if longest <= _LONGEST else 1,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        title=title,
        title_fontsize=SMALL,
    )
    made.get_title().set_color(INK)
    made.set_gid(_LEGEND)


def _legends(axes: Axes) -> list[Legend]:
    return list(axes.get_figure(root=True).legends)  # type: ignore[union-attr]


def series(axes: Axes, color: str | None = None) -> tuple[str, str]:
    """Return colour, or the one given, and marker of the next data set on axes, after those `points` drew."""
    before = sum(child.get_gid() == _SERIES for child in axes.get_children())
    own, marker = SERIES[before % len(SERIES)]
    return color or (ink(axes) if own == INK else own), marker


def points(
    axes: Axes, x: np.ndarray, y: np.ndarray, weights: np.ndarray, color: str, marker: str
) -> PathCollection:
    """Draw and return hollow points of a data set, with areas in proportion to their weights."""
    return axes.scatter(
        x,
        y,
        s=np.maximum(_AREA * weights / weights.max(), _SMALLEST),
        marker=marker,
        facecolor=paper(axes),
        edgecolor=color,
        linewidth=1.5,
        zorder=3,
        gid=_SERIES,
    )


def side_label(axes: Axes, y: float, text: str, *, apart: float = 0.0, color: str = QUIET) -> None:
    """Write a text beside the axes at height `y`, unless another stands nearer than `apart`."""
    taken = [label.xy[1] for label in axes.texts if label.get_gid() == _SIDE]  # type: ignore[attr-defined]
    if any(abs(y - other) < apart for other in taken):
        return
    axes.annotate(
        text,
        (1, y),
        xycoords=axes.get_yaxis_transform(),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=color,
        gid=_SIDE,
        annotation_clip=False,
    )

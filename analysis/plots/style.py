"""Style of all plots: colours that colour-blind readers can distinguish, and plain axes."""

from matplotlib.axes import Axes

from stimuli_store.tools.figures import PlotFigure, new_figure, to_png

__all__ = ["figure", "quiet", "to_png", "unit_label"]

INK = "#1f2933"
QUIET = "#8794a1"

DATA = "#0072b2"
CURVE = "#0072b2"
TRUE = "#d55e00"
BEST = "#009e73"
BAND = "#9ecae1"

_UNITS = {"window_px": "window size (pixels)", "px": "size (pixels)", "deg": "size (degrees)"}


def figure(width: float, height: float) -> PlotFigure:
    """Return an empty figure of `width` × `height` inches whose texts are kept apart."""
    return new_figure(width, height, layout="constrained")


def quiet(axes: Axes) -> Axes:
    """Remove the upper and right frame lines of axes, colour the rest, and return the axes."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
    axes.tick_params(colors=INK, labelsize=9, color=QUIET)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    return axes


def unit_label(unit: str) -> str:
    """Return the unit of levels as an axis label.

    Examples
    --------
    >>> unit_label("window_px")
    'window size (pixels)'
    """
    return _UNITS.get(unit, unit.replace("_", " "))

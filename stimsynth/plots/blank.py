"""New figures and axes, with 72 display pixels per inch, so that a point is a pixel."""

from typing import TYPE_CHECKING

from stimuli_store.errors import missing_extra

if TYPE_CHECKING:
    from stimuli_store.tools.figures import FigureLayout, PlotAxes, PlotFigure

DPI = 72
PLOT_SIDE = 5.0  # side in inches of each plot in a new figure


def empty_figure(width: float, height: float, layout: "FigureLayout" = None) -> "PlotFigure":
    """Return an empty figure of `width` × `height` inches; a notebook shows it, ``savefig`` writes it.

    A layout engine keeps texts inside; without one, the axes of images stay at their whole display pixels.

    Raises
    ------
    MissingExtra
        If matplotlib is not installed.
    """
    try:
        from stimuli_store.tools.figures import new_figure
    except ImportError as error:
        raise missing_extra("figures need matplotlib", "analysis") from error
    from matplotlib import rcParams

    # As the texts: white ones on white paper, in a dark style, could not be seen.
    face = rcParams["figure.facecolor"]
    return new_figure(width, height, dpi=DPI, layout=layout, facecolor=face)


def own_axes(layout: "FigureLayout" = None) -> "PlotAxes":
    """Return axes that fill a new figure; `layout` is as for `empty_figure`."""
    figure = empty_figure(PLOT_SIDE, PLOT_SIDE, layout)
    from stimuli_store.tools.figures import axes_in_row

    return axes_in_row(figure)[0]

"""Figures that show themselves in notebooks, without pyplot and its global state.

A notebook shows the value of a cell's last line by the value's own `_repr_png_`, so nothing needs to be
imported or switched on. Needs matplotlib; of the store, nothing else does.
"""

import io
from collections.abc import Sequence
from typing import Any, Literal, cast

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

FigureLayout = Literal["constrained", "compressed", "tight"] | None
"""Layout engine of matplotlib that keeps texts apart."""

PagePicture = tuple[bytes, dict[str, int]]
"""PNG and its width and height in a notebook, in pixels of the page."""


def to_png(drawn: Axes | Figure, dpi: float = 144) -> bytes:
    """Return a figure of matplotlib, or the figure of axes, as a PNG file, the same bytes every time.

    `dpi` is in pixels per inch.
    """
    buffer = io.BytesIO()
    figure = cast(Figure, drawn.get_figure(root=True))
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


class PlotFigure(Figure):
    """A figure that a notebook shows as PNG when a cell ends with it."""

    def _repr_png_(self) -> PagePicture:
        # Curves get two pixels for each of the page's, since many screens have them. An image gets one:
        # its pixels are whole pixels of the page, which a browser must not resample.
        has_images = any(axes.images for axes in self.axes)
        width, height = (round(side * self.dpi) for side in self.get_size_inches())
        dpi = self.dpi if has_images else 2 * self.dpi
        return to_png(self, dpi), {"width": width, "height": height}


class PlotAxes(Axes):
    """Axes that a notebook shows as PNG, with all of their figure, when a cell ends with them."""

    def _repr_png_(self) -> PagePicture | None:
        return _shown(self.get_figure(root=True))


class PlotTuple(tuple):
    """A tuple that a notebook shows as the figure of its first item, which is a figure or axes.

    Examples
    --------
    >>> pair = PlotTuple(axes_in_row(new_figure(2, 1), [1, 1]))
    >>> pair.figure is pair[1].figure
    True
    """

    @property
    def figure(self) -> Figure:
        """The figure of all items, as of axes: ``plot.figure.savefig(path)`` writes any plot."""
        return cast(Figure, self[0].get_figure(root=True))

    def savefig(self, path: Any, **options: Any) -> None:
        """Write the figure to a file, with the options of matplotlib's `savefig`."""
        self.figure.savefig(path, **options)

    def _repr_png_(self) -> PagePicture | None:
        return _shown(self.figure)


def _shown(figure: object) -> PagePicture | None:
    """Return PNG of a figure made here; None for another, which pyplot shows in its own way."""
    png = getattr(figure, "_repr_png_", None)
    return png() if png else None


def new_figure(
    width: float,
    height: float,
    *,
    dpi: float = 100,
    layout: FigureLayout = None,
    facecolor: str = "white",
) -> PlotFigure:
    """Return an empty figure of `width` × `height` inches that pyplot does not know.

    Parameters
    ----------
    dpi
        Pixels per inch: of the page in a notebook, of the file with ``figure.savefig(path)``.
    layout
        Layout engine of matplotlib; None for none.
    facecolor
        Colour of the paper.

    Examples
    --------
    >>> png, size = new_figure(2, 1)._repr_png_()
    >>> png[1:4], size
    (b'PNG', {'width': 200, 'height': 100})
    """
    made = PlotFigure(figsize=(width, height), dpi=dpi, facecolor=facecolor, layout=layout)
    FigureCanvasAgg(made)
    return made


def axes_in_row(figure: Figure, widths: Sequence[float] = (1.0,)) -> tuple[PlotAxes, ...]:
    """Return new axes side by side in a figure, with these relative widths.

    Examples
    --------
    >>> left, right = axes_in_row(new_figure(2, 1), [1, 3])
    >>> bool(left.get_position().width < right.get_position().width)
    True
    """
    kind = {"axes_class": PlotAxes}
    made = figure.subplots(1, len(widths), width_ratios=widths, subplot_kw=kind, squeeze=False)
    return tuple(made[0])

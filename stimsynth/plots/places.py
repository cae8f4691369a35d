"""Images drawn in the place of given axes, with whole display pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.blank import DPI
from stimsynth.plots.panels import Panel, draw_panel, shown_size
from stimsynth.plots.titles import LINE, fitted_title
from stimuli_store.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 10  # pixels between images
_NARROWEST = 60  # pixels of a title at 72 per inch


@dataclass(frozen=True, kw_only=True)
class Place:
    """Room of axes for a grid of images, in display pixels.

    Attributes
    ----------
    left, bottom, width, height
        Box of the axes. The titles of the first row are above it.
    rows, columns
        Numbers of rows and columns of images.
    lines
        Lines of each title.
    scale
        Display pixels per pixel of a figure of 72 per inch, in which titles are measured.
    """

    left: float
    bottom: float
    width: float
    height: float
    rows: int
    columns: int
    lines: int
    scale: float

    @classmethod
    def of(cls, axes: "Axes", rows: int, columns: int, *, lines: int) -> "Place":
        """Return the place of axes for a grid of images."""
        box = axes.get_window_extent()
        return cls(
            left=box.x0,
            bottom=box.y0,
            width=box.width,
            height=box.height,
            rows=rows,
            columns=columns,
            lines=lines,
            scale=axes.figure.dpi / DPI,
        )

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of the room for one image."""
        return (
            (self.width - _GAP * (self.columns - 1)) / self.columns,
            (self.height - self._above * (self.rows - 1)) / self.rows,
        )

    @property
    def _above(self) -> float:
        """Height from an image to the one above it, with the title between them."""
        return LINE * self.lines * self.scale + _GAP

    def corner(self, number: int) -> tuple[float, float]:
        """Return left and bottom of the room for image `number`, row by row from the top."""
        row, column = divmod(number, self.columns)
        wide, high = self.cell
        top = self.bottom + self.height - row * (high + self._above)
        return self.left + column * (wide + _GAP), top - high

    def room(self, size: tuple[int, int]) -> float:
        """Return the largest zoom at which an image (height, width) fits, whole or not."""
        wide, high = self.cell
        # Axes that were shrunk to an image before must fit it again.
        return min(wide / size[1], high / size[0]) * (1 + 1e-6)

    def whole_zoom(self, size: tuple[int, int]) -> float | None:
        """Return the largest zoom with whole pixels, a whole number or 1/d; None if none fits."""
        room = self.room(size)
        if room >= 1:
            return float(int(room))
        both = int(np.gcd(*size))
        shares = [d for d in range(2, both + 1) if both % d == 0 and 1 / d <= room]
        return 1 / shares[0] if shares else None

    def largest_zoom(self, size: tuple[int, int]) -> float:
        """Return the largest zoom with whole pixels: a whole number, or 1/d where d divides both sides.

        Raises
        ------
        InputError
            If none fits.
        """
        zoom = self.whole_zoom(size)
        if zoom is None:
            raise InputError(
                f"an image of {size[1]} × {size[0]} does not fit into axes of {self.width:.0f} × "
                f"{self.height:.0f} display pixels; give a larger figure"
            )
        return zoom


def draw_in_place(
    axes: "Axes", place: Place, panels: Sequence[Panel], *, cmap: str, **imshow: Any
) -> "list[Axes]":
    """Draw panels in the place of axes and return the axes used: the same for one, new ones for several.

    Raises
    ------
    InputError
        If the panels are too large.
    """
    if len(panels) == 1:
        every = [axes]
    else:
        from stimuli_store.tools.figures import PlotAxes

        axes.set_axis_off()
        every = [axes.figure.add_axes((0, 0, 1, 1), axes_class=PlotAxes) for _ in panels]
    whole = axes.figure.bbox
    for number, (panel, one) in enumerate(zip(panels, every, strict=True)):
        size = panel.pixels.shape[:2]
        high, wide = shown_size(panel)
        if panel.zoom > place.room(size):
            raise InputError(
                f"an image of {size[1]} × {size[0]} at zoom {panel.zoom:g} does not fit into axes of "
                f"{place.width:.0f} × {place.height:.0f} display pixels for {len(panels)}; the largest zoom "
                f"is {place.largest_zoom(size):g}"
            )
        left, bottom = place.corner(number)
        room_wide, room_high = place.cell
        x = np.rint(left + (room_wide - wide) / 2)
        y = np.rint(bottom + (room_high - high) / 2)
        one.set_position(
            (x / whole.width, y / whole.height, wide / whole.width, high / whole.height)
        )
        title = fitted_title(panel.title, max(room_wide / place.scale, _NARROWEST))
        draw_panel(one, panel, title=title, cmap=cmap, **imshow)
    return every


def draw_fitting(axes: "Axes", panel: Panel, *, cmap: str, **imshow: Any) -> None:
    """Draw a panel on axes at the largest whole zoom; where there is none, it is resampled to fit."""
    place = Place.of(axes, 1, 1, lines=0)
    zoom = place.whole_zoom(panel.pixels.shape[:2])
    if zoom is None:
        title = fitted_title(panel.title, place.width / place.scale)
        style = {"interpolation": "auto", "aspect": "equal", **imshow}
        draw_panel(axes, panel, title=title, cmap=cmap, **style)
    else:
        draw_in_place(axes, place, [replace(panel, zoom=zoom)], cmap=cmap, **imshow)

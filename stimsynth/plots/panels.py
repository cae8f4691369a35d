"""Figures with rows of images whose pixels are whole blocks of display pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.blank import DPI, empty_figure
from stimsynth.plots.checks import check_zoom
from stimsynth.plots.ranges import Range
from stimuli_store.errors import InputError

if TYPE_CHECKING:
    from stimuli_store.tools.figures import PlotFigure

_GAP, _LINE = 10, 13  # pixels between images, and for a line of a title


@dataclass(frozen=True, kw_only=True)
class Panel:
    """An image with its title and the values shown as black and white.

    Shape (height, width) for grey; (height, width, 3 or 4) for colours.
    """

    pixels: np.ndarray
    title: str
    shown: Range


def panel_figure(
    rows: Sequence[Sequence[Panel]], *, zoom: float = 1.0, cmap: str = "gray", **imshow: Any
) -> "PlotFigure":
    """Return a figure with rows of panels, all of the same size.

    Parameters
    ----------
    rows
        Panels from the top down and from left to right; rows may differ in length.
    zoom
        Display pixels per image pixel: a whole number, or 1 divided by a number that divides height and
        width.
    cmap
        Name of a matplotlib colour map.
    imshow
        Further arguments of `matplotlib.axes.Axes.imshow`.

    Returns
    -------
    PlotFigure
        A figure with 72 display pixels per inch that pyplot does not know; a notebook shows it, and
        ``figure.savefig(path)`` writes it.

    Raises
    ------
    InputError
        If panels differ in size, or `zoom` does not give whole pixels.
    MissingExtra
        If matplotlib is not installed.
    """
    height, width = panel_size(rows, zoom)
    lines = max(panel.title.count("\n") + 1 for row in rows for panel in row)
    above = _LINE * lines + 6
    total_w = max(len(row) for row in rows) * (width + _GAP) + _GAP
    total_h = len(rows) * (height + above + _GAP)
    made = empty_figure(total_w / DPI, total_h / DPI)
    from stimuli_store.tools.figures import PlotAxes

    for i, row in enumerate(rows):
        bottom = total_h - (i + 1) * (height + above) - i * _GAP
        for j, panel in enumerate(row):
            left = _GAP + j * (width + _GAP)
            axes = made.add_axes(
                (left / total_w, bottom / total_h, width / total_w, height / total_h),
                axes_class=PlotAxes,
            )
            axes.set_axis_off()
            low, high = panel.shown
            style = {"interpolation": "nearest", "aspect": "auto", "vmin": low, "vmax": high}
            pixels = panel.pixels
            if pixels.ndim == 3:  # matplotlib does not scale colours
                pixels = np.clip((pixels - low) / (high - low or 1), 0, 1)
            axes.imshow(pixels, **{"cmap": cmap, **style, **imshow})
            axes.set_title(panel.title, fontsize=9, pad=3, linespacing=1.2)
    return made


def panel_size(rows: Sequence[Sequence[Panel]], zoom: float) -> tuple[int, int]:
    """Return the (height, width) of all panels in display pixels, after checking that they agree."""
    shapes = {panel.pixels.shape for row in rows for panel in row}
    sizes = {shape[:2] if shape[2:] in ((), (3,), (4,)) else shape for shape in shapes}
    if len(sizes) != 1:
        raise InputError(
            f"panels of one figure must have the same size; these have {sorted(sizes)}"
        )
    size = sizes.pop()
    check_zoom(zoom)
    shown = [n * zoom for n in size]
    whole = zoom >= 1 and float(zoom).is_integer()
    fraction = 0 < zoom < 1 and all(abs(n - round(n)) < 1e-9 for n in (*shown, 1 / zoom))
    if len(size) != 2 or not (whole or fraction):
        raise InputError(
            "panels must be (height, width) or (height, width, 3), and zoom a whole number, or 1/d where d "
            f"divides height and width; not {size} and zoom {zoom}"
        )
    return round(shown[0]), round(shown[1])

"""Plot of targets and their stimuli."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.plots import style
from stimuli_store.errors import InputError
from stimuli_store.tools.figures import PlotFigure


@dataclass(frozen=True, kw_only=True)
class Tile:
    """An image with a heading above and a note below.

    Attributes
    ----------
    pixels
        The image, uint8, (H, W) or (H, W, 3).
    heading, note
        Lines of text above it and below it; no note by default.

    Examples
    --------
    >>> import numpy as np
    >>> Tile(pixels=np.zeros((4, 4), np.uint8), heading="target").heading
    'target'
    """

    pixels: np.ndarray
    heading: str
    note: str = ""


def display_stimuli(rows: Sequence[Sequence[Tile]]) -> PlotFigure:
    """Draw rows of images with the grey levels of the screen (0 black, 255 white).

    Parameters
    ----------
    rows
        Tiles from the top down and from left to right; rows may differ in length.

    Returns
    -------
    PlotFigure
        A figure with axes for each tile; a notebook shows it.

    Raises
    ------
    InputError
        If there is no tile.

    Examples
    --------
    >>> grey = np.full((4, 4), 128, dtype=np.uint8)
    >>> figure = display_stimuli([[Tile(pixels=grey, heading="target")]])
    >>> [axes.get_title() for axes in figure.axes]
    ['target']
    """
    if not any(rows):
        raise InputError("there is no stimulus to draw; give at least one row with one tile")
    columns = max(len(row) for row in rows)
    made = style.figure(1.2 * columns + 0.2, 1.75 * len(rows))
    grid = made.subplots(len(rows), columns, squeeze=False)
    for axes_row, row in zip(grid, rows, strict=True):
        for place, axes in enumerate(axes_row):
            axes.set_axis_off()
            if place < len(row):
                tile = row[place]
                # Whole pixels where they are enlarged; where they are reduced, none is left out.
                axes.imshow(tile.pixels, cmap="gray", vmin=0, vmax=255, interpolation="auto")
                axes.set_title(tile.heading, fontsize=9, color=style.INK, pad=3)
                note = axes.text(
                    0.5,
                    -0.04,
                    tile.note,
                    transform=axes.transAxes,
                    ha="center",
                    va="top",
                    fontsize=7.5,
                    color=style.QUIET,
                )
                note.set_in_layout(False)  # a wide note must not make its picture small
    return made

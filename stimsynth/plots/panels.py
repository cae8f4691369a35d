"""Figures with rows of images whose pixels are whole blocks of display pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.blank import DPI, empty_figure
from stimsynth.plots.checks import check_zoom
from stimsynth.plots.gates import drawn_with
from stimsynth.plots.ranges import Range
from stimsynth.plots.titles import LINE, TITLE_POINTS, fitted_title, text_width
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from stimuli_store.tools.figures import PlotFigure

_GAP = 10  # pixels between images
_MOST = 10_000  # pixels of a side of a picture
_LARGEST = 2**16 - 1  # pixels of a side of a figure, the most that matplotlib draws
_ROOM = 120  # pixels that a title may take, if its image is narrower


@dataclass(frozen=True, kw_only=True)
class Panel:
    """An image with its title and the values shown as black and white.

    Attributes
    ----------
    pixels
        Shape (height, width) for grey; (height, width, 3 or 4) for colours.
    title
        Title above the image; too long lines are broken.
    shown
        Values of black and white.
    zoom
        Display pixels per image pixel, in addition to the figure's zoom.
    cmap
        Colour map; None for the figure's.
    """

    pixels: np.ndarray
    title: str
    shown: Range
    zoom: float = 1.0
    cmap: str | None = None


@dataclass(frozen=True, kw_only=True)
class PanelLayout:
    """Places of panels in display pixels, from the top left corner.

    Attributes
    ----------
    boxes
        (left, top, width, height) of each image, row by row.
    titles
        Titles with line breaks, row by row.
    width, height
        Size of the whole.
    """

    boxes: tuple[tuple[tuple[int, int, int, int], ...], ...]
    titles: tuple[tuple[str, ...], ...]
    width: int
    height: int


def lay_out(rows: Sequence[Sequence[Panel]], zoom: float = 1.0) -> PanelLayout:
    """Return the places of panels in rows, each centred in a cell; the cells are equally wide.

    Parameters
    ----------
    rows
        Panels from the top down and from left to right; rows may differ in length.
    zoom
        Display pixels per image pixel: a whole number, or 1 divided by a number that divides height and
        width.

    Raises
    ------
    InputError
        If `zoom` does not give whole pixels.
    """
    sizes = [[shown_size(panel, zoom) for panel in row] for row in rows]
    widest = max(width for row in sizes for _, width in row)
    words = [line for row in rows for panel in row for line in panel.title.split("\n")]
    cell = max(widest, min(_ROOM, max(int(np.ceil(text_width(line))) + 1 for line in words)))
    titles = [tuple(fitted_title(panel.title, cell + _GAP - 4) for panel in row) for row in rows]
    boxes, top = [], 0
    for row, lines in zip(sizes, titles, strict=True):
        most = max(line.count("\n") + 1 for line in lines) if any(lines) else 0
        top += _GAP + (LINE * most + 6 if most else 0)
        high = max(height for height, _ in row)
        left = _GAP
        placed = []
        for height, width in row:
            placed.append((left + (cell - width) // 2, top + (high - height) // 2, width, height))
            left += cell + _GAP
        boxes.append(tuple(placed))
        top += high
    columns = max(len(row) for row in rows)
    return PanelLayout(
        boxes=tuple(boxes),
        titles=tuple(titles),
        width=columns * (cell + _GAP) + _GAP,
        height=top + _GAP,
    )


def panel_figure(
    rows: Sequence[Sequence[Panel]], *, zoom: float = 1.0, cmap: str = "gray", **imshow: Any
) -> "PlotFigure":
    """Return a figure with rows of panels.

    Parameters
    ----------
    rows
        Panels from the top down and from left to right; rows may differ in length.
    zoom
        As for `lay_out`.
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
        If `zoom` does not give whole pixels, or the figure would be too large.
    MissingExtra
        If matplotlib is not installed.
    """
    check_zoom(zoom)
    made = empty_figure(1, 1)
    layout = lay_out(rows, zoom)
    if max(layout.width, layout.height) > _LARGEST:
        raise InputError(
            f"the figure would have {layout.width} × {layout.height} pixels, and at most {_LARGEST} a side "
            "can be drawn; show fewer, in more rows or columns, or at a smaller zoom"
        )
    made.set_size_inches(layout.width / DPI, layout.height / DPI)
    from stimuli_store.tools.figures import PlotAxes

    for panel, title, (left, top, width, height) in _placed(rows, layout):
        bottom = layout.height - top - height
        share = (
            left / layout.width,
            bottom / layout.height,
            width / layout.width,
            height / layout.height,
        )
        axes = made.add_axes(share, axes_class=PlotAxes)
        draw_panel(axes, panel, title=title, cmap=cmap, **imshow)
    return made


def _placed(
    rows: Sequence[Sequence[Panel]], layout: PanelLayout
) -> Iterator[tuple[Panel, str, tuple[int, int, int, int]]]:
    for row, titles, boxes in zip(rows, layout.titles, layout.boxes, strict=True):
        yield from zip(row, titles, boxes, strict=True)


def draw_panel(axes: "Axes", panel: Panel, *, title: str, cmap: str, **imshow: Any) -> None:
    """Draw a panel on axes that have its size, with a title that has its line breaks."""
    axes.set_axis_off()
    low, high = panel.shown
    style = {"interpolation": "nearest", "aspect": "auto", "vmin": low, "vmax": high}
    pixels = scaled_colors(panel.pixels, panel.shown)
    given = {"cmap": panel.cmap or cmap, **style, **imshow}
    for name in {"vmin", "vmax"} & imshow.keys():
        optional(a_number)(given[name], name)
        if None not in (given["vmin"], given["vmax"]) and given["vmin"] > given["vmax"]:
            raise InputError(f"vmin {given['vmin']} is above vmax {given['vmax']}")
    with drawn_with(imshow):
        axes.imshow(pixels, **given)
    axes.set_title(title, fontsize=TITLE_POINTS, pad=3, linespacing=1.2, y=1.0)


def scaled_colors(pixels: np.ndarray, shown: Range) -> np.ndarray:
    """Return colours (…, 3 or 4) scaled from a range to [0, 1], and grey values (…, width) unchanged.

    matplotlib scales only grey values. The opacity, the last of four channels, is not scaled.
    """
    if pixels.ndim == 2:
        return pixels
    low, high = shown
    colors = np.clip((pixels[..., :3] - low) / (high - low or 1), 0, 1)
    return np.concatenate([colors, np.clip(pixels[..., 3:], 0, 1)], axis=-1)


def shown_size(panel: Panel, zoom: float = 1.0) -> tuple[int, int]:
    """Return height and width of a panel in display pixels.

    Raises
    ------
    InputError
        If it is no image, or `zoom` does not give whole pixels, or too many.
    """
    shape = panel.pixels.shape
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,), (4,)) or 0 in shape:
        raise InputError(
            f"an image must be (height, width), or (height, width, 3 or 4) for colours; not {shape}"
        )
    total = zoom * panel.zoom
    shown = [side * total for side in shape[:2]]
    enlarged = total >= 1 and float(total).is_integer()
    reduced = 0 < total < 1 and all(abs(n - round(n)) < 1e-9 for n in (*shown, 1 / total))
    if not (enlarged or reduced):
        raise InputError(
            f"zoom must be a whole number, or 1/d where d divides height and width, {shape[0]} and "
            f"{shape[1]}; not {total:g}"
        )
    if max(shown) > _MOST:
        raise InputError(
            f"at zoom {total:g} the picture would be {shown[1]:.6g} × {shown[0]:.6g} display pixels; at most "
            f"{_MOST} a side can be drawn"
        )
    return round(shown[0]), round(shown[1])

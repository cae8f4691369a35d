"""Figures with several plots of one synthesis, and images drawn with whole display pixels."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.blank import PLOT_SIDE, empty_figure
from stimsynth.plots.checks import check_zoom
from stimsynth.plots.ranges import Range, display_ranges
from stimuli_store.errors import InputError
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Places = int | list[int]
"""Numbers of axes in a figure."""


def split_axes(axes: "Axes") -> list["Axes"]:
    """Return two axes side by side in the place of one, which is hidden."""
    axes.set_axis_off()
    spec = axes.get_subplotspec()
    figure = axes.figure
    if spec is not None:
        halves = spec.subgridspec(1, 2, wspace=0.4)
        return [figure.add_subplot(halves[0, half]) for half in (0, 1)]
    box = axes.get_position()
    width = box.width * 0.42
    return [figure.add_axes((left, box.y0, width, box.height)) for left in (box.x0, box.x1 - width)]


def image_pixels(images: np.ndarray, batch_idx: int, channel_idx: int | None) -> np.ndarray:
    """Return one image of a batch (batch, channel, height, width) as (height, width), or (…, 3) for colour.

    Raises
    ------
    InputError
        If there is no such image or channel, or the number of channels is not that of a colour image.
    """
    batch, channels = images.shape[:2]
    batch_idx = whole(batch_idx, "batch_idx")
    if channel_idx is not None:
        channel_idx = whole(channel_idx, "channel_idx")
    if not -batch <= batch_idx < batch:
        raise InputError(f"the batch has {batch} images; there is no batch_idx {batch_idx}")
    one = images[batch_idx]
    if channel_idx is None and channels == 1:
        return one[0]
    if channel_idx is None and channels in (3, 4):
        return np.moveaxis(one, 0, -1)
    if channel_idx is None or not -channels <= channel_idx < channels:
        raise InputError(
            f"images with {channels} channels are shown one channel at a time (1, 3 or 4 channels can be "
            f"shown together); there is no channel_idx {channel_idx}"
        )
    return one[channel_idx]


def show_image(
    axes: "Axes",
    pixels: np.ndarray,
    *,
    zoom: float | None = None,
    vrange: str | Range = "indep1",
    title: str = "",
    cmap: str = "gray",
    **imshow: Any,
) -> None:
    """Draw an image in the middle of `axes`, which are shrunk to its size.

    Parameters
    ----------
    axes
        Axes to draw on.
    pixels
        Grey (height, width), or colour (height, width, 3 or 4).
    zoom
        Display pixels per image pixel: a whole number, or 1 divided by one. None for the largest that
        fits.
    vrange
        See `stimsynth.plots.ranges.display_ranges`. Colour images are scaled to it too.
    title
        Title above the image.
    cmap, imshow
        Arguments of `matplotlib.axes.Axes.imshow`.

    Raises
    ------
    InputError
        If the image does not fit at this zoom.
    """
    box = axes.get_window_extent()
    height, width = pixels.shape[:2]
    room = min(box.width / width, box.height / height)
    room *= 1 + 1e-6  # axes that were shrunk to an image before must fit it again
    largest = float(int(room)) if room >= 1 else 1 / float(np.ceil(1 / room))
    zoom = largest if zoom is None else zoom
    check_zoom(zoom)
    if not 0 < zoom <= room:
        raise InputError(
            f"an image of {width} × {height} at zoom {zoom:g} does not fit into axes of {box.width:.0f} × "
            f"{box.height:.0f} display pixels; the largest zoom is {largest:g}"
        )
    figure = axes.figure.bbox
    wide, high = width * zoom / figure.width, height * zoom / figure.height
    place = axes.get_position()
    left = place.x0 + (place.width - wide) / 2
    bottom = place.y0 + (place.height - high) / 2
    axes.set_position((left, bottom, wide, high))
    axes.set_axis_off()
    ((low, end),) = display_ranges([pixels], vrange)
    if pixels.ndim == 3:  # matplotlib does not scale colours
        pixels = np.clip((pixels - low) / (end - low or 1), 0, 1)
    style = {"interpolation": "nearest", "aspect": "auto", "vmin": low, "vmax": end}
    axes.imshow(pixels, **{"cmap": cmap, **style, **imshow})
    axes.set_title(title, fontsize=10)


def status_figure(
    plots: Mapping[str, str],
    draw: Callable[[str, "list[Axes]"], "list[Axes]"],
    *,
    included: Collection[str],
    widths: Mapping[str, float],
    fig: "Figure | None" = None,
    axes_idx: Mapping[str, Places] | None = None,
    figsize: tuple[float, float] | None = None,
) -> tuple["Figure", dict[str, Places]]:
    """Return a figure with several plots in a row, and the numbers of the axes of each, as a `PlotTuple`.

    Parameters
    ----------
    plots
        Names of all plots, each with the name of its axes.
    draw
        Function of a plot's name and its axes that draws the plot and returns the axes it used, which may
        be new.
    included
        Plots to draw.
    widths
        Relative width of each plot; 1 by default.
    fig
        A figure with axes to use; None for a new one.
    axes_idx
        Numbers of the axes in the figure for some of the plots; the others get the first free ones. Axes
        under ``"misc"`` are not used.
    figsize
        Width and height of a new figure in inches.

    Raises
    ------
    InputError
        If there is no such plot, or not enough axes.
    """
    unknown = sorted((set(included) | set(widths)) - set(plots))
    if unknown:
        raise InputError(f"unknown plots {', '.join(unknown)} (known: {', '.join(plots)})")
    names = [name for name in plots if name in included]
    if fig is None:
        ratios = [widths.get(name, 1.0) for name in names]
        fig = empty_figure(*(figsize or (PLOT_SIDE * sum(ratios), PLOT_SIDE)))
        from stimuli_store.tools.figures import axes_in_row

        axes_in_row(fig, ratios)
        inch = 1 / fig.get_figwidth()
        fig.subplots_adjust(left=0.8 * inch, right=1 - 0.3 * inch, wspace=0.3)
    placed = dict(axes_idx or {})
    taken = {number for place in placed.values() for number in _numbers(place)}
    free = [number for number in range(len(fig.axes)) if number not in taken]
    for name in names:
        key = plots[name]
        if key not in placed and not free:
            raise InputError(f"the figure has too few axes for {', '.join(names)}")
        numbers = _numbers(placed[key]) if key in placed else [free.pop(0)]
        used = [fig.axes.index(axes) for axes in draw(name, [fig.axes[n] for n in numbers])]
        placed[key] = used[0] if len(used) == 1 else used
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple((fig, placed))


def _numbers(place: Places) -> list[int]:
    return place if isinstance(place, list) else [place]

"""Plots of convolution kernels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def filter_figure(
    kernels: Mapping[str, np.ndarray],
    *,
    zoom: float = 5.0,
    vrange: str | Range = "indep0",
    cmap: str = "RdBu_r",
    **imshow: Any,
) -> "Figure":
    """Return a figure of kernels, with a column for every filter and a row for every channel.

    Parameters
    ----------
    kernels
        Kernels by name of the filter, shape (channels, height, width), all of the same size.
    zoom
        Display pixels per pixel of a kernel.
    vrange
        See `stimsynth.plots.ranges.display_ranges`. By default every kernel has its own range, symmetric
        about zero: white is zero, red positive, blue negative.
    cmap, imshow
        See `stimsynth.plots.panels.panel_figure`.

    Raises
    ------
    InputError
        If an argument is not valid.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> figure = filter_figure({"mean": np.ones((1, 3, 3)) / 9})
    >>> len(figure.axes)
    1
    """
    channels = max(len(kernel) for kernel in kernels.values())
    flat = [
        (name if channels == 1 else f"{name} {i}", kernel[i])
        for i in range(channels)
        for name, kernel in kernels.items()
    ]
    ranges = display_ranges([pixels for _, pixels in flat], vrange)
    panels = [
        Panel(pixels=pixels, title=title, shown=shown)
        for (title, pixels), shown in zip(flat, ranges, strict=True)
    ]
    width = len(kernels)
    rows = [panels[i : i + width] for i in range(0, len(panels), width)]
    return panel_figure(rows, zoom=zoom, cmap=cmap, **imshow)

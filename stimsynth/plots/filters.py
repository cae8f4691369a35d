"""Plots of convolution kernels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.checks import check_options
from stimsynth.plots.gates import a_color_map, a_title, named_arrays, real_numbers
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import takes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@takes(kernels=named_arrays, cmap=a_color_map)
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
    check_options(imshow, "imshow", filter_figure)
    shapes = {tuple(kernel.shape) for kernel in kernels.values()}
    if len(shapes) > 1 or len(min(shapes)) != 3 or 0 in min(shapes):
        raise InputError(
            "kernels must have shape (channels, height, width), all the same; these have "
            f"{sorted(shapes)}"
        )
    (channels, *_), *_ = shapes
    flat = [
        (
            a_title(str(name) if channels == 1 else f"{name} {i}", "a name"),
            real_numbers(kernel[i], str(name)),
        )
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

"""Films of tensors with a time axis, each value a whole block of display pixels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.checks import check_options, check_zoom
from stimsynth.plots.film import Film
from stimsynth.plots.gates import a_color_map, a_frame_rate, some_titles
from stimsynth.plots.panels import panel_figure, scaled_colors
from stimsynth.plots.picture_list import Pictures, single_pictures
from stimsynth.plots.pictures import (
    ComplexParts,
    best_zoom,
    chosen_colors,
    grid_shape,
    in_rows,
    largest_size,
    titled_panels,
)
from stimsynth.plots.places import Place, draw_in_place
from stimsynth.plots.ranges import Range
from stimuli_store.errors import InputError
from stimuli_store.tools.axes import check_axes
from stimuli_store.tools.gates import a_yes_or_no, optional, takes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_DIMS = ("batch", "channel", "time", "height", "width")


@takes(
    framerate=a_frame_rate,
    repeat=a_yes_or_no,
    title=some_titles,
    cmap=optional(a_color_map),
    as_rgb=a_yes_or_no,
)
def animshow(
    video: Pictures,
    framerate: float = 2.0,
    repeat: bool = False,
    vrange: str | Range = "indep1",
    zoom: float | None = 1,
    title: str | Sequence[str] | None = "",
    col_wrap: int | None = None,
    ax: "Axes | None" = None,
    cmap: str | None = None,
    plot_complex: ComplexParts = "rectangular",
    batch_idx: int | None = None,
    channel_idx: int | None = None,
    as_rgb: bool = False,
    **kwargs: Any,
) -> Film:
    """Return a film of videos; each value becomes one display pixel or a block of them.

    Parameters
    ----------
    video
        Shape (batch, channel, time, height, width), real or complex; or a list of such, with the same number
        of frames and sizes that are whole multiples of each other.
    framerate
        Frames per second.
    repeat
        Whether the film begins again at its end.
    vrange, zoom, title, col_wrap, ax, cmap, plot_complex, batch_idx, channel_idx, as_rgb, kwargs
        As for `stimsynth.plots.imshow`; a range is the same for all frames of a video, and the zoom is 1
        unless given: None for the largest that fits.

    Returns
    -------
    Film
        A notebook shows it; ``film.save("name.mp4")`` writes it.

    Raises
    ------
    InputError
        (a ValueError) if the tensors cannot be shown so, or an argument is not valid.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> import torch
    >>> film = animshow(torch.rand(1, 1, 5, 8, 8), framerate=10, zoom=16)
    >>> len(film), film.frame(3).dtype
    (5, dtype('uint8'))
    """
    check_axes(ax)
    check_options(kwargs, "imshow", animshow)
    check_zoom(1 if zoom is None else zoom)
    singles = single_pictures(
        video,
        dims=_DIMS,
        plot_complex=plot_complex,
        batch_idx=batch_idx,
        channel_idx=channel_idx,
        as_rgb=as_rgb,
    )
    lengths = {len(single.values) for single in singles}
    if len(lengths) > 1:
        raise InputError(
            f"videos of one film must have the same number of frames; these have {sorted(lengths)}"
        )
    rows, columns = grid_shape(len(singles), col_wrap)
    colors = chosen_colors(cmap, vrange)
    if ax is None:
        chosen = best_zoom(singles, columns) if zoom is None else zoom
        panels = titled_panels(singles, vrange, chosen, title)
        figure: Any = panel_figure(in_rows(panels, columns), cmap=colors, **kwargs)
        every = figure.axes
    else:
        figure = ax.figure
        place = Place.of(ax, rows, columns, lines=0 if title is None else 3)
        chosen = place.largest_zoom(largest_size(singles)) if zoom is None else zoom
        panels = titled_panels(singles, vrange, chosen, title)
        every = draw_in_place(ax, place, panels, cmap=colors, **kwargs)
    moving: list[AxesImage] = [axes.images[-1] for axes in every]

    def draw(number: int) -> "list[AxesImage]":
        for picture, single, panel in zip(moving, singles, panels, strict=True):
            picture.set_data(scaled_colors(np.asarray(single.values[number]), panel.shown))
        return moving

    return Film(figure, draw, lengths.pop(), framerate=framerate, repeat=repeat)

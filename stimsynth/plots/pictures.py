"""Pictures of tensors, each value a whole block of display pixels."""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from stimsynth.plots.checks import check_options, check_zoom
from stimsynth.plots.gates import a_color_map, some_titles
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.picture_list import Pictures, Single, single_pictures
from stimsynth.plots.places import Place, draw_in_place
from stimsynth.plots.ranges import Range, display_ranges, range_colors, range_words
from stimuli_store.errors import InputError
from stimuli_store.tools.axes import check_axes
from stimuli_store.tools.gates import a_yes_or_no, optional, takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ComplexParts = Literal["rectangular", "polar", "logpolar"]
_SIDE = 256  # wanted display pixels of the longest side
_LEAST = 16  # the same, where many are shown
_SCREEN = 2048  # display pixels
_ROW = 12  # most pictures that make a single row, unless told
_MOST = 1000  # pictures


@takes(title=some_titles, cmap=optional(a_color_map), as_rgb=a_yes_or_no)
def imshow(
    image: Pictures,
    vrange: str | Range = "indep1",
    zoom: float | None = None,
    title: str | Sequence[str] | None = "",
    col_wrap: int | None = None,
    ax: "Axes | None" = None,
    cmap: str | None = None,
    plot_complex: ComplexParts = "rectangular",
    batch_idx: int | None = None,
    channel_idx: int | None = None,
    as_rgb: bool = False,
    **kwargs: Any,
) -> "Figure":
    """Show images; each value becomes one display pixel or a block of them, so that nothing is resampled.

    Parameters
    ----------
    image
        Shape (batch, channel, height, width), real or complex; or (height, width); or a list of such, whose
        sizes are whole multiples of each other and which are shown equally large.
    vrange
        See `stimsynth.plots.ranges.display_ranges`: the same for all with ``"auto0"`` to ``"auto3"``, each
        its own with ``"indep0"`` to ``"indep3"``, or (low, high).
    zoom
        Display pixels per pixel of the largest image: a whole number, or 1/d where d divides its height and
        width. None for the best: about 256 display pixels, or the most that `ax` has room for; less where
        many are shown, and 1/d for a photograph larger than a screen, if there is such a d.
    title
        Title of all images, or a list with one for each. A line for the range and one for the size are
        added. None for no titles at all.
    col_wrap
        Number of images in each row. None for all in one row, or, if there are over 12, for rows that make
        the figure about square.
    ax
        Axes to draw in, which shrink to whole pixels; several images are drawn in their place. None for a
        new figure.
    cmap
        Colour map of matplotlib; None for red and blue about zero with ``"auto0"`` and ``"indep0"``, and for
        grey with other ranges.
    plot_complex
        Parts of complex values, shown side by side: ``"rectangular"`` (real, imaginary), ``"polar"``
        (amplitude, phase) or ``"logpolar"`` (log2 of the amplitude, phase).
    batch_idx, channel_idx
        Number in the batch, and of the channel; None for all.
    as_rgb
        Show channels as red, green and blue (and opacity, if there is a fourth); else each as an image.
    kwargs
        Further arguments of `matplotlib.axes.Axes.imshow`.

    Returns
    -------
    Figure
        The figure with one axes for each image; a notebook shows it.

    Raises
    ------
    InputError
        (a ValueError) if the tensors cannot be shown so, or an argument is not valid.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> import torch
    >>> figure = imshow(torch.rand(2, 1, 8, 8), title=["one", "two"], vrange=(0, 1), zoom=4)
    >>> print(figure.axes[1].get_title())
    two
    range: [0, 1]
    dims: [8, 8] * 4
    """
    check_axes(ax)
    check_options(kwargs, "imshow", imshow)
    singles = single_pictures(
        image,
        plot_complex=plot_complex,
        batch_idx=batch_idx,
        channel_idx=channel_idx,
        as_rgb=as_rgb,
    )
    rows = grid_shape(len(singles), col_wrap)
    check_zoom(1 if zoom is None else zoom)
    if ax is None:
        chosen = best_zoom(singles, rows[1]) if zoom is None else zoom
        panels = titled_panels(singles, vrange, chosen, title)
        return panel_figure(in_rows(panels, rows[1]), cmap=chosen_colors(cmap, vrange), **kwargs)
    lines = 0 if title is None else 3
    place = Place.of(ax, *rows, lines=lines)
    chosen = place.largest_zoom(largest_size(singles)) if zoom is None else zoom
    panels = titled_panels(singles, vrange, chosen, title)
    draw_in_place(ax, place, panels, cmap=chosen_colors(cmap, vrange), **kwargs)
    return ax.figure  # type: ignore[return-value]


def titled_panels(
    singles: Sequence[Single],
    vrange: str | Range,
    zoom: float,
    title: str | Sequence[str] | None,
) -> list[Panel]:
    """Return pictures as panels of the same shown size, with their ranges and titles.

    Parameters
    ----------
    singles
        Pictures, or videos, of which the first frame is drawn.
    vrange, title
        As for `imshow`.
    zoom
        Display pixels per pixel of the largest.

    Raises
    ------
    InputError
        If sizes are no whole multiples, or the number of titles is another.
    """
    factors = relative_zooms(singles)
    ranges = display_ranges([single.values for single in singles], vrange)
    panels = []
    for single, given, shown, factor in zip(
        singles, _titles(title, singles), ranges, factors, strict=True
    ):
        own = zoom * factor
        pixels = single.values
        while pixels.ndim > (3 if single.colored else 2):
            pixels = pixels[0]
        words = "" if given is None else _described(given, single, shown, own)
        panels.append(Panel(pixels=pixels, title=words, shown=shown, zoom=own))
    return panels


def relative_zooms(singles: Sequence[Single]) -> list[int]:
    """Return the factors by which pictures are enlarged to the size of the largest.

    Raises
    ------
    InputError
        If one is not a whole number, or differs between height and width.
    """
    high, wide = largest_size(singles)
    factors = []
    for height, width in (single.size for single in singles):
        factor = high // height
        if (height * factor, width * factor) != (high, wide):
            raise InputError(
                "pictures of one figure must have sizes that are whole multiples of each other, to be "
                f"shown equally large; {height} × {width} and {high} × {wide} are not"
            )
        factors.append(factor)
    return factors


def largest_size(singles: Sequence[Single]) -> tuple[int, int]:
    """Return height and width of the largest picture."""
    return max(single.size for single in singles)


def best_zoom(singles: Sequence[Single], columns: int = 1) -> float:
    """Return the largest whole zoom at which no side exceeds 256 display pixels, less in many columns.

    Larger pictures have zoom 1. If they are larger than a screen and all of one size, the zoom is 1/d for the
    least d that divides height and width and makes them fit, if there is one.
    """
    side = min(_SIDE, max(_LEAST, _SCREEN // columns))
    longest = max(largest_size(singles))
    sizes = {single.size for single in singles}
    if longest <= _SCREEN or len(sizes) > 1:
        return float(max(1, side // longest))
    both = math.gcd(*sizes.pop())
    fitting = (d for d in range(2, both + 1) if both % d == 0 and longest <= _SCREEN * d)
    return 1 / next(fitting, 1)


def grid_shape(count: int, col_wrap: int | None) -> tuple[int, int]:
    """Return the numbers of rows and columns of `count` pictures.

    Raises
    ------
    InputError
        If there are more than a figure can show.

    Examples
    --------
    >>> grid_shape(5, 3), grid_shape(5, None), grid_shape(500, None)
    ((2, 3), (1, 5), (22, 23))
    """
    if count > _MOST:
        raise InputError(
            f"a figure can show {_MOST} pictures, not {count}; choose some, as by batch_idx or images[:100]"
        )
    square = count if count <= _ROW else math.ceil(math.sqrt(count))
    columns = square if col_wrap is None else min(whole(col_wrap, "col_wrap", 1), count)
    return -(-count // columns), columns


def in_rows(panels: Sequence[Panel], columns: int) -> list[Sequence[Panel]]:
    """Return panels in rows of `columns`; the last row may be shorter."""
    return [panels[start : start + columns] for start in range(0, len(panels), columns)]


def chosen_colors(cmap: str | None, vrange: str | Range) -> str:
    """Return the given colour map, or else the one of the range."""
    return range_colors(vrange) if cmap is None else cmap


def _titles(title: str | Sequence[str] | None, singles: Sequence[Single]) -> Sequence[str | None]:
    """Return a title for each picture; a title in a list counts for both parts of a complex image."""
    if title is None or isinstance(title, str):
        return [title] * len(singles)
    given = list(title)
    # Complex images have two parts, the first of which begins a new image.
    first_parts = {"", "real", "amplitude", "log2 amplitude"}
    numbers = list(accumulate(int(single.part in first_parts) for single in singles))
    if len(given) == numbers[-1]:
        return [given[number - 1] for number in numbers]
    if len(given) != len(singles):
        raise InputError(
            "a list of titles needs one for each image; "
            f"{len(given)} were given for {numbers[-1]} image{'s' * (numbers[-1] > 1)}"
        )
    return given


def _described(title: str, single: Single, shown: Range, zoom: float) -> str:
    """Return a title with its part, the range and the size."""
    height, width = single.frame or single.size
    first = " ".join(word for word in (title, single.part) if word)
    size = f"dims: [{height}, {width}] * {zoom:g}"
    return "\n".join([*([first] if first else []), range_words(single.values, shown), size])

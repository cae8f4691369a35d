"""Pictures of the coefficients of a pyramid, a row for each scale."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from stimsynth.plots.checks import check_options, check_zoom
from stimsynth.plots.gates import a_color_map
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.picture_list import Single, single_pictures
from stimsynth.plots.pictures import ComplexParts, chosen_colors
from stimsynth.plots.ranges import Range, display_ranges, range_words
from stimsynth.transforms.pyramids.layout import split_orientations, stack_orientations
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import a_yes_or_no, optional, takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@takes(show_residuals=a_yes_or_no, cmap=optional(a_color_map))
def pyrshow(
    pyr_coeffs: Mapping[Any, Tensor],
    vrange: str | Range = "indep1",
    zoom: float = 1,
    show_residuals: bool = True,
    cmap: str | None = None,
    plot_complex: ComplexParts = "rectangular",
    batch_idx: int = 0,
    channel_idx: int = 0,
    **kwargs: Any,
) -> "Figure":
    """Show the coefficients of a pyramid for one image: a row for each scale, a column for each orientation.

    Parameters
    ----------
    pyr_coeffs
        Coefficients as returned by a pyramid's ``forward``: bands (batch, channel, orientations, height,
        width) by scale, or (batch, channel, height, width) by (scale, orientation), and the residuals.
    vrange, cmap, plot_complex
        As for `stimsynth.plots.imshow`.
    zoom
        Display pixels per coefficient of the largest scale: a whole number, or 1/d where d divides its
        height and width. Smaller scales are enlarged to its size, by whole numbers.
    show_residuals
        Whether to show the high-pass residual above and the low-pass residual below the scales.
    batch_idx, channel_idx
        Number in the batch, and of the channel.
    kwargs
        Further arguments of `matplotlib.axes.Axes.imshow`.

    Returns
    -------
    Figure
        The figure; a notebook shows it.

    Raises
    ------
    InputError
        (a ValueError) if an argument is not valid, or there are no coefficients to show.
    MissingExtra
        If matplotlib is not installed.

    Examples
    --------
    >>> import torch
    >>> from stimsynth.transforms import SteerablePyramidFreq
    >>> pyramid = SteerablePyramidFreq((32, 32), height=2, order=1)
    >>> figure = pyrshow(pyramid(torch.rand(1, 1, 32, 32)))
    >>> [axes.get_title().split("\\n")[0] for axes in figure.axes[:3]]
    ['high-pass residual', 'scale 0, band 0', 'scale 0, band 1']
    """
    if not isinstance(pyr_coeffs, Mapping):
        raise WrongType(
            "pyrshow needs the coefficients that a pyramid's forward returns, a dictionary; not "
            f"{type(pyr_coeffs).__name__}"
        )
    check_options(kwargs, "imshow", pyrshow)
    check_zoom(zoom)
    levels = stack_orientations(pyr_coeffs)
    item, channel = whole(batch_idx, "batch_idx"), whole(channel_idx, "channel_idx")
    rows: list[list[tuple[str, Single]]] = []
    for level in _ordered(list(levels)):
        if show_residuals or isinstance(level, int):
            bands = split_orientations({level: levels[level]})
            rows.append(
                [
                    (_name(key), single)
                    for key, band in bands.items()
                    for single in single_pictures(
                        band, plot_complex=plot_complex, batch_idx=item, channel_idx=channel
                    )
                ]
            )
    if not rows:
        raise InputError("there are only residuals, which show_residuals=False leaves out")
    flat = [single for row in rows for _, single in row]
    ranges = iter(display_ranges([single.values for single in flat], vrange))
    largest = max(min(single.size) for single in flat)
    panels = [
        [_panel(name, single, next(ranges), largest, zoom) for name, single in row] for row in rows
    ]
    return panel_figure(panels, cmap=chosen_colors(cmap, vrange), **kwargs)


def _ordered(levels: list[Any]) -> Iterator[Any]:
    """Yield the levels from fine to coarse, the high-pass residual first and the low-pass residual last."""
    scales = sorted(level for level in levels if isinstance(level, int))
    yield from (level for level in levels if level == "residual_highpass")
    yield from scales
    yield from (level for level in levels if level == "residual_lowpass")


def _name(key: Any) -> str:
    if isinstance(key, tuple):
        return f"scale {key[0]}, band {key[1]}"
    return {"residual_highpass": "high-pass residual", "residual_lowpass": "low-pass residual"}[key]


def _panel(name: str, single: Single, shown: Range, largest: int, zoom: float) -> Panel:
    factor = max(1, largest // min(single.size))
    title = f"{name} {single.part}".rstrip()
    size = f"dims: [{single.size[0]}, {single.size[1]}] * {zoom * factor:g}"
    words = "\n".join([title, range_words(single.values, shown), size])
    panel = Panel(pixels=single.values, title=words, shown=shown)
    return replace(panel, zoom=zoom * factor)

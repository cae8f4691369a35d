"""Plots of maximum differentiation: of one synthesis, of a full set, and of their progress.

They plot a `stimsynth.MADCompetition`, or any object with the same attributes.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.images.arrays import to_numpy
from stimsynth.plots.blank import empty_figure, own_axes
from stimsynth.plots.canvas import image_pixels, show_image, split_axes, status_figure
from stimsynth.plots.checks import check_kind, check_size
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges
from stimsynth.validate.functions import function_name
from stimuli_store.errors import InputError
from stimuli_store.tools.axes import check_axes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLOTS = {"display_mad_image": "mad_image", "plot_loss": "loss", "plot_pixel_values": "pixel_values"}
_WIDTHS = {"plot_loss": 2.0}
_FLAT = 1e-3
_SHOWN = ("image", "mad_image", "optimized_metric_loss")


Competition = Any
"""Object to plot, with `image`, `initial_image`, `mad_image`, `saved_mad_image`, `store_progress`,
`allowed_range`, `minmax`, `optimized_metric`, `optimized_metric_loss` and `reference_metric_loss`."""


# -- one synthesis ---------------------------------------------------------------------------------


def plot_loss(
    mad: Competition,
    iteration: int | None = None,
    axes: "Axes | Sequence[Axes] | None" = None,
    **kwargs: Any,
) -> "tuple[Axes, ...]":
    """Plot both metrics over the iterations, each on its own axes, with a red dot at one iteration.

    Parameters
    ----------
    mad
        Object to plot.
    iteration
        Iteration of the dot; None for the last. Negative numbers count from the end.
    axes
        Two axes, or one that is split in two; None for a new figure.
    kwargs
        Arguments of `matplotlib.axes.Axes.plot`.

    Returns
    -------
    tuple of Axes
        Of the optimized metric and of the reference metric; a notebook shows their figure.

    Raises
    ------
    InputError
        If there is no such iteration.
    """
    check_kind(mad, _SHOWN, "MADCompetition")
    pair = _pair(axes)
    values = (mad.optimized_metric_loss, mad.reference_metric_loss)
    titles = ("Optimized metric loss", "Reference metric loss")
    for one, column, title in zip(pair, values, titles, strict=True):
        losses = np.abs(to_numpy(column))
        at = _row(iteration, len(losses))
        one.plot(losses, **kwargs)
        one.plot([at] * losses.shape[1], losses[at], "o", color="red")
        one.set(xlabel="Synthesis iteration", ylabel=title)
        low, high = losses.min(), losses.max()
        if (
            high - low < _FLAT * high
        ):  # a constant curve must not look like magnified rounding errors
            one.set_ylim(0.9 * low, 1.1 * high)
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple(pair)


def display_mad_image(
    mad: Competition,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    zoom: float | None = None,
    iteration: int | None = None,
    ax: "Axes | None" = None,
    title: str = "MADCompetition",
    **kwargs: Any,
) -> "Axes":
    """Draw the synthesized image.

    Parameters
    ----------
    mad
        Object to plot.
    batch_idx, channel_idx
        Image and channel; None for all channels of a colour image.
    zoom
        Display pixels per image pixel; None for the largest that fits.
    iteration
        None for the last; else the nearest saved iterate is shown. Negative numbers count from the end.
    ax
        Axes to draw on; None for a new figure.
    title
        Title above the image.
    kwargs
        Arguments of `stimsynth.plots.canvas.show_image`, such as `vrange`.

    Raises
    ------
    InputError
        If there is no such image, or it does not fit at this zoom.
    """
    check_kind(mad, _SHOWN, "MADCompetition")
    check_axes(ax)
    ax = own_axes() if ax is None else ax
    pixels = image_pixels(_iterate(mad, iteration), batch_idx, channel_idx)
    show_image(ax, pixels, zoom=zoom, title=title, **kwargs)
    return ax


def plot_pixel_values(
    mad: Competition,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    iteration: int | None = None,
    ylim: tuple[float, float] | bool = False,
    ax: "Axes | None" = None,
    **kwargs: Any,
) -> "Axes":
    """Plot histograms of reference and synthesized pixels, with the ends of the allowed range.

    Parameters
    ----------
    mad, batch_idx, channel_idx, iteration, ax
        As for `display_mad_image`.
    ylim
        (low, high) for the counts; False for matplotlib's limits.
    kwargs
        Arguments of `matplotlib.axes.Axes.hist`.

    Raises
    ------
    InputError
        If there is no such image.
    """
    check_kind(mad, _SHOWN, "MADCompetition")
    check_axes(ax)
    ax = own_axes("constrained") if ax is None else ax
    images = {"Reference image": to_numpy(mad.image), "MAD image": _iterate(mad, iteration)}
    shown = {n: image_pixels(x, batch_idx, channel_idx).ravel() for n, x in images.items()}
    low, high = mad.allowed_range
    every = np.concatenate([*shown.values(), [low, high]])
    style = {"bins": np.linspace(every.min(), every.max(), 65), "alpha": 0.5, **kwargs}
    for name, values in shown.items():
        ax.hist(values, label=name, **style)
    for end in (low, high):
        ax.axvline(end, color="0.5", linewidth=0.8, linestyle=":")
    ax.set(xlabel="Pixel value", ylabel="Number of pixels", title="Histogram of pixel values")
    if ylim is not False:
        ax.set_ylim(ylim)
    ax.legend(fontsize=8)
    return ax


def plot_synthesis_status(
    mad: Competition,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    iteration: int | None = None,
    vrange: str | Range = "indep1",
    zoom: float | None = None,
    fig: "Figure | None" = None,
    axes_idx: Mapping[str, int | list[int]] | None = None,
    figsize: tuple[float, float] | None = None,
    included_plots: Sequence[str] = tuple(PLOTS),
    width_ratios: Mapping[str, float] | None = None,
) -> tuple["Figure", dict[str, int | list[int]]]:
    """Plot image, metrics and pixel values of a synthesis; return the figure and numbers of its axes.

    Parameters
    ----------
    mad, batch_idx, channel_idx, iteration, zoom
        As for `display_mad_image`.
    vrange
        See `stimsynth.plots.ranges.display_ranges`.
    fig
        A figure with axes to use; None for a new one.
    axes_idx
        Numbers of the axes for ``"mad_image"``, ``"loss"`` (one or two) and ``"pixel_values"``; the others
        get the first free ones. Axes under ``"misc"`` are not used.
    figsize
        Width and height of a new figure in inches.
    included_plots
        Some of ``"display_mad_image"``, ``"plot_loss"`` and ``"plot_pixel_values"``.
    width_ratios
        Relative width of each; 1 by default, 2 for the two axes of ``"plot_loss"``.

    Returns
    -------
    fig
        The figure.
    axes_idx
        Numbers of the axes of each plot.

    Raises
    ------
    InputError
        If there is no such plot, image or iteration, or there are not enough axes.
    """
    check_kind(mad, _SHOWN, "MADCompetition")
    if figsize is not None:
        check_size(figsize)

    def draw(name: str, axes: "list[Axes]") -> "list[Axes]":
        if name == "plot_loss":
            return list(plot_loss(mad, iteration, axes if len(axes) == 2 else axes[0]))
        if name == "plot_pixel_values":
            return [plot_pixel_values(mad, batch_idx, channel_idx, iteration, ax=axes[0])]
        ax = axes[0]
        return [display_mad_image(mad, batch_idx, channel_idx, zoom, iteration, ax, vrange=vrange)]

    return status_figure(
        PLOTS,
        draw,
        included=included_plots,
        widths={**_WIDTHS, **(width_ratios or {})},
        fig=fig,
        axes_idx=axes_idx,
        figsize=figsize,
    )


def animate(
    mad: Competition,
    framerate: float = 10,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    zoom: float | None = None,
    fig: "Figure | None" = None,
    axes_idx: Mapping[str, int | list[int]] | None = None,
    figsize: tuple[float, float] | None = None,
    included_plots: Sequence[str] = tuple(PLOTS),
    width_ratios: Mapping[str, float] | None = None,
) -> "FuncAnimation":
    """Return an animation of `plot_synthesis_status` over the saved iterates.

    Parameters
    ----------
    mad, batch_idx, channel_idx, zoom, fig, axes_idx, figsize, included_plots, width_ratios
        As for `plot_synthesis_status`.
    framerate
        Frames per second.

    Returns
    -------
    FuncAnimation
        ``animation.save(path)`` writes it, ``animation.to_jshtml()`` shows it in a notebook.

    Raises
    ------
    InputError
        If no iterates were saved.
    """
    frames = len(mad.saved_mad_image)
    if not frames:
        raise InputError("no iterates were saved; call synthesize with store_progress=1 first")
    draw = partial(
        plot_synthesis_status,
        mad,
        batch_idx,
        channel_idx,
        zoom=zoom,
        vrange=mad.allowed_range,
        included_plots=included_plots,
    )
    figure, placed = draw(0, fig=fig, axes_idx=axes_idx, figsize=figsize, width_ratios=width_ratios)
    own = [placed[PLOTS[name]] for name in included_plots]
    numbers = [n for place in own for n in (place if isinstance(place, list) else [place])]
    from matplotlib.animation import FuncAnimation

    def update(frame: int) -> list[Any]:
        for number in numbers:
            figure.axes[number].clear()
        draw(frame * mad.store_progress, fig=figure, axes_idx=placed)
        return []

    return FuncAnimation(
        figure, update, frames=frames, interval=1000 / framerate, blit=False, repeat=False
    )


# -- a full set ------------------------------------------------------------------------------------


def display_mad_image_all(
    mad_metric1_min: Competition,
    mad_metric2_min: Competition,
    mad_metric1_max: Competition,
    mad_metric2_max: Competition,
    metric1_name: str | None = None,
    metric2_name: str | None = None,
    zoom: float = 1,
    vrange: str | Range = "auto1",
    **kwargs: Any,
) -> "Figure":
    """Draw reference and start, and below them the images with least and largest value of each metric.

    Parameters
    ----------
    mad_metric1_min, mad_metric2_min, mad_metric1_max, mad_metric2_max
        The four competitions. The first image of the batch is shown.
    metric1_name, metric2_name
        None for the names of the functions that `mad_metric1_min` and `mad_metric2_min` optimize.
    zoom
        Display pixels per image pixel: a whole number, or 1/d where d divides height and width.
    vrange
        See `stimsynth.plots.ranges.display_ranges`; one range for all by default.
    kwargs
        Further arguments of `matplotlib.axes.Axes.imshow`.

    Raises
    ------
    InputError
        If the four have different reference images.
    """
    four = (mad_metric1_min, mad_metric1_max, mad_metric2_min, mad_metric2_max)
    names = _names(four, metric1_name, metric2_name)
    shown = [(names[0], four[0]), (names[0], four[1]), (names[1], four[2]), (names[1], four[3])]
    titled = [
        ("Reference image", four[0].image),
        ("Initial image", four[0].initial_image),
        *((f"{'Least' if m.minmax == 'min' else 'Largest'} {n}", m.mad_image) for n, m in shown),
    ]
    pixels = [image_pixels(to_numpy(image), 0, None) for _, image in titled]
    ranges = display_ranges(pixels, vrange)
    panels = [
        Panel(pixels=x, title=title, shown=r)
        for (title, _), x, r in zip(titled, pixels, ranges, strict=True)
    ]
    return panel_figure([panels[0:2], panels[2:4], panels[4:6]], zoom=zoom, **kwargs)


def plot_loss_all(
    mad_metric1_min: Competition,
    mad_metric2_min: Competition,
    mad_metric1_max: Competition,
    mad_metric2_max: Competition,
    metric1_name: str | None = None,
    metric2_name: str | None = None,
    metric1_kwargs: Mapping[str, Any] | None = None,
    metric2_kwargs: Mapping[str, Any] | None = None,
    min_kwargs: Mapping[str, Any] | None = None,
    max_kwargs: Mapping[str, Any] | None = None,
    figsize: tuple[float, float] = (10, 5),
) -> "Figure":
    """Plot both metrics over the iterations of a full set: one changes while the other stays constant.

    Parameters
    ----------
    mad_metric1_min, mad_metric2_min, mad_metric1_max, mad_metric2_max, metric1_name, metric2_name
        As for `display_mad_image_all`.
    metric1_kwargs, metric2_kwargs
        Arguments of `matplotlib.axes.Axes.plot` for competitions that optimize this metric; None for colours
        C0 and C1.
    min_kwargs, max_kwargs
        The same for competitions that minimize or maximize; None for dashed and solid lines.
    figsize
        Width and height in inches.

    Raises
    ------
    InputError
        If the four have different reference images.
    """
    four = (mad_metric1_min, mad_metric1_max, mad_metric2_min, mad_metric2_max)
    names = _names(four, metric1_name, metric2_name)
    check_size(figsize)
    of_metric = ({"color": "C0"}, {"color": "C1"})
    given = (metric1_kwargs, metric2_kwargs)
    colours = [d if k is None else dict(k) for d, k in zip(of_metric, given, strict=True)]
    lines = {
        "min": {"linestyle": "--"} if min_kwargs is None else dict(min_kwargs),
        "max": {"linestyle": "-"} if max_kwargs is None else dict(max_kwargs),
    }
    figure = empty_figure(*figsize)
    pair = figure.subplots(1, 2)
    for number, mad in enumerate(four):
        pushed = number // 2
        label = f"{'Minimize' if mad.minmax == 'min' else 'Maximize'} {names[pushed]}"
        columns = (mad.optimized_metric_loss, mad.reference_metric_loss)
        for metric, axes in enumerate(pair):
            losses = np.abs(to_numpy(columns[0 if metric == pushed else 1]))
            axes.plot(losses, label=label, **{**colours[pushed], **lines[mad.minmax]})
    for name, axes in zip(names, pair, strict=True):
        axes.set(xlabel="Synthesis iteration", ylabel="Loss", title=name)
    handles, labels = pair[1].get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    figure.legend(unique.values(), unique.keys(), loc="lower center", ncols=4, fontsize=9)
    return figure


# -- pieces ----------------------------------------------------------------------------------------


def _pair(axes: Any) -> "list[Axes]":
    if axes is None:
        figure = empty_figure(10, 4)
        figure.subplots_adjust(wspace=0.3)
        return list(figure.subplots(1, 2))
    if not isinstance(axes, Sequence | np.ndarray):
        check_axes(axes, "axes")
    pair = split_axes(axes) if hasattr(axes, "plot") else list(axes)
    if len(pair) != 2 or not all(hasattr(one, "plot") for one in pair):
        raise InputError(f"plot_loss needs two axes, or one to split; not {len(pair)}")
    return pair


def _row(iteration: int | None, rows: int) -> int:
    """Return the number of an iteration, counted from the start, after checking it."""
    if not rows:
        raise InputError("there are no losses to plot; call synthesize first")
    number = -1 if iteration is None else whole(iteration, "iteration")
    if not -rows <= number < rows:
        raise InputError(f"iterations go from 0 to {rows - 1}; there is no iteration {iteration}")
    return number % rows


def _iterate(mad: Competition, iteration: int | None) -> np.ndarray:
    """Return the saved iterate (batch, …) that is nearest to an iteration."""
    last = len(mad.optimized_metric_loss) - 1
    if iteration is None or _row(iteration, last + 1) == last:
        return to_numpy(mad.mad_image)
    kept = mad.saved_mad_image
    if not len(kept):
        raise InputError(
            "only the last iterate can be shown, no others were saved; call synthesize with store_progress"
        )
    nearest = round(_row(iteration, last + 1) / mad.store_progress)
    return to_numpy(kept[min(nearest, len(kept) - 1)])


def _names(
    four: Sequence[Competition], metric1_name: str | None, metric2_name: str | None
) -> tuple[str, str]:
    """Return the names of both metrics, after checking that all four have the same reference image."""
    for mad in four:
        check_kind(mad, _SHOWN, "MADCompetition")
    first = to_numpy(four[0].image)
    if any(not np.array_equal(first, to_numpy(mad.image)) for mad in four[1:]):
        raise InputError(
            "the four competitions must have the same reference image; these have different ones"
        )
    return (
        function_name(four[0].optimized_metric) if metric1_name is None else metric1_name,
        function_name(four[2].optimized_metric) if metric2_name is None else metric2_name,
    )

"""Figures with several plots of a synthesis, still and as films."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.blank import DPI, PLOT_SIDE, empty_figure
from stimsynth.plots.checks import check_size, check_zoom
from stimsynth.plots.film import Film
from stimsynth.plots.gates import (
    a_frame_rate,
    an_index,
    film_limits,
    list_of_names,
    plot_figure,
    positive_numbers,
    some_limits,
)
from stimsynth.plots.outputs.grid import split_axes
from stimsynth.plots.outputs.stems import YLimits
from stimsynth.plots.ranges import Range
from stimsynth.plots.syntheses.moving import (
    Moving,
    moving_curves,
    moving_error,
    moving_histogram,
    moving_image,
)
from stimsynth.plots.syntheses.views import (
    ERROR,
    HISTOGRAM,
    LOSS,
    Synthesis,
    SynthesisView,
    curves_of,
    view_of,
)
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_mapping, a_yes_or_no, optional, takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Places = int | list[int]
"""Numbers of axes in a figure."""


@takes(
    batch_idx=an_index,
    ylim=some_limits,
    plot_representation_error_as_rgb=a_yes_or_no,
    fig=optional(plot_figure),
    axes_idx=optional(a_mapping),
    width_ratios=optional(positive_numbers),
    included_plots=optional(list_of_names("plot_loss")),
)
def plot_synthesis_status(
    synthesis: Synthesis,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    iteration: int | None = None,
    *,
    ylim: YLimits = None,
    vrange: str | Range = "indep1",
    zoom: float | None = None,
    plot_representation_error_as_rgb: bool = False,
    fig: "Figure | None" = None,
    axes_idx: Mapping[str, Places] | None = None,
    figsize: tuple[float, float] | None = None,
    included_plots: Collection[str] | None = None,
    width_ratios: Mapping[str, float] | None = None,
) -> tuple["Figure", dict[str, Places]]:
    """Plot image, loss and more of a synthesis side by side; return the figure and numbers of its axes.

    Parameters
    ----------
    synthesis
        A `Metamer`, `MADCompetition`, `Geodesic` or `OptimizedImage`.
    batch_idx, channel_idx, iteration
        As for `display_metamer`.
    ylim
        As for `plot_representation_error`.
    vrange, zoom
        As for `display_metamer`.
    plot_representation_error_as_rgb
        Whether the 3 or 4 channels of the representation error are colours.
    fig
        A figure with axes to use; None for a new one.
    axes_idx
        Numbers of the axes for some of the plots, by name; the others get the first free ones. Axes under
        ``"misc"`` are not used. For a competition the names are ``"mad_image"``, ``"loss"`` (one or two
        axes) and ``"pixel_values"``.
    figsize
        Width and height of a new figure in inches; None for 5 by 5 for each plot.
    included_plots
        Some of ``"display_metamer"``, ``"plot_loss"``, ``"plot_representation_error"`` (these by default)
        and ``"plot_pixel_values"``; for other methods ``"display_mad_image"``, ``"display_geodesic"`` or
        ``"display_image"``, without the error.
    width_ratios
        Relative width of each; 1 by default, 2 for the two plots of the metrics of a competition.

    Returns
    -------
    fig
        The figure; a notebook shows it.
    axes_idx
        Numbers of the axes of each plot.

    Raises
    ------
    InputError
        If there is no such plot, image or iteration, or there are not enough axes.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> image = images.load("camera", size=16)
    >>> metamer = Metamer(image, remove_grad(Gaussian(3)), seed=0)
    >>> metamer.synthesize(max_iter=2, store_progress=True)
    >>> figure, places = plot_synthesis_status(metamer)
    >>> sorted(places)
    ['display_metamer', 'plot_loss', 'plot_representation_error']
    """
    view = view_of(synthesis)
    images = view.images(iteration)
    figure, placed, _ = _status(
        synthesis,
        view,
        images,
        iteration=iteration,
        batch_idx=batch_idx,
        channel_idx=channel_idx,
        zoom=zoom,
        vrange=vrange,
        ylim=ylim,
        as_rgb=plot_representation_error_as_rgb,
        frames=1,
        fig=fig,
        axes_idx=axes_idx,
        figsize=figsize,
        included=included_plots,
        widths=width_ratios,
    )
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple((figure, placed))


@takes(
    framerate=a_frame_rate,
    batch_idx=an_index,
    ylim=film_limits,
    plot_representation_error_as_rgb=a_yes_or_no,
    fig=optional(plot_figure),
    axes_idx=optional(a_mapping),
    width_ratios=optional(positive_numbers),
    included_plots=optional(list_of_names("plot_loss")),
)
def animate(
    synthesis: Synthesis,
    framerate: float = 10,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    *,
    ylim: YLimits | str = None,
    vrange: str | Range | None = None,
    zoom: float | None = None,
    plot_representation_error_as_rgb: bool = False,
    fig: "Figure | None" = None,
    axes_idx: Mapping[str, Places] | None = None,
    figsize: tuple[float, float] | None = None,
    included_plots: Collection[str] | None = None,
    width_ratios: Mapping[str, float] | None = None,
) -> Film:
    """Return a film of `plot_synthesis_status` over the saved iterates.

    Parameters
    ----------
    synthesis, batch_idx, channel_idx, zoom, plot_representation_error_as_rgb, fig, axes_idx, figsize
        As for `plot_synthesis_status`.
    included_plots, width_ratios
        As for `plot_synthesis_status`.
    framerate
        Frames per second.
    ylim
        As for `plot_representation_error`, from the first iterate; ``"rescaleN"`` to set the limits anew
        every N frames, and ``"rescale"`` to do so ten times.
    vrange
        As for `display_metamer`; None for the synthesis's allowed range.

    Returns
    -------
    Film
        A notebook shows it; ``film.save("name.mp4")`` writes it.

    Raises
    ------
    InputError
        If no iterates were saved, or an argument is not valid.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(7)))
    >>> met.synthesize(max_iter=4, store_progress=2)
    >>> len(animate(met))
    3
    """
    view = view_of(synthesis)
    kept = view.stored()
    figure, _, pieces = _status(
        synthesis,
        view,
        kept[0],
        iteration=0,
        batch_idx=batch_idx,
        channel_idx=channel_idx,
        zoom=zoom,
        vrange=view.allowed_range if vrange is None else vrange,
        ylim=ylim,
        as_rgb=plot_representation_error_as_rgb,
        frames=len(kept),
        fig=fig,
        axes_idx=axes_idx,
        figsize=figsize,
        included=included_plots,
        widths=width_ratios,
    )

    def draw(number: int) -> "list[Artist]":
        iterate = min(number * view.every, view.last)
        return [a for piece in pieces for a in piece.follow(iterate, kept[number])]

    return Film(figure, draw, len(kept), framerate=framerate)


def _status(
    synthesis: Synthesis,
    view: SynthesisView,
    images: np.ndarray,
    *,
    fig: "Figure | None",
    axes_idx: Mapping[str, Places] | None,
    figsize: tuple[float, float] | None,
    included: Collection[str] | None,
    widths: Mapping[str, float] | None,
    **settings: Any,
) -> tuple["Figure", dict[str, Places], list[Moving]]:
    """Return a figure with the plots of an iterate, the numbers of their axes, and the plots."""
    if figsize is not None:
        check_size(figsize)
    check_zoom(1 if settings["zoom"] is None else settings["zoom"])
    names = _included(view, included, widths, axes_idx)
    curves = curves_of(synthesis)
    if fig is None:
        own = {LOSS: float(len(curves)), **(widths or {})}
        fig = _new_figure([own.get(name, 1.0) for name in names], figsize)
    placed = dict(axes_idx or {})
    pieces = []
    for name, numbers in _places(fig, view, names, placed).items():
        axes = [fig.axes[number] for number in numbers]
        piece = _piece(name, axes, synthesis, view, images, settings)
        used = [fig.axes.index(one) for one in piece.axes]
        placed[view.names[name]] = used[0] if len(used) == 1 else used
        pieces.append(piece)
    return fig, placed, pieces


def _piece(
    name: str,
    axes: "list[Axes]",
    synthesis: Synthesis,
    view: SynthesisView,
    images: np.ndarray,
    settings: Mapping[str, Any],
) -> Moving:
    """Return the plot of this name, drawn."""
    ax, batch_idx, channel_idx = axes[0], settings["batch_idx"], settings["channel_idx"]
    makers: dict[str, Callable[[], Moving]] = {
        LOSS: lambda: _losses(axes, synthesis, settings["iteration"]),
        HISTOGRAM: lambda: moving_histogram(
            ax, view, images, batch_idx=batch_idx, channel_idx=channel_idx, ylim=False
        ),
        ERROR: lambda: moving_error(
            ax,
            view,
            images,
            batch_idx=batch_idx,
            ylim=settings["ylim"],
            as_rgb=settings["as_rgb"],
            frames=settings["frames"],
        ),
    }
    picture = view.name[0].upper() + view.name[1:]
    return makers.get(
        name,
        lambda: moving_image(
            ax,
            view,
            images,
            batch_idx=batch_idx,
            channel_idx=channel_idx,
            zoom=settings["zoom"],
            vrange=settings["vrange"],
            title=picture,
        ),
    )()


def _losses(axes: "list[Axes]", synthesis: Synthesis, iteration: int | None) -> Moving:
    curves = curves_of(synthesis)
    used = split_axes(axes[0]) if len(curves) > len(axes) else axes[: len(curves)]
    return moving_curves(used, curves, iteration)


def _included(
    view: SynthesisView,
    included: Collection[str] | None,
    widths: Mapping[str, float] | None,
    axes_idx: Mapping[str, Places] | None,
) -> list[str]:
    """Return the names of the plots in their order, after checking all names."""
    chosen = view.included if included is None else included
    known = list(view.names)
    for name in [*chosen, *(widths or {})]:
        if name not in known:
            raise unknown_name(f"plot of a {view.name}", name, known)
    keys = [*view.names.values(), "misc"]
    for key in axes_idx or {}:
        if key not in keys:
            raise unknown_name("key of axes_idx", key, keys)
    drawn = {"misc", *chosen, *(view.names[name] for name in chosen)}
    for what, given in {"width_ratios": widths or {}, "axes_idx": axes_idx or {}}.items():
        for name in given:
            if name not in drawn:
                raise InputError(
                    f"{what} has {name!r}, which is not drawn; add it to included_plots, or leave it out"
                )
    return [name for name in known if name in chosen]


def _places(
    fig: "Figure", view: SynthesisView, names: list[str], placed: Mapping[str, Places]
) -> dict[str, list[int]]:
    """Return the numbers of the axes of each plot: those given, or the first free one."""
    taken = {number for place in placed.values() for number in _numbers(place)}
    if taken and not set(range(len(fig.axes))) >= taken:
        raise InputError(f"the figure has {len(fig.axes)} axes; axes_idx names {sorted(taken)}")
    free = [number for number in range(len(fig.axes)) if number not in taken]
    found = {}
    for name in names:
        key = view.names[name]
        if key not in placed and not free:
            raise InputError(f"the figure has too few axes for {', '.join(names)}")
        found[name] = _numbers(placed[key]) if key in placed else [free.pop(0)]
    return found


def _numbers(place: Places) -> list[int]:
    given = place if isinstance(place, list | tuple) else [place]
    return [whole(number, "a number of axes in axes_idx", 0) for number in given]


def _new_figure(ratios: list[float], figsize: tuple[float, float] | None) -> "Figure":
    figure = empty_figure(*(figsize or (PLOT_SIDE * sum(ratios), PLOT_SIDE)))
    from stimuli_store.tools.figures import axes_in_row

    axes_in_row(figure, ratios)
    width, height = (side / DPI for side in figure.bbox.size)
    figure.subplots_adjust(
        left=0.8 / width,
        right=1 - 0.3 / width,
        bottom=0.6 / height,
        top=1 - 0.7 / height,
        wspace=0.3,
    )
    return figure

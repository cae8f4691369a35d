"""Plots of one synthesis: its image, loss, pixel values and representation error."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stimsynth.plots.blank import empty_figure, own_axes
from stimsynth.plots.checks import check_bins, check_options, check_zoom
from stimsynth.plots.gates import an_index, drawing_axes, several_axes, some_limits, some_titles
from stimsynth.plots.outputs.grid import margined_axes, split_axes
from stimsynth.plots.outputs.stems import YLimits
from stimsynth.plots.panels import panel_figure
from stimsynth.plots.pictures import best_zoom, chosen_colors, titled_panels
from stimsynth.plots.ranges import Range
from stimsynth.plots.syntheses.moving import (
    image_of,
    moving_curves,
    moving_error,
    moving_histogram,
    moving_image,
)
from stimsynth.plots.syntheses.views import (
    Synthesis,
    SynthesisView,
    curves_of,
    view_of,
)
from stimsynth.validate.iterations import iterate_number
from stimuli_store.errors import InputError
from stimuli_store.tools.axes import check_axes
from stimuli_store.tools.gates import a_yes_or_no, takes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@takes(ax=drawing_axes, title=some_titles)
def display_metamer(
    metamer: Synthesis,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    zoom: float | None = None,
    iteration: int | None = None,
    ax: "Axes | None" = None,
    *,
    title: str | None = "Metamer",
    vrange: str | Range = "indep1",
    **kwargs: Any,
) -> "Axes":
    """Draw a metamer, or one of its stored iterates.

    Parameters
    ----------
    metamer
        A `Metamer`, `MetamerCTF` or `SimpleMetamer`.
    batch_idx, channel_idx
        Image and channel; None for all channels of a colour image.
    zoom
        Display pixels per image pixel; None for the largest that fits.
    iteration
        None for the last; else the nearest saved iterate is shown. Negative numbers count from the end.
    ax
        Axes to draw on; None for a new figure.
    title
        Title above the image, to which range and size are added; None for none.
    vrange
        See `stimsynth.plots.ranges.display_ranges`.
    kwargs
        Further arguments of `matplotlib.axes.Axes.imshow`.

    Raises
    ------
    InputError
        If there is no such image, or it does not fit at this zoom.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(7)))
    >>> met.synthesize(max_iter=2)
    >>> display_metamer(met).get_title().split("\\n")[0]
    'Metamer'
    """
    view = view_of(metamer, "metamer")
    check_options(kwargs, "imshow", display_metamer)
    return _image(view, batch_idx, channel_idx, zoom, iteration, ax, title, vrange, kwargs)


@takes(ax=drawing_axes, title=some_titles)
def display_mad_image(
    mad: Synthesis,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    zoom: float | None = None,
    iteration: int | None = None,
    ax: "Axes | None" = None,
    title: str | None = "MADCompetition",
    *,
    vrange: str | Range = "indep1",
    **kwargs: Any,
) -> "Axes":
    """Draw the image of a competition.

    Parameters
    ----------
    mad
        A `MADCompetition`.
    batch_idx, channel_idx, zoom, iteration, ax, title, vrange, kwargs
        As for `display_metamer`.

    Raises
    ------
    InputError
        If there is no such image, or it does not fit at this zoom.

    Examples
    --------
    >>> from stimsynth import MADCompetition, images, metrics
    >>> image = images.load("camera", size=16)
    >>> def one(x, y):
    ...     return 1 - metrics.ssim(x, y)
    >>> two = metrics.mse
    >>> mad = MADCompetition(image, one, two, "min", seed=0)
    >>> mad.synthesize(max_iter=1)
    >>> ax = display_mad_image(mad)
    >>> len(ax.images)
    1
    """
    view = view_of(mad, "mad_image")
    check_options(kwargs, "imshow", display_mad_image)
    return _image(view, batch_idx, channel_idx, zoom, iteration, ax, title, vrange, kwargs)


@takes(ax=drawing_axes, title=some_titles)
def display_image(
    synthesis: Synthesis,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    zoom: float | None = None,
    iteration: int | None = None,
    ax: "Axes | None" = None,
    *,
    title: str | None = "",
    vrange: str | Range = "indep1",
    **kwargs: Any,
) -> "Axes":
    """Draw the image of any synthesis; the frames of a geodesic side by side.

    Parameters
    ----------
    synthesis
        A `Metamer`, `MADCompetition`, `Geodesic` or `OptimizedImage`.
    batch_idx, channel_idx, zoom, iteration, ax, title, vrange, kwargs
        As for `display_metamer`.

    Raises
    ------
    InputError
        If there is no such image, or it does not fit at this zoom.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> image = images.load("camera", size=16)
    >>> metamer = Metamer(image, remove_grad(Gaussian(3)), seed=0)
    >>> metamer.synthesize(max_iter=2, store_progress=True)
    >>> ax = display_image(metamer)
    >>> len(ax.images)
    1
    """
    view = view_of(synthesis)
    check_options(kwargs, "imshow", display_image)
    return _image(view, batch_idx, channel_idx, zoom, iteration, ax, title, vrange, kwargs)


def _image(
    view: SynthesisView,
    batch_idx: int,
    channel_idx: int | None,
    zoom: float | None,
    iteration: int | None,
    ax: "Axes | None",
    title: str | None,
    vrange: str | Range,
    kwargs: dict[str, Any],
) -> "Axes":
    check_zoom(1 if zoom is None else zoom)
    images = view.images(iteration)
    if ax is None:
        single = replace(image_of(images, batch_idx, channel_idx), frame=view.frame)
        chosen = best_zoom([single]) if zoom is None else zoom
        panels = titled_panels([single], vrange, chosen, title)
        style = {"cmap": chosen_colors(None, vrange), **kwargs}
        return panel_figure([panels], **style).axes[0]
    moving_image(
        ax,
        view,
        images,
        batch_idx=batch_idx,
        channel_idx=channel_idx,
        zoom=zoom,
        vrange=vrange,
        title=title,
        **kwargs,
    )
    return ax


def plot_loss(
    synthesis: Synthesis,
    iteration: "int | Axes | None" = None,
    ax: "Axes | Sequence[Axes] | None" = None,
    *,
    axes: "Axes | Sequence[Axes] | None" = None,
    **kwargs: Any,
) -> "Axes | tuple[Axes, ...]":
    """Plot the loss of a synthesis over the iterations, with red dots at one iteration.

    The vertical axis is logarithmic. A competition has two plots, of the absolute values of its optimized and
    its reference metric; the objective of an `OptimizedImage` is plotted as it is. Each image of the batch,
    or each start of a geodesic, has a line.

    Parameters
    ----------
    synthesis
        A `Metamer`, `MADCompetition`, `Geodesic` or `OptimizedImage`, or anything with its losses.
    iteration
        Iteration of the dots; None for the last. Negative numbers count from the end. Axes are taken as `ax`.
    ax
        Axes to draw on; None for a new figure. For a competition two axes, or one that is split in two.
    axes
        Another name for `ax`.
    kwargs
        Further arguments of `matplotlib.axes.Axes.plot`.

    Returns
    -------
    Axes, or a tuple of two for a competition
        A notebook shows their figure.

    Raises
    ------
    InputError
        If there is no such iteration.

    Examples
    --------
    >>> import torch
    >>> from types import SimpleNamespace
    >>> ax = plot_loss(SimpleNamespace(losses=torch.tensor([[4.0], [2.0], [1.0]])))
    >>> ax.get_yscale(), ax.lines[0].get_ydata().tolist()
    ('log', [4.0, 2.0, 1.0])
    """
    curves = curves_of(synthesis)
    check_options(kwargs, "plot", plot_loss)
    if iteration is not None and hasattr(iteration, "plot"):
        iteration, ax = None, iteration
    iterate_number(iteration, len(curves[0].values) - 1)
    if ax is not None and axes is not None:
        raise InputError("ax and axes are two names for the same; give one of them")
    given = axes if ax is None else ax
    used = _pair(given) if len(curves) == 2 else _one(given)
    moving_curves(used, curves, iteration, **kwargs)
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple(used) if len(used) == 2 else used[0]


@takes(batch_idx=an_index, ylim=some_limits, ax=drawing_axes)
def plot_pixel_values(
    synthesis: Synthesis,
    batch_idx: int = 0,
    channel_idx: int | None = None,
    iteration: int | None = None,
    ylim: YLimits = False,
    ax: "Axes | None" = None,
    **kwargs: Any,
) -> "Axes":
    """Plot histograms of reference and synthesized pixels, with the ends of the allowed range.

    Parameters
    ----------
    synthesis
        A `Metamer`, `MADCompetition`, `Geodesic` or `OptimizedImage`.
    batch_idx, channel_idx, iteration, ax
        As for `display_metamer`.
    ylim
        (low, high) for the counts; False for matplotlib's limits.
    kwargs
        Further arguments of `matplotlib.axes.Axes.hist`.

    Raises
    ------
    InputError
        If there is no such image.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> image = images.load("camera", size=16)
    >>> metamer = Metamer(image, remove_grad(Gaussian(3)), seed=0)
    >>> metamer.synthesize(max_iter=2, store_progress=True)
    >>> ax = plot_pixel_values(metamer)
    >>> len(ax.patches) > 1
    True
    """
    view = view_of(synthesis)
    check_options(kwargs, "hist", plot_pixel_values)
    check_bins(kwargs.get("bins"))
    images = view.images(iteration)
    own = own_axes("constrained") if ax is None else ax
    moving_histogram(
        own, view, images, batch_idx=batch_idx, channel_idx=channel_idx, ylim=ylim, **kwargs
    )
    return own


@takes(ylim=some_limits, ax=drawing_axes, as_rgb=a_yes_or_no)
def plot_representation_error(
    metamer: Synthesis,
    batch_idx: int = 0,
    iteration: int | None = None,
    ylim: YLimits = None,
    ax: "Axes | None" = None,
    as_rgb: bool = False,
    **kwargs: Any,
) -> "tuple[Axes, ...]":
    """Plot the model's output for a metamer minus that for its target.

    Parameters
    ----------
    metamer
        A `Metamer`, `MetamerCTF` or `SimpleMetamer`.
    batch_idx, iteration, ax
        As for `display_metamer`.
    ylim, as_rgb
        As for `plot_representation`: None for limits of ±max|error|.
    kwargs
        Further arguments of the model's ``forward``, such as `scales`.

    Returns
    -------
    tuple of Axes
        The axes with parts of the output; a notebook shows their figure.

    Raises
    ------
    InputError
        If there is no such image, or the method has no target representation.

    Examples
    --------
    >>> from stimsynth import Gaussian, Metamer, images, remove_grad
    >>> met = Metamer(images.load("camera", size=32), remove_grad(Gaussian(7)))
    >>> met.synthesize(max_iter=2)
    >>> (ax,) = plot_representation_error(met)
    >>> error = met.model(met.metamer) - met.target_representation
    >>> bool((abs(ax.images[0].get_array() - error.detach()[0, 0].numpy()) < 1e-6).all())
    True
    """
    view = view_of(metamer, "metamer")
    images = view.images(iteration)
    if ax is None:
        ax = margined_axes((6, 5))
    return moving_error(
        ax, view, images, batch_idx=batch_idx, ylim=ylim, as_rgb=as_rgb, **kwargs
    ).axes


def _one(axes: Any) -> "list[Axes]":
    check_axes(axes)
    return [own_axes("constrained") if axes is None else axes]


def _pair(axes: Any) -> "list[Axes]":
    if axes is None:
        figure = empty_figure(10, 4, "constrained")
        from stimuli_store.tools.figures import axes_in_row

        return list(axes_in_row(figure, [1, 1]))
    pair = split_axes(axes) if hasattr(axes, "plot") else several_axes(axes, "axes")
    if len(pair) != 2:
        raise InputError(f"plot_loss needs two axes, or one to split; not {len(pair)}")
    return pair

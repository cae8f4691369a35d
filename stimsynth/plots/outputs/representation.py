"""Plots of the outputs of models: as images, as stems, or as the model itself plots them."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from stimsynth.plots.checks import check_size
from stimsynth.plots.gates import a_title, drawing_axes, some_limits
from stimsynth.plots.outputs.grid import grid_in_place, margined_axes
from stimsynth.plots.outputs.parts import Output, OutputPart, named_parts, output_parts
from stimsynth.plots.outputs.stems import (
    YLimits,
    clean_stem_plot,
    rescale_ylim,
    set_value_limits,
)
from stimsynth.plots.panels import Panel
from stimsynth.plots.places import draw_fitting
from stimsynth.plots.ranges import Range, display_ranges, range_colors, short_range
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import a_yes_or_no, takes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_FIGSIZE = (5, 5)


@takes(ax=drawing_axes, ylim=some_limits, title=a_title, as_rgb=a_yes_or_no)
def plot_representation(
    model: nn.Module | None = None,
    data: Output | None = None,
    ax: "Axes | None" = None,
    figsize: tuple[float, float] = _FIGSIZE,
    ylim: YLimits = False,
    batch_idx: int = 0,
    title: str = "",
    as_rgb: bool = False,
) -> "tuple[Axes, ...]":
    """Plot the output of a model for one image.

    A model with a method `plot_representation` plots it itself. Otherwise outputs (batch, channel, height,
    width) are shown as images, (batch, channel, n) as stems, and each entry of a dictionary on axes of its
    own. A model's `convert_to_dict` gives the dictionary, if it has one. More than 12 channels are shown side
    by side in one picture.

    Parameters
    ----------
    model
        The model; None to choose by the shape of `data`.
    data
        The model's output, or a dictionary of tensors; None only if the model's own plot needs none.
    ax
        Axes to draw in, which are divided; None for a new figure.
    figsize
        Width and height of a new figure in inches.
    ylim
        (low, high) of all; None for ±max|data|; False for what fits. For images these are the colours'
        limits; with False each has its own, symmetric about zero if some values are negative.
    batch_idx
        Number of the image in the batch.
    title
        Title above all.
    as_rgb
        Whether 3 or 4 channels are colours.

    Returns
    -------
    tuple of Axes
        The axes with parts of the output; a notebook shows their figure.

    Raises
    ------
    InputError
        (a ValueError) if there is neither data nor a model that plots itself, or an argument is not valid.
    WrongType
        (also a TypeError) if `model` is no model or `data` is one.

    Examples
    --------
    >>> import torch
    >>> axes = plot_representation(data=torch.rand(1, 2, 16, 16))
    >>> [ax.images[0].get_array().shape for ax in axes]
    [(16, 16), (16, 16)]
    """
    _check_order(model, data)
    check_size(figsize)
    if ax is not None and tuple(figsize) != _FIGSIZE:
        warnings.warn("ax is not None, so we're ignoring figsize...", stacklevel=3)
    own = getattr(model, "plot_representation", None)
    if own is not None:
        return _by_model(own, data, ax, figsize, ylim, batch_idx, title)
    parts = output_parts(named_parts(model, data), batch_idx, as_rgb=as_rgb)
    if ax is None:
        ax = margined_axes(figsize)
    made = _draw(ax, parts, title, ylim)
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple(made)


def _check_order(model: Any, data: Any) -> None:
    if isinstance(data, nn.Module) or isinstance(model, Tensor | np.ndarray | Mapping):
        raise WrongType(
            "plot_representation takes the model first and then its output; these are exchanged or the "
            "model is missing: plot_representation(data=…) plots an output alone"
        )
    if data is None and getattr(model, "plot_representation", None) is None:
        raise InputError(
            "there is nothing to plot: give data, the model's output; only a model with a "
            "plot_representation of its own can do without"
        )


def _by_model(own: Callable[..., Any], *given: Any) -> "tuple[Axes, ...]":
    """Return the axes that a model's own plot made, called with the arguments that it takes."""
    names = ("data", "ax", "figsize", "ylim", "batch_idx", "title")
    known = inspect.signature(own).parameters
    every = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    result = own(**{n: v for n, v in zip(names, given, strict=True) if every or n in known})
    found = [result] if hasattr(result, "plot") else list(result)
    # (figure, axes), as texture models return, or axes
    flat = [ax for one in found for ax in (one if isinstance(one, Sequence) else [one])]
    from stimuli_store.tools.figures import PlotTuple

    return PlotTuple(ax for ax in flat if hasattr(ax, "plot"))


def _draw(ax: "Axes", parts: Sequence[OutputPart], title: str, ylim: YLimits) -> "list[Axes]":
    images = [part.values for part in parts if part.values.ndim > 1]
    beside = 10 if len(images) == len(parts) else 44
    signed = any((values < 0).any() for values in images)
    vrange = "indep0" if signed else "indep1"
    ranges = display_ranges([part.values for part in parts], vrange)
    alone = title if len(parts) == 1 else ""
    titles = [_titled(part, alone, shown) for part, shown in zip(parts, ranges, strict=True)]
    made = grid_in_place(ax, titles, title=title, beside_px=beside)
    for one, part, shown in zip(made, parts, ranges, strict=True):
        if part.values.ndim == 1:
            clean_stem_plot(part.values, one, None, False if ylim is None else ylim)
        else:
            _draw_image(one, part, shown, range_colors(vrange))
    if ylim is None:
        rescale_ylim(made, {str(i): part.values for i, part in enumerate(parts)})
    elif ylim is not False:
        for one in made:
            set_value_limits(one, ylim)
    return made


def _titled(part: OutputPart, title: str, shown: Range) -> str:
    """Return the title of a part; that of an image, which has no axis, ends with a line for its range."""
    words = part.title or title
    return words if part.values.ndim == 1 else "\n".join(filter(None, [words, short_range(shown)]))


def _draw_image(ax: "Axes", part: OutputPart, shown: Range, cmap: str) -> None:
    panel = Panel(pixels=part.values, title=ax.get_title(), shown=shown)
    draw_fitting(ax, panel, cmap=cmap)
    (image,) = ax.images
    if part.values.ndim > 2:  # colours, whose range stays
        return

    def follow(changed: "AxesImage") -> None:
        *lines, _ = ax.get_title().split("\n")
        ax.title.set_text("\n".join([*lines, short_range(changed.get_clim())]))

    image.callbacks.connect("changed", follow)

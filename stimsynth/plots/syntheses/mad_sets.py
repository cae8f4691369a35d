"""Plots of full sets of competitions between two metrics."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.images.arrays import to_numpy
from stimsynth.plots.blank import empty_figure
from stimsynth.plots.checks import check_kind, check_size
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges
from stimsynth.plots.syntheses.moving import image_of
from stimsynth.plots.syntheses.views import Synthesis
from stimsynth.validate.functions import function_name
from stimuli_store.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = ("image", "mad_image", "optimized_metric_loss")


def display_mad_image_all(
    mad_metric1_min: Synthesis,
    mad_metric2_min: Synthesis,
    mad_metric1_max: Synthesis,
    mad_metric2_max: Synthesis,
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
    pixels = [image_of(to_numpy(image), 0, None).values for _, image in titled]
    ranges = display_ranges(pixels, vrange)
    panels = [
        Panel(pixels=x, title=title, shown=r)
        for (title, _), x, r in zip(titled, pixels, ranges, strict=True)
    ]
    return panel_figure([panels[0:2], panels[2:4], panels[4:6]], zoom=zoom, **kwargs)


def plot_loss_all(
    mad_metric1_min: Synthesis,
    mad_metric2_min: Synthesis,
    mad_metric1_max: Synthesis,
    mad_metric2_max: Synthesis,
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


def _names(
    four: Sequence[Synthesis], metric1_name: str | None, metric2_name: str | None
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

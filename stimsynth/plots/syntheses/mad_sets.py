"""Plots of full sets of competitions between two metrics."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.images.arrays import to_numpy
from stimsynth.plots.blank import empty_figure
from stimsynth.plots.checks import check_kind, check_options, check_size
from stimsynth.plots.gates import a_title, drawn_with
from stimsynth.plots.panels import Panel, panel_figure
from stimsynth.plots.ranges import Range, display_ranges
from stimsynth.plots.syntheses.competitors import check_reference, checked_four
from stimsynth.plots.syntheses.moving import image_of
from stimsynth.plots.syntheses.views import Synthesis
from stimsynth.validate.functions import function_name
from stimsynth.validate.images import IMAGE_FIRST, kept_image
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_mapping, optional, takes
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@takes(metric1_name=optional(a_title), metric2_name=optional(a_title))
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
        If the four have different reference images, or one stands at another's place. (Both metrics
        exchanged everywhere are not noticed: metric 1 is the one that comes first.)

    Examples
    --------
    >>> from stimsynth import MADCompetition, images, metrics
    >>> image = images.load("camera", size=16)
    >>> def one(x, y):
    ...     return 1 - metrics.ssim(x, y)
    >>> two = metrics.mse
    >>> pairs = [(one, two, "min"), (two, one, "min"), (one, two, "max"), (two, one, "max")]
    >>> mads = [MADCompetition(image, *pair, seed=0) for pair in pairs]
    >>> for mad in mads:
    ...     mad.synthesize(max_iter=1)
    >>> figure = display_mad_image_all(*mads)
    >>> len(figure.axes)
    6
    """
    check_options(kwargs, "imshow", display_mad_image_all)
    placed = {
        "mad_metric1_min": mad_metric1_min,
        "mad_metric1_max": mad_metric1_max,
        "mad_metric2_min": mad_metric2_min,
        "mad_metric2_max": mad_metric2_max,
    }
    names, four = _names(placed, metric1_name, metric2_name), list(placed.values())
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


@takes(
    metric1_name=optional(a_title),
    metric2_name=optional(a_title),
    metric1_kwargs=optional(a_mapping),
    metric2_kwargs=optional(a_mapping),
    min_kwargs=optional(a_mapping),
    max_kwargs=optional(a_mapping),
)
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
        If the four have different reference images, or one stands at another's place. (Both metrics
        exchanged everywhere are not noticed: metric 1 is the one that comes first.)

    Examples
    --------
    >>> from stimsynth import MADCompetition, images, metrics
    >>> image = images.load("camera", size=16)
    >>> def one(x, y):
    ...     return 1 - metrics.ssim(x, y)
    >>> two = metrics.mse
    >>> pairs = [(one, two, "min"), (two, one, "min"), (one, two, "max"), (two, one, "max")]
    >>> mads = [MADCompetition(image, *pair, seed=0) for pair in pairs]
    >>> for mad in mads:
    ...     mad.synthesize(max_iter=1)
    >>> figure = plot_loss_all(*mads)
    >>> len(figure.axes)
    2
    """
    placed = {
        "mad_metric1_min": mad_metric1_min,
        "mad_metric1_max": mad_metric1_max,
        "mad_metric2_min": mad_metric2_min,
        "mad_metric2_max": mad_metric2_max,
    }
    names, four = _names(placed, metric1_name, metric2_name), list(placed.values())
    check_size(figsize)
    for options in (metric1_kwargs, metric2_kwargs, min_kwargs, max_kwargs):
        check_options(options or {}, "plot", plot_loss_all)
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
            style = {**colours[pushed], **lines[mad.minmax]}
            with drawn_with(style):
                axes.plot(losses, label=label, **style)
    for name, axes in zip(names, pair, strict=True):
        axes.set(xlabel="Synthesis iteration", ylabel="Loss")
        axes.set_title(name, fontsize="medium")
        axes.locator_params(axis="x", integer=True)
    handles, labels = pair[1].get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    figure.legend(unique.values(), unique.keys(), loc="lower center", ncols=4, fontsize=9)
    return figure


@takes(metric_1_name=a_title, metric_2_name=a_title)
def display_mad_set(
    levels: Any,
    image: Any = None,
    batch_idx: int = 0,
    *,
    metric_1_name: str = "metric 1",
    metric_2_name: str = "metric 2",
    zoom: float = 1,
    vrange: str | Range = "auto1",
    **kwargs: Any,
) -> "Figure":
    """Draw the levels of a `mad_set`: a row for each, with the start and the four images.

    Parameters
    ----------
    levels
        Result of `stimsynth.mad_set`, or one of its levels.
    image
        The reference image, shape (batch, channel, height, width), drawn first in each row; None to leave
        it out.
    batch_idx
        Number of the image in the batch.
    metric_1_name, metric_2_name
        Names of the metrics for the titles.
    zoom
        Display pixels per image pixel: a whole number, or 1/d where d divides height and width.
    vrange
        See `stimsynth.plots.ranges.display_ranges`; one range for all by default.
    kwargs
        Further arguments of `matplotlib.axes.Axes.imshow`.

    Raises
    ------
    InputError
        If there is no level, `image` is not the reference of the set, or an argument is not valid.

    Examples
    --------
    >>> from stimsynth import images, mad_set
    >>> from stimsynth.metrics import mse, ssim
    >>> image = images.load("camera", size=32).double()
    >>> found = mad_set(image, lambda x, y: 1 - ssim(x, y), mse, [0.05, 0.1], max_iter=2)
    >>> len(display_mad_set(found, image).axes)
    12
    """
    check_options(kwargs, "imshow", display_mad_set)
    batch_idx = whole(batch_idx, "batch_idx", 0)
    every = list(levels) if isinstance(levels, list | tuple) else [levels]
    if not every:
        raise InputError("there is no level to draw; give the result of mad_set")
    names = {"metric_1": metric_1_name, "metric_2": metric_2_name}
    for level in every:
        check_kind(
            level, ("noise_level", "seed", "initial_image", "members"), "MADLevel of a mad_set"
        )
    reference = None if image is None else kept_image(image, order=IMAGE_FIRST)
    if reference is not None:
        check_reference(every, reference)
    rows = [_level_row(level, reference, batch_idx, names) for level in every]
    ranges = iter(display_ranges([pixels for row in rows for _, pixels in row], vrange))
    panels = [
        [Panel(pixels=pixels, title=title, shown=next(ranges)) for title, pixels in row]
        for row in rows
    ]
    return panel_figure(panels, zoom=zoom, **kwargs)


def _level_row(
    level: Any, image: Any, batch_idx: int, names: Mapping[str, str]
) -> list[tuple[str, np.ndarray]]:
    """Return titles and pixels of a level: reference, start, and the four images with their values."""

    def pixels(of: Any) -> np.ndarray:
        return image_of(to_numpy(of), batch_idx, None).values

    def values(of: Any) -> str:
        numbers = (f"{names[key]}: {float(getattr(of, key)[batch_idx]):.3g}" for key in names)
        return "\n".join(numbers)

    row = [] if image is None else [("Reference image\n\n", pixels(image))]
    row.append((f"Noise {level.noise_level:g}\n{values(level)}", pixels(level.initial_image)))
    for name, member in level.members.items():
        metric, _, end = name.rpartition("_")
        word = {"min": "Least", "max": "Largest"}[end]
        row.append((f"{word} {names[metric]}\n{values(member)}", pixels(member.image)))
    return row


def _names(four: Mapping[str, Synthesis], *given: str | None) -> tuple[str, str]:
    """Return the names of both metrics, after checking the four competitions."""
    made = (
        function_name(metric) if name is None else name
        for metric, name in zip(checked_four(four), given, strict=True)
    )
    first, second = made
    return first, second

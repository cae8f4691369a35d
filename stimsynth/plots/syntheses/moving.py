"""Pieces of plots of syntheses that follow the iterations of a film."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stimsynth.plots.gates import drawn_with
from stimsynth.plots.legends import ABOVE_PX, legend_above
from stimsynth.plots.outputs.representation import plot_representation
from stimsynth.plots.outputs.stems import YLimits, rescale_ylim
from stimsynth.plots.outputs.updates import update_plot
from stimsynth.plots.panels import Panel, scaled_colors
from stimsynth.plots.picture_list import Single
from stimsynth.plots.pictures import chosen_colors, titled_panels
from stimsynth.plots.places import Place, draw_fitting, draw_in_place
from stimsynth.plots.ranges import Range, display_ranges
from stimsynth.plots.syntheses.views import LossCurve, SynthesisView
from stimsynth.validate.iterations import iterate_number
from stimuli_store.errors import InputError
from stimuli_store.tools.whole import whole

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

Follow = Callable[[int, np.ndarray], "Sequence[Artist]"]
"""Function of the number of an iterate and its images that changes artists and returns them."""

_FLAT = 1e-3
_DECADE = 10.0


@dataclass(frozen=True, kw_only=True)
class Moving:
    """A plot that can follow the iterations.

    Attributes
    ----------
    axes
        The axes used.
    follow
        Function that shows another iterate.
    """

    axes: "tuple[Axes, ...]"
    follow: Follow


def image_of(images: np.ndarray, batch_idx: int, channel_idx: int | None) -> Single:
    """Return one image of a batch (batch, channel, height, width), in colour if it has 3 or 4 channels.

    Raises
    ------
    InputError
        If there is no such image or channel, or the number of channels is not that of a colour image.
    """
    batch, channels = images.shape[:2]
    batch_idx = whole(batch_idx, "batch_idx")
    if channel_idx is not None:
        channel_idx = whole(channel_idx, "channel_idx")
    if not -batch <= batch_idx < batch:
        raise InputError(f"the batch has {batch} images; there is no batch_idx {batch_idx}")
    one = images[batch_idx]
    if channel_idx is None and channels == 1:
        return Single(values=one[0])
    if channel_idx is None and channels in (3, 4):
        return Single(values=np.moveaxis(one, 0, -1), colored=True)
    if channel_idx is None or not -channels <= channel_idx < channels:
        raise InputError(
            f"images with {channels} channels are shown one channel at a time (1, 3 or 4 channels can be "
            f"shown together); there is no channel_idx {channel_idx}"
        )
    return Single(values=one[channel_idx])


def moving_image(
    axes: "Axes",
    view: SynthesisView,
    images: np.ndarray,
    *,
    batch_idx: int,
    channel_idx: int | None,
    zoom: float | None,
    vrange: str | Range,
    title: str | None,
    cmap: str | None = None,
    **imshow: Any,
) -> Moving:
    """Draw an image of a batch, with whole pixels."""
    single = image_of(images, batch_idx, channel_idx)
    place = Place.of(axes, 1, 1, lines=0)
    whole_zoom = place.whole_zoom(single.size) if zoom is None else zoom
    colors = chosen_colors(cmap, vrange)

    def panel(one: Single) -> Panel:
        single = replace(one, frame=view.frame)
        return titled_panels([single], vrange, 1.0 if whole_zoom is None else whole_zoom, title)[0]

    if whole_zoom is None:
        draw_fitting(axes, panel(single), cmap=colors, **imshow)
    else:
        draw_in_place(axes, place, [panel(single)], cmap=colors, **imshow)
    picture = axes.images[-1]
    fixed = picture.get_clim()

    def follow(_iterate: int, now: np.ndarray) -> "list[Artist]":
        one = image_of(now, batch_idx, channel_idx)
        ((low, high),) = (
            display_ranges([one.values], vrange) if isinstance(vrange, str) else (fixed,)
        )
        picture.set_data(scaled_colors(one.values, (low, high)))
        picture.set_clim(low, high)
        if title is not None and isinstance(vrange, str):
            axes.title.set_text(panel(one).title)  # in the size that it has
        return [picture]

    return Moving(axes=(axes,), follow=follow)


def moving_curves(
    axes: "Sequence[Axes]", curves: Sequence[LossCurve], iteration: int | None, **plot: Any
) -> Moving:
    """Draw curves over the iterations, each on its axes, with red dots at one iteration."""
    dots = []
    for one, curve in zip(axes, curves, strict=True):
        values = curve.values
        at = iterate_number(iteration, len(values) - 1)
        with drawn_with(plot):
            one.plot(values, **plot)
        (dot,) = one.plot([at] * values.shape[1], values[at], "o", color="red")
        dots.append(dot)
        one.set(xlabel="Synthesis iteration", ylabel=curve.title, yscale=curve.scale)
        one.locator_params(axis="x", integer=True)
        low, high = values.min(), values.max()
        if curve.scale == "log" and low > 0 and high < _DECADE * low:
            _plain_ticks(one)
        if 0 <= high - low < _FLAT * high:  # rounding errors of a constant must not look large
            one.set_ylim(0.9 * low, 1.1 * high)

    def follow(number: int, _images: np.ndarray) -> "list[Artist]":
        for dot, curve in zip(dots, curves, strict=True):
            dot.set_data([number] * curve.values.shape[1], curve.values[number])
        return list(dots)

    return Moving(axes=tuple(axes), follow=follow)


def _plain_ticks(axes: "Axes") -> None:
    """Put round numbers at a logarithmic axis that is shorter than a decade, instead of products."""
    from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter

    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def moving_histogram(
    axes: "Axes",
    view: SynthesisView,
    images: np.ndarray,
    *,
    batch_idx: int,
    channel_idx: int | None,
    ylim: YLimits,
    **hist: Any,
) -> Moving:
    """Draw histograms of the reference and of an iterate, with lines at the ends of the allowed range."""

    def values(of: np.ndarray) -> np.ndarray:
        return image_of(of, batch_idx % len(of), channel_idx).values.ravel()

    low, high = view.allowed_range
    shown = {view.name: values(images)}
    if view.reference is not None:
        shown = {view.reference_name: values(view.reference), **shown}
    every = np.concatenate([*shown.values(), [low, high]])
    every = every[np.isfinite(every)]
    style = {"bins": np.linspace(every.min(), every.max(), 65), "alpha": 0.5, **hist}
    for name, numbers in shown.items():
        finite = numbers[np.isfinite(numbers)]
        with drawn_with(hist):
            _, edges, bars = axes.hist(finite, label=name[0].upper() + name[1:], **style)
    for end in (low, high):
        axes.axvline(end, color="0.5", linewidth=0.8, linestyle=":")
    axes.set(xlabel="Pixel value", ylabel="Number of pixels")
    axes.set_title("Histogram of pixel values", pad=ABOVE_PX, fontsize="medium")
    if ylim is not False and ylim is not None:
        axes.set_ylim(ylim)
    legend_above(axes)
    moved: Any = bars

    def follow(_iterate: int, now: np.ndarray) -> "list[Artist]":
        heights, _ = np.histogram(values(now), edges)
        for bar, height in zip(moved, heights, strict=True):
            bar.set_height(height)
        return list(moved)

    return Moving(axes=(axes,), follow=follow)


def moving_error(
    axes: "Axes",
    view: SynthesisView,
    images: np.ndarray,
    *,
    batch_idx: int,
    ylim: Any,
    as_rgb: bool,
    frames: int = 1,
    **forward: Any,
) -> Moving:
    """Draw the representation error of an iterate.

    `ylim` is as for `plot_representation`, or ``"rescale"`` with or without the number of frames after which
    the limits are set anew.
    """
    error = view.error(images, **forward)
    every = _rescaled_every(ylim, frames)
    made = plot_representation(
        view.model,
        error,
        axes,
        ylim=None if every else ylim,
        batch_idx=batch_idx,
        title="Representation error",
        as_rgb=as_rgb,
    )

    def follow(iterate: int, now: np.ndarray) -> "list[Artist]":
        data = view.error(now, **forward)
        changed = update_plot(list(made), data, view.model, batch_idx)
        if every and iterate // max(view.every, 1) % every == 0:
            rescale_ylim(made, data[batch_idx])
        return changed

    return Moving(axes=made, follow=follow)


def _rescaled_every(ylim: Any, frames: int) -> int:
    """Return the number of frames between changes of the limits; 0 for none."""
    if not isinstance(ylim, str):
        return 0
    number = ylim.removeprefix("rescale")
    if not ylim.startswith("rescale") or not (number == "" or (number.isdigit() and int(number))):
        raise InputError(
            f"ylim must be (low, high), None, False, rescale, or rescaleN with N frames; not {ylim!r}"
        )
    return int(number) if number else max(1, frames // 10)

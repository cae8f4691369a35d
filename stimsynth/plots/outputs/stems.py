"""Stem plots with broken baselines, and their updates."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from stimsynth.plots.blank import own_axes
from stimsynth.plots.checks import check_options
from stimsynth.plots.gates import (
    a_title,
    axes_there,
    drawing_axes,
    drawn_with,
    list_of_names,
    plain_numbers,
    real_numbers,
    several_axes,
    some_limits,
)
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import like, optional, takes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import StemContainer

stems_gate = like("stems, such as ax.containers[0]", "markerline", "stemlines")
YLimits = tuple[float, float] | Literal[False] | None
_SPINES = ("top", "right", "bottom")


def two_lists(value: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and the ends of pieces, equally many."""
    given = list(value) if isinstance(value, list | tuple | np.ndarray) else []
    ends = [real_numbers(one, name) for one in given]
    if len(ends) != 2 or ends[0].ndim != 1 or ends[0].shape != ends[1].shape:
        raise InputError(f"{name} must be the starts and the ends of the pieces, equally many")
    return ends[0], ends[1]


@takes(
    data=real_numbers,
    ax=drawing_axes,
    title=optional(a_title),
    ylim=some_limits,
    xvals=optional(two_lists),
)
def clean_stem_plot(
    data: Any,
    ax: "Axes | None" = None,
    title: str | None = "",
    ylim: YLimits = None,
    xvals: tuple[Sequence[float], Sequence[float]] | None = None,
    **kwargs: Any,
) -> "Axes":
    """Plot numbers as stems, without a frame and without ticks for their positions.

    Parameters
    ----------
    data
        Numbers, shape (n,). NaN leaves a gap.
    ax
        Axes to draw on; None for a new figure.
    title
        Title; None leaves the title as it is.
    ylim
        As for `clean_up_axes`.
    xvals
        Starts and ends of the pieces of the baseline, which is broken between them. None for one line.
    kwargs
        Further arguments of `matplotlib.axes.Axes.stem`.

    Returns
    -------
    Axes
        The axes; the figure is ``ax.figure``.

    Raises
    ------
    InputError
        (a ValueError) if an argument is not valid.

    Examples
    --------
    >>> ax = clean_stem_plot([1.0, 2.0, np.nan, 3.0], xvals=([0, 3], [1, 3]), title="two pieces")
    >>> len(ax.containers[0].stemlines.get_segments()), float(ax.get_ylim()[0])
    (4, 0.0)
    """
    check_options(kwargs, "stem", clean_stem_plot)
    if data.ndim != 1 or not data.size:
        raise InputError(f"a stem plot needs one row of numbers; not shape {data.shape}")
    ax = own_axes("constrained") if ax is None else ax
    with drawn_with(kwargs):
        stems = ax.stem(data, **{"basefmt": "-" if xvals is None else " ", **kwargs})
    ink = ax.spines["left"].get_edgecolor()  # seen in dark styles too
    stems.baseline.set_linewidth(0.6)
    if "basefmt" not in kwargs:
        stems.baseline.set_color(ink)
    if xvals is not None:
        ax.hlines([0.0] * len(xvals[0]), xvals[0], xvals[1], colors=ink, linewidth=0.6)
    clean_up_axes(ax, ylim)
    if title is not None:
        ax.set_title(title, fontsize="medium")
    return ax


@takes(
    ax=axes_there,
    ylim=some_limits,
    spines_to_remove=list_of_names("top"),
    axes_to_remove=list_of_names("x"),
)
def clean_up_axes(
    ax: "Axes",
    ylim: YLimits = None,
    spines_to_remove: Iterable[str] = _SPINES,
    axes_to_remove: Iterable[str] = ("x",),
) -> "Axes":
    """Remove parts of the frame of axes and set the limits of their vertical axis.

    Parameters
    ----------
    ax
        Axes.
    ylim
        (low, high); None to begin at 0 unless a value is negative; False to leave the limits as they are.
    spines_to_remove
        Some of ``"top"``, ``"right"``, ``"bottom"`` and ``"left"``.
    axes_to_remove
        Some of ``"x"`` and ``"y"``.

    Raises
    ------
    InputError
        If there is no such side or axis.

    Examples
    --------
    >>> ax = clean_up_axes(own_axes(), ylim=(0, 2))
    >>> ax.spines["top"].get_visible(), ax.get_ylim() == (0, 2)
    (False, True)
    """
    for side in spines_to_remove:
        if side not in ax.spines:
            raise unknown_name("spine", side, list(ax.spines))
        ax.spines[side].set_visible(False)
    for name in axes_to_remove:
        if name not in ("x", "y"):
            raise unknown_name("axis", name, ["x", "y"])
        getattr(ax, f"{name}axis").set_visible(False)
    if ylim is None:
        low, high = ax.get_ylim()
        ax.set_ylim(0 if ax.dataLim.y0 >= 0 else low, high)
    elif ylim is not False:
        ax.set_ylim(ylim)
    return ax


@takes(stem_container=stems_gate, ydata=real_numbers)
def update_stem(stem_container: "StemContainer", ydata: Any) -> "StemContainer":
    """Change the numbers of a stem plot; positions and baseline stay as they are.

    Parameters
    ----------
    stem_container
        Stems, such as ``ax.containers[0]``.
    ydata
        As many numbers as there are stems.

    Raises
    ------
    InputError
        If there are more or fewer numbers than stems.

    Examples
    --------
    >>> import numpy as np
    >>> from stimsynth.plots import clean_stem_plot
    >>> ax = clean_stem_plot(np.array([0.0, 2.0]))
    >>> stems = update_stem(ax.containers[0], np.array([1.0, 3.0]))
    >>> stems.markerline.get_ydata().tolist()
    [1.0, 3.0]
    """
    markers: Any = stem_container.markerline
    x = np.asarray(markers.get_xdata(), dtype=np.float64)
    if ydata.shape != x.shape:
        raise InputError(f"there are {len(x)} stems; {ydata.shape} numbers do not fit")
    markers.set_ydata(ydata)
    lines: Any = stem_container.stemlines
    lines.set_segments(np.stack([np.stack([x, 0 * x], -1), np.stack([x, ydata], -1)], 1))
    return stem_container


@takes(axes=several_axes)
def rescale_ylim(axes: "Sequence[Axes]", data: Any) -> None:
    """Set the vertical limits of axes, and colour limits of images, to ±max|data|.

    Parameters
    ----------
    axes
        Axes.
    data
        Tensor, array or dictionary of such. NaN and infinite values do not count.

    Examples
    --------
    >>> import numpy as np
    >>> from stimsynth.plots import clean_stem_plot
    >>> ax = clean_stem_plot(np.array([0.0, 2.0]))
    >>> rescale_ylim([ax], np.array([0.0, -4.0]))
    >>> [float(end) for end in ax.get_ylim()]
    [-4.0, 4.0]
    """
    arrays = data.values() if isinstance(data, Mapping) else [data]
    largest = 0.0
    for array in arrays:
        found = np.abs(plain_numbers(array, "data"))
        largest = max(largest, float(found[np.isfinite(found)].max(initial=0.0)))
    limit = largest or 1.0
    for ax in axes:
        set_value_limits(ax, (-limit, limit))


def set_value_limits(ax: "Axes", limits: tuple[float, float]) -> None:
    """Set the vertical limits of axes, or the colour limits if they show images."""
    if ax.images:
        for image in ax.images:
            image.set_clim(limits)
    else:
        ax.set_ylim(limits)

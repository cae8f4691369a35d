"""Plots of phase durations on the screen and of response times."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from analysis.observers.checks import numbers_of
from analysis.plots import style

_RARE = 20  # a bar this many times higher than another makes the axis logarithmic


def plot_timing(extra_frames: ArrayLike, ax: Axes | None = None) -> Axes:
    """Plot a histogram of frames shown beyond the plan; phases as planned have another colour.

    Parameters
    ----------
    extra_frames
        Realised minus planned frames, one entry per phase with a picture (N,); NaN where not measured.
    ax
        Axes to draw on; None for new ones.

    Returns
    -------
    Axes
        A notebook shows them; the figure is ``ax.figure``.

    Raises
    ------
    WrongType
        If `ax` is not axes.

    Examples
    --------
    >>> ax = plot_timing([0, 0, 0, 1])
    >>> [int(bar.get_height()) for bar in ax.patches], ax.get_xlabel()
    ([3, 1], 'frames shown minus frames planned')
    """
    ax = style.axes_for(ax, 3.4, 2.7)
    extra = numbers_of(extra_frames, "extra_frames")
    values, counts = np.unique(extra[np.isfinite(extra)], return_counts=True)
    colours = [style.BAND if value == 0 else style.TRUE for value in values]
    ax.bar(values, counts, color=colours, width=0.8, edgecolor=style.ink(ax), linewidth=0.6)
    edge = max(3.0, float(np.abs(values).max(initial=0.0)) + 1)
    ax.set_xlim(-edge, edge)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    if len(counts) and counts.max() > _RARE * counts.min():
        ax.set_yscale("log")
        ax.set_ylim(bottom=0.5)  # so that a single phase has a bar
    ax.set_xlabel("frames shown minus frames planned")
    ax.set_ylabel("phases with a picture")
    _say_if_empty(ax, len(values), "no measured frames")
    return ax


def plot_response_times(rts_s: ArrayLike, ax: Axes | None = None) -> Axes:
    """Plot a histogram of response times; the slowest hundredth is in the last bar.

    Parameters
    ----------
    rts_s
        Response times in seconds (N,); NaN for none.
    ax
        Axes to draw on; None for new ones.

    Returns
    -------
    Axes
        A notebook shows them; the figure is ``ax.figure``.

    Raises
    ------
    WrongType
        If `ax` is not axes.

    Examples
    --------
    >>> ax = plot_response_times([0.4, 0.5, float("nan"), 0.6])
    >>> int(sum(bar.get_height() for bar in ax.patches)), ax.get_xlabel()
    (3, 'response time (s)')
    """
    ax = style.axes_for(ax, 3.4, 2.7)
    times = np.atleast_1d(numbers_of(rts_s, "rts_s"))
    times = times[np.isfinite(times)]
    top = max(float(np.quantile(times, 0.99)) * 1.1, 0.5) if len(times) else 1.0
    ax.hist(np.clip(times, 0, top), bins=30, range=(0, top), color=style.BAND)
    ax.set_xlim(0, top)
    ax.set_xlabel("response time (s)")
    ax.set_ylabel("trials")
    _say_if_empty(ax, len(times), "no response times")
    return ax


def _say_if_empty(ax: Axes, count: int, text: str) -> None:
    if not count:
        ax.set_yticks([])
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", color=style.QUIET)

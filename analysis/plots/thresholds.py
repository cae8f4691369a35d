"""Plot of thresholds and their intervals, a row each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from analysis.curves.axes import Axis, axis_of
from analysis.data.kinds import given_fit
from analysis.fits.fit import Fit
from analysis.fits.groups import Fits
from analysis.plots import style
from analysis.plots.levels import level_axis, levels_at, places_of
from analysis.plots.limits import draw_interval
from analysis.plots.words import group_name, threshold_of
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_list, a_mapping, a_number, a_text, optional, takes


def _several_fits(value: Any, name: str) -> Any:
    """Return fits of groups or by name, after checking them, or a list of fits by number."""
    by_name = dict(value.items() if hasattr(value, "items") else enumerate(a_list(value, name), 1))
    for fit in by_name.values():
        given_fit(fit, f"each of {name}")
    return value if hasattr(value, "items") else by_name


def _numbers_by_name(value: Any, name: str) -> dict[str, float]:
    """Return a number for each name."""
    return {key: a_number(one, f"{name}[{key!r}]") for key, one in a_mapping(value, name).items()}


@takes(fits=_several_fits, unit=a_text, true=optional(_numbers_by_name))
def plot_thresholds(
    fits: Fits | Mapping[str, Fit] | Sequence[Fit],
    ax: Axes | None = None,
    *,
    unit: str = "",
    true: Mapping[str, float] | None = None,
) -> Axes:
    """Plot a row for each fit with its threshold and 95 % interval, in numbers beside it.

    An interval that leaves the picture ends in an arrow.

    Parameters
    ----------
    fits
        From `analysis.fit` with groups; or fits by name, or a list of them, which are numbered from 1. The
        first is on top.
    ax
        Axes to draw on; None for new ones.
    unit
        Unit of the levels; fits of answers know theirs, and it need not be given.
    true
        True thresholds of simulated answers, by name.

    Returns
    -------
    Axes
        A notebook shows them; the figure is ``ax.figure``.

    Raises
    ------
    InputError
        If there is no fit, a true threshold is of none of them, or `ax` is not axes.

    Examples
    --------
    >>> from analysis import fit_psychometric
    >>> counts = [8, 16, 32, 64], [52, 60, 85, 98], [100] * 4
    >>> ax = plot_thresholds({"ann": fit_psychometric(*counts)}, unit="px")
    >>> [tick.get_text() for tick in ax.get_yticklabels()], ax.get_xlabel()
    (['ann'], 'threshold, size (pixels)')
    """
    if not fits:
        raise InputError("there is no fit to plot; give at least one")
    named = {group_name(key): fit for key, fit in fits.items()}  # type: ignore[union-attr]
    labels = {fit.level_label for fit in named.values()}
    unit = unit or (labels.pop() if len(labels) == 1 else "")
    true = true or {}
    for name in set(true) - set(named):
        raise unknown_name("fit", name, list(named))
    ours = style.is_ours(ax)
    ax = style.axes_for(ax, 6.4, 0.9 + 0.34 * (len(named) + bool(true)))
    scale = axis_of(next(iter(named.values())).function.axis)
    level_axis(ax, _in_sight(named, true, scale), scale, unit=unit)
    ax.set_xlabel(f"threshold, {ax.get_xlabel()}")
    ax.set_yticks(range(len(named)), list(named))
    ax.set_ylim(len(named) - 0.4, -0.6)
    for row, fit in enumerate(named.values()):
        draw_interval(ax, row, (fit.low, fit.high), style.DATA)
        ax.plot([fit.threshold], [row], "o", color=style.DATA, ms=7, zorder=5)
        style.side_label(ax, row, threshold_of(fit), color=style.ink(ax))
    if true:
        rows = [list(named).index(name) for name in true]
        (ticks,) = ax.plot(list(true.values()), rows, "|", color=style.TRUE, ms=18, mew=2.2)
        ticks.set(zorder=2.5, label="true threshold (simulated)")
    if true and ours:
        style.legend(ax)
    return ax


def _in_sight(named: Mapping[str, Fit], true: Mapping[str, float], scale: Axis) -> np.ndarray:
    """Return levels that span the axis: all thresholds, and intervals as far as most of them go."""
    found = np.array([(fit.threshold, fit.low, fit.high) for fit in named.values()])
    places = places_of(found, scale)
    ends = places[:, 1:]
    middle = np.append(places[:, 0], places_of(np.array(list(true.values())), scale))
    core = next((x[np.isfinite(x)] for x in (middle, ends.ravel()) if np.isfinite(x).any()), None)
    if core is None:  # nobody has a threshold, or an end of its interval
        return np.concatenate([fit.counts.levels for fit in named.values()])
    with np.errstate(invalid="ignore"):
        widths = np.abs(ends - places[:, :1])
    widths = widths[np.isfinite(widths)]
    room = 1.5 * float(np.median(widths)) if len(widths) else 0.1 * abs(core[0])
    shown = np.append(core, np.clip(ends, core.min() - room, core.max() + room))
    return levels_at(shown[np.isfinite(shown)], scale)

"""Plots of d': by level along an axis, or a row for each group."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from analysis.curves.axes import LINEAR_AXIS, LOG_AXIS
from analysis.fits.dprimes import DPrimes
from analysis.fits.scaling.record import ScalingFit
from analysis.observers.counted.dprime_result import DPrime
from analysis.plots import style
from analysis.plots.levels import level_axis
from analysis.plots.limits import draw_bars, draw_curve, draw_interval
from analysis.plots.style import a_color
from analysis.plots.words import estimate, group_name, interval
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_text, like, optional, takes

_ROOM = 1.1  # of the largest finite d' in the picture


def _several_dprimes(value: Any, name: str) -> Any:
    """Return d' of groups or by name, after checking each."""
    for _, one in like("DPrimes, or d' by name", "items")(value, name).items():
        like("a DPrime, from dprime_from_counts", "estimate", "n_trials")(one, f"each of {name}")
    return value


@takes(
    found=_several_dprimes,
    scaling=optional(like("a ScalingFit", "critical", "dprime")),
    unit=a_text,
    label=a_text,
    color=optional(a_color),
)
def plot_dprime(
    found: DPrimes | Mapping[Any, DPrime],
    ax: Axes | None = None,
    *,
    scaling: ScalingFit | None = None,
    unit: str = "",
    label: str = "",
    color: str | None = None,
) -> Axes:
    """Plot d' at each level with its 95 % interval, and a fitted critical-scaling curve.

    Groups that are not levels, but words or several columns, are rows, with their d' in numbers beside them.

    An interval without an upper end, of levels at which all answers were right, goes to the top of the axes
    and ends in an arrow.

    Parameters
    ----------
    found
        From `analysis.dprimes`; or d' by level or name, as from `analysis.dprime_from_counts`.
    ax
        Axes to draw on; None for new ones. Several data sets may share them. Your own axes get no legend;
        add it by ``ax.legend()``.
    scaling
        Critical-scaling fit of the same answers.
    unit
        Unit of the levels; that of `analysis.dprimes` need not be given.
    label, color
        Name and colour of these data among several; None for the next colour.

    Returns
    -------
    Axes
        A notebook shows them; the figure is ``ax.figure``.

    Raises
    ------
    InputError
        If there is nothing to plot, `ax` is not axes, or a curve of levels is given for other groups.

    Examples
    --------
    >>> from analysis import dprime_from_counts
    >>> ax = plot_dprime({k: dprime_from_counts(n, 40) for k, n in {8: 22, 16: 31, 32: 40}.items()})
    >>> ax.get_ylabel(), [tick.get_text() for tick in ax.get_xticklabels()]
    ('d′', ['8', '16', '32'])
    """
    known = {_place(key): one for key, one in found.items()}
    if not known:
        raise InputError("there is no d' to plot; give at least one level")
    ours = style.is_ours(ax)
    if not all(isinstance(key, Real) for key in known):
        if scaling is not None:
            raise InputError("critical scaling is a curve over levels; these groups are not levels")
        return _plot_rows(known, ax, color or style.DATA)
    ax = style.axes_for(ax, 6.4, 3.7)
    levels = np.array(sorted(known), dtype=np.float64)
    shown = [known[level] for level in sorted(known)]
    values, low, high = np.array([(d.estimate, d.low, d.high) for d in shown]).T
    unit = unit or getattr(found, "unit", "")
    scale = LOG_AXIS if levels.min() > 0 else LINEAR_AXIS
    level_axis(ax, levels, scale, unit=unit, ticks=levels.tolist())
    _set_height(ax, np.concatenate([values, low, high]))
    color, marker = style.series(ax, color)
    draw_bars(ax, levels, low, high, color)
    weights = np.array([d.n_trials for d in shown], dtype=np.float64)
    points = style.points(ax, levels, values, weights, color, marker)
    points.set_label(label or "d′, 95 % interval")
    if scaling is not None:
        _draw_scaling(ax, scaling, levels, color)
    ax.set_ylabel("d′")
    if ours:
        style.legend(ax)
    return ax


def _place(key: Any) -> Any:
    """Return the value of a key with one value, and else the key."""
    return key[0] if isinstance(key, tuple) and len(key) == 1 else key


def _plot_rows(named: Mapping[Any, DPrime], ax: Axes | None, color: str) -> Axes:
    """Plot a row for each group."""
    ax = style.axes_for(ax, 6.4, 0.9 + 0.34 * len(named))
    ends = np.array([(d.estimate, d.low, d.high) for d in named.values()])
    finite = ends[np.isfinite(ends)]
    left, right = min(0.0, float(finite.min())), max(1.0, float(finite.max()))
    room = (_ROOM - 1) * (right - left)
    ax.set_xlim(left - 0.5 * room, right + room)
    ax.set_xlabel("d′, 95 % interval")
    ax.set_yticks(range(len(named)), [group_name(key) for key in named])
    ax.set_ylim(len(named) - 0.4, -0.6)
    for row, one in enumerate(named.values()):
        draw_interval(ax, row, (one.low, one.high), color)
        ax.plot([one.estimate], [row], "o", color=color, ms=7, zorder=5)
        said = f"{one.estimate:.2f} {interval(one.low, one.high)}"
        style.side_label(ax, row, said.replace("-", "−"), color=style.ink(ax))
    return ax


def _set_height(ax: Axes, shown: np.ndarray) -> None:
    """Set the limits of the axis of d' so that all finite values are in sight."""
    known = ax.get_ylim() if ax.lines else (0.0, 1.0)
    finite = shown[np.isfinite(shown)]
    top = max(_ROOM * float(finite.max(initial=0.0)), known[1])
    ax.set_ylim(min(_ROOM * float(finite.min(initial=0.0)), known[0], -0.05 * top), top)


def _draw_scaling(ax: Axes, scaling: ScalingFit, levels: np.ndarray, color: str) -> None:
    found = estimate(scaling.critical, scaling.critical_low, scaling.critical_high)
    label = f"critical scaling: {found}"
    look = {"color": color, "lw": 2, "ls": "--", "label": label, "zorder": 2}
    draw_curve(ax, scaling.dprime, levels, LOG_AXIS, **look)

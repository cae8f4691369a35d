"""Axes of levels: scale, limits, ticks and label, also when several data sets share them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from analysis.plots.words import unit_label

_MARGIN = 0.06  # of the axis on either side of the levels
_TICK = 0.5  # least distance of two ticks in inches
_MOST = 12  # levels that are ticks themselves


def level_axis(
    axes: Axes, levels: np.ndarray, *, log: bool, unit: str, ticks: Sequence[float] = ()
) -> tuple[float, float]:
    """Set scale, limits, ticks and label of a horizontal axis of levels, and return its limits.

    Parameters
    ----------
    axes
        Axes; what was drawn on them before stays in sight.
    levels
        Values to show, at least one, above 0 on a logarithmic axis.
    log
        Whether the axis is logarithmic, if nothing was drawn before.
    unit
        Unit of the levels.
    ticks
        Levels to put ticks at, if they are few and short; else they are round numbers.
    """
    shared = axes.has_data()
    if shared:
        log = axes.get_xscale() == "log"
    elif log:
        axes.set_xscale("log", base=2)
    left, right = _limits(levels, log)
    if shared:
        known = axes.get_xlim()
        left, right = min(left, *known), max(right, *known)
        ticks = sorted({*ticks, *axes.get_xticks()})
    axes.set_xlim(left, right)
    _set_ticks(axes, ticks, log)
    axes.set_xlabel(unit_label(unit))
    return left, right


def along(limits: tuple[float, float], *, log: bool) -> np.ndarray:
    """Return 200 levels (200,) between two limits, evenly spaced on the axis."""
    return np.geomspace(*limits, 200) if log else np.linspace(*limits, 200)


def _limits(levels: np.ndarray, log: bool) -> tuple[float, float]:
    x = np.log(levels) if log else levels
    low, high = float(x.min()), float(x.max())
    # A single level gets a factor of two on either side, or its own size.
    margin = _MARGIN * (high - low) or (np.log(2) if log else abs(low) or 1.0)
    ends = low - margin, high + margin
    return (float(np.exp(ends[0])), float(np.exp(ends[1]))) if log else ends


def _set_ticks(axes: Axes, wanted: Sequence[float], log: bool) -> None:
    left, right = axes.get_xlim()
    short = all(float(f"{tick:.3g}") == tick for tick in wanted)
    if not (wanted and short and len(wanted) <= _MOST):
        wanted = _round_numbers(left, right, log)
    inches = axes.get_window_extent().width / axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    shown: list[float] = []
    for tick in (t for t in wanted if left <= t <= right):
        if not shown or _share(shown[-1], tick, (left, right), log) * inches >= _TICK:
            shown.append(float(tick))
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _share(low: float, high: float, limits: tuple[float, float], log: bool) -> float:
    """Return the distance of two levels in parts of the axis."""
    left, right = limits
    return float(
        np.log(high / low) / np.log(right / left) if log else (high - low) / (right - left)
    )


def _round_numbers(left: float, right: float, log: bool) -> list[float]:
    if log and right / left > 4:
        subs = (1, 2, 5) if right / left > 8 else (1, 1.5, 2, 3, 5, 7)
        ticks = LogLocator(base=10, subs=subs).tick_values(left, right)
    else:
        ticks = MaxNLocator(nbins=8, steps=[1, 2, 5, 10]).tick_values(left, right)
    return [float(f"{tick:.6g}") for tick in ticks]

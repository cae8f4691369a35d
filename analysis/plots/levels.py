"""Axes of levels: scale, limits, ticks and label, also when several data sets share them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from analysis.curves.axes import AXES, LOG_AXIS, Axis, axis_of, from_axis, to_axis
from analysis.data.level_names import unit_label

_MARGIN = 0.06  # of the axis on either side of the levels
_TICK = 0.5  # least distance of two ticks in inches
_MOST = 12  # levels that are ticks themselves


def level_axis(
    axes: Axes, levels: np.ndarray, scale: str | Axis, *, unit: str, ticks: Sequence[float] = ()
) -> tuple[float, float]:
    """Set scale, limits, ticks and label of a horizontal axis of levels, and return its limits.

    Parameters
    ----------
    axes
        Axes; what was drawn on them before stays in sight.
    levels
        Values to show, at least one, with a place on the scale.
    scale
        Axis of the fit; it is that of the plot if nothing was drawn before.
    unit
        Unit of the levels.
    ticks
        Levels to put ticks at, if they are few and short; else they are round numbers.
    """
    shared = axes.has_data()
    if not shared:
        _set_scale(axes, axis_of(scale))
    left, right = _limits(levels, axis_of(scale))
    if shared:
        known = axes.get_xlim()
        left, right = min(left, *known), max(right, *known)
        ticks = sorted({*ticks, *axes.get_xticks()})
    axes.set_xlim(left, right)
    _set_ticks(axes, ticks)
    axes.set_xlabel(unit_label(unit))
    return left, right


def along(limits: tuple[float, float], levels: np.ndarray, scale: str | Axis) -> np.ndarray:
    """Return 200 levels (200,) between two limits, evenly spaced on the scale.

    Where a limit has no place on it, the lowest or highest of `levels` takes its stead.
    """
    ends = places_of(np.array(limits), axis_of(scale))
    left, right = np.where(np.isfinite(ends), ends, to_axis([levels.min(), levels.max()], scale))
    return from_axis(np.linspace(float(left), float(right), 200), scale)


def places_of(levels: np.ndarray, scale: Axis) -> np.ndarray:
    """Return the places of levels on a scale; infinite for those that have none, such as 0 on a logarithm."""
    with np.errstate(all="ignore"):
        places = np.asarray(scale.position(levels), dtype=np.float64)
    return np.where(np.isnan(places), -np.inf, places)


def levels_at(places: np.ndarray, scale: Axis) -> np.ndarray:
    """Return the levels at places on a scale; places without one, below 0 of a square root, are left out."""
    found = from_axis(places, scale)
    known = np.isfinite(found)
    again = np.full(found.shape, np.nan)
    again[known] = places_of(found[known], scale)
    return found[np.isclose(again, places)]


def _set_scale(axes: Axes, scale: Axis) -> None:
    if scale == LOG_AXIS:
        axes.set_xscale("log", base=2)
    elif scale.name not in AXES:
        axes.set_xscale("function", functions=(scale.position, scale.level))


def _limits(levels: np.ndarray, scale: Axis) -> tuple[float, float]:
    x = to_axis(levels, scale)
    low, high = float(x.min()), float(x.max())
    # A single level gets its own size on either side; on the logarithmic axis an octave.
    margin = _MARGIN * (high - low) or (1.0 if scale == LOG_AXIS else abs(low) or 1.0)
    shown = [*levels_at(np.array([low - margin, high + margin]), scale), *levels]
    return float(min(shown)), float(max(shown))


def _set_ticks(axes: Axes, wanted: Sequence[float]) -> None:
    left, right = axes.get_xlim()
    short = all(float(f"{tick:.3g}") == tick for tick in wanted)
    if not (wanted and short and len(wanted) <= _MOST):
        wanted = _round_numbers(left, right, axes.get_xscale())
    inside = [float(tick) for tick in wanted if left <= tick <= right]
    dpi = axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    places = axes.transData.transform([(tick, 0.5) for tick in inside] or np.empty((0, 2)))[:, 0]
    shown: list[float] = []
    last = -np.inf
    for tick, place in zip(inside, places / dpi, strict=True):
        if place - last >= _TICK:
            shown.append(tick)
            last = place
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _round_numbers(left: float, right: float, scale: str) -> list[float]:
    if scale == "log" and right / left > 4:
        subs = (1, 2, 5) if right / left > 8 else (1, 1.5, 2, 3, 5, 7)
        ticks = LogLocator(base=10, subs=subs).tick_values(left, right)
    else:
        ticks = MaxNLocator(nbins=8, steps=[1, 2, 5, 10]).tick_values(left, right)
    return [float(f"{tick:.6g}") for tick in ticks]

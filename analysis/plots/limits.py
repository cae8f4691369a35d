"""Curves, intervals and marks that stay right when the limits of their axes change, as with a further fit."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from analysis.curves.axes import Axis
from analysis.plots.levels import along


def follow_limits(
    axes: Axes, direction: Literal["x", "y"], update: Callable[[float, float], None]
) -> None:
    """Call `update` with the lower and upper limit of axes in a direction, now and at every change."""

    def follow(changed: Axes) -> None:
        update(*sorted(changed.get_xlim() if direction == "x" else changed.get_ylim()))

    follow(axes)
    axes.callbacks.connect(f"{direction}lim_changed", follow)


def draw_curve(
    axes: Axes,
    function: Callable[[np.ndarray], np.ndarray],
    levels: np.ndarray,
    scale: str | Axis,
    **look: Any,
) -> Line2D:
    """Draw and return a curve of 200 levels from one limit of the axes to the other (see `along`)."""
    (curve,) = axes.plot([], [], **look)

    def update(left: float, right: float) -> None:
        x = along((left, right), levels, scale)
        curve.set_data(x, function(x))

    follow_limits(axes, "x", update)
    return curve


def draw_inside(axes: Axes, x: float, y: Sequence[float], **look: Any) -> Line2D:
    """Draw and return points or a line at `x` and heights `y`, out of sight while `x` is beyond the axes."""
    (drawn,) = axes.plot([np.nan] * len(y), y, **look)

    def update(left: float, right: float) -> None:
        drawn.set_xdata([x if left <= x <= right else np.nan] * len(y))

    follow_limits(axes, "x", update)
    return drawn


def draw_upright(axes: Axes, x: float, top: float = np.inf, **look: Any) -> None:
    """Draw a vertical line at `x` from the lower edge of axes up to `top`, or to their upper edge."""
    line = draw_inside(axes, x, [np.nan] * 2, **look)

    def update(bottom: float, edge: float) -> None:
        line.set_ydata([bottom, min(top, edge)])

    follow_limits(axes, "y", update)


def draw_interval(
    axes: Axes, y: float, ends: tuple[float, float], color: str, width: float = 2.4
) -> None:
    """Draw a horizontal interval; an end beyond the axes is an arrow at their edge."""
    (line,) = axes.plot([], [], color=color, lw=width, solid_capstyle="butt", zorder=4)
    arrows = [
        axes.plot([np.nan], [y], marker, color=color, ms=6, clip_on=False, zorder=4)[0]
        for marker in "<>"
    ]

    def update(left: float, right: float) -> None:
        low, high = max(ends[0], left), min(ends[1], right)
        in_sight = low < high
        line.set_data(([low, high], [y, y]) if in_sight else ([], []))
        is_open = (ends[0] < left, ends[1] > right)
        for arrow, edge, beyond in zip(arrows, (left, right), is_open, strict=True):
            arrow.set_xdata([edge if in_sight and beyond else np.nan])

    follow_limits(axes, "x", update)


def draw_bars(axes: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, color: str) -> None:
    """Draw vertical intervals at `x`; an end beyond the axes is an arrow at their edge."""
    (bars,) = axes.plot([], [], color=color, lw=1.2, zorder=2.5)
    ups, downs = (axes.plot([], [], marker, color=color, ms=5, clip_on=False)[0] for marker in "^v")

    def update(bottom: float, top: float) -> None:
        ends = [np.maximum(low, bottom), np.minimum(high, top), np.full_like(low, np.nan)]
        bars.set_data(np.repeat(x, 3), np.stack(ends, axis=1).ravel())
        for arrows, edge, is_open in ((ups, top, high > top), (downs, bottom, low < bottom)):
            arrows.set_data(x[is_open], np.full(is_open.sum(), edge))
            arrows.set_visible(bool(is_open.any()))  # a line without points would count in layouts

    follow_limits(axes, "y", update)

"""Plots of proportion correct and d' against level."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from analysis.observers.sdt import wilson
from analysis.plots import style


@dataclass(frozen=True, kw_only=True)
class Points:
    """Counts to plot: levels, right answers and trials, each (L,)."""

    levels: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A threshold to mark: level, interval, and the true threshold if answers were simulated."""

    p: float
    threshold: float
    low: float
    high: float
    true: float | None = None


def psychometric_plot(
    points: Points,
    curve: tuple[np.ndarray, np.ndarray],
    marker: Marker,
    *,
    unit: str,
    guess: float = 0.5,
) -> Figure:
    """Plot observed proportions with 95 % binomial bars, a fitted curve, and its threshold.

    Parameters
    ----------
    points
        Observed counts.
    curve
        Levels and proportions correct along the fitted curve, two arrays (M,).
    marker
        The threshold, drawn at its proportion correct.
    unit
        Unit of the levels, for the axis.
    guess
        Chance, drawn as a line.
    """
    made = style.figure(6.4, 4.2)
    axes = style.quiet(made.subplots())
    axes.axhline(guess, color=style.QUIET, lw=0.9, ls=(0, (4, 3)))
    left, right = _limits(points.levels, axes)
    axes.text(right, guess, "chance ", ha="right", va="bottom", fontsize=8, color=style.QUIET)
    axes.plot(*curve, color=style.CURVE, lw=2, label="fitted curve", zorder=2)
    low, high = wilson(points.n_correct, points.n_trials)
    seen = points.n_correct / points.n_trials
    axes.errorbar(
        points.levels,
        seen,
        yerr=np.maximum([seen - low, high - seen], 0.0),
        fmt="o",
        color=style.DATA,
        mfc="white",
        mew=1.6,
        ms=6,
        lw=1.2,
        label="observed (95 % binomial)",
        zorder=3,
    )
    _mark(axes, marker, (left, right))
    axes.set_ylim(min(0.3, float(low.min()) - 0.03), 1.03)
    axes.set_xlabel(style.unit_label(unit))
    axes.set_ylabel("proportion correct")
    axes.legend(frameon=False, fontsize=8.5, loc="lower right", labelcolor=style.INK)
    return made


def dprime_plot(
    levels: np.ndarray,
    estimates: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    *,
    curve: tuple[np.ndarray, np.ndarray] | None,
    unit: str,
) -> Figure:
    """Plot d' at each level with its 95 % interval, and a fitted critical-scaling curve.

    Parameters
    ----------
    levels, estimates
        Arrays (L,).
    ends
        Lower and upper ends (L,); an infinite upper end is drawn to the top of the picture.
    curve
        Levels and d' along a fitted curve, or None.
    unit
        Unit of the levels.
    """
    made = style.figure(6.4, 3.4)
    axes = style.quiet(made.subplots())
    low, high = ends
    finite = np.concatenate([estimates, high[np.isfinite(high)]])
    top = 1.1 * float(finite.max(initial=1.0))
    bars = np.maximum([estimates - low, np.minimum(high, top) - estimates], 0.0)
    _limits(levels, axes)
    if curve is not None:
        axes.plot(*curve, color=style.BEST, lw=2, label="critical scaling", zorder=2)
        axes.legend(frameon=False, fontsize=8.5, loc="upper left", labelcolor=style.INK)
    axes.errorbar(
        levels, estimates, yerr=bars, fmt="o", color=style.INK, mfc="white", mew=1.6, ms=6, lw=1.2
    )
    axes.set_ylim(-0.05 * top, top)
    axes.set_xlabel(style.unit_label(unit))
    axes.set_ylabel("d′")
    return made


def _limits(levels: np.ndarray, axes: Axes) -> tuple[float, float]:
    """Set the limits and ticks of a level axis, logarithmic if all levels are above 0; return the limits."""
    if levels.min() > 0:
        axes.set_xscale("log", base=2)
        left, right = float(levels.min()) / 1.25, float(levels.max()) * 1.25
    else:
        margin = 0.06 * float(max(np.ptp(levels), 1e-9))
        left, right = float(levels.min()) - margin, float(levels.max()) + margin
    axes.set_xlim(left, right)
    shown = levels[:: max(1, len(levels) // 9)]
    axes.set_xticks(shown, [f"{level:g}" for level in shown])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    return left, right


def _mark(axes: Axes, marker: Marker, limits: tuple[float, float]) -> None:
    left, right = limits
    low, high = max(marker.low, left), min(marker.high, right)
    if low < high:
        axes.plot(
            [low, high], [marker.p] * 2, color=style.INK, lw=3.2, solid_capstyle="butt", zorder=4
        )
    if left < marker.threshold < right:
        axes.plot(
            [marker.threshold],
            [marker.p],
            "D",
            color=style.INK,
            ms=6.5,
            label=f"threshold at {marker.p:.0%} and its 95 % interval",
            zorder=5,
        )
    if marker.true is not None and left < marker.true < right:
        axes.axvline(marker.true, color=style.TRUE, lw=1.6, ls=(0, (5, 2)), zorder=1)
        axes.plot(
            [], [], color=style.TRUE, lw=1.6, ls=(0, (5, 2)), label="true threshold (simulated)"
        )


def intervals_plot(
    names: Sequence[str], markers: Sequence[Marker], *, unit: str, log_axis: bool = True
) -> Figure:
    """Plot a row per name with its threshold, interval and (if simulated) true threshold."""
    made = style.figure(6.4, 0.9 + 0.34 * len(names))
    axes = style.quiet(made.subplots())
    finite = [v for m in markers for v in (m.threshold, m.low, m.high, m.true or 0.0)]
    finite = [v for v in finite if np.isfinite(v) and (v > 0 or not log_axis)]
    left, right = (min(finite), max(finite)) if finite else (1.0, 2.0)
    left, right = (left / 1.3, right * 1.3) if log_axis else (left - 1, right + 1)
    if log_axis:
        axes.set_xscale("log", base=2)
    axes.set_xlim(left, right)
    for row, marker in enumerate(markers):
        ends = [max(marker.low, left), min(marker.high, right)]
        axes.plot(ends, [row, row], color=style.DATA, lw=2.4)
        axes.plot([marker.threshold], [row], "o", color=style.DATA, ms=7)
        if marker.true is not None:
            axes.plot([marker.true], [row], "|", color=style.TRUE, ms=18, mew=2.2)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    ticks = _round_ticks(left, right) if log_axis else axes.get_xticks()
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_xlim(left, right)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"threshold, {style.unit_label(unit)}")
    return made


def _round_ticks(left: float, right: float) -> list[float]:
    steps = [m * 2.0**e for e in range(-10, 20) for m in (1.0, 1.5)]
    ticks = [t for t in steps if left <= t <= right]
    return ticks[:: max(1, len(ticks) // 8)] or [float(np.sqrt(left * right))]

"""Plot of a fitted psychometric function: answers, curve and threshold."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D

from analysis.curves.axes import Axis, axis_of, to_axis
from analysis.data.counts import Counts
from analysis.data.kinds import given_fit
from analysis.fits.fit import Fit
from analysis.infer.population import PopulationEstimate
from analysis.observers.counted.proportions import wilson
from analysis.plots import style
from analysis.plots.levels import level_axis, places_of
from analysis.plots.limits import draw_curve, draw_inside, draw_interval, draw_upright
from analysis.plots.style import a_color
from analysis.plots.words import estimate, threshold_of
from stimuli_store.tools.gates import a_number, a_text, like, optional, takes

_MOST_BARS = 15  # with more levels, each has few trials, and intervals hide the points
_ABOVE = 0.03  # of proportion correct, from the interval of the curve to that of the population
_FURTHER = 0.5  # how far beyond the levels a threshold may lie to be shown, in parts of their range


@takes(
    fit=given_fit,
    unit=a_text,
    true=optional(a_number),
    population=optional(like("a PopulationEstimate", "for_whom", "low", "high")),
    label=a_text,
    color=optional(a_color),
)
def plot_fit(
    fit: Fit,
    ax: Axes | None = None,
    *,
    unit: str = "",
    true: float | None = None,
    population: PopulationEstimate | None = None,
    label: str = "",
    color: str | None = None,
) -> Axes:
    """Plot answers with 95 % binomial intervals, the fitted curve, and its threshold with its interval.

    The area of a point is proportional to its number of trials. Up to 15 levels have their intervals
    (Wilson's).

    Parameters
    ----------
    fit
        From `analysis.fit_psychometric`.
    ax
        Axes to draw on; None for new ones. Several fits may share them. Your own axes get no legend; add
        it by ``ax.legend()``.
    unit
        Unit of the levels, such as ``"window_px"``; without it the axis says what the fit knows of its
        levels, name and unit of the answers' column.
    true
        The true threshold of simulated answers.
    population
        From `analysis.population_threshold`, of the same answers: its interval is drawn above that of the
        curve, which speaks for the people and images of the answers only.
    label, color
        Name and colour of this fit among several; None for the next colour.

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
    >>> from analysis import fit_psychometric
    >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
    >>> ax = plot_fit(fit, unit="px")
    >>> ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()
    ('size (pixels)', 'proportion correct', 'log')
    """
    ours = style.is_ours(ax)
    ax = style.axes_for(ax, 6.4, 4.5)
    counts, scale = fit.counts, fit.function.axis
    shown = np.append(counts.levels, _near(fit.threshold, counts.levels, scale))
    level_axis(ax, shown, scale, unit=unit or fit.level_label, ticks=counts.levels.tolist())
    set_height(ax, counts, fit.function.guess)
    color, marker = style.series(ax, color)
    found = threshold_of(fit)
    look = {"color": color, "lw": 2, "zorder": 2}
    curve = draw_curve(ax, fit.function, counts.levels, scale, **look)
    points = draw_proportions(ax, counts, color, marker)
    diamond = _draw_threshold(ax, fit, color if label else style.ink(ax))
    at = f"threshold at {100 * fit.p:.3g} %"
    if label:
        curve.set_label(f"{label}: {found}")
    else:
        curve.set_label("fitted curve")
        points.set_label("answers" if np.ptp(counts.n_trials) == 0 else "answers, area by trials")
        diamond.set_label(f"{at}, these answers: {found}")
    if population is not None:
        _draw_population(ax, fit.p + _ABOVE, population, color if label else style.QUIET)
    if true is not None:
        _draw_truth(ax, true)
    ax.set_ylabel("proportion correct")
    if ours:
        _label_asymptotes(ax, fit)
        style.legend(ax, at if label else "")
    return ax


def _near(threshold: float, levels: np.ndarray, scale: str | Axis) -> list[float]:
    """Return a threshold in a list if it lies among the levels or not far beyond; else nothing."""
    places = to_axis(levels, scale)
    (at,) = places_of(np.array([threshold]), axis_of(scale))
    room = _FURTHER * np.ptp(places)
    return [threshold] if places.min() - room <= at <= places.max() + room else []


def set_height(ax: Axes, counts: Counts, guess: float) -> None:
    """Set the limits of proportion correct so that chance, answers and their intervals are in sight."""
    low, _ = wilson(counts.n_correct, counts.n_trials)
    if len(counts.levels) > _MOST_BARS:  # their intervals are not drawn
        low = counts.n_correct / counts.n_trials
    known = [ax.get_ylim()[0]] if ax.lines else []
    bottom = min(float(low.min()) - 0.03, guess - 0.2, *known)
    ax.set_ylim(max(bottom, -0.03), 1.03)


def _label_asymptotes(ax: Axes, fit: Fit) -> None:
    bottom = "chance" if fit.settings.guess == fit.function.guess else "guess rate"
    for y, said in ((fit.function.guess, bottom), (1 - fit.function.lapse, "1 − lapses")):
        ax.axhline(y, color=style.QUIET, lw=0.9, ls=(0, (4, 3)), zorder=0)
        style.side_label(ax, y, said, apart=0.05)


def draw_proportions(ax: Axes, counts: Counts, color: str, marker: str) -> PathCollection:
    """Draw proportions correct with the intervals of up to 15 levels, and return their points."""
    if len(counts.levels) <= _MOST_BARS:
        low, high = wilson(counts.n_correct, counts.n_trials)
        ends = np.stack([low, high, np.full_like(low, np.nan)], axis=1)
        ax.plot(np.repeat(counts.levels, 3), ends.ravel(), color=color, lw=1.2, zorder=2.5)
    seen = counts.n_correct / counts.n_trials
    return style.points(ax, counts.levels, seen, counts.n_trials, color, marker)


def _draw_threshold(ax: Axes, fit: Fit, color: str) -> Line2D:
    draw_interval(ax, fit.p, (fit.low, fit.high), color, width=3.2)
    draw_upright(ax, fit.threshold, fit.p, color=color, lw=0.8, ls=":", zorder=1)
    look = {"marker": "D", "ls": "none", "ms": 6.5, "zorder": 5}
    return draw_inside(ax, fit.threshold, [fit.p], color=color, **look)


def _draw_population(ax: Axes, y: float, found: PopulationEstimate, color: str) -> None:
    """Draw the interval of a population's threshold with an open diamond, and say whom it speaks for."""
    draw_interval(ax, y, (found.low, found.high), color)
    label = f"{found.for_whom}: {estimate(found.value, found.low, found.high)}"
    look = {"marker": "D", "ls": "none", "mfc": style.paper(ax), "ms": 5.5, "zorder": 5}
    draw_inside(ax, found.value, [y], color=color, label=label, **look)


def _draw_truth(ax: Axes, true: float) -> None:
    label, dashes = f"true threshold (simulated): {true:.3g}", (0, (5, 2))
    draw_upright(ax, true, label=label, color=style.TRUE, lw=1.6, ls=dashes, zorder=1)

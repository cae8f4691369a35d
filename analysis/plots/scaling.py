"""Plot of fitted critical scaling: proportion correct over scaling, and where it leaves chance."""

import numpy as np
from matplotlib.axes import Axes

from analysis.fits.scaling.record import ScalingFit
from analysis.plots import style
from analysis.plots.fits import draw_proportions, set_height
from analysis.plots.levels import level_axis
from analysis.plots.limits import draw_curve, draw_inside, draw_interval
from analysis.plots.style import a_color
from analysis.plots.words import estimate
from stimuli_store.tools.gates import a_number, a_text, like, optional, takes

_FURTHER = 4.0  # how many times below the smallest level critical scaling may lie to be shown


@takes(
    scaling=like("a ScalingFit, from fit_critical_scaling", "critical", "p_correct"),
    unit=a_text,
    true=optional(a_number),
    label=a_text,
    color=optional(a_color),
)
def plot_scaling(
    scaling: ScalingFit,
    ax: Axes | None = None,
    *,
    unit: str = "scaling",
    true: float | None = None,
    label: str = "",
    color: str | None = None,
) -> Axes:
    """Plot proportion correct with 95 % intervals, the fitted curve, and critical scaling with its interval.

    Critical scaling is a diamond at chance, from which the curve rises. The area of a point is proportional
    to its number of trials. Up to 15 levels have their intervals (Wilson's).

    Parameters
    ----------
    scaling
        From `analysis.fit_critical_scaling`.
    ax
        Axes to draw on; None for new ones. Several fits may share them. Your own axes get no legend; add
        it by ``ax.legend()``.
    unit
        Unit of the levels.
    true
        Critical scaling of simulated observers.
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
    >>> from analysis import fit_critical_scaling
    >>> fit = fit_critical_scaling([0.1, 0.2, 0.4, 0.8], [50, 52, 80, 93], [100] * 4)
    >>> ax = plot_scaling(fit)
    >>> ax.get_xlabel(), ax.get_ylabel(), ax.get_xscale()
    ('scaling', 'proportion correct', 'log')
    """
    ours = style.is_ours(ax)
    ax = style.axes_for(ax, 6.4, 4.5)
    counts, chance = scaling.counts, scaling.link.guess
    near = [v for v in (scaling.critical, true) if v and counts.levels[0] / _FURTHER < v < np.inf]
    shown = np.append(counts.levels, near)
    level_axis(ax, shown, "log", unit=unit, ticks=counts.levels.tolist())
    set_height(ax, counts, chance)
    color, marker = style.series(ax, color)
    curve = draw_curve(ax, scaling.p_correct, counts.levels, "log", color=color, lw=2, zorder=2)
    draw_proportions(ax, counts, color, marker)
    draw_interval(ax, chance, (scaling.critical_low, scaling.critical_high), color, width=3.2)
    look = {"marker": "D", "ls": "none", "ms": 6.5, "zorder": 5}
    draw_inside(ax, scaling.critical, [chance], color=color, **look)
    found = estimate(scaling.critical, scaling.critical_low, scaling.critical_high)
    curve.set_label(f"{label}: {found}" if label else f"critical scaling: {found}")
    if true is not None:
        said = f"critical scaling of the simulated observers: {true:.3g}"
        ax.axvline(true, label=said, color=style.TRUE, lw=1.6, ls=(0, (5, 2)), zorder=1)
    ax.set_ylabel("proportion correct")
    if ours:
        ax.axhline(chance, color=style.QUIET, lw=0.9, ls=(0, (4, 3)), zorder=0)
        style.side_label(ax, chance, "chance", apart=0.05)
        style.legend(ax, "critical scaling" if label else "")
    return ax

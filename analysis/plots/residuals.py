"""Plot of what a fitted psychometric function leaves over."""

import numpy as np
from matplotlib.axes import Axes

from analysis.data.kinds import given_fit
from analysis.fits.fit import Fit
from analysis.observers.counted.proportions import Z95
from analysis.plots import style
from analysis.plots.levels import level_axis
from analysis.plots.style import a_color
from stimuli_store.tools.gates import a_text, optional, takes

_LEAST = 2.6  # residuals up to here are in sight, so that small ones look small


@takes(fit=given_fit, unit=a_text, color=optional(a_color))
def plot_residuals(
    fit: Fit, ax: Axes | None = None, *, unit: str = "", color: str | None = None
) -> Axes:
    """Plot the deviance residual at each level, above a band that holds 95 % if the curve is right.

    A run of residuals on the same side shows a wrong shape of the curve. The residual is the signed square
    root of the level's share of the deviance (Wichmann & Hill 2001, Perception & Psychophysics 63, 1293).

    Parameters
    ----------
    fit
        From `analysis.fit_psychometric`.
    ax
        Axes to draw on; None for new ones. Several fits may share them.
    unit
        Unit of the levels, such as ``"window_px"``.
    color
        Colour of the points; None for the next one.

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
    >>> ax = plot_residuals(fit, unit="px")
    >>> residuals = ax.collections[-1].get_offsets()[:, 1]
    >>> bool(abs((residuals**2).sum() - fit.deviance) < 1e-9)
    True
    """
    ours = ax is None
    ax = style.axes_for(ax, 6.4, 3.0)
    is_first = not ax.has_data()
    counts = fit.counts
    level_axis(
        ax,
        counts.levels,
        fit.function.axis,
        unit=unit or fit.level_label,
        ticks=counts.levels.tolist(),
    )
    if is_first:
        ax.axhspan(-Z95, Z95, color=style.QUIET, alpha=0.18, lw=0, zorder=0)
        ax.axhline(0, color=style.QUIET, lw=0.9, zorder=0.5)
    left_over = fit.residuals()
    color, marker = style.series(ax, color)
    style.points(ax, counts.levels, left_over, counts.n_trials, color, marker)
    known = 0.0 if is_first else ax.get_ylim()[1]
    top = max(_LEAST, 1.1 * float(np.abs(left_over).max()), known)
    ax.set_ylim(-top, top)
    ax.set_ylabel("deviance residual")
    if ours:
        style.side_label(ax, 0, "95 % if the\ncurve is right")
    return ax

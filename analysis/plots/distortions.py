"""Plot of ratios of the thresholds of least and most noticeable distortions, against what models predict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from analysis.fits.distortion_ratio import DistortionRatio
from analysis.plots import style
from analysis.plots.limits import draw_bars
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list, a_mapping, like, takes


def _ratios_by_model(value: Any, name: str) -> dict[str, list[Any]]:
    """Return the ratios of each model, after checking them."""
    one = like("a DistortionRatio, from fit_distortion_ratio", "predicted", "most")
    given = {
        key: a_list(found, f"{name}[{key!r}]") for key, found in a_mapping(value, name).items()
    }
    return {key: [one(r, f"{name}[{key!r}]") for r in found] for key, found in given.items()}


@takes(ratios=_ratios_by_model)
def plot_distortion_ratios(
    ratios: Mapping[str, Sequence[DistortionRatio]], ax: Axes | None = None
) -> Axes:
    """Plot the log ratios D of thresholds against those that the models predict, with 95 % intervals.

    On the diagonal people need as much more of the least noticeable distortion as the model says; below it
    they see that distortion better than the model does. An interval that leaves the axes ends in an arrow.

    Parameters
    ----------
    ratios
        Model to its ratios, one for each image, from `analysis.fit_distortion_ratio` with ``predicted=``.
    ax
        Axes to draw on; None for new ones. Your own axes get no legend; add it by ``ax.legend()``.

    Returns
    -------
    Axes
        A notebook shows them; the figure is ``ax.figure``.

    Raises
    ------
    InputError
        If there is no ratio, or one was fitted without a prediction.
    WrongType
        If `ax` is not axes.

    Examples
    --------
    >>> from analysis import fit_distortion_ratio
    >>> seen = [52, 62, 86, 98, 53, 60, 88, 97]
    >>> found = fit_distortion_ratio(
    ...     ["most"] * 4 + ["least"] * 4, [1, 2, 4, 8, 8, 16, 32, 64], seen, [100] * 8, predicted=2.5
    ... )
    >>> plot_distortion_ratios({"retina": [found]}).get_ylabel()
    'D of the answers, ln(threshold ratio)'
    """
    if not any(ratios.values()):
        raise InputError("there is no ratio to plot; give one or more for each model")
    missing = [name for name, found in ratios.items() if any(r.predicted is None for r in found)]
    if missing:
        raise InputError(
            f"a ratio of {missing[0]!r} was fitted without a prediction; give predicted= to "
            "fit_distortion_ratio"
        )
    ours = style.is_ours(ax)
    ax = style.axes_for(ax, 5.4, 4.9)
    _set_limits(ax, [ratio for found in ratios.values() for ratio in found])
    for name, found in ratios.items():
        _draw_model(ax, name, found)
    ax.axline((0, 0), slope=1, color=style.QUIET, lw=0.9, ls=(0, (4, 3)), zorder=0)
    ax.set_xlabel("D of the model, ½ ln(λmax / λmin)")
    ax.set_ylabel("D of the answers, ln(threshold ratio)")
    if ours:
        style.legend(ax)
    return ax


def _set_limits(ax: Axes, ratios: Sequence[DistortionRatio]) -> None:
    values = np.array([(r.value, r.predicted) for r in ratios], dtype=np.float64)
    ends = np.array([(r.low, r.high) for r in ratios])
    known = np.concatenate([values.ravel(), ends[np.isfinite(ends)], [0.0]])
    room = 0.06 * np.ptp(known)
    x = (min(0.0, values[:, 1].min()) - room, values[:, 1].max() + 2 * room)
    y = (known.min() - room, known[known <= values.max()].max() + room)
    before = (ax.get_xlim(), ax.get_ylim()) if ax.has_data() else (x, y)  # of earlier ratios
    ax.set_xlim(min(x[0], before[0][0]), max(x[1], before[0][1]))
    ax.set_ylim(min(y[0], before[1][0]), max(y[1], before[1][1]))


def _draw_model(ax: Axes, name: str, found: Sequence[DistortionRatio]) -> None:
    color, marker = style.series(ax)
    x = np.array([ratio.predicted for ratio in found], dtype=np.float64)
    low, high = np.array([(r.low, r.high) for r in found]).T
    draw_bars(ax, x, low, high, color)
    weights = np.array([ratio.n_trials for ratio in found], dtype=np.float64)
    drawn = style.points(ax, x, np.array([r.value for r in found]), weights, color, marker)
    drawn.set_label(name)

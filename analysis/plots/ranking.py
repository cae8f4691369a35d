"""Plot of a model ranking."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from analysis.plots import style
from analysis.plots.words import interval
from analysis.ranking.records import Ceiling, ModelScore, Ranking
from stimuli_store.tools.gates import like, takes

_ROOM = 0.05  # of the axis on either side of what is shown
_GAP = 0.4  # rows between models and baselines
_LOOKS: dict[str, dict[str, Any]] = {
    "best": {"facecolor": style.BEST},
    "not told apart from the best": {"facecolor": style.BEST},
    "told apart from the best": {"facecolor": style.BAND},
    "baseline": {"facecolor": "none", "edgecolor": style.QUIET},
}


@takes(ranking=like("a Ranking, from rank(answers)", "rows", "baselines", "ceiling"))
def plot_ranking(ranking: Ranking, ax: Axes | None = None) -> Axes:
    """Plot a bar of bits per trial for each model and baseline, each with its 95 % interval.

    The model with the most bits and those that the answers do not tell apart from it have one colour. Beside
    each other bar stands the difference from the top one with its interval; behind them the noise ceiling.

    Parameters
    ----------
    ranking
        From `analysis.rank_models`.
    ax
        Axes to draw on; None for new ones. Your own axes get no legend.

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
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import rank
    >>> ax = plot_ranking(rank(answers, n_draws=20))
    >>> len(ax.containers) > 0
    True
    """
    ours = style.is_ours(ax)
    rows = (*ranking.rows, *ranking.baselines)
    ax = style.axes_for(ax, 6.4, 1.3 + 0.36 * len(rows))
    places = np.arange(len(rows)) + _GAP * (np.arange(len(rows)) >= len(ranking.rows))
    _set_limits(ax, rows, ranking.ceiling)
    for place, row in zip(places, rows, strict=True):
        kind = _kind(row, ranking)
        is_new = kind not in ax.get_legend_handles_labels()[1]
        look = {**_LOOKS[kind], "label": kind if is_new else None}
        ax.barh([place], [row.bits], height=0.62, zorder=2, **look)
        edge = [withStroke(linewidth=2.6, foreground=style.paper(ax))]  # to be seen on any bar
        line: dict[str, Any] = {
            "color": style.ink(ax),
            "lw": 1.3,
            "zorder": 3,
            "path_effects": edge,
        }
        ax.plot([row.low, row.high], [place] * 2, **line)
        if ours:
            style.side_label(ax, float(place), _beside(row, ranking), color=style.ink(ax))
    if ranking.ceiling is not None:
        ends = ranking.ceiling.lower, ranking.ceiling.upper
        ax.axvspan(*ends, color=style.QUIET, alpha=0.25, lw=0, zorder=0, label="noise ceiling")
    ax.axvline(0, color=style.QUIET, lw=1, zorder=2.5)
    ax.set_yticks(places, [row.label for row in rows])
    ax.set_ylim(places[-1] + 0.6, -0.6)
    ax.set_xlabel(ranking.measure)
    if ours:
        style.side_label(ax, -1.0, "difference from best")
        style.legend(ax)
    return ax


def _kind(row: ModelScore, ranking: Ranking) -> str:
    if row in ranking.baselines:
        return "baseline"
    if row.label not in ranking.best:
        return "told apart from the best"
    return "best" if len(ranking.best) == 1 else "not told apart from the best"


def _beside(row: ModelScore, ranking: Ranking) -> str:
    if row is ranking.rows[0]:
        return "best" if len(ranking.best) == 1 else "most bits"
    if row in ranking.rows and row.label in ranking.best:
        return "not told apart"
    ends = (row.difference_low, row.difference_high)
    if not np.isfinite(ends).any():  # a study of too few people and images
        return f"{row.difference:.3f}, no interval".replace("-", "−")
    return f"{row.difference:.3f} {interval(*ends, digits=3)}".replace("-", "−")


def _set_limits(ax: Axes, rows: tuple[ModelScore, ...], ceiling: Ceiling | None) -> None:
    shown = [0.0, *(end for row in rows for end in (row.bits, row.low, row.high))]
    shown += [] if ceiling is None else [ceiling.lower, ceiling.upper]
    finite = [value for value in shown if np.isfinite(value)]
    room = _ROOM * (max(finite) - min(finite)) or 1.0
    ax.set_xlim(min(finite) - room, max(finite) + room)

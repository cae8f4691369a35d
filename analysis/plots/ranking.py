"""Plot of a model ranking."""

from collections.abc import Sequence

import numpy as np

from analysis.plots import style
from stimuli_store.tools.figures import PlotFigure


def ranking_plot(
    labels: Sequence[str],
    bits: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    *,
    best: Sequence[str] = (),
    measure: str = "held-out bits per trial above chance",
) -> PlotFigure:
    """Plot a bar of bits per model, best on top, with intervals of the differences from the best.

    Parameters
    ----------
    labels, bits
        Names, and bits per trial above chance (M,), best first.
    ends
        Lower and upper 95 % end of each model's bits, given the best one's (M,).
    best
        Names of the models that are not told apart from the best, itself included; they have one colour.
    measure
        Label of the axis.
    """
    made = style.figure(6.4, 0.9 + 0.36 * len(labels))
    axes = style.quiet(made.subplots())
    rows = np.arange(len(labels))
    colours = [style.BEST if label in best else style.BAND for label in labels]
    axes.barh(rows, bits, height=0.62, color=colours)
    axes.axvline(0, color=style.QUIET, lw=1)
    spread = max(float(np.abs(bits).max(initial=0.0)), 0.02)
    left, right = (
        min(0.0, float(bits.min())) - 0.35 * spread,
        max(0.0, float(bits.max())) + 0.45 * spread,
    )
    low, high = (np.clip(end, left, right) for end in ends)
    for row in rows[1:]:
        axes.plot([low[row], high[row]], [row, row], color=style.INK, lw=1.3)
    axes.set_xlim(left, right)
    axes.set_yticks(rows, list(labels))
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(measure)
    return made

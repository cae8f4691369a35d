"""Small drawing of counts by level with the curve that was fitted to them."""

from collections.abc import Callable

import numpy as np

from analysis.curves.axes import Axis, axis_of
from analysis.data.counts import Counts
from stimuli_store.tools.svg import curve_drawing

_POINTS = 60


def drawn_counts(
    counts: Counts,
    axis: str | Axis,
    curve: Callable[[np.ndarray], np.ndarray],
    marked: float,
    description: str,
) -> str:
    """Return an SVG of proportions, their curve, and a mark at one level if it is among those shown.

    Parameters
    ----------
    counts, axis
        The answers, and the axis of their levels.
    curve
        The fitted proportion correct at levels (L,).
    marked
        Level of the dashed line, as a threshold.
    description
        What a reader who sees no pictures is told.
    """
    scale, levels = axis_of(axis), counts.levels
    at = np.asarray(scale.position(levels), dtype=np.float64)
    along = np.linspace(at.min(), at.max(), _POINTS)
    fitted = curve(np.asarray(scale.level(along), dtype=np.float64))
    shares = counts.n_correct / counts.n_trials
    inside = levels.min() <= marked <= levels.max()
    return curve_drawing(
        list(zip(at.tolist(), shares.tolist(), strict=True)),
        list(zip(along.tolist(), fitted.tolist(), strict=True)),
        description,
        ends=(f"{levels.min():g}", f"{levels.max():g}"),
        mark=float(scale.position(np.array([marked]))[0]) if inside else np.nan,
    )

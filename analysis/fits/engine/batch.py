"""Many data sets as padded arrays in units of their own ranges of levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import LOG_AXIS, Axis, axis_of, check_axis, to_axis
from analysis.data.counts import Counts
from analysis.observers.checks import check_counts, check_no_shares, numbers_of
from stimuli_store.errors import InputError


@dataclass(frozen=True, kw_only=True)
class CountsBatch:
    """B data sets with up to L levels.

    Attributes
    ----------
    x
        Positions (B, L) in units of the range of the levels, from its middle.
    centre, span
        Middle and range of the levels on the axis (B,). A single level has the range 1 on the log axis, and
        its own size on others.
    n_correct, n_trials
        Counts (B, L); levels without trials are padding.
    pull
        Mean and weight (B, 2) of what other data sets say of a shared lapse rate; zeros for nothing.
    """

    x: np.ndarray
    centre: np.ndarray
    span: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray
    pull: np.ndarray

    def rows(self, chosen: np.ndarray) -> "CountsBatch":
        """Return some of the data sets."""
        return CountsBatch(**{name: values[chosen] for name, values in vars(self).items()})


def batch_of_counts(sets: Sequence[Counts], axis: str | Axis) -> CountsBatch:
    """Return checked counts of several data sets as a batch; each may have its own levels.

    Raises
    ------
    InputError
        If a level has no position on the axis, or the axis does not rise.
    """
    size = max(len(counts.levels) for counts in sets)

    def padded(rows: list[np.ndarray], fill: bool) -> np.ndarray:
        made = np.zeros((len(rows), size))
        for row, values in zip(made, rows, strict=True):
            row[: len(values)] = values
            row[len(values) :] = values[-1] if fill else 0.0
        return made

    check_axis(np.concatenate([counts.levels for counts in sets]), axis)
    positions = padded([to_axis(counts.levels, axis) for counts in sets], fill=True)
    right = padded([counts.n_correct for counts in sets], fill=False)
    total = padded([counts.n_trials for counts in sets], fill=False)
    return _standardized(positions, right, total, axis)


def batch_of_arrays(
    levels: ArrayLike, n_correct: ArrayLike, n_trials: ArrayLike, axis: str | Axis
) -> CountsBatch:
    """Return counts (B, L) as a batch, after checking all of them at once.

    Parameters
    ----------
    levels, n_trials
        Shared by all data sets (L,), or (B, L).
    n_correct
        Counts (B, L).

    Raises
    ------
    InputError
        If the shapes differ, a level is not finite or not on the axis, or a count is not valid.
    """
    given = [
        np.atleast_1d(numbers_of(values, name))
        for name, values in (("levels", levels), ("n_correct", n_correct), ("n_trials", n_trials))
    ]
    shape = given[1].shape
    if len(shape) != 2 or any(v.shape not in (shape, shape[1:]) for v in given):
        raise InputError(
            "n_correct must have a row for each data set and a column for each level, levels and n_trials "
            f"the same shape or that of a row; their shapes are {', '.join(str(v.shape) for v in given)}"
        )
    level, right, total = (np.broadcast_to(v, shape) for v in given)
    check_counts(right, total)
    check_no_shares(right, total)
    check_axis(given[0].ravel(), axis)
    return _standardized(to_axis(level, axis), right, total, axis)


def _standardized(
    positions: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray, axis: str | Axis
) -> CountsBatch:
    used = n_trials > 0
    low = np.where(used, positions, np.inf).min(axis=1)
    high = np.where(used, positions, -np.inf).max(axis=1)
    centre, span = (low + high) / 2, high - low
    alone = np.ones_like(centre) if axis_of(axis) == LOG_AXIS else np.abs(centre)
    span = np.where(span > 0, span, np.where(alone > 0, alone, 1.0))
    x = np.where(used, (positions - centre[:, None]) / span[:, None], 0.0)
    return CountsBatch(
        x=x,
        centre=centre,
        span=span,
        n_correct=n_correct,
        n_trials=n_trials,
        pull=np.zeros((len(x), 2)),
    )

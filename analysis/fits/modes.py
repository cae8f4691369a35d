"""Posterior modes of many data sets without intervals, for simulations and resampling."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import Axis, from_axis
from analysis.curves.parametrization import RATES, STEEPNESS, THRESHOLD
from analysis.curves.sigmoids import sigmoid_of
from analysis.fits.engine.batch import CountsBatch, batch_of_arrays
from analysis.fits.engine.climbing import Modes, modes_of, probabilities_at
from analysis.fits.engine.settings import FitSettings, directions, named_settings
from stimuli_store.tools.gates import a_share, takes

_AT_ONCE = 5000  # data sets whose arrays are in memory together


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FittedModes:
    """Curves at the posterior modes of B data sets.

    Attributes
    ----------
    axis
        Axis of the levels.
    sigmoid
        Names of the best sigmoids (B,).
    position, width
        Position on the axis where the sigmoid is 1/2, and width on the axis (B,).
    guess, lapse
        Lower asymptote, and distance of the upper one from 1 (B,).
    rising
        False where the curve falls (B,).
    p_correct
        Proportions correct at the levels (B, L).
    log_posterior, converged
        Log posteriors at the modes, and whether the search ended (B,).
    """

    axis: str | Axis
    sigmoid: np.ndarray
    position: np.ndarray
    width: np.ndarray
    guess: np.ndarray
    lapse: np.ndarray
    rising: np.ndarray
    p_correct: np.ndarray
    log_posterior: np.ndarray
    converged: np.ndarray

    def __repr__(self) -> str:
        return f"FittedModes({self.converged.sum()} of {len(self.converged)} data sets converged)"

    @takes(p=a_share)
    def threshold_at(self, p: float) -> np.ndarray:
        """Return the levels (B,) at which the curves pass `p`.

        They are infinite, or 0 on the log axis, where a curve does not reach it.
        """
        share = (p - self.guess) / (1 - self.guess - self.lapse)
        z = np.empty_like(share)
        for name in np.unique(self.sigmoid):
            shape, own = sigmoid_of(str(name), self.axis), self.sigmoid == name
            inside = np.clip(share[own], 1e-300, 1 - 1e-16)
            z[own] = (shape.inverse(inside) - shape.median) / shape.spread
        z = np.where(share <= 0, -np.inf, np.where(share >= 1, np.inf, z))
        side = np.where(self.rising, 1.0, -1.0)
        return from_axis(self.position + side * self.width * z, self.axis)


def fit_modes(
    levels: ArrayLike, n_correct: ArrayLike, n_trials: ArrayLike, **settings: Any
) -> FittedModes:
    """Return the posterior modes of B data sets in one computation, without intervals.

    Parameters
    ----------
    levels, n_trials
        Shared by all data sets (L,), or one row each (B, L).
    n_correct
        Counts (B, L).
    **settings
        As for `fit_psychometric`.

    Raises
    ------
    InputError
        As for `fit_psychometric`, or if the shapes differ.

    Examples
    --------
    >>> modes = fit_modes([8, 16, 32, 64], [[26, 31, 41, 49], [25, 27, 30, 48]], [50] * 4)
    >>> modes.threshold_at(0.75).round(1).tolist()
    [26.2, 42.9]
    """
    chosen = named_settings(settings)
    batch = batch_of_arrays(levels, n_correct, n_trials, chosen.axis)
    return best_modes(batch, chosen)


def best_modes(batch: CountsBatch, settings: FitSettings) -> FittedModes:
    """Return the posterior modes of a batch under the best sigmoid of each data set."""
    parts = [
        _best_of(batch.rows(np.arange(begin, min(begin + _AT_ONCE, len(batch.x)))), settings)
        for begin in range(0, len(batch.x), _AT_ONCE)
    ]
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(FittedModes)
        if field.name != "axis"
    }
    return FittedModes(axis=settings.axis, **joined)


def _best_of(batch: CountsBatch, settings: FitSettings) -> FittedModes:
    rising = directions(batch.x, batch.n_correct, batch.n_trials, settings)
    modes = [modes_of(batch, settings, shape, rising) for shape in settings.shapes]
    rows = np.arange(len(rising))
    best = np.argmax([one.height for one in modes], axis=0), rows

    def chosen(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(values)[best]

    quantities = chosen([_curve_of(one) for one in modes])
    side = np.where(rising, 1.0, -1.0)
    return FittedModes(
        axis=settings.axis,
        sigmoid=np.array(settings.shapes)[best[0]],
        position=batch.centre + side * batch.span * quantities[:, 0],
        width=batch.span * np.exp2(quantities[:, 1]),
        guess=quantities[:, 2],
        lapse=quantities[:, 3],
        rising=rising,
        p_correct=chosen([probabilities_at(batch, one, rising) for one in modes]),
        log_posterior=chosen([one.height for one in modes]),
        converged=chosen([one.rested for one in modes]),
    )


def _curve_of(modes: Modes) -> np.ndarray:
    """Return position, log2 width, guess and lapse rate (B, 4)."""
    fixed, found = modes.parametrization.asymptotes, modes.quantities
    added = found[:, RATES : RATES + len(fixed.names)] @ fixed.shares.T
    both = added + np.array([fixed.guess, fixed.lapse])
    return np.column_stack([found[:, THRESHOLD], found[:, STEEPNESS], both])

"""Posterior modes of one sigmoid for many data sets at once."""

from dataclasses import dataclass

import numpy as np

from analysis.curves.parametrization import (
    RATES,
    STEEPNESS,
    Parametrization,
    coordinates_of,
    curves_at,
    probabilities,
)
from analysis.curves.problem import PsychometricProblem
from analysis.curves.starts import best_nodes, rates_to_try, steepness_to_try
from analysis.fits.engine.batch import CountsBatch
from analysis.fits.engine.settings import FitSettings
from analysis.infer.likelihood import climb
from analysis.infer.profiles import highest

_LEAST_INFORMATION = 1e-10
_FIRST_STEPS = 5


@dataclass(frozen=True, kw_only=True)
class Modes:
    """Posterior modes of one sigmoid for B data sets.

    Attributes
    ----------
    parametrization
        The parametrization by position, log2 width and rates.
    coordinates, quantities
        Where the modes are (B, K), in units of the range of the levels.
    covariance
        Of the quantities, in the normal approximation (B, K, K).
    height
        Log posteriors (B,).
    rested
        Whether the search converged (B,).
    """

    parametrization: Parametrization
    coordinates: np.ndarray
    quantities: np.ndarray
    covariance: np.ndarray
    height: np.ndarray
    rested: np.ndarray


def problem_of(
    batch: CountsBatch, settings: FitSettings, parametrization: Parametrization, rising: np.ndarray
) -> PsychometricProblem:
    """Return the log posteriors of a batch; data sets that fall (B,) are mirrored."""
    side = np.where(rising, 1.0, -1.0)
    own = "width" in settings.priors
    return PsychometricProblem(
        parametrization=parametrization,
        priors=settings.priors_of(parametrization.names),
        x=batch.x * side[:, None],
        centre=batch.centre,
        span=batch.span * side,
        width_unit=1 / batch.span if own else np.ones_like(batch.span),
        n_correct=batch.n_correct,
        n_trials=batch.n_trials,
        pull=batch.pull,
    )


def modes_of(
    batch: CountsBatch,
    settings: FitSettings,
    shape: str,
    rising: np.ndarray,
    hints: tuple[np.ndarray, np.ndarray] | None = None,
) -> Modes:
    """Return the posterior modes of one sigmoid.

    `hints` are further points to begin from: the data set of each (S,), and its quantities (S, K).
    """
    parametrization = settings.parametrization(shape)
    problem = problem_of(batch, settings, parametrization, rising)
    grids = [None, steepness_to_try(parametrization), *rates_to_try(parametrization)]
    kept = RATES + 1 if len(parametrization.asymptotes.names) > 1 else None
    nodes, every = best_nodes(problem, grids, kept), tuple(range(len(parametrization.names)))
    rows, begins = nodes.rows, nodes.x
    if hints:
        rows = np.append(rows, hints[0])
        begins = np.concatenate([begins, coordinates_of(parametrization, hints[1])])
    begins = _apart(problem, rows, begins)
    found = climb(problem.rows(rows), begins, every, tolerance=1e-10)
    best = highest(rows, np.zeros_like(rows), found.value)
    c = found.x[best]
    at, information = curves_at(parametrization, c), problem.evaluate(c)[2]
    # A little more information keeps directions of which the answers say nothing finite.
    inverse = np.linalg.inv(information + _LEAST_INFORMATION * np.eye(c.shape[1]))
    return Modes(
        parametrization=parametrization,
        coordinates=c,
        quantities=at.quantities,
        covariance=at.jacobian @ inverse @ np.swapaxes(at.jacobian, -1, -2),
        height=found.value[best],
        rested=found.rested[best],
    )


def _apart(problem: PsychometricProblem, rows: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Return starting points (S, K) of data sets that have several, moved up without changing their widths.

    Else all of them would soon be on the hill of the widest.
    """
    several = np.bincount(rows)[rows] > 1
    others = tuple(i for i in range(begins.shape[1]) if i != STEEPNESS)
    moved = climb(
        problem.rows(rows[several]), begins[several], others, tolerance=1e-3, max_steps=_FIRST_STEPS
    )
    made = begins.copy()
    made[several] = moved.x
    return made


def probabilities_at(batch: CountsBatch, modes: Modes, rising: np.ndarray) -> np.ndarray:
    """Return the probabilities (B, L) of modes at the levels of a batch."""
    side = np.where(rising, 1.0, -1.0)
    return probabilities(modes.parametrization, batch.x * side[:, None], modes.coordinates)

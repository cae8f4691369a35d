"""Penalized binomial likelihoods and their maximization.

All fits of this package have the same form: counts of right answers in cells, a smooth function from a
few unconstrained parameters to each cell's probability, and a weak prior. Damped Fisher scoring
maximizes a whole batch of such problems at once, so a likelihood profile or a bootstrap costs little
more than one fit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.special import rel_entr

LAPSE_A, LAPSE_B = 2.0, 50.0
_EDGE = 1e-9
_FIRST_DAMPING, _FREE = 1e-3, 1.0
_PATIENCE = 15  # steps of scoring before Newton's
_SHIFT, _FLATTEST = 1e-5, 1e-8

Curve = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
LogPrior = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


class LogPosterior(Protocol):
    """A batch of log posteriors to maximize."""

    def rows(self, chosen: np.ndarray) -> "LogPosterior":
        """Return the problem of some rows of the batch, in their order; a row may be chosen repeatedly."""
        ...

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log posterior (B,), gradient (B, K) and information (B, K, K) at parameters (B, K)."""
        ...


@dataclass(frozen=True, kw_only=True)
class CurveProblem:
    """Likelihood problem: counts, a curve and a prior.

    Attributes
    ----------
    curve
        Parameters (B, K) to probabilities (B, L) and their derivatives (B, K, L).
    prior
        Parameters (B, K) to log density (B,), its gradient (B, K), and a positive curvature (B, K).
    n_correct, n_trials
        Counts: (L,) or (B, L); n_trials is (L,) where n_correct is.
    """

    curve: Curve
    prior: LogPrior
    n_correct: np.ndarray
    n_trials: np.ndarray

    def rows(self, chosen: np.ndarray) -> "CurveProblem":
        """Return the problem restricted to some rows of its batch of counts."""
        if self.n_correct.ndim == 1:
            return self
        each = self.n_trials if self.n_trials.ndim == 1 else self.n_trials[chosen]
        return replace(self, n_correct=self.n_correct[chosen], n_trials=each)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log posterior (B,), gradient (B, K) and information (B, K, K) at parameters (B, K)."""
        p, slopes = self.curve(x)
        p = np.clip(p, _EDGE, 1 - _EDGE)
        value, gradient, curvature = self.prior(x)
        value = value + log_likelihood(p, self.n_correct, self.n_trials)
        spread = p * (1 - p)
        residual = (self.n_correct - self.n_trials * p) / spread
        gradient = gradient + np.einsum("bl,bkl->bk", residual, slopes)
        weighted = slopes * np.sqrt(self.n_trials / spread)[..., None, :]
        information = weighted @ np.swapaxes(weighted, -1, -2)
        information += curvature[..., None] * np.eye(x.shape[-1])
        return value, gradient, information


@dataclass(frozen=True, kw_only=True)
class Climb:
    """Results of maximizations: parameters (B, K), log posteriors (B,), and which converged (B,)."""

    x: np.ndarray
    value: np.ndarray
    rested: np.ndarray


def log_likelihood(p: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray) -> np.ndarray:
    """Return the binomial log likelihood of counts, summed over the last axis, without the coefficients."""
    p = np.clip(p, _EDGE, 1 - _EDGE)
    return np.sum(n_correct * np.log(p) + (n_trials - n_correct) * np.log1p(-p), axis=-1)


def deviance(p: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray) -> float:
    """Return the deviance of counts under `p`: twice the log likelihood ratio to the observed proportions."""
    return float(deviances(log_likelihood(p, n_correct, n_trials), n_correct, n_trials))


def deviances(height: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray) -> np.ndarray:
    """Return the deviances of counts (..., L) that have log likelihoods `height` (...) under some model."""
    seen = n_correct / np.maximum(n_trials, 1)
    return np.maximum(0.0, 2 * (log_likelihood(seen, n_correct, n_trials) - height))


def deviance_residuals(p: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray) -> np.ndarray:
    """Return signed roots of the deviance's parts; their squares sum to it (all of one shape).

    Examples
    --------
    >>> deviance_residuals(np.array([0.5, 0.5]), np.array([5, 8]), np.array([10, 10])).round(3).tolist()
    [0.0, 1.963]
    """
    wrong = n_trials - n_correct
    parts = rel_entr(n_correct, n_trials * p) + rel_entr(wrong, n_trials * (1 - p))
    root = np.sqrt(2 * np.maximum(parts, 0.0))  # a part of 0 may be a little below by rounding
    return np.sign(n_correct - n_trials * p) * root


def climb(
    problem: LogPosterior,
    start: np.ndarray,
    free: tuple[int, ...],
    *,
    tolerance: float = 1e-8,
    max_steps: int = 100,
) -> Climb:
    """Maximize the log posterior from each row of `start` (B, K), over the parameters in `free` only.

    A step is kept only if it does not lower the log posterior, so the result is never below its start.
    A row has converged when a step gains less than `tolerance`. Rows that scoring has not brought there
    after some steps go on by Newton's method, because answers far from their curve have another curvature
    than the expected one.
    """
    x = np.array(start, dtype=np.float64)
    value, gradient, information = problem.evaluate(x)
    damping = np.full(len(x), _FIRST_DAMPING)
    active, which = np.arange(len(x)), np.array(free)
    for n_steps in range(max_steps):
        bend = information[active]
        if n_steps >= _PATIENCE:
            bend = _observed(problem.rows(active), x[active], gradient[active], which)
        if n_steps == _PATIENCE:
            damping[active] = _FIRST_DAMPING
        step, promised = _step(gradient[active], bend, damping[active], which)
        trial = x[active] + step
        new = problem.rows(active).evaluate(trial)
        gain = new[0] - value[active]
        kept = gain >= 0
        moved = active[kept]
        x[moved], value[moved] = trial[kept], new[0][kept]
        gradient[moved], information[moved] = new[1][kept], new[2][kept]
        trust = gain / np.maximum(promised, 1e-250)
        damping[active] *= np.where(
            ~kept, 6.0, np.where(trust < 0.4, 3.0, np.where(trust > 0.8, 1 / 6, 1.0))
        )
        # A step of scoring that is held back gains little wherever it is.
        trusted = (damping[active] < _FREE) | (n_steps >= _PATIENCE)
        rests = np.where(kept, (gain < tolerance) & trusted, damping[active] > 1e9)
        active = active[~rests]
        if not len(active):
            break
    rested = np.ones(len(x), dtype=bool)
    rested[active] = False
    return Climb(x=x, value=value, rested=rested)


def _observed(
    problem: LogPosterior, x: np.ndarray, gradient: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Return curvatures (B, K, K) by differences of gradients, made positive; 0 for fixed parameters."""
    size, n_free = len(x), len(free)
    shifted = np.repeat(x, n_free, axis=0)
    shifted[np.arange(len(shifted)), np.tile(free, size)] += _SHIFT
    _, slopes, _ = problem.rows(np.repeat(np.arange(size), n_free)).evaluate(shifted)
    change = (gradient[:, None, :] - slopes.reshape(size, n_free, -1))[:, :, free] / _SHIFT
    values, vectors = np.linalg.eigh((change + np.swapaxes(change, 1, 2)) / 2)
    bent = np.maximum(np.abs(values), _FLATTEST * np.abs(values).max(axis=1, keepdims=True))
    found = np.zeros((size, x.shape[1], x.shape[1]))
    found[:, free[:, None], free] = (vectors * bent[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return found


def _step(
    gradient: np.ndarray, information: np.ndarray, damping: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return a damped scoring step (B, K), zero in fixed parameters, and the predicted gain (B,)."""
    slope, matrix = gradient[:, free], information[:, free[:, None], free]
    diagonal = np.einsum("bii->bi", matrix) * np.maximum(damping, 1e-9)[:, None] + 1e-10
    damped = matrix + diagonal[..., None] * np.eye(len(free))
    found = np.clip(np.linalg.solve(damped, slope[..., None])[..., 0], -1.5, 1.5)
    step = np.zeros_like(gradient)
    step[:, free] = found
    bend = np.einsum("bi,bij,bj->b", found, matrix, found)
    return step, np.einsum("bi,bi->b", slope, found) - 0.5 * bend


def lapse_of(u: np.ndarray, top: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the lapse rate in (0, top) for an unconstrained number, and its derivative."""
    lapse = top / (1 + np.exp(-np.clip(u, -40, 40)))
    return lapse, lapse * (1 - lapse / top)


def lapse_start(lapse: float, top: float = 1.0) -> float:
    """Return the unconstrained number of a lapse rate (the inverse of `lapse_of`)."""
    return float(np.log(lapse / (top - lapse)))


def lapse_prior(u: np.ndarray, top: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log density, gradient and curvature of the Beta(2, 50) prior of a lapse rate.

    The density is taken over the lapse rate, not over `u`, so the mode is 0.02 in any parametrization.
    """
    lapse, slope = lapse_of(u, top)
    value = (LAPSE_A - 1) * np.log(lapse) + (LAPSE_B - 1) * np.log1p(-np.minimum(lapse, 1 - _EDGE))
    gradient = ((LAPSE_A - 1) / lapse - (LAPSE_B - 1) / (1 - lapse + _EDGE)) * slope
    return value, gradient, (LAPSE_A + LAPSE_B - 2) * slope


def normal_prior(
    x: np.ndarray, mean: float, sd: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log density (up to a constant), gradient and curvature of a normal prior at `x`."""
    off = (x - mean) / sd
    return -0.5 * off**2, -off / sd, np.full_like(x, 1 / sd**2)

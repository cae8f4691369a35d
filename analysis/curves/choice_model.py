"""Choice model: from a model's evidence to the probability of a right answer, with three free parameters.

evidence Δ → d' = g·|Δ|^p with the sign of Δ → proportion correct by the task and rule → lapses. Evidence
is scaled to a mean size of 1; then the priors are the same for every model: log g normal around log 1.5
with standard deviation 1.5, log p normal around 0 with standard deviation 0.5, lapse Beta(2, 50).
"""

from dataclasses import dataclass

import numpy as np

from analysis.data.cells import Cells, links_of, strength_of
from analysis.infer.likelihood import (
    Curve,
    CurveProblem,
    climb,
    lapse_of,
    lapse_prior,
    lapse_start,
    normal_prior,
)

_LOG_GAIN, _LOG_EXPONENT, _LAPSE = 0, 1, 2
_STARTS = np.array([[np.log(g), 0.0, lapse_start(0.02)] for g in (0.3, 1.5, 6.0)])


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """Posterior mode of a model's parameters: d' = gain · |evidence|**exponent, and the lapse rate."""

    gain: float
    exponent: float
    lapse: float
    converged: bool


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Normal approximation of the posterior of a model's three parameters.

    `mode` (3,) holds log gain, log exponent and unconstrained lapse rate for evidence divided by
    `scale`; `root` (3, 3) is a square root of the covariance there.
    """

    mode: np.ndarray
    root: np.ndarray
    scale: float
    converged: bool


def posterior_of(cells: Cells, label: str) -> Posterior:
    """Return the normal approximation of a model's posterior, given the answers in `cells`.

    Raises
    ------
    InputError
        If the model has no evidence for a cell, or negative evidence in a task without a direction.
    """
    strength = strength_of(cells, label)
    scale = float(np.average(np.abs(strength), weights=cells.n_trials)) or 1.0
    problem = CurveProblem(
        curve=_curve(cells, strength / scale),
        prior=_prior,
        n_correct=cells.n_correct,
        n_trials=cells.n_trials,
    )
    found = climb(problem, _STARTS, (_LOG_GAIN, _LOG_EXPONENT, _LAPSE))
    best = int(found.value.argmax())
    _, _, information = problem.evaluate(found.x[[best]])
    covariance = np.linalg.inv(information[0] + 1e-9 * np.eye(3))
    return Posterior(
        mode=found.x[best],
        root=np.linalg.cholesky(covariance),
        scale=scale,
        converged=bool(found.rested[best]),
    )


def fit_model(cells: Cells, label: str) -> ModelFit:
    """Return the posterior mode of a model's gain, exponent and lapse rate.

    Raises
    ------
    InputError
        If the model has no evidence for a cell, or negative evidence in a task without a direction.
    """
    posterior = posterior_of(cells, label)
    log_gain, log_exponent, u = posterior.mode
    exponent = float(np.exp(log_exponent))
    return ModelFit(
        gain=float(np.exp(log_gain) / posterior.scale**exponent),
        exponent=exponent,
        lapse=float(lapse_of(u)[0]),
        converged=posterior.converged,
    )


def predicted(cells: Cells, label: str, fit: ModelFit) -> np.ndarray:
    """Return the probability of a right answer in every cell (C,) under a model's fitted parameters."""
    p = np.empty(len(cells.n_trials))
    for link, where in links_of(cells):
        given = cells.evidence[label][where]
        dprime = np.sign(given) * fit.gain * np.abs(given) ** fit.exponent
        p[where] = (1 - fit.lapse) * link.p_correct(dprime) + fit.lapse * link.guess
    return p


def predictive(cells: Cells, label: str, posterior: Posterior) -> np.ndarray:
    """Return the posterior predictive probability of a right answer in every cell (C,).

    The posterior mean is taken over six points, two on each axis of the normal approximation
    (spherical-radial cubature; Arasaratnam & Haykin 2009, IEEE TAC 54, 1254).
    """
    # Exact for cubic functions of the parameters.
    out = np.sqrt(len(posterior.mode)) * posterior.root.T
    points = posterior.mode + np.concatenate([out, -out])
    p, _ = _curve(cells, cells.evidence[label] / posterior.scale)(points)
    return p.mean(axis=0)


def _curve(cells: Cells, strength: np.ndarray) -> Curve:
    sign, log_strength = np.sign(strength), np.log(np.maximum(np.abs(strength), 1e-300))
    links = links_of(cells)

    def curve(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        exponent = np.exp(np.clip(x[:, [_LOG_EXPONENT]], -8, 4))
        dprime = np.exp(np.minimum(x[:, [_LOG_GAIN]] + exponent * log_strength, 6.0))
        dprime = sign * dprime
        lapse, lapse_slope = lapse_of(x[:, _LAPSE])
        seen, slope, guess = np.empty_like(dprime), np.empty_like(dprime), np.empty_like(dprime)
        for link, where in links:
            seen[:, where] = link.p_correct(dprime[:, where])
            slope[:, where] = link.slope(dprime[:, where])
            guess[:, where] = link.guess
        kept = (1 - lapse)[:, None]
        by_gain = kept * slope * dprime
        parts = [
            by_gain,
            np.where(sign == 0, 0.0, by_gain * exponent * log_strength),
            (guess - seen) * lapse_slope[:, None],
        ]
        return kept * seen + (1 - kept) * guess, np.stack(parts, axis=1)

    return curve


def _prior(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    gain = normal_prior(x[:, _LOG_GAIN], float(np.log(1.5)), 1.5)
    exponent = normal_prior(x[:, _LOG_EXPONENT], 0.0, 0.5)
    lapse = lapse_prior(x[:, _LAPSE])
    gradient, curvature = (np.stack([gain[i], exponent[i], lapse[i]], axis=1) for i in (1, 2))
    return gain[0] + exponent[0] + lapse[0], gradient, curvature

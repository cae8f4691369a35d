"""Choice model: from a model's evidence to the probability of a right answer, with three free parameters.

evidence Δ → d' = g·|Δ|^p with the sign of Δ → proportion correct by the task and rule → lapses. The fit
works on z, the log of |Δ| with mean 0 and standard deviation 1 over trials: log d' = a + b·z. So models that
differ by a gain or a power have the same fit. The priors are the same for every model: a normal around
log 1.5 with standard deviation 1.5, log b normal around log 0.8 with standard deviation 0.8, lapse
Beta(2, 50).
"""

from dataclasses import dataclass, replace

import numpy as np

from analysis.data.cells import CellLink, Cells, links_of, strength_of
from analysis.infer.likelihood import (
    Curve,
    CurveProblem,
    climb,
    lapse_of,
    lapse_prior,
    lapse_start,
    normal_prior,
)

_GAIN, _EXPONENT, _LAPSE = 0, 1, 2
_TYPICAL_GAIN, _TYPICAL_EXPONENT = float(np.log(1.5)), float(np.log(0.8))
_STARTS = np.array([[np.log(g), _TYPICAL_EXPONENT, lapse_start(0.02)] for g in (0.3, 1.5, 6.0)])
_CHUNK = 200_000  # probabilities computed at once


@dataclass(frozen=True, kw_only=True)
class ModelFit:
    """Posterior mode of a model's parameters: d' = gain · |evidence|**exponent, and the lapse rate."""

    gain: float
    exponent: float
    lapse: float
    converged: bool


@dataclass(frozen=True, kw_only=True)
class Said:
    """Evidence of a model about some cells, ready for the choice model.

    Attributes
    ----------
    sign, z
        Sign of the evidence, and the standardized log of its size (G,).
    links
        Links from d' to answers, over the same G cells.
    mean, sd
        Mean and standard deviation of log |Δ| from which z was computed.
    """

    sign: np.ndarray
    z: np.ndarray
    links: tuple[CellLink, ...]
    mean: float
    sd: float

    def take(self, chosen: np.ndarray) -> "Said":
        """Return the evidence about the cells with the numbers `chosen`, ascending."""
        return replace(
            self,
            sign=self.sign[chosen],
            z=self.z[chosen],
            links=tuple(link.take(chosen) for link in self.links),
        )


@dataclass(frozen=True, kw_only=True)
class Posteriors:
    """Normal approximations of the posteriors of a model's parameters, for B sets of counts.

    Attributes
    ----------
    mode, root
        Modes (B, 3) of a, log b and the unconstrained lapse rate, and square roots (B, 3, 3) of the
        covariances there.
    value
        Log posterior at the modes (B,), up to a constant.
    converged
        Whether each maximization has converged (B,).
    """

    mode: np.ndarray
    root: np.ndarray
    value: np.ndarray
    converged: np.ndarray


def said_by(cells: Cells, label: str) -> Said:
    """Return the evidence of a model about every cell.

    Raises
    ------
    InputError
        If the model has no evidence for a cell, or negative evidence in a task without a direction.
    """
    strength = strength_of(cells, label)
    sign, size = np.sign(strength), np.abs(strength)
    seen = size > 0
    z, mean, sd = np.zeros(len(size)), 0.0, 1.0
    if seen.any():
        log, weights = np.log(size[seen]), cells.n_trials[seen]
        mean = float(np.average(log, weights=weights))
        spread = float(np.sqrt(np.average((log - mean) ** 2, weights=weights)))
        # Rounding makes equal evidence differ in the last digits.
        sd = spread if spread > 1e-9 * max(1.0, abs(mean)) else 1.0
        z[seen] = (log - mean) / sd
    return Said(sign=sign, z=z, links=links_of(cells), mean=mean, sd=sd)


def posteriors_of(
    said: Said, n_correct: np.ndarray, n_trials: np.ndarray, start: np.ndarray | None = None
) -> Posteriors:
    """Return the posterior given each of B sets of counts (B, G).

    Parameters
    ----------
    said
        From `said_by`, over the same G cells.
    n_correct, n_trials
        Counts (B, G).
    start
        Parameters (3,) near the modes; None if they are not known.
    """
    starts = _STARTS if start is None else start[None]
    rows = max(1, _CHUNK // max(1, len(said.z)))
    curve = curve_of(said)
    found = [
        _climbed(curve, starts, n_correct[i : i + rows], n_trials[i : i + rows])
        for i in range(0, len(n_correct), rows)
    ]
    names = ("mode", "root", "value", "converged")
    return Posteriors(**{n: np.concatenate([getattr(one, n) for one in found]) for n in names})


def _climbed(
    curve: Curve, starts: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray
) -> Posteriors:
    several, sets = len(starts), len(n_correct)
    problem = CurveProblem(
        curve=curve,
        prior=_prior,
        n_correct=np.repeat(n_correct, several, axis=0),
        n_trials=np.repeat(n_trials, several, axis=0),
    )
    found = climb(problem, np.tile(starts, (sets, 1)), (_GAIN, _EXPONENT, _LAPSE))
    best = found.value.reshape(sets, several).argmax(axis=1) + several * np.arange(sets)
    _, _, information = problem.rows(best).evaluate(found.x[best])
    covariance = np.linalg.inv(information + 1e-9 * np.eye(3))
    return Posteriors(
        mode=found.x[best],
        root=np.linalg.cholesky(covariance),
        value=found.value[best],
        converged=found.rested[best],
    )


def fit_of(said: Said, posteriors: Posteriors) -> ModelFit:
    """Return the first of some posterior modes as gain, exponent and lapse rate of the evidence itself."""
    at_mean, log_b, u = posteriors.mode[0]
    exponent = float(np.exp(log_b) / said.sd)
    return ModelFit(
        gain=float(np.exp(np.clip(at_mean - exponent * said.mean, -700, 700))),
        exponent=exponent,
        lapse=float(lapse_of(u)[0]),
        converged=bool(posteriors.converged[0]),
    )


def fit_model(cells: Cells, label: str) -> ModelFit:
    """Return the posterior mode of a model's gain, exponent and lapse rate.

    Raises
    ------
    InputError
        If the model has no evidence for a cell, or negative evidence in a task without a direction.
    """
    said = said_by(cells, label)
    return fit_of(said, posteriors_of(said, cells.n_correct[None], cells.n_trials[None]))


def predictive(said: Said, mode: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return the posterior predictive probability of a right answer in every cell (G,).

    The posterior mean is taken over six points, two on each axis of the normal approximation with this mode
    (3,) and root (3, 3) (spherical-radial cubature; Arasaratnam & Haykin 2009, IEEE TAC 54, 1254).
    """
    # Exact for cubic functions of the parameters.
    out = np.sqrt(len(mode)) * root.T
    return predicted(said, mode + np.concatenate([out, -out])).mean(axis=0)


def _sensitivity(said: Said, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return d' (B, G) and b (B, 1) at parameters (B, 3)."""
    b = np.exp(np.clip(x[:, [_EXPONENT]], -8, 4))
    return said.sign * np.exp(np.minimum(x[:, [_GAIN]] + b * said.z, 6.0)), b


def predicted(said: Said, x: np.ndarray) -> np.ndarray:
    """Return the probability of a right answer in every cell (B, G) at parameters (B, 3)."""
    dprime, _ = _sensitivity(said, x)
    lapse = lapse_of(x[:, [_LAPSE]])[0]
    p = np.empty_like(dprime)
    for link in said.links:
        seen = link.p_correct(dprime[:, link.where])
        p[:, link.where] = (1 - lapse) * seen + lapse * link.guess
    return p


def curve_of(said: Said) -> Curve:
    """Return the probability of a right answer with its derivatives, as a function of the parameters."""

    def curve(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dprime, b = _sensitivity(said, x)
        lapse, lapse_slope = (v[:, None] for v in lapse_of(x[:, _LAPSE]))
        p, slopes = np.empty_like(dprime), np.empty((len(x), 3, len(said.z)))
        for link in said.links:
            at = link.where
            d = dprime[:, at]
            seen = link.p_correct(d)
            by_gain = (1 - lapse) * link.p_slope(d) * d
            p[:, at] = (1 - lapse) * seen + lapse * link.guess
            slopes[:, _GAIN, at] = by_gain
            slopes[:, _EXPONENT, at] = by_gain * b * said.z[at]
            slopes[:, _LAPSE, at] = (link.guess - seen) * lapse_slope
        return p, slopes

    return curve


def _prior(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    gain = normal_prior(x[:, _GAIN], _TYPICAL_GAIN, 1.5)
    exponent = normal_prior(x[:, _EXPONENT], _TYPICAL_EXPONENT, 0.8)
    lapse = lapse_prior(x[:, _LAPSE])
    gradient, curvature = (np.stack([gain[i], exponent[i], lapse[i]], axis=1) for i in (1, 2))
    return gain[0] + exponent[0] + lapse[0], gradient, curvature

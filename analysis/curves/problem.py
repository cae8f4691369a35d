"""Log posteriors of psychometric functions: a batch of data sets, each with its own levels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.curves.parametrization import (
    RATES,
    STEEPNESS,
    THRESHOLD,
    Parametrization,
    curve_terms,
    curves_at,
)
from analysis.infer.priors import Prior


@dataclass(frozen=True, kw_only=True)
class PsychometricProblem:
    """Counts of B data sets, a parametrization, and a prior of each quantity (a `LogPosterior`).

    Attributes
    ----------
    parametrization
        Coordinates and family of the curves.
    priors
        One for each of `parametrization.names`: of the position on the axis, of log2 width there, of rates.
    x
        Positions of the levels (B, L) in units of their range, from its middle.
    centre, span
        Middle and range of the levels on the axis (B,); a range below 0 stands for a mirrored axis.
    width_unit
        Unit of the widths that the prior speaks of, in ranges of the levels (B,).
    n_correct, n_trials
        Counts (B, L); levels without trials are padding.
    pull
        Mean and weight (B, 2) of a further normal prior of the first free rate, the weight being 1/variance.
    """

    parametrization: Parametrization
    priors: Sequence[Prior]
    x: np.ndarray
    centre: np.ndarray
    span: np.ndarray
    width_unit: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray
    pull: np.ndarray

    def rows(self, chosen: np.ndarray) -> "PsychometricProblem":
        """Return the problem of some data sets, in their order; a data set may be chosen repeatedly."""
        return replace(
            self,
            x=self.x[chosen],
            centre=self.centre[chosen],
            span=self.span[chosen],
            width_unit=self.width_unit[chosen],
            n_correct=self.n_correct[chosen],
            n_trials=self.n_trials[chosen],
            pull=self.pull[chosen],
        )

    def evaluate(self, c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log posterior (B,), gradient (B, K) and information (B, K, K) at coordinates (B, K)."""
        parametrization = self.parametrization
        found = curves_at(parametrization, c)
        p, slopes = curve_terms(parametrization, found, self.x, c)
        first = RATES + len(parametrization.asymptotes.names)
        noise = parametrization.noise.terms(
            p, self.n_correct, self.n_trials, found.quantities[:, first:]
        )
        gradient = (slopes @ noise.score[..., None])[..., 0]
        weighted = slopes * noise.weight[:, None, :]
        information = weighted @ np.swapaxes(slopes, -1, -2)
        for j in range(first, c.shape[1]):
            through = found.jacobian[:, j, j]
            gradient[:, j] += noise.extra_score[:, j - first] * through
            information[:, j, j] += noise.extra_weight[:, j - first] * through**2
        value, pull, curvature = self.log_prior(found.quantities)
        gradient += (pull[:, None, :] @ found.jacobian)[:, 0]
        information += np.swapaxes(found.jacobian, -1, -2) @ (curvature[..., None] * found.jacobian)
        return noise.value + value, gradient, information

    def log_prior(self, quantities: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the log prior (B,) of quantities (B, K), its gradient and a positive curvature (B, K)."""
        value, gradient, curvature = np.zeros(len(quantities)), *np.zeros((2, *quantities.shape))
        for j in range(len(self.priors)):
            height, first, second = self.prior_terms(j, quantities[:, j])
            value += height
            gradient[:, j] = first
            curvature[:, j] = np.maximum(-second, 0.0)
        if self.pull.any():
            mean, weight = self.pull.T
            off = quantities[:, RATES] - mean
            value -= 0.5 * weight * off**2
            gradient[:, RATES] -= weight * off
            curvature[:, RATES] += weight
        return value, gradient, curvature

    def prior_terms(self, j: int, given: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the log prior (B,) of one quantity, without the pull, and its two derivatives."""
        terms = self.priors[j].terms
        if j == THRESHOLD:
            height, first, second = terms(self.centre + self.span * given)
            return height, first * self.span, second * self.span**2
        return terms(given - np.log2(self.width_unit) if j == STEEPNESS else given)

"""Crossed random-effects models of counts: unknowns, log posterior, gradient and information.

Every cell (a person with an image, or whatever was told apart) has parameters θ = β + Σ τ·z: a common part
β, and for each effect a standard normal z of its person or image times a standard deviation τ. τ has a
half-Cauchy prior and is held as v with τ = scale·sinh(v); the prior density of v is then 1/cosh(v), smooth
and symmetric, so that τ = 0 is no boundary.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from analysis.infer.likelihood import Curve, LogPrior, log_likelihood

_EDGE = 1e-9
_STEP = 1e-4  # of the parameters of a cell, for second derivatives

#: Module of arrays (numpy or jax.numpy) and parameters (..., K) to probabilities (..., L) or densities (...).
Formula = Callable[[Any, Any], Any]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A parameter that varies over the levels of a factor; `scale` belongs to the half-Cauchy prior of τ."""

    factor: str
    parameter: int
    scale: float


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedProblem:
    """Counts (C, L) of cells at levels, a curve of their parameters, and the effects in these.

    Attributes
    ----------
    curve
        Parameters (B, C, K) to probabilities (B, C, L) and their derivatives (B, C, K, L).
    prior
        Common parameters (B, K) to log density, gradient and curvature, as in `CurveProblem`.
    formula, log_prior
        The curve and the log density of the prior again, without derivatives, in numpy or in JAX.
    n_correct, n_trials
        Counts (C, L).
    factors
        Codes (C,) by name of the factor.
    effects
        E effects.
    integrated
        Common parameters whose posterior is far from normal (H of them); Laplace's approximation integrates
        them numerically, as it does the τ.
    start
        Common parameters (K,) to begin with.
    """

    curve: Curve
    prior: LogPrior
    formula: Formula
    log_prior: Formula
    n_correct: np.ndarray
    n_trials: np.ndarray
    factors: Mapping[str, np.ndarray]
    effects: tuple[Effect, ...]
    integrated: tuple[int, ...]
    start: np.ndarray

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of levels of each effect (E,)."""
        counts = [int(self.factors[effect.factor].max()) + 1 for effect in self.effects]
        return np.array(counts, dtype=np.intp)

    @property
    def size(self) -> int:
        """Number of unknowns D: common parameters, then the z of each effect."""
        return len(self.start) + int(self.counts.sum())

    @cached_property
    def scales(self) -> np.ndarray:
        """Scales of the priors of the τ (E,)."""
        return np.array([effect.scale for effect in self.effects], dtype=np.float64)

    @cached_property
    def terms(self) -> tuple[np.ndarray, np.ndarray]:
        """Parameter (T,) and unknown (C, T) of the common parameters and of the effects in each cell."""
        n_common, n_cells = len(self.start), len(self.n_correct)
        begins = n_common + np.concatenate([[0], np.cumsum(self.counts)[:-1]]).astype(np.intp)
        columns = [np.full(n_cells, k) for k in range(n_common)]
        columns += [
            begin + self.factors[effect.factor]
            for begin, effect in zip(begins, self.effects, strict=False)
        ]
        parameter = [*range(n_common), *(effect.parameter for effect in self.effects)]
        return np.array(parameter), np.stack(columns, axis=1)

    @cached_property
    def _sums(self) -> tuple[csr_array, csr_array]:
        """Matrices that add up cells' terms, to the gradient (D, C·T) and to the information (D², C·T²)."""
        columns, size = self.terms[1], self.size
        pairs = columns[:, :, None] * size + columns[:, None, :]
        return _summing(columns.ravel(), size), _summing(pairs.ravel(), size**2)

    def loads(self, tau: np.ndarray) -> np.ndarray:
        """Return the factor of each unknown (B, D) for τ (B, E): 1 for common parameters, τ for effects."""
        ones = np.ones((len(tau), len(self.start)))
        return np.concatenate([ones, np.repeat(tau, self.counts, axis=1)], axis=1)

    def cell_parameters(self, x: np.ndarray, tau: np.ndarray) -> np.ndarray:
        """Return the parameters of every cell (B, C, K) at unknowns (B, D) and τ (B, E)."""
        parameter, columns = self.terms
        parts = (x * self.loads(tau))[:, columns]
        return parts @ np.eye(len(self.start))[parameter]

    def evaluate(
        self, x: np.ndarray, tau: np.ndarray, *, observed: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log posterior given τ (B,), its gradient (B, D) and information (B, D, D).

        The information is the expected one, or that of the answers if `observed`.
        """
        n_common, size, batch = len(self.start), self.size, len(x)
        value, pull, matrix = self._cells(self.cell_parameters(x, tau), observed=observed)
        parameter, columns = self.terms
        loads = self.loads(tau)[:, columns[0]]
        terms = pull[:, :, parameter] * loads[:, None, :]
        pairs = matrix[:, :, parameter[:, None], parameter] * (
            loads[:, None, :, None] * loads[:, None, None, :]
        )
        to_gradient, to_information = self._sums
        gradient = (to_gradient @ terms.reshape(batch, -1).T).T
        information = (to_information @ pairs.reshape(batch, -1).T).T.reshape(batch, size, size)
        prior, slope, curvature = self.prior(x[:, :n_common])
        z = x[:, n_common:]
        diagonal = np.concatenate([curvature, np.ones_like(z)], axis=1)
        information[:, np.arange(size), np.arange(size)] += diagonal
        gradient = gradient + np.concatenate([slope, -z], axis=1)
        return value + prior - 0.5 * (z**2).sum(axis=1), gradient, information

    def _cells(
        self, theta: np.ndarray, *, observed: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return log likelihood (B,), gradient (B, C, K) and information (B, C, K, K) by cell parameters."""
        p, slopes = self._curve(theta)
        pull = self._pull(p, slopes)
        value = log_likelihood(p, self.n_correct, self.n_trials).sum(axis=-1)
        if not observed:
            weighted = slopes * np.sqrt(self.n_trials / (p * (1 - p)))[:, :, None, :]
            return value, pull, weighted @ np.swapaxes(weighted, -1, -2)
        steps = _STEP * np.eye(theta.shape[-1])
        columns = [(pull - self._pull(*self._curve(theta + step))) / _STEP for step in steps]
        matrix = np.stack(columns, axis=-1)
        return value, pull, 0.5 * (matrix + np.swapaxes(matrix, -1, -2))

    def _curve(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p, slopes = self.curve(theta)
        return np.clip(p, _EDGE, 1 - _EDGE), slopes

    def _pull(self, p: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        residual = (self.n_correct - self.n_trials * p) / (p * (1 - p))
        return (slopes @ residual[..., None])[..., 0]


def _summing(rows: np.ndarray, n_rows: int) -> csr_array:
    ones = np.ones(len(rows))
    return csr_array((ones, (rows, np.arange(len(rows)))), shape=(n_rows, len(rows)))


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedPosterior:
    """Posterior of a mixed problem as a mixture of N normals; draws are normals without width.

    Attributes
    ----------
    weight
        Weights (N,), with a sum of 1.
    mean, sd
        Quantities (N, Q) at each point.
    tau
        Standard deviations of the effects (N, E).
    cells
        Drawn parameters of every cell (S, C, K), for predictive checks.
    diagnostics
        Numbers by name, which say how far the result can be trusted.
    """

    weight: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    tau: np.ndarray
    cells: np.ndarray
    diagnostics: Mapping[str, float]

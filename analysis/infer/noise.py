"""Scatter of counts about a probability: binomial, and beta-binomial with overdispersion η.

Beta-binomial answers come from a probability that is itself drawn anew at every level: from a beta
density with mean P and ν = 1/η² − 1, so that the variance is n·P·(1 − P)·(1 + (n − 1)·η²). η is 0 for
binomial answers and at most 1. Source: Schütt, Harmeling, Macke & Wichmann (2016), Vision Research 122.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from scipy.special import betaln, digamma

EDGE = 1e-9  # a probability is at least so far from 0 and 1
_LEAST = 1e-3  # below this η, answers are binomial to the last digits


@dataclass(frozen=True, kw_only=True)
class NoiseTerms:
    """Log likelihood (B,) with its derivatives and expected information, for the search of its maximum.

    `score` (B, L) and `weight` (B, L) are its derivative by each probability and the expected
    information; `extra_score` and `extra_weight` (B, E) are those of the noise's own parameters.
    """

    value: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    extra_score: np.ndarray
    extra_weight: np.ndarray


class Noise(Protocol):
    """Scatter of counts about their probabilities, with E parameters of its own between 0 and 1."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its parameters (E of them)."""
        ...

    def terms(
        self, p: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray, extra: np.ndarray
    ) -> NoiseTerms:
        """Return the terms of counts (B, L) at probabilities (B, L) and own parameters (B, E)."""
        ...

    def draw(
        self, rng: np.random.Generator, p: np.ndarray, n_trials: np.ndarray, extra: np.ndarray
    ) -> np.ndarray:
        """Return simulated counts (R, L) at probabilities (R, L) and own parameters (R, E)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Binomial:
    """Answers that differ from their probability by chance alone.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> found = Binomial().terms(0.5 * one, 3 * one, 4 * one, one[:, :0])
    >>> round(float(found.value[0]), 6), float(found.score[0, 0]), float(found.weight[0, 0])
    (-2.772589, 4.0, 16.0)
    """

    names: tuple[str, ...] = ()

    def terms(
        self, p: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray, extra: np.ndarray
    ) -> NoiseTerms:
        """Return the terms of counts (B, L) at probabilities (B, L)."""
        p = np.clip(p, EDGE, 1 - EDGE)
        q = 1 - p
        logs = n_correct * np.log(p)
        logs += (n_trials - n_correct) * np.log(q)
        spread = p * q
        return NoiseTerms(
            value=logs.sum(axis=-1),
            score=(n_correct - n_trials * p) / spread,
            weight=n_trials / spread,
            extra_score=extra,
            extra_weight=extra,
        )

    def draw(
        self, rng: np.random.Generator, p: np.ndarray, n_trials: np.ndarray, extra: np.ndarray
    ) -> np.ndarray:
        """Return simulated counts (R, L)."""
        return rng.binomial(n_trials.astype(np.int64), p).astype(np.float64)


@dataclass(frozen=True, kw_only=True)
class BetaBinomial:
    """Answers whose probability wanders from one level to the next, by η.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> found = BetaBinomial().terms(0.5 * one, 3 * one, 4 * one, 0.5 * one)
    >>> round(float(found.value[0]), 6)  # log(7/128)
    -2.90612
    """

    names: tuple[str, ...] = ("eta",)

    def terms(
        self, p: np.ndarray, n_correct: np.ndarray, n_trials: np.ndarray, extra: np.ndarray
    ) -> NoiseTerms:
        """Return the terms of counts (B, L) at probabilities (B, L) and η (B, 1)."""
        eta = np.clip(extra, _LEAST, 1 - _LEAST)
        nu = 1 / eta**2 - 1
        p = np.clip(p, EDGE, 1 - EDGE)
        a, b, wrong = p * nu, (1 - p) * nu, n_trials - n_correct
        up, down = digamma(n_correct + a) - digamma(a), digamma(wrong + b) - digamma(b)
        by_nu = p * up + (1 - p) * down - (digamma(n_trials + nu) - digamma(nu))
        factor = 1 + (n_trials - 1) * eta**2
        by_factor = 2 * np.maximum(n_trials - 1, 0.0) * eta / factor
        return NoiseTerms(
            value=(betaln(n_correct + a, wrong + b) - betaln(a, b)).sum(axis=-1),
            score=nu * (up - down),
            weight=n_trials / (p * (1 - p) * np.maximum(factor, EDGE)),
            extra_score=(-2 / eta**3) * by_nu.sum(axis=-1, keepdims=True),
            extra_weight=0.5 * (by_factor**2).sum(axis=-1, keepdims=True),
        )

    def draw(
        self, rng: np.random.Generator, p: np.ndarray, n_trials: np.ndarray, extra: np.ndarray
    ) -> np.ndarray:
        """Return simulated counts (R, L)."""
        eta = np.clip(extra, _LEAST, 1 - _LEAST)
        nu = 1 / eta**2 - 1
        p = np.clip(p, EDGE, 1 - EDGE)
        wandering = rng.beta(np.maximum(p * nu, EDGE), np.maximum((1 - p) * nu, EDGE))
        return rng.binomial(n_trials.astype(np.int64), wandering).astype(np.float64)


NOISES: Mapping[str, Noise] = MappingProxyType(
    {"binomial": Binomial(), "beta-binomial": BetaBinomial()}
)

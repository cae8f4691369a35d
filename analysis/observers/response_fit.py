"""Maximum likelihood of d' and bias from counts of responses, by Fisher's scoring."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from analysis.observers.criterion import LARGEST_DPRIME
from analysis.observers.responses import Percepts, best_bias, percepts_at
from analysis.observers.structure import Structure

_Function = Callable[[np.ndarray], np.ndarray]
_STEP = 0.12
_ITERATIONS = 40
_SETTLED = 1e-3  # in log likelihood
#: A response that no percept leads to is not impossible: people err.
_RAREST = 1e-6


@dataclass(frozen=True, kw_only=True)
class Law:
    """The d' of each of G groups of trials as a function of parameters θ.

    Attributes
    ----------
    dprime
        θ (k,) to d' (G,).
    slopes
        θ to the derivatives of d', (G, k).
    start
        A guess of d' (G,), all above 0, to θ.
    """

    dprime: _Function
    slopes: _Function
    start: _Function


def own_dprimes(n_groups: int) -> Law:
    """Return the law by which every group has its own d'."""
    return Law(
        dprime=lambda x: np.clip(x, 0.0, LARGEST_DPRIME),
        slopes=lambda _: np.eye(n_groups),
        start=lambda d: d,
    )


def power_of(levels: np.ndarray) -> Law:
    """Return the law d' = gain·level^exponent, of log gain (at the mean log level) and exponent."""
    log_level = np.log(levels)
    design = np.stack([np.ones(len(levels)), log_level - log_level.mean()], axis=1)

    def dprime(x: np.ndarray) -> np.ndarray:
        return np.minimum(np.exp(np.clip(design @ x, -20.0, 20.0)), LARGEST_DPRIME)

    return Law(
        dprime=dprime,
        slopes=lambda x: dprime(x)[:, None] * design,
        start=lambda d: np.linalg.lstsq(design, np.log(d), rcond=None)[0],
    )


def fixed_dprimes(d: np.ndarray) -> Law:
    """Return the law without parameters by which d' is given."""
    return Law(
        dprime=lambda _: d, slopes=lambda _: np.zeros((len(d), 0)), start=lambda _: np.empty(0)
    )


@dataclass(frozen=True, kw_only=True)
class Point:
    """Parameters of a law and the bias of all answers but the first, with their log likelihood.

    `information` is Fisher's information, (k + answers − 1, k + answers − 1).
    """

    parameters: np.ndarray
    bias: np.ndarray
    log_likelihood: float
    information: np.ndarray


def most_likely(
    counts: np.ndarray,
    structure: Structure,
    rule: str,
    law: Law,
    start: tuple[np.ndarray, np.ndarray],
) -> Point:
    """Return the most likely parameters for counts (G, right answers, responses).

    `start` holds parameters of the law, and the bias of all answers but the first.
    """
    x, n = np.concatenate(start), len(start[0])
    here = _look(counts, structure, rule, law, x, n)
    for _ in range(_ITERATIONS):
        ridge = 1e-3 * np.eye(len(x))  # for a d' of 0, which says nothing of its neighbours
        step = np.linalg.solve(here.information + ridge, here.gradient)
        step *= min(1.0, 2.0 / max(float(np.abs(step).max(initial=0.0)), 1e-9))
        there = _look(counts, structure, rule, law, x + step, n)
        while there.log_likelihood < here.log_likelihood and np.abs(step).max() > 1e-5:
            step = step / 4
            there = _look(counts, structure, rule, law, x + step, n)
        gain = there.log_likelihood - here.log_likelihood
        if gain > 0:
            x, here = x + step, there
        if gain < _SETTLED:
            break
    return Point(
        parameters=x[:n],
        bias=x[n:],
        log_likelihood=here.log_likelihood,
        information=here.information,
    )


@dataclass(frozen=True, kw_only=True)
class _View:
    log_likelihood: float
    gradient: np.ndarray
    information: np.ndarray


def _look(
    counts: np.ndarray, structure: Structure, rule: str, law: Law, x: np.ndarray, n: int
) -> _View:
    """Return log likelihood, its gradient and the information at a point, from differences."""
    bias = np.concatenate([[0.0], x[n:]])
    d, slopes = law.dprime(x[:n]), law.slopes(x[:n])
    value, gradient, information = 0.0, np.zeros(len(x)), np.zeros((len(x), len(x)))
    for group, at in enumerate(d):
        here = percepts_at(structure, rule, float(at))
        p = np.clip(here.probabilities(bias), _RAREST, 1.0)
        by_d = (
            slopes[group][:, None, None] * _by_dprime(structure, rule, float(at), bias) if n else []
        )
        rise = np.stack([*by_d, *_by_bias(here, bias)])  # (parameters, answers, responses)
        known = counts[group]
        value += float(xlogy(known, p).sum())
        gradient += (rise * known / p).sum(axis=(1, 2))
        expected = known.sum(axis=1, keepdims=True) / p
        information += np.einsum("iab,jab->ij", rise * expected, rise)
    return _View(log_likelihood=value, gradient=gradient, information=information)


def _by_dprime(structure: Structure, rule: str, d: float, bias: np.ndarray) -> np.ndarray:
    """Return the derivative of the probabilities (answers, responses) by d'."""
    low, high = max(d - _STEP, 0.0), d + _STEP
    ends = [percepts_at(structure, rule, end).probabilities(bias) for end in (low, high)]
    return (ends[1] - ends[0]) / (high - low)


def _by_bias(here: Percepts, bias: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the derivatives of the probabilities (answers, responses) by each bias but the first."""
    for step in _STEP * np.eye(len(bias))[1:]:
        yield (here.probabilities(bias + step) - here.probabilities(bias - step)) / (2 * _STEP)


def starting_bias(structure: Structure, rule: str, d: float) -> np.ndarray:
    """Return the bias of all answers but the first that makes fewest errors, relative to the first's."""
    bias = best_bias(structure, rule, np.array([d]))[0]
    return bias[1:] - bias[0]

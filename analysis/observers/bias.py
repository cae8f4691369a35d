"""Response bias as an estimated parameter: which answers a participant prefers, beside d'."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analysis.observers.checks import as_counts
from analysis.observers.counted.proportions import Z95
from analysis.observers.criterion import LARGEST_DPRIME
from analysis.observers.links import link_of
from analysis.observers.response_fit import (
    Point,
    fixed_dprimes,
    most_likely,
    own_dprimes,
)
from analysis.observers.rules import rule_of
from analysis.observers.sdt import task_of
from analysis.observers.structure import Structure, structure_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.shown import FieldTable

_PROPOSALS, _CLOSE = 12, 0.01


@dataclass(frozen=True, kw_only=True, repr=False)
class BiasFit(FieldTable):
    """d' and the bias of each answer, with 95 % intervals.

    Attributes
    ----------
    answers
        The task's answers.
    rule
        Decision rule.
    dprime, dprime_low, dprime_high
        d' of the biased observer, with the interval of its likelihood profile; `dprime_high` is infinite
        where the counts set no bound. With a bias, `dprime_from_counts` would give less.
    bias, bias_low, bias_high
        What is added to the score of each answer, in standard deviations of a percept (`answer_scores`);
        above 0 for a preferred answer. The biases sum to 0. Their intervals are Wald's.
    p_unbiased
        p of Wald's test that there is no bias.
    log_likelihood
        At the estimates.
    n_trials
        Number of trials.

    Examples
    --------
    >>> from analysis import fit_bias
    >>> fit_bias([[50, 50], [50, 50]], "2ifc").n_trials
    200
    """

    answers: tuple[str, ...]
    rule: str
    dprime: float
    dprime_low: float
    dprime_high: float
    bias: tuple[float, ...]
    bias_low: tuple[float, ...]
    bias_high: tuple[float, ...]
    p_unbiased: float
    log_likelihood: float
    n_trials: int

    def __repr__(self) -> str:
        pairs = zip(self.answers, self.bias, strict=True)
        biases = ", ".join(f"{answer} {bias:+.2g}" for answer, bias in pairs)
        ends = f"{self.dprime:.3g} [{self.dprime_low:.3g}, {self.dprime_high:.3g}]"
        return f"BiasFit(d' {ends}, bias of {biases}, {self.n_trials} trials)"


def fit_bias(counts: ArrayLike, task: Task | str, rule: str | None = None) -> BiasFit:
    """Return the most likely d' and biases from counts of responses.

    In 2IFC, with H and F the shares of "first" where it is right and where it is wrong, d' is
    (z(H) − z(F))/√2 and the criterion c = −(z(H) + z(F))/2; the bias of "first" is −c/√2.

    Parameters
    ----------
    counts
        How often each answer was given (columns) where each was right (rows), in the order of the task's
        answers, (answers, answers), such as ``response_table(answers)``.
    task, rule
        A task or the name of a declared one, and one of its rules; None for the first.

    Raises
    ------
    InputError
        If the counts do not fit the task, some answer was never right, or the task has a criterion.

    Examples
    --------
    >>> fit = fit_bias([[90, 10], [40, 60]], "2ifc")
    >>> round(fit.dprime, 1), [round(bias, 1) for bias in fit.bias]
    (1.1, [0.4, -0.4])
    """
    value = task_of(task)
    name, structure = rule_of(value, rule), structure_of(value)
    if structure.criterion:
        raise InputError(
            f"the task {value.name!r} has a criterion, which is its bias; use `dprime_from_hits`"
        )
    known = response_counts(counts, value)[None]
    share = float(np.trace(known[0]) / known.sum())
    d = float(link_of(value, name).dprime(np.array(max(share, 0.5 / known.sum()))))
    start = np.clip([d], 0.1, 6.0)
    flat = np.zeros(structure.n_answers - 1)
    best = most_likely(known, structure, name, own_dprimes(1), (start, flat))
    low, high = _dprime_interval(known, structure, name, best)
    covariance = np.linalg.pinv(best.information)[1:, 1:]
    wald = float(best.bias @ np.linalg.pinv(covariance) @ best.bias)
    bias, error = _centred(best.bias, covariance)
    return BiasFit(
        answers=value.answers,
        rule=name,
        dprime=float(np.clip(best.parameters[0], 0.0, LARGEST_DPRIME)),
        dprime_low=low,
        dprime_high=high,
        bias=tuple(bias.tolist()),
        bias_low=tuple((bias - Z95 * error).tolist()),
        bias_high=tuple((bias + Z95 * error).tolist()),
        p_unbiased=float(chdtrc(len(flat), wald)),
        log_likelihood=best.log_likelihood,
        n_trials=int(known.sum()),
    )


def response_counts(counts: ArrayLike, task: Task) -> np.ndarray:
    """Return counts (…, right answers, responses) of a task as float64.

    Raises
    ------
    InputError
        If they are no counts, do not have a row and a column for each answer, or an answer was never right.
    """
    if hasattr(counts, "kept"):
        raise InputError(
            "counts must be a table of given against right answers; take that of answers with "
            "response_table(answers)"
        )
    (known,) = as_counts(counts=counts)
    m = len(task.answers)
    if known.shape[-2:] != (m, m):
        raise InputError(
            f"counts of the task {task.name!r} must have a row for each right answer and a column for each "
            f"response ({', '.join(task.answers)}); their shape is {known.shape}"
        )
    if not (known.sum(axis=-1) > 0).all():
        raise InputError(
            "each answer must be right in some trials; leave out groups in which one never is"
        )
    return known


def _centred(bias: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bias of every answer about their mean, and the standard errors."""
    m = len(bias) + 1
    centre = np.eye(m)[:, 1:] - 1 / m
    spread = np.diag(centre @ covariance @ centre.T)
    return centre @ bias, np.sqrt(np.maximum(spread, 0.0))


def _dprime_interval(
    counts: np.ndarray, structure: Structure, rule: str, best: Point
) -> tuple[float, float]:
    """Return the d' at which the likelihood profile over biases falls by half the 95 % point of χ²."""
    at = float(np.clip(best.parameters[0], 0.0, LARGEST_DPRIME))

    def deviate(d: float) -> float:
        """Return the signed root of the deviance, which grows about as the distance from the estimate."""
        law = fixed_dprimes(np.array([d]))
        there = most_likely(counts, structure, rule, law, (np.empty(0), best.bias))
        return float(np.sqrt(max(2 * (best.log_likelihood - there.log_likelihood), 0.0)))

    error = 1 / np.sqrt(max(best.information[0, 0], 1e-6))
    ends = []
    for side, bound, unbounded in ((-1, 0.0, 0.0), (1, LARGEST_DPRIME, np.inf)):
        if at == bound or deviate(bound) < Z95:
            ends.append(unbounded)
            continue
        near, far, d = at, bound, at + side * Z95 * error
        for _ in range(_PROPOSALS):
            d = d if min(near, far) < d < max(near, far) else 0.5 * (near + far)
            found = deviate(d)
            if abs(found - Z95) < _CLOSE:
                break
            near, far = (near, d) if found > Z95 else (d, far)
            d = at + (d - at) * Z95 / max(found, 0.1)
        ends.append(float(d))
    return ends[0], ends[1]

"""Signal detection theory: d' to proportion correct and back, for each task and decision rule.

Observers are unbiased, with Gaussian percepts of equal variance. Proportion correct depends on the
observer's decision rule, not on the task alone, so every function here takes both.

==========  ===============  ==========================================  ==========================
task        rule             proportion correct                          d' at 75 % correct
==========  ===============  ==========================================  ==========================
``2afc``    ``independent``  Φ(d/√2)                                     0.95
``abx``     ``independent``  Φ(d/√2)Φ(d/2) + Φ(−d/√2)Φ(−d/2)             1.79
``abx``     ``differencing`` Φ(d/√2)Φ(d/√6) + Φ(−d/√2)Φ(−d/√6)           2.02
==========  ===============  ==========================================  ==========================

Source: Macmillan & Creelman (2005), *Detection Theory: A User's Guide*, chapters 7 and 9.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, ndtri

from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.whole import whole

_BISECTIONS = 64
_HIGHEST_DPRIME = 64.0
Z95 = 1.959963984540054


@dataclass(frozen=True, kw_only=True)
class Link:
    """Relation between d' and proportion correct for one task and decision rule.

    Attributes
    ----------
    task, rule
        Names of the task and of the rule.
    guess
        Proportion correct at d' = 0.
    scale
        P(correct) = 1/2 + erf(d/2)·erf(d/`scale`)/2; None stands for the one-comparison task 2AFC,
        P(correct) = 1/2 + erf(d/2)/2.
    """

    task: str
    rule: str
    guess: float
    scale: float | None

    def p_correct(self, dprime: np.ndarray) -> np.ndarray:
        """Return the proportion correct of an observer with sensitivity `dprime` (any shape)."""
        first = erf(dprime / 2)
        if self.scale is None:
            return 0.5 + 0.5 * first
        return 0.5 + 0.5 * first * erf(dprime / self.scale)

    def slope(self, dprime: np.ndarray) -> np.ndarray:
        """Return the derivative of `p_correct` with respect to d'."""
        first_slope = np.exp(-(dprime**2) / 4) / np.sqrt(np.pi)
        if self.scale is None:
            return 0.5 * first_slope
        second_slope = 2 / (self.scale * np.sqrt(np.pi)) * np.exp(-((dprime / self.scale) ** 2))
        return 0.5 * (first_slope * erf(dprime / self.scale) + erf(dprime / 2) * second_slope)

    def dprime(self, p_correct: np.ndarray) -> np.ndarray:
        """Return the d' at proportion correct `p_correct` (values in [0, 1])."""
        if self.scale is None:
            return np.sqrt(2) * ndtri(p_correct)
        return _invert(self.p_correct, p_correct)


def _invert(rising: Callable[[np.ndarray], np.ndarray], p: np.ndarray) -> np.ndarray:
    """Return the d' at which a rising function reaches p, by bisection; 0 at or below chance, inf at 1."""
    low, high = np.zeros_like(p), np.full_like(p, _HIGHEST_DPRIME)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        below = rising(middle) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    found = np.where(p <= 0.5, 0.0, 0.5 * (low + high))
    return np.where(p >= 1.0, np.inf, found)


LINKS = MappingProxyType(
    {
        (link.task, link.rule): link
        for link in (
            Link(task="abx", rule="independent", guess=0.5, scale=2 * np.sqrt(2)),
            Link(task="abx", rule="differencing", guess=0.5, scale=np.sqrt(12)),
            Link(task="2afc", rule="independent", guess=0.5, scale=None),
        )
    }
)


def link_of(task: str, rule: str) -> Link:
    """Return the link of a task under a decision rule.

    Raises
    ------
    InputError
        If the task is unknown, or the rule is not one of that task.

    Examples
    --------
    >>> link_of("abx", "differencing").guess
    0.5
    """
    tasks = sorted({known for known, _ in LINKS})
    if task not in tasks:
        raise unknown_name("task", task, tasks)
    if (task, rule) not in LINKS:
        rules = [known for other, known in LINKS if other == task]
        raise unknown_name(f"decision rule of the task {task}", rule, rules)
    return LINKS[task, rule]


def p_correct(dprime: ArrayLike, task: str = "abx", rule: str = "independent") -> np.ndarray:
    """Return the proportion correct at sensitivity `dprime` (float64, same shape).

    Examples
    --------
    >>> round(float(p_correct(1.79)), 2), round(float(p_correct(2.02, rule="differencing")), 2)
    (0.75, 0.75)
    """
    return np.asarray(link_of(task, rule).p_correct(np.asarray(dprime, dtype=np.float64)))


def dprime(p_correct: ArrayLike, task: str = "abx", rule: str = "independent") -> np.ndarray:
    """Return the d' at proportion correct `p_correct` (float64, same shape).

    At 1 it is infinite. Below chance it is negative in 2AFC; in ABX, where a negative d' would give
    the same answers as a positive one, it is 0.

    Raises
    ------
    InputError
        If a proportion lies outside [0, 1].

    Examples
    --------
    >>> float(np.round(dprime(0.75, task="2afc"), 3))
    0.954
    """
    link = link_of(task, rule)
    p = np.asarray(p_correct, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"a proportion correct must lie between 0 and 1; {p_correct!r} was given")
    return np.asarray(link.dprime(p))


def guess_rate(task: str) -> float:
    """Return the proportion correct of a task for an observer who sees no difference.

    Examples
    --------
    >>> guess_rate("abx")
    0.5
    """
    tasks = {known: link.guess for (known, _), link in LINKS.items()}
    if task not in tasks:
        raise unknown_name("task", task, sorted(tasks))
    return tasks[task]


@dataclass(frozen=True, kw_only=True)
class DPrime:
    """d' from counts with its 95 % interval (`high` is infinite when all were correct)."""

    estimate: float
    low: float
    high: float
    n_correct: int
    n_trials: int


def wilson(n_correct: ArrayLike, n_trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % Wilson score interval of a proportion (Wilson 1927).

    Examples
    --------
    >>> [round(float(end), 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    k, n = np.asarray(n_correct, dtype=np.float64), np.asarray(n_trials, dtype=np.float64)
    middle = (k + Z95**2 / 2) / (n + Z95**2)
    half = Z95 / (n + Z95**2) * np.sqrt(k * (n - k) / n + Z95**2 / 4)
    low = np.where(k <= 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(k >= n, 1.0, np.minimum(middle + half, 1.0))
    return low, high


def dprime_from_counts(
    n_correct: int, n_trials: int, task: str = "abx", rule: str = "independent"
) -> DPrime:
    """Return d' from a count of right answers, with a 95 % interval.

    When none or all answers are right, the estimate takes half a trial as the count of the rarer
    answer (the 1/(2N) rule, Macmillan & Kaplan 1985). The interval is Wilson's for the proportion,
    converted to d'; it is not corrected, so its upper end is infinite when all answers were right.

    Raises
    ------
    InputError
        If the counts are not 0 <= n_correct <= n_trials with at least one trial.

    Examples
    --------
    >>> result = dprime_from_counts(75, 100)
    >>> round(result.estimate, 2), round(result.low, 2), round(result.high, 2)
    (1.79, 1.31, 2.22)
    """
    n_correct, n_trials = whole(n_correct, "n_correct", 0), whole(n_trials, "n_trials", 1)
    if n_correct > n_trials:
        raise InputError(
            f"{n_correct} right answers of {n_trials} trials are not valid counts; "
            "give 0 <= n_correct <= n_trials"
        )
    nearest = min(max(float(n_correct), 0.5), n_trials - 0.5)
    low, high = wilson(n_correct, n_trials)
    estimate, lower, upper = dprime(
        [nearest / n_trials, float(low), float(high)], task=task, rule=rule
    )
    return DPrime(
        estimate=float(estimate),
        low=float(lower),
        high=float(upper),
        n_correct=n_correct,
        n_trials=n_trials,
    )

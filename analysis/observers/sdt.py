"""Signal detection theory: d' to proportion correct and back, and d' from counts, for any task and rule.

A task is given by its name or as a value. Formulas are in `analysis.observers.links`; for example

==========  ================  ==========================================  ==========================
task        rule              proportion correct                          d' at 75 % correct
==========  ================  ==========================================  ==========================
``2ifc``    ``likelihood``    Φ(d/√2)                                     0.95
``abx``     ``independent``   Φ(d/√2)Φ(d/2) + Φ(−d/√2)Φ(−d/2)             1.79
``abx``     ``differencing``  Φ(d/√2)Φ(d/√6) + Φ(−d/√2)Φ(−d/√6)           2.02
``oddity``  ``differencing``  1 − 4·T(d/√6, √3), T Owen's function        2.80
==========  ================  ==========================================  ==========================

Source: Macmillan & Creelman (2005), *Detection Theory: A User's Guide*, chapters 7 and 9.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.observers.criterion import Rates, from_hits
from analysis.observers.links import link_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task
from stimuli_store.tools.whole import whole

Z95 = 1.959963984540054


def task_of(task: Task | str) -> Task:
    """Return a task given by its name or as itself."""
    return task_named(task) if isinstance(task, str) else task


def p_correct(dprime: ArrayLike, task: Task | str = ABX, rule: str | None = None) -> np.ndarray:
    """Return the proportion correct at sensitivity `dprime` (float64, same shape).

    Parameters
    ----------
    task
        A task or the name of a declared one.
    rule
        One of its decision rules; None for the first.

    Examples
    --------
    >>> round(float(p_correct(1.79)), 2), round(float(p_correct(2.02, rule="differencing")), 2)
    (0.75, 0.75)
    """
    return np.asarray(link_of(task_of(task), rule).p_correct(np.asarray(dprime, dtype=np.float64)))


def dprime(p_correct: ArrayLike, task: Task | str = ABX, rule: str | None = None) -> np.ndarray:
    """Return the d' at proportion correct `p_correct` (float64, same shape).

    At 1 it is infinite. Below chance it is negative in 2IFC; in ABX, where a negative d' would give
    the same answers as a positive one, it is 0.

    Raises
    ------
    InputError
        If a proportion lies outside [0, 1].

    Examples
    --------
    >>> float(np.round(dprime(0.75, task="2ifc"), 3))
    0.954
    """
    link = link_of(task_of(task), rule)
    p = np.asarray(p_correct, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"a proportion correct must lie between 0 and 1; {p_correct!r} was given")
    return np.asarray(link.dprime(p))


def guess_rate(task: Task | str) -> float:
    """Return the proportion correct of a task for an observer who sees no difference.

    In a task with a criterion it is that of an observer without bias.

    Examples
    --------
    >>> guess_rate("abx"), guess_rate("4afc")
    (0.5, 0.25)
    """
    value = task_of(task)
    return 1 / len(value.answers) if value.guess is None else value.guess


@dataclass(frozen=True, kw_only=True)
class DPrime:
    """d' from counts with its 95 % interval (`high` is infinite when all were correct).

    `rates` holds hits and false alarms in a task with a criterion, else None.
    """

    estimate: float
    low: float
    high: float
    n_correct: int
    n_trials: int
    rates: Rates | None = None


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
    n_correct: int, n_trials: int, task: Task | str = ABX, rule: str | None = None
) -> DPrime:
    """Return d' from a count of right answers, with a 95 % interval.

    When none or all answers are right, the estimate takes half a trial as the count of the rarer
    answer (the 1/(2N) rule, Macmillan & Kaplan 1985). The interval is Wilson's for the proportion,
    converted to d'; it is not corrected, so its upper end is infinite when all answers were right. In a
    task with a criterion this supposes an observer without bias; `dprime_from_hits` does not.

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


def dprime_from_hits(
    n_hits: int,
    n_signal: int,
    n_false_alarms: int,
    n_noise: int,
    task: Task | str,
    rule: str | None = None,
) -> DPrime:
    """Return d' from hits and false alarms of a task with a criterion, with a 95 % interval.

    Parameters
    ----------
    n_hits, n_signal
        Trials with a difference in which it was reported, and all trials with one.
    n_false_alarms, n_noise
        The same for trials without a difference.
    task, rule
        As for `p_correct`.

    Raises
    ------
    InputError
        If the task has no criterion, or the counts are not valid.

    Examples
    --------
    >>> found = dprime_from_hits(69, 100, 31, 100, "yes-no")
    >>> round(found.estimate, 2), round(found.rates.bias, 2)
    (0.99, 0.0)
    """
    counts = [
        whole(value, name, 0)
        for value, name in (
            (n_hits, "n_hits"),
            (n_signal, "n_signal"),
            (n_false_alarms, "n_false_alarms"),
            (n_noise, "n_noise"),
        )
    ]
    estimate, low, high, rates = from_hits(task_of(task), rule, *counts)
    return DPrime(
        estimate=estimate,
        low=low,
        high=high,
        n_correct=counts[0] + counts[3] - counts[2],
        n_trials=counts[1] + counts[3],
        rates=rates,
    )

"""Sensitivity d' with its 95 % interval from counts of right answers."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from analysis.observers.checks import check_one_row, right_of_trials
from analysis.observers.counted.dprime_result import DPrime, dprime_status
from analysis.observers.counted.proportions import share_ends
from analysis.observers.links import link_of
from analysis.observers.sdt import task_of
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task


def dprime_from_counts(
    n_correct: int, n_trials: int, task: Task | str = ABX, rule: str | None = None
) -> DPrime:
    """Return d' from a count of right answers, with a 95 % interval.

    When none or all answers are right, the estimate takes half a trial as the count of the rarer
    answer (the 1/(2N) rule, Macmillan & Kaplan 1985). The interval is Wilson's for the proportion,
    converted to d'; it is not corrected, so its upper end is infinite when all answers were right. Where d'
    has no negative values (oddity, ABX), the interval never ends below the upper end of as many trials
    answered exactly at chance, so that answers which happen to fall below chance do not pass for a precise
    d' of 0 (the power constraint of Cowan, Cranmer, Gross & Vitells 2011, arXiv:1105.3166). In a
    task with a criterion this supposes an observer without bias; `dprime_from_hits` does not. Answers that
    are rarer than chance by an exact binomial test at 1 % have the status `BELOW_CHANCE`.

    Parameters
    ----------
    n_correct, n_trials
        Number of right answers, and of trials.
    task, rule
        As for `analysis.observers.sdt.p_correct`.

    Raises
    ------
    InputError
        If the counts are not 0 <= n_correct <= n_trials with at least one trial, or the task has no such
        rule.

    Examples
    --------
    >>> result = dprime_from_counts(75, 100)
    >>> round(result.estimate, 2), round(result.low, 2), round(result.high, 2)
    (1.79, 1.31, 2.22)
    >>> dprime_from_counts(0, 10)
    DPrime(0 [0, 1.86], 0 right of 10, BELOW_CHANCE)
    """
    return dprimes_from_counts([n_correct], [n_trials], task, rule)[0]


def dprimes_from_counts(
    n_correct: ArrayLike, n_trials: ArrayLike, task: Task | str = ABX, rule: str | None = None
) -> tuple[DPrime, ...]:
    """Return `dprime_from_counts` of each of N pairs of counts, arrays (N,).

    Parameters
    ----------
    n_correct, n_trials
        Numbers of right answers and of trials, (N,) each.
    task, rule
        As for `dprime_from_counts`.

    Raises
    ------
    InputError
        As there, or if the arrays do not have one shape (N,).

    Examples
    --------
    >>> [round(found.estimate, 2) for found in dprimes_from_counts([76, 92], [100, 100], "2ifc")]
    [1.0, 1.99]
    """
    k, n = right_of_trials(n_correct, n_trials)
    check_one_row(k)
    link = link_of(task_of(task), rule)
    shares = np.stack([np.clip(k, 0.5, n - 0.5) / n, *share_ends(link, k, n)])
    below = bdtr(k, n.astype(int), link.guess)
    return tuple(
        DPrime(
            estimate=float(estimate),
            low=float(low),
            high=float(high),
            n_correct=int(right),
            n_trials=int(total),
            status=dprime_status(float(p_below), float(high)),
        )
        for estimate, low, high, right, total, p_below in zip(
            *link.dprime(shares), k, n, below, strict=True
        )
    )

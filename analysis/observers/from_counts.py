"""Sensitivity d' with its 95 % interval from counts: of right answers, or of hits and false alarms."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from analysis.observers.checks import as_counts
from analysis.observers.criterion import operating_of
from analysis.observers.hits import HitCounts, Rates, fewer_hits, sensitivity
from analysis.observers.links import Link, link_of
from analysis.observers.sdt import task_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task
from stimuli_store.tools.shown import FieldTable

Z95 = 1.959963984540054
#: Answers are reliably below chance if chance alone would give as few right ones less often than this.
_RELIABLY = 0.01


class DPrimeStatus(Enum):
    """Outcome of an estimate of d'; the value is the sentence shown to people.

    Examples
    --------
    >>> from analysis import dprime_from_counts
    >>> dprime_from_counts(75, 100, "2ifc").status.name, dprime_from_counts(100, 100, "2ifc").status.name
    ('ESTIMATED', 'UNBOUNDED')
    """

    ESTIMATED = "d' was estimated, with an interval"
    UNBOUNDED = "the counts set d' no upper bound: no answer, or no answer of one sort, was wrong"
    BELOW_CHANCE = (
        "the answers are reliably below chance: were keys or answers exchanged? "
        "d' is that of somebody who sees no difference, or takes the two stimuli for each other"
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class DPrime(FieldTable):
    """Sensitivity d' from counts, with its 95 % interval.

    Attributes
    ----------
    estimate, low, high
        d' and the ends of its 95 % interval; an end is infinite where the counts set no bound, as `high` when
        all answers were right.
    n_correct, n_trials
        Number of right answers, and of all.
    rates
        Hits, false alarms, criterion and bias in a task with a criterion; None where only right answers were
        counted.
    status
        A `DPrimeStatus`.

    Examples
    --------
    >>> from analysis import dprime_from_counts
    >>> found = dprime_from_counts(75, 100, "2ifc")
    >>> round(found.estimate, 2), found.low < found.estimate < found.high
    (0.95, True)
    """

    estimate: float
    low: float
    high: float
    n_correct: int
    n_trials: int
    rates: Rates | None = None
    status: DPrimeStatus = DPrimeStatus.ESTIMATED

    def __repr__(self) -> str:
        ends = f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}]"
        return f"DPrime({ends}, {self.n_correct} right of {self.n_trials}, {self.status.name})"


def wilson(n_correct: ArrayLike, n_trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % Wilson score interval of a proportion (Wilson 1927), in the counts' shape.

    Parameters
    ----------
    n_correct, n_trials
        Counts of right answers and of trials; numbers, or arrays of one shape.

    Raises
    ------
    InputError
        If the counts are not 0 <= n_correct <= n_trials with at least one trial.

    Examples
    --------
    >>> [round(float(end), 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    return _wilson_ends(*_checked(n_correct, n_trials))


def _wilson_ends(k: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle = (k + Z95**2 / 2) / (n + Z95**2)
    scatter = k * (n - k) / np.where(n > 0, n, 1)
    half = Z95 / (n + Z95**2) * np.sqrt(scatter + Z95**2 / 4)
    low = np.where(k <= 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(k >= n, 1.0, np.minimum(middle + half, 1.0))
    return low, high


def share_ends(link: Link, k: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's 95 % ends of the proportions k of n, which need not be whole, for an interval of d'.

    Where a task has no negative d', no upper end lies below that of as many answers exactly at chance.
    """
    low, high = _wilson_ends(k, n)
    if link.curve.below is None:
        high = np.maximum(high, _wilson_ends(link.guess * n, n)[1])
    return low, high


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
    k, n = _checked(n_correct, n_trials)
    _check_row(k)
    link = link_of(task_of(task), rule)
    shares = np.stack([np.clip(k, 0.5, n - 0.5) / n, *share_ends(link, k, n)])
    below = bdtr(k, n.astype(int), link.guess) < _RELIABLY
    return tuple(
        DPrime(
            estimate=float(estimate),
            low=float(low),
            high=float(high),
            n_correct=int(right),
            n_trials=int(total),
            status=_status(bool(fewer), float(high)),
        )
        for estimate, low, high, right, total, fewer in zip(
            *link.dprime(shares), k, n, below, strict=True
        )
    )


def _checked(n_correct: ArrayLike, n_trials: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    k, n = as_counts(n_correct=n_correct, n_trials=n_trials)
    wrong = np.flatnonzero((k > n) | (n < 1))
    if wrong.size:
        right, total = k.flat[wrong[0]], n.flat[wrong[0]]
        raise InputError(
            f"{right:.0f} right answers of {total:.0f} trials are not valid counts; give 0 <= n_correct <= "
            "n_trials, and at least one trial"
        )
    return k, n


def _check_row(counts: np.ndarray) -> None:
    if counts.ndim != 1:
        raise InputError(f"counts must be one row of numbers, (N,); their shape is {counts.shape}")


def _status(below_chance: bool, high: float) -> DPrimeStatus:
    if below_chance:
        return DPrimeStatus.BELOW_CHANCE
    return DPrimeStatus.UNBOUNDED if high == np.inf else DPrimeStatus.ESTIMATED


def dprime_from_hits(
    n_hits: int,
    n_signal: int,
    n_false_alarms: int,
    n_noise: int,
    task: Task | str,
    rule: str | None = None,
) -> DPrime:
    """Return d' from hits and false alarms of a task with a criterion, with a 95 % interval.

    A rate of 0 or 1 counts as half a trial. The interval holds every d' that an exact test at 2.5 % a side
    does not refuse: at the criterion that fits the counts best with that d', counts with as high a d' as
    these, or as low a one, have together at least that probability (`analysis.observers.hits`). An end is
    infinite where the counts set no bound. Summed over all counts (yes-no and same-different, 10 to 200
    trials of a kind, equal in number or not, d' from 0 to 4, criteria up to 2 from the best one) it holds d'
    in 94.4 to 100 %, 97 % on average, and misses it in at most 3.3 % on either side; it is 2 to 6 % wider
    than that of the likelihood profile. Hits that are rarer than false alarms by
    Fisher's exact test at 1 % have the status `BELOW_CHANCE`.

    Parameters
    ----------
    n_hits, n_signal
        Trials with a difference in which it was reported, and all trials with one.
    n_false_alarms, n_noise
        The same for trials without a difference.
    task, rule
        As for `analysis.observers.sdt.p_correct`.

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
    return dprimes_from_hits([n_hits], [n_signal], [n_false_alarms], [n_noise], task, rule)[0]


def dprimes_from_hits(
    n_hits: ArrayLike,
    n_signal: ArrayLike,
    n_false_alarms: ArrayLike,
    n_noise: ArrayLike,
    task: Task | str,
    rule: str | None = None,
) -> tuple[DPrime, ...]:
    """Return `dprime_from_hits` of each of N sets of counts, arrays (N,).

    Parameters
    ----------
    n_hits, n_signal, n_false_alarms, n_noise
        The counts of `dprime_from_hits`, (N,) each.
    task, rule
        As for `dprime_from_hits`.

    Raises
    ------
    InputError
        As there, or if the arrays do not have one shape (N,).

    Examples
    --------
    >>> table = dprimes_from_hits([69, 50], [100, 100], [31, 16], [100, 100], "yes-no")
    >>> [(round(found.estimate, 2), round(found.rates.bias, 2)) for found in table]
    [(0.99, 0.0), (0.99, 0.5)]
    """
    observer = operating_of(task_of(task), rule)
    named = {
        "n_hits": n_hits,
        "n_signal": n_signal,
        "n_false_alarms": n_false_alarms,
        "n_noise": n_noise,
    }
    arrays = as_counts(**named)
    _check_row(arrays[0])
    for hits, with_one, false, without in zip(*arrays, strict=True):
        if hits > with_one or false > without or not with_one or not without:
            raise InputError(
                f"{hits:.0f} hits of {with_one:.0f} and {false:.0f} false alarms of {without:.0f} are not "
                "valid counts; d' needs trials with a difference and trials without one"
            )
    counts = HitCounts(**dict(zip(named, arrays, strict=True)))
    return _table(counts, sensitivity(observer, counts), fewer_hits(counts) < _RELIABLY)


def _table(counts: HitCounts, found: np.ndarray, below: np.ndarray) -> tuple[DPrime, ...]:
    rows = zip(
        counts.n_hits.astype(int),
        counts.n_signal.astype(int),
        counts.n_false_alarms.astype(int),
        counts.n_noise.astype(int),
        strict=True,
    )
    return tuple(
        _from_row([int(count) for count in row], [float(value) for value in values], bool(fewer))
        for row, values, fewer in zip(rows, found.T, below, strict=True)
    )


def _from_row(row: Sequence[int], values: Sequence[float], below: bool) -> DPrime:
    (hits, with_one, false, without), (d, low, high, criterion, bias) = row, values
    return DPrime(
        estimate=d,
        low=low,
        high=high,
        n_correct=hits + without - false,
        n_trials=with_one + without,
        rates=Rates(
            n_hits=hits,
            n_signal=with_one,
            n_false_alarms=false,
            n_noise=without,
            criterion=criterion,
            bias=bias,
        ),
        status=_status(below, high),
    )

"""Sensitivity d' with its 95 % interval, and the outcome of its estimate."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from analysis.observers.counted.hits import Rates
from stimuli_store.tools.shown import FieldTable

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


def dprime_status(p_below: float, high: float) -> DPrimeStatus:
    """Return the outcome, from the p of answers as far below chance and the upper end of the interval."""
    if p_below < _RELIABLY:
        return DPrimeStatus.BELOW_CHANCE
    return DPrimeStatus.UNBOUNDED if high == np.inf else DPrimeStatus.ESTIMATED

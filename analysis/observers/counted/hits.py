"""Sensitivity and criterion from counts of hits and false alarms, many sets of counts at once.

The 95 % interval of d' inverts a test of every d', whose p is the exact sum over the tables of counts at the
criterion that fits the counts best with that d' (Lloyd 2008, Australian & New Zealand Journal of Statistics
50, 329, calls it an estimated p-value). Tables are in the order of their d'; those that set no bound on a
side are beyond all others there. Source of the rest: Macmillan & Creelman (2005), *Detection Theory: A User's
Guide*, chapters 1 and 13.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, bdtrc, gammaln, ndtr, ndtri, xlog1py, xlogy

from analysis.observers.criterion import LARGEST_DPRIME, Operating, dprimes_of_rates

_ONE_SIDE = 0.025  # p at an end of a 95 % interval
_HALVINGS = 26
_ZOOMS, _POINTS = 6, 17  # of the search for a criterion: each zoom divides its range by 8
_GROUPS = 256  # of false alarms in a sum; a number of its own each, unless there are more
_FAR, _MORE = 7.0, 4.0  # standard deviations, and counts, beyond which false alarms do not occur
_ROUNDING = 1e-6  # of a count of hits
_TOGETHER = 1000


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Counts of hits and false alarms, and the criterion that they imply.

    `criterion` is a value of the rule's decision variable: the percept of a single interval, the difference
    of two. `bias` is its distance from the criterion with the fewest errors (c of yes-no): above 0 for
    somebody who reports a difference too rarely.
    """

    n_hits: int
    n_signal: int
    n_false_alarms: int
    n_noise: int
    criterion: float
    bias: float


@dataclass(frozen=True, kw_only=True)
class HitCounts:
    """Counts of N observers, arrays (N,): hits of trials with a difference, false alarms of those without."""

    n_hits: np.ndarray
    n_signal: np.ndarray
    n_false_alarms: np.ndarray
    n_noise: np.ndarray

    def part(self, start: int, stop: int) -> "HitCounts":
        """Return the counts of some of the observers."""
        names = ("n_hits", "n_signal", "n_false_alarms", "n_noise")
        return HitCounts(**{name: getattr(self, name)[start:stop] for name in names})


def sensitivity(observer: Operating, counts: HitCounts) -> np.ndarray:
    """Return d' with the ends of its 95 % interval, the criterion and the bias, (5, N).

    A rate of 0 or 1 counts as half a trial (the 1/(2N) rule). The interval is without this correction, so
    that an end is infinite where the counts set no bound.
    """
    hit = _between(counts.n_hits, counts.n_signal)
    false_alarm = _between(counts.n_false_alarms, counts.n_noise)
    d = dprimes_of_rates(observer, hit, false_alarm)
    criterion = observer.criterion(d, ndtri(1 - false_alarm))
    middle = d / 2 if observer.signed else observer.best(d)
    parts = [
        _interval(observer, counts.part(start, start + _TOGETHER), d[start : start + _TOGETHER])
        for start in range(0, len(d), _TOGETHER)
    ]
    low, high = np.concatenate(parts, axis=1)
    return np.stack([d, low, high, criterion, criterion - middle])


def _between(count: np.ndarray, total: np.ndarray) -> np.ndarray:
    return np.clip(count, 0.5, total - 0.5) / total


def fewer_hits(counts: HitCounts) -> np.ndarray:
    """Return the one-sided p of Fisher's exact test that hits are not rarer than false alarms, (N,).

    It is 1 where they are as frequent, or more.
    """
    rarer = counts.n_hits * counts.n_noise < counts.n_false_alarms * counts.n_signal
    said, p = counts.n_hits + counts.n_false_alarms, np.ones(len(rarer))
    for i in np.flatnonzero(rarer):
        p[i] = _at_most(
            int(counts.n_hits[i]), int(counts.n_signal[i]), int(counts.n_noise[i]), int(said[i])
        )
    return p


def _at_most(k: int, n: int, m: int, said: int) -> float:
    """Return the probability of k or fewer of n, if `said` of n + m are drawn."""
    hits = np.arange(max(0, said - m), k + 1)

    def choices(total: int, chosen: np.ndarray) -> np.ndarray:
        return gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)

    logs = choices(n, hits) + choices(m, said - hits) - choices(n + m, np.array(said))
    return float(min(np.exp(logs).sum(), 1.0))


def _interval(observer: Operating, counts: HitCounts, estimate: np.ndarray) -> np.ndarray:
    """Return the ends (2, N) between which no d' is refused, at 2.5 % a side."""
    below, above = (-LARGEST_DPRIME if observer.signed else 0.0), LARGEST_DPRIME
    low = _end(observer, counts, estimate, below, _no_lower)
    high = _end(observer, counts, estimate, above, _no_higher)
    without = [  # a bound, in any table of counts
        (low == below) | (counts.n_hits == 0) | (counts.n_false_alarms == counts.n_noise),
        (high == above) | (counts.n_hits == counts.n_signal) | (counts.n_false_alarms == 0),
    ]
    no_low = -np.inf if observer.signed else 0.0
    return np.stack([np.where(without[0], no_low, low), np.where(without[1], np.inf, high)])


_Tail = Callable[[np.ndarray, HitCounts, np.ndarray], np.ndarray]


def _end(
    observer: Operating, counts: HitCounts, estimate: np.ndarray, limit: float, tail: _Tail
) -> np.ndarray:
    """Return the d' (N,) between the estimate and a limit where a tail is 2.5 %, or the limit."""
    outside = np.full_like(estimate, limit)
    held = _share(observer, counts, estimate, outside, tail) >= _ONE_SIDE
    inside = estimate
    for _ in range(_HALVINGS):
        middle = 0.5 * (inside + outside)
        holds = _share(observer, counts, estimate, middle, tail) >= _ONE_SIDE
        inside, outside = np.where(holds, middle, inside), np.where(holds, outside, middle)
    return np.where(held, limit, 0.5 * (inside + outside))


def _no_lower(needed: np.ndarray, table: HitCounts, rate: np.ndarray) -> np.ndarray:
    """Return the probability of hits with which d' has a lower bound and is no lower than with `needed`."""
    n = table.n_signal
    least = np.where(needed > n - 0.5 + _ROUNDING, n + 1, np.ceil(needed - _ROUNDING))
    bounded = table.n_false_alarms < table.n_noise
    return np.where(bounded, bdtrc(np.maximum(least, 1) - 1, n, rate), 0.0)


def _no_higher(needed: np.ndarray, table: HitCounts, rate: np.ndarray) -> np.ndarray:
    """Return the probability of hits with which d' has an upper bound and is no higher than with `needed`."""
    n = table.n_signal
    most = np.where(needed < 0.5 - _ROUNDING, -1, np.floor(needed + _ROUNDING))
    bounded = table.n_false_alarms > 0
    return np.where(bounded, _up_to(np.minimum(most, n - 1), n, rate), 0.0)


def _up_to(k: np.ndarray, n: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Return the binomial probability of k or fewer of n, 0 where k is −1."""
    return np.where(k < 0, 0.0, bdtr(np.maximum(k, 0), n, rate))


def _share(
    observer: Operating, counts: HitCounts, estimate: np.ndarray, d: np.ndarray, tail: _Tail
) -> np.ndarray:
    """Return the probability (N,) at each d' of tables whose estimate lies in a tail from one's own.

    The criterion is the one that fits one's own counts best with that d'. For each number of false alarms,
    the tables of a tail are those with so many hits or more, or so many or fewer.
    """
    z = _fitting(observer, counts, d)
    mass, false_alarms = _false_alarms(ndtr(-z), counts.n_noise)
    at = ndtri(1 - _between(false_alarms, counts.n_noise[:, None]))
    table = HitCounts(
        n_hits=counts.n_hits[:, None],
        n_signal=counts.n_signal.astype(np.int64)[:, None],
        n_false_alarms=false_alarms,
        n_noise=counts.n_noise[:, None],
    )
    needed = table.n_signal * observer.hits(np.broadcast_to(estimate[:, None], at.shape), at)
    rate = np.clip(observer.hits(d, z), 0.0, 1.0)[:, None]
    return (mass * tail(needed, table, rate)).sum(axis=1)


def _false_alarms(rate: np.ndarray, n_noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of groups of neighbouring numbers of false alarms, and their middles, (N, G)."""
    mean, far = n_noise * rate, _FAR * np.sqrt(n_noise * rate * (1 - rate)) + _MORE
    first, last = np.floor(np.maximum(mean - far, 0)), np.ceil(np.minimum(mean + far, n_noise))
    size = np.ceil((last - first + 1) / _GROUPS)
    n_groups = int(np.ceil((last - first + 1) / size).max())
    first, size, n_noise = (v[:, None] for v in (first, size, n_noise))
    begin = first + size * np.arange(n_groups)
    ends = np.minimum(np.concatenate([begin, begin[:, -1:] + size], axis=1) - 1, n_noise)
    below = _up_to(ends, n_noise.astype(np.int64), rate[:, None])
    return np.diff(below, axis=1), np.minimum(begin + (size - 1) / 2, n_noise)


def _fitting(observer: Operating, counts: HitCounts, d: np.ndarray) -> np.ndarray:
    """Return the z of the criterion (N,) with the largest likelihood at each d'."""
    hits, n_signal, false_alarms, n_noise = (
        getattr(counts, name)[:, None]
        for name in ("n_hits", "n_signal", "n_false_alarms", "n_noise")
    )
    best, half = np.zeros_like(d), observer.reach
    for _ in range(_ZOOMS):
        z = np.clip(
            best[:, None] + np.linspace(-half, half, _POINTS), -observer.reach, observer.reach
        )
        at = np.broadcast_to(d[:, None], z.shape)
        h, f = (np.clip(r, 1e-15, 1 - 1e-15) for r in (observer.hits(at, z), ndtr(-z)))
        seen = xlogy(hits, h) + xlog1py(n_signal - hits, -h)
        seen += xlogy(false_alarms, f) + xlog1py(n_noise - false_alarms, -f)
        best = np.take_along_axis(z, seen.argmax(axis=1)[:, None], axis=1)[:, 0]
        half *= 2 / (_POINTS - 1)
    return best

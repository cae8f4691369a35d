"""Sensitivity and criterion from counts of hits and false alarms, many sets of counts at once.

The 95 % interval of d' is that of the likelihood profile over the criterion. Source: Macmillan & Creelman
(2005), *Detection Theory: A User's Guide*, chapters 1 and 13.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, gammaln, ndtr, ndtri, xlog1py, xlogy

from analysis.observers.criterion import LARGEST_DPRIME, Operating, dprimes_of_rates

_DROP95 = float(chdtri(1, 0.05)) / 2
_GOLDEN = (np.sqrt(5) - 1) / 2
_SECTIONS = 40
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
        _interval(observer, counts.part(start, start + _TOGETHER))
        for start in range(0, len(d), _TOGETHER)
    ]
    low, high = np.concatenate(parts, axis=1)
    return np.stack([d, np.minimum(low, d), np.maximum(high, d), criterion, criterion - middle])


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


def _interval(observer: Operating, counts: HitCounts) -> np.ndarray:
    """Return the d' between which the likelihood profile is within half the 95 % point of χ² of its top."""
    lowest = -LARGEST_DPRIME if observer.signed else 0.0
    rates = [
        np.clip(k / n, 1e-12, 1 - 1e-12)
        for k, n in ((counts.n_hits, counts.n_signal), (counts.n_false_alarms, counts.n_noise))
    ]
    best = np.minimum(dprimes_of_rates(observer, *rates), LARGEST_DPRIME)[:, None]
    grid = np.linspace(lowest, LARGEST_DPRIME, 121)
    height = _profile(observer, counts, np.broadcast_to(grid, (len(best), len(grid))))
    top = np.maximum(height.max(axis=1, keepdims=True), _profile(observer, counts, best))
    out = height < top - _DROP95
    ends = []
    for side in (-1, 1):
        outside = out & (side * (grid - best) > 0)
        far = np.where(outside, grid, side * np.inf)
        far = (far.max(axis=1) if side < 0 else far.min(axis=1))[:, None]
        bounded = np.isfinite(far)
        far = np.where(bounded, far, best)
        near = best
        for _ in range(6):
            between = near + (far - near) * np.linspace(0, 1, 9)
            inside = _profile(observer, counts, between) >= top - _DROP95
            last = np.maximum((inside.cumprod(axis=1).sum(axis=1) - 1), 0)[:, None]
            near, far = (
                np.take_along_axis(between, np.minimum(last + step, 8), axis=1) for step in (0, 1)
            )
        unbounded = 0.0 if side < 0 and not observer.signed else side * np.inf
        ends.append(np.where(bounded, 0.5 * (near + far), unbounded)[:, 0])
    return np.stack(ends)


def _profile(observer: Operating, counts: HitCounts, d: np.ndarray) -> np.ndarray:
    """Return the largest log likelihood over criteria at each d' (N, D), by golden sections of z."""
    hits, n_signal, false_alarms, n_noise = (
        getattr(counts, name)[:, None]
        for name in ("n_hits", "n_signal", "n_false_alarms", "n_noise")
    )

    def height(z: np.ndarray) -> np.ndarray:
        h, f = (np.clip(r, 1e-15, 1 - 1e-15) for r in (observer.hits(d, z), ndtr(-z)))
        seen = xlogy(hits, h) + xlog1py(n_signal - hits, -h)
        return seen + xlogy(false_alarms, f) + xlog1py(n_noise - false_alarms, -f)

    low, high = np.full(d.shape, -observer.reach), np.full(d.shape, observer.reach)
    one, two = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_one, at_two = height(one), height(two)
    for _ in range(_SECTIONS):
        left = at_one > at_two
        low, high = np.where(left, low, one), np.where(left, two, high)
        new = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_new = height(new)
        one, two = np.where(left, new, two), np.where(left, one, new)
        at_one, at_two = np.where(left, at_new, at_two), np.where(left, at_one, at_new)
    return np.maximum(at_one, at_two)

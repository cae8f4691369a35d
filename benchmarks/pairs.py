"""Time two ways of one computation pair by pair: on a shared machine only ratios mean something."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Median seconds of both ways, and the median over pairs of theirs divided by ours."""

    ours_s: float
    theirs_s: float
    ratio: float


def compare(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    pairs: int = 15,
    calls: int = 1,
    warm_up: int = 0,
) -> Ratio:
    """Time both in turn, `pairs` times, after a pair that does not count.

    Parameters
    ----------
    ours, theirs
        What is timed.
    pairs
        How often.
    calls
        Calls in a row, of which the mean counts: a model in a synthesis is called again and again, and
        finds memory as it left it itself.
    warm_up
        Calls before these, which do not count.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs + 1):
        for way, times in zip((ours, theirs), seconds, strict=True):
            for _ in range(warm_up):
                way()
            began = time.perf_counter()
            for _ in range(calls):
                way()
            if pair:
                times.append((time.perf_counter() - began) / calls)
    mine, others = seconds
    return Ratio(
        ours_s=statistics.median(mine),
        theirs_s=statistics.median(others),
        ratio=statistics.median(b / a for a, b in zip(mine, others, strict=True)),
    )

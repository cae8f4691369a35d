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


def compare(ours: Callable[[], object], theirs: Callable[[], object], *, pairs: int = 15) -> Ratio:
    """Run both in turn `pairs` times, after one warm-up each."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs + 1):
        for way, times in zip((ours, theirs), seconds, strict=True):
            began = time.perf_counter()
            way()
            if pair:
                times.append(time.perf_counter() - began)
    mine, others = seconds
    return Ratio(
        ours_s=statistics.median(mine),
        theirs_s=statistics.median(others),
        ratio=statistics.median(b / a for a, b in zip(mine, others, strict=True)),
    )

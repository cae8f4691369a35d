"""Measure the refresh rate of a screen, and refuse a screen that differs from the design."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from stimuli_store.errors import DisplayError

N_FLIPS = 120
WARM_UP = 20
TOLERANCE_HZ = 0.5
_NEAR = 0.25  # an interval is regular within a quarter of a period of a whole number of periods
_ON_BEAT = 0.9  # fraction of intervals that must be regular


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """A measured refresh rate with its jitter.

    Attributes
    ----------
    hz
        Rate, in hertz, from the regular intervals of one period.
    jitter_ms
        Standard deviation of these intervals, in milliseconds.
    on_beat
        Fraction of intervals within a quarter period of a whole number of periods.
    """

    hz: float
    jitter_ms: float
    on_beat: float


def measure_refresh(flip: Callable[[], float]) -> Refresh:
    """Return the refresh rate measured over `N_FLIPS` flips, after some flips to warm up.

    Parameters
    ----------
    flip
        Flips the window and returns the time of the flip, in seconds.
    """
    for _ in range(WARM_UP):
        flip()
    return refresh_of([flip() for _ in range(N_FLIPS + 1)])


def refresh_of(flips_s: Sequence[float]) -> Refresh:
    """Return the refresh rate derived from the times of flips, in seconds; dropped frames do not change it.

    Examples
    --------
    >>> times = [i / 60 for i in range(121) if i != 50]
    >>> round(refresh_of(times).hz, 6), refresh_of(times).on_beat
    (60.0, 1.0)
    """
    intervals = np.diff(np.asarray(flips_s, dtype=np.float64))
    period = float(np.median(intervals))
    if not period > 0:
        raise DisplayError(
            "the times of the flips do not advance, so the refresh rate cannot be measured"
        )
    beats = np.rint(intervals / period)
    near = np.abs(intervals / period - beats) < _NEAR
    single = intervals[near & (beats == 1)]
    return Refresh(
        hz=float(1.0 / single.mean()),
        jitter_ms=float(single.std() * 1000.0),
        on_beat=float(np.mean(near & (beats >= 1))),
    )


def refusal(refresh: Refresh, configured_hz: float) -> str | None:
    """Return the reason why a screen cannot be used at `configured_hz`, or None if it can be used.

    Examples
    --------
    >>> refusal(Refresh(hz=60.1, jitter_ms=0.1, on_beat=1.0), 60.0) is None
    True
    """
    way_out = (
        "set refresh_hz in the design's [screen] to the screen's rate and turn on vertical "
        "synchronisation, or run without guaranteed timing with --allow-unsynced"
    )
    asked = f"it refreshes at {refresh.hz:.2f} Hz, but the design asks for {configured_hz:g} Hz"
    if refresh.hz < configured_hz - TOLERANCE_HZ:
        return f"the display is too slow: {asked}; {way_out}"
    if refresh.hz > configured_hz + TOLERANCE_HZ:
        return f"the display is too fast, or flips do not wait for it: {asked}; {way_out}"
    if refresh.on_beat < _ON_BEAT:
        share = f"{100 * (1 - refresh.on_beat):.0f} %"
        return (
            f"flips do not follow the display's refresh: {share} of them are irregular; {way_out}"
        )
    return None


def pace(now: Callable[[], float], beat_s: float, period_s: float) -> float:
    """Wait until the next time on a grid of periods and return it, for flips that do not wait themselves.

    `beat_s` is the previous time on the grid. It is used only under ``--allow-unsynced``: phases then
    last about as long as planned, without the guarantee of a synchronised screen.
    """
    # A time that was missed by less than a period is returned at once, so that delays do not add up.
    missed = int((now() - beat_s) // period_s)
    due = beat_s + max(1, missed) * period_s
    while (left := due - now()) > 0:
        if left > 0.002:
            time.sleep(left - 0.0015)
    return due

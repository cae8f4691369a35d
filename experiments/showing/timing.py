"""Durations of frames and phases, computed from the times of flips."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from stimuli_store.records.trials import Phase, PhaseTiming


def refresh_counts(flips_s: Sequence[float], period_s: float) -> list[int]:
    """Return the number of refresh periods that each frame but the last was shown.

    Every count is at least one, since two flips never share a refresh. The flips that follow tell a
    late time stamp (the next flip comes too soon after it) from a late flip, so the sum of the counts
    is the time between the first flip and the last, in periods.

    Parameters
    ----------
    flips_s
        Times of the flips, in seconds, in order.
    period_s
        Refresh period, in seconds.

    Examples
    --------
    >>> refresh_counts([0.0, 0.1, 0.3, 0.4], 0.1)
    [1, 2, 1]
    >>> refresh_counts([0.0, 0.1, 0.27, 0.3, 0.4], 0.1)  # only the third stamp was late
    [1, 1, 1, 1]
    """
    places = [round((t - flips_s[0]) / period_s) for t in flips_s]
    for i in range(len(places) - 2, 0, -1):
        places[i] = min(places[i], places[i + 1] - 1)
    return [max(1, b - a) for a, b in pairwise(places)]


def phase_timings(
    phases: Sequence[Phase],
    flips_s: Sequence[Sequence[float]],
    period_s: float,
    end_s: float | None = None,
) -> tuple[PhaseTiming, ...]:
    """Return the measured onset, duration and dropped frames of every phase.

    A frame that was shown for more than one period is listed in `dropped` by its index in the phase:
    the next frame came late. In the first phase, a blank in which scenes are loaded, frames are listed only
    if it had other frames than planned: while it stands still, there are fewer flips than frames.

    Parameters
    ----------
    phases
        The plan.
    flips_s
        Times of the flips of each phase, in seconds; the first one of a phase is its onset. The
        last phase may hold fewer than planned (it ends at the answer).
    period_s
        Refresh period, in seconds.
    end_s
        The flip that ended the last phase; without it, the last frame counts as one period.

    Examples
    --------
    >>> iti = Phase(name="iti", requested_ms=300, n_frames=3)
    >>> a = Phase(name="A", requested_ms=300, n_frames=3)
    >>> b = Phase(name="respond", requested_ms=200, n_frames=2)
    >>> flips_s = [[0.0, 0.2], [0.3, 0.4, 0.6], [0.7]]
    >>> for t in phase_timings([iti, a, b], flips_s, 0.1):
    ...     print(t.name, t.n_frames, t.planned_frames, t.dropped)
    iti 3 3 ()
    A 4 3 (1,)
    respond 1 2 ()
    """
    timings = []
    for number, (phase, flips) in enumerate(zip(phases, flips_s, strict=True)):
        end = flips_s[number + 1][0] if number + 1 < len(flips_s) else end_s
        counts = refresh_counts([*flips, *([] if end is None else [end])], period_s)
        if end is None:
            counts.append(1)
        loaded = number == 0 and sum(counts) == phase.n_frames
        first = [0, *accumulate(counts)] if number == 0 else range(len(counts))
        timings.append(
            PhaseTiming(
                name=phase.name,
                onset_s=flips[0],
                n_frames=sum(counts),
                planned_frames=phase.n_frames,
                dropped=() if loaded else _held(counts, first),
            )
        )
    return tuple(timings)


def _held(counts: Sequence[int], first: Sequence[int]) -> tuple[int, ...]:
    """Return the indices of frames that were shown for more than one period."""
    return tuple(index for index, count in zip(first, counts, strict=False) if count > 1)

"""Flip times to realised frames: tables of drops, late stamps and early ends."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.booth.monitor import Refresh, pace, refresh_of, refusal
from experiments.booth.stage import Stage
from experiments.screen import Screen
from experiments.showing.timing import phase_timings, refresh_counts
from stimuli_store.records.trials import Phase

HZ = 60.0
PLAN = tuple(
    Phase(name=name, requested_ms=1000 * n / HZ, n_frames=n)
    for name, n in (
        ("iti", 30),
        ("A", 12),
        ("gap_ab", 30),
        ("B", 12),
        ("gap_bx", 60),
        ("X", 12),
        ("respond", 5),
    )
)


def flips_of(held: dict[tuple[str, int], int]) -> tuple[list[list[float]], float]:
    """Flip times when frame (phase, index) is held for so many extra periods; and the end."""
    now, flips = 7, []
    for phase in PLAN:
        flips.append([])
        for i in range(phase.n_frames):
            flips[-1].append(now / HZ)
            now += 1 + held.get((phase.name, i), 0)
    return flips, now / HZ


@pytest.mark.parametrize(
    "held",
    [
        {},
        {("iti", 0): 2},
        {("iti", 29): 1},
        {("A", 0): 1},
        {("A", 11): 1},
        {("B", 5): 3},
        {("gap_bx", 59): 1, ("X", 0): 2},
        {("respond", 4): 1},
    ],
)
@pytest.mark.parametrize("jitter_s", [0.0, 0.002])
def test_held_frames_are_found_where_they_are(held, jitter_s):
    flips, end = flips_of(held)
    rng = np.random.default_rng(3)
    flips = [[t + rng.uniform(-jitter_s, jitter_s) for t in phase] for phase in flips]
    for phase, timing, stamps in zip(
        PLAN, phase_timings(PLAN, flips, 1 / HZ, end), flips, strict=True
    ):
        extra = {i: n for (name, i), n in held.items() if name == phase.name}
        assert timing.n_frames == phase.n_frames + sum(extra.values())
        assert timing.dropped == tuple(sorted(extra))
        assert timing.planned_frames == phase.n_frames
        assert timing.onset_s == stamps[0]


@pytest.mark.parametrize("loading", [1, 4, 29])
def test_the_first_phase_may_stand_still_while_scenes_are_loaded(loading):
    """Fewer flips than frames, and the planned number of frames: nothing was dropped."""
    flips, end = flips_of({})
    flips[0] = [flips[0][0], *flips[0][1 + loading :]]
    timing = phase_timings(PLAN, flips, 1 / HZ, end)[0]
    assert (timing.n_frames, timing.dropped) == (30, ())
    late = [
        [t + (2 / HZ if number or i else 0) for i, t in enumerate(phase)]
        for number, phase in enumerate(flips)
    ]
    timing = phase_timings(PLAN, late, 1 / HZ, end + 2 / HZ)[0]
    assert (timing.n_frames, timing.dropped) == (32, (0,))


def test_a_frame_dropped_after_loading_has_its_planned_index():
    flips, end = flips_of({("iti", 20): 1})
    flips[0] = [flips[0][0], *flips[0][4:]]
    timing = phase_timings(PLAN, flips, 1 / HZ, end)[0]
    assert (timing.n_frames, timing.dropped) == (31, (0, 20))


def test_a_phase_that_ends_at_the_answer_counts_what_was_shown():
    flips, _ = flips_of({})
    flips[-1] = flips[-1][:2]
    assert phase_timings(PLAN, flips, 1 / HZ)[-1].n_frames == 2


@pytest.mark.parametrize(
    ("periods", "counts"),
    [
        ([0, 1, 2, 3], [1, 1, 1]),
        ([0, 1.9, 2, 3], [1, 1, 1]),  # a stamp taken late, not a frame
        ([0, 1, 3, 4], [1, 2, 1]),
        ([0, 1, 3.9, 4, 5], [1, 2, 1, 1]),  # late by one, and stamped late on top
        ([0, 4], [4]),
        ([0], []),
    ],
)
def test_refresh_counts(periods, counts):
    assert refresh_counts([p / HZ for p in periods], 1 / HZ) == counts


def test_rate_of_a_steady_screen_with_jitter_and_drops():
    rng = np.random.default_rng(0)
    blanks = np.setdiff1d(np.arange(125), [20, 21, 77])
    stamps = blanks / 59.94 + rng.normal(0, 0.0003, len(blanks))
    measured = refresh_of(list(stamps))
    assert measured.hz == pytest.approx(59.94, abs=0.1)
    assert measured.on_beat == 1.0
    assert measured.jitter_ms == pytest.approx(0.3 * np.sqrt(2), rel=0.3)
    assert refusal(measured, 60.0) is None


@pytest.mark.parametrize(
    ("hz", "on_beat", "words"),
    [
        (59.51, 1.0, None),
        (59.49, 1.0, "too slow: it refreshes at 59.49 Hz, but the design asks for 60 Hz"),
        (60.49, 1.0, None),
        (60.51, 1.0, "too fast"),
        (850.0, 0.2, "flips do not wait for it"),
        (60.0, 0.5, "50 % of them are irregular"),
    ],
)
def test_screens_are_refused_in_words(hz, on_beat, words):
    reason = refusal(Refresh(hz=hz, jitter_ms=0.1, on_beat=on_beat), 60.0)
    assert (reason is None) if words is None else (words in str(reason))


def test_random_flips_are_off_the_beat():
    rng = np.random.default_rng(1)
    stamps = np.cumsum(rng.uniform(0.5, 1.9, 121)) / 60
    assert refresh_of(list(stamps)).on_beat < 0.7


def test_pacing_waits_until_a_period_has_passed():
    import time

    start = time.perf_counter()
    assert pace(time.perf_counter, start, 0.02) == start + 0.02
    assert time.perf_counter() - start >= 0.02


def test_pacing_stays_on_its_grid_after_a_late_flip():
    assert pace(lambda: 1.25, 1.0, 0.1) == pytest.approx(1.2)  # flips at once, two beats on
    assert pace(lambda: 1.13, 1.0, 0.1) == pytest.approx(1.1)


def test_after_loading_a_timed_flip_waits_for_the_next_beat():
    """A flip that is late by less than a period comes at once, but not one after scenes were loaded."""

    class Clock:
        now = 100.0

        def time(self):
            self.now += 1e-4
            return self.now

    for loaded, beats in ((False, 1), (True, 2)):
        clock = Clock()
        window = SimpleNamespace(size=(4, 4), flip=clock.time)
        psychopy = SimpleNamespace(core=SimpleNamespace(getTime=clock.time))
        stage = Stage(psychopy, window, Screen(refresh_hz=10.0, size=(4, 4)))
        stage._paced, stage._beat_s = True, 100.0
        clock.now += 0.195
        if loaded:
            stage.skip_missed()
        assert stage.flip() >= stage._beat_s == pytest.approx(100.0 + beats * 0.1)

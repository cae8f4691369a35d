"""A real PsychoPy window on a virtual display: frames, drops, key presses, and screens that are refused."""

import os
import time
from dataclasses import replace
from itertools import accumulate

import numpy as np
import pytest

from experiments.ports import Quit
from experiments.screen import Screen
from experiments.simulated import SimulatedBooth
from stimuli_store.errors import DisplayError, StimsynthError
from stimuli_store.tasks import TASKS, task_named
from tests.experiments import virtual_display
from tests.experiments.conftest import ROOT_SIZE
from tests.experiments.made_trials import (
    ROOMY,
    listening_of,
    made_up,
    onset_of,
    shortened,
    shown_in,
)

pytestmark = pytest.mark.window

SMALL = Screen(size=ROOMY)
ABX = task_named("abx")
PLANNED = {"iti": 30, "A": 12, "gap_ab": 30, "B": 12, "gap_bx": 60, "X": 12, "respond": 120}
FIRST = dict(zip(PLANNED, accumulate(PLANNED.values(), initial=0), strict=False))


@pytest.mark.parametrize("hz", [60.0, 100.0, 120.0, 144.0])
def test_every_phase_of_every_task_lasts_its_frames_and_presses_have_their_times(
    display, monkeypatch, open_person_booth, hz
):
    virtual = virtual_display.install(monkeypatch, hz)
    screen = replace(SMALL, refresh_hz=hz)
    booth = open_person_booth(screen)
    for number, name in enumerate(TASKS):
        task = replace(shortened(task_named(name), 200.0), mask_ms=50.0)
        trial, frames = made_up(task, hz=hz, cell=number)
        first = listening_of(task, trial).phase
        next_flip = virtual.start()
        start = virtual.now_s if number else next_flip  # goes on since the last trial's end
        onset = start + onset_of(trial, first, hz)
        answer = onset_of(trial, len(trial.phases) - 1, hz) - onset_of(trial, first, hz) + 0.0321
        given = [(-0.1234, "w"), (-0.05, "z"), (answer, "q"), (answer + 1e-4, "w")]
        virtual.presses = [(onset + t, key) for t, key in given]
        found = shown_in(booth, task, trial, frames, screen)
        planned = [phase.n_frames for phase in trial.phases[:-1]]
        planned.append(int(np.ceil(0.0321 * hz)) + 1)
        assert [t.n_frames for t in found.timing] == planned, name
        assert [t.dropped for t in found.timing] == [()] * len(planned), name
        assert found.timing[0].onset_s == pytest.approx(start, abs=1e-9)
        assert (found.response, found.flags) == (task.answers[0], ("too_early",)), name
        assert found.rt_s == pytest.approx(answer, abs=1e-9)
        assert [p.key for p in found.presses] == [key for _, key in given]
        times = [p.t_s - onset for p in found.presses]
        np.testing.assert_allclose(times, [t for t, _ in given], atol=1e-9)


DROPS = [
    *(("iti", index, 1) for index in (1, 15, 29)),
    *((phase, index, 1) for phase in ("A", "B", "X") for index in (0, 5, 11)),
    ("gap_ab", 0, 1),
    ("gap_bx", 59, 1),
    ("X", 11, 4),
]


@pytest.mark.parametrize(("phase", "index", "extra"), DROPS)
def test_a_dropped_frame_is_found_where_it_was(virtual, open_person_booth, phase, index, extra):
    booth = open_person_booth(SMALL)
    trial, frames = made_up(ABX)
    # The frame stays up because the swap after it misses so many vertical blanks.
    onset = virtual.start(late={FIRST[phase] + index + 1: extra})
    x_onset = onset + (FIRST["X"] + (0 if phase == "X" else extra)) / 60
    virtual.presses = [(x_onset + 0.4321, "w")]
    record = shown_in(booth, ABX, trial, frames, SMALL)
    for timing in record.timing[:-1]:
        hit = timing.name == phase
        assert timing.n_frames == PLANNED[timing.name] + (extra if hit else 0)
        assert timing.dropped == ((index,) if hit else ())
    assert record.flags == ("dropped_frames",)
    assert record.rt_s == pytest.approx(0.4321, abs=1e-9)
    assert {t.name: t.onset_s for t in record.timing}["X"] == pytest.approx(x_onset, abs=1e-9)


@pytest.mark.parametrize("name", ["2ifc", "ring-oddity", "split-screen"])
def test_a_drop_in_any_phase_of_other_tasks_is_flagged(virtual, open_person_booth, name):
    task = replace(shortened(task_named(name), 100.0), mask_ms=50.0)
    trial, frames = made_up(task)
    booth = open_person_booth(SMALL)
    starts = list(accumulate((p.n_frames or 0 for p in trial.phases), initial=0))
    virtual.presses = [(virtual.now_s + 0.1, "space")]
    for number in range(max(i for i, p in enumerate(trial.phases) if p.shows) + 1):
        virtual.presses = [(virtual.now_s + 0.1, "space")]
        booth.page("Swaps count from the first flip of a trial after a page.", quit_key="escape")
        onset = virtual.start(late={starts[number] + 3: 1})
        virtual.presses = [(onset + (starts[len(trial.phases) - 1] + 1) / 60 + 0.05, "q")]
        record = shown_in(booth, task, trial, frames, SMALL)
        assert record.flags == ("dropped_frames",)
        assert [t.dropped for t in record.timing[:-1]] == [
            (2,) if i == number else () for i in range(len(trial.phases) - 1)
        ]


@pytest.mark.parametrize(
    ("presses", "response", "rt_s", "respond_frames", "flags"),
    [
        ([(0.1, "w")], "B", 0.1, 1, ()),  # during X, which stays nevertheless
        ([(-0.1, "q"), (0.3, "w")], "B", 0.3, 7, ("too_early",)),
        ([(-0.005, "q"), (0.3, "w")], "B", 0.3, 7, ("too_early",)),  # not even just before
        ([(0.3, "f"), (0.4, "q"), (0.4001, "w")], "A", 0.4, 13, ()),  # the first one counts
        ([(2.199, "q")], "A", 2.199, 120, ()),  # in the last frame
        ([(2.201, "q")], None, None, 120, ("no_response",)),
        ([], None, None, 120, ("no_response",)),
        ([(-1.0, "q")], None, None, 120, ("too_early", "no_response")),
    ],
)
def test_answers(virtual, open_person_booth, presses, response, rt_s, respond_frames, flags):
    booth = open_person_booth(SMALL)
    trial, frames = made_up(ABX)
    x_onset = virtual.start() + FIRST["X"] / 60
    virtual.presses = [(x_onset + t, key) for t, key in presses]
    record = shown_in(booth, ABX, trial, frames, SMALL)
    planned = [*list(PLANNED.values())[:-1], respond_frames]
    assert [t.n_frames for t in record.timing] == planned
    assert record.response == response
    assert record.rt_s == (None if rt_s is None else pytest.approx(rt_s, abs=1e-9))
    assert record.correct == (response == trial.answer)
    assert record.flags == flags
    seen = [(t, key) for t, key in presses if t < 2.2]
    assert [p.key for p in record.presses] == [key for _, key in seen]
    times = [p.t_s - x_onset for p in record.presses]
    np.testing.assert_allclose(times, [t for t, _ in seen], atol=1e-9)


@pytest.mark.parametrize("phase", ["iti", "X", "respond"])
def test_escape_leaves_a_trial_and_the_next_one_is_shown_whole(virtual, open_person_booth, phase):
    booth = open_person_booth(SMALL)
    trial, frames = made_up(ABX)
    onset = virtual.start()
    virtual.presses = [(onset + (FIRST[phase] + 1.5) / 60, "escape")]
    with pytest.raises(Quit):
        shown_in(booth, ABX, trial, frames, SMALL)
    onset = virtual.start()
    virtual.presses = [(onset + (FIRST["X"] + 6) / 60, "q")]
    record = shown_in(booth, ABX, trial, frames, SMALL)
    assert [t.n_frames for t in record.timing] == [*list(PLANNED.values())[:-1], 1]
    assert record.frame_sha256 == trial.intervals


def test_pages_wait_for_the_space_bar_and_obey_escape(virtual, open_person_booth):
    booth = open_person_booth(SMALL)
    start = virtual.now_s
    virtual.presses = [(start + 0.3, "left"), (start + 1.0, "space")]
    from_s, until_s = booth.page("Welcome", quit_key="escape")
    assert (from_s, until_s) == pytest.approx((start + 1 / 60, start + 1.0))
    assert start + 1.0 <= virtual.now_s < start + 1.0 + 2 / 60
    virtual.presses = [(virtual.now_s + 0.1, "escape")]
    with pytest.raises(Quit):
        booth.page("Rest", quit_key="escape")


@pytest.mark.parametrize("name", ["abx", "ring-oddity", "split-screen"])
def test_simulated_keys_give_the_same_answers_as_no_screen(virtual, name):
    from experiments.booth.psychopy_booth import open_booth

    task = task_named(name)
    trial, frames = made_up(task)
    nominal = SimulatedBooth(ROOMY, 60.0)
    booth = open_booth(SMALL, simulated=True)
    endless = trial.phases[-1].n_frames is None
    try:
        assert booth.describe()["simulated_keys"] is True
        from_s, until_s = booth.page("Welcome", quit_key="escape")
        assert until_s - from_s == pytest.approx(0.3, abs=2 / 60)
        for rt_s in (0.2531, 0.7031, 1.1043, *(() if endless else (3.0,)), 0.41):
            real, simulated = (
                shown_in(one, task, trial, frames, SMALL, script=("w", rt_s))
                for one in (booth, nominal)
            )
            assert real.response == simulated.response
            assert real.frame_sha256 == simulated.frame_sha256 == trial.intervals
            assert real.flags == simulated.flags == (("no_response",) if rt_s == 3.0 else ())
            assert [t.n_frames for t in real.timing] == [t.n_frames for t in simulated.timing]
            if simulated.rt_s is not None:
                assert simulated.rt_s == pytest.approx(rt_s)
                assert -1e-9 <= real.rt_s - rt_s <= 1 / 60 + 1e-9  # stamped when polled
    finally:
        booth.close()


def test_the_description_says_how_it_was_measured(virtual, open_person_booth):
    found = open_person_booth(replace(SMALL, verify="ends")).describe()
    assert found["synchronised"] is True
    assert found["measured_hz"] == pytest.approx(60.0, abs=1e-6)
    assert (found["verify"], found["screen"], found["window"]) == ("ends", 0, [210, 170])
    assert found["position"] == [(ROOT_SIZE[0] - 210) // 2, (ROOT_SIZE[1] - 170) // 2]
    assert found["keyboard"]["backend"] == "event"


@pytest.mark.parametrize(("hz", "words"), [(30.0, "the display is too slow"), (75.0, "too fast")])
def test_another_refresh_rate_is_refused(display, monkeypatch, hz, words):
    from experiments.booth.psychopy_booth import open_booth

    virtual_display.install(monkeypatch, hz)
    with pytest.raises(DisplayError, match=f"{words}.*but the design asks for 60 Hz"):
        open_booth(SMALL)


def test_a_screen_that_flips_do_not_wait_for_is_refused_or_paced(display):
    # The virtual X server has no vertical blank: hundreds of flips a second.
    from experiments.booth.psychopy_booth import open_booth

    with pytest.raises(DisplayError, match="flips do not wait for it"):
        open_booth(SMALL)
    booth = open_booth(SMALL, allow_unsynced=True, simulated=True)
    task = shortened(ABX)
    trial, frames = made_up(task)
    try:
        assert booth.describe()["synchronised"] is False
        start = time.perf_counter()
        record = shown_in(booth, task, trial, frames, SMALL, script=("w", 0.075))
        took = time.perf_counter() - start
    finally:
        booth.close()
    assert record.response == "B"
    assert took >= 5 * 0.05 + 0.075 - 0.02  # five phases of 50 ms before X, and the answer


def test_a_screen_that_is_not_there_is_refused(virtual, open_person_booth):
    with pytest.raises(DisplayError, match="asks for screen 7, but this machine has 1"):
        open_person_booth(Screen(size=(60, 40), screen=7))


@pytest.mark.parametrize("size", [(1000, 800), (481, 100), (100, 361)])
def test_a_window_larger_than_its_screen_is_refused_before_it_is_opened(
    virtual, open_person_booth, monkeypatch, size
):
    from psychopy import visual

    def never(*args, **kwargs):
        raise AssertionError("a window was opened")

    monkeypatch.setattr(visual, "Window", never)
    sentence = (
        f"a window of {size[0]} x {size[1]} pixels is larger than screen 0, which has 480 x 360"
    )
    with pytest.raises(DisplayError, match=sentence):
        open_person_booth(Screen(size=size))


@pytest.mark.parametrize("corner", [(-1, 0), (0, -1), (271, 0), (0, 191)])
def test_a_window_that_lies_partly_beyond_its_screen_is_refused(
    virtual, open_person_booth, monkeypatch, corner
):
    from pyglet.window.xlib import XlibWindow

    monkeypatch.setattr(XlibWindow, "get_location", lambda self: corner)
    with pytest.raises(DisplayError, match="is beyond the screen of 480 x 360"):
        open_person_booth(SMALL)


def test_a_window_of_the_size_of_its_screen_is_shown(virtual, open_person_booth):
    assert open_person_booth(Screen(size=ROOT_SIZE)).size == ROOT_SIZE


def test_fullscreen_takes_the_size_of_the_screen(virtual):
    from experiments.booth.psychopy_booth import open_booth

    booth = open_booth(Screen(size=(100, 80)), fullscreen=True)
    try:
        assert booth.size == ROOT_SIZE
        assert booth.describe()["fullscreen"] is True
    finally:
        booth.close()


def test_loading_psychopy_leaves_the_environment_alone(display):
    from experiments.booth.load import load_psychopy

    before = dict(os.environ)
    load_psychopy()
    assert dict(os.environ) == before


def test_real_key_events_through_psychtoolbox(display):
    # Keys pressed through the X server's own test extension, on the real clock.
    from Xlib import XK
    from Xlib import display as xdisplay
    from Xlib.ext import xtest
    from Xlib.X import KeyPress, KeyRelease

    from experiments.booth.keyboard import PsychtoolboxKeyboard, open_keyboard
    from experiments.booth.load import load_psychopy

    psychopy = load_psychopy()
    keyboard = open_keyboard(psychopy)
    if not isinstance(keyboard, PsychtoolboxKeyboard):
        pytest.skip("psychtoolbox does not work here")
    server = xdisplay.Display(display)

    def press(name: str, kind: int) -> None:
        xtest.fake_input(server, kind, server.keysym_to_keycode(XK.string_to_keysym(name)))
        server.sync()
        time.sleep(0.05)

    try:
        before = psychopy.core.getTime()
        press("Left", KeyPress)
        between = psychopy.core.getTime()
        press("Left", KeyRelease)  # pressed and released between two polls
        press("Right", KeyPress)  # still down at the poll
        after = psychopy.core.getTime()
        found = keyboard.poll()
        assert [p.key for p in found] == ["left", "right"]
        assert before <= found[0].t_s <= between <= found[1].t_s <= after
        press("Right", KeyRelease)
        assert keyboard.poll() == []  # a release is no second press
        press("Escape", KeyPress)
        assert [p.key for p in keyboard.poll()] == ["escape"]
        keyboard.clear()
        press("Escape", KeyRelease)
        assert keyboard.poll() == []  # nor is the release of a press that was forgotten
    finally:
        keyboard.close()
        server.close()


def test_no_display_is_one_clear_sentence(display, monkeypatch):
    from experiments.booth.load import load_psychopy

    monkeypatch.delenv("DISPLAY")
    with pytest.raises(DisplayError, match="add --virtual-display"):
        load_psychopy()
    assert issubclass(DisplayError, StimsynthError)

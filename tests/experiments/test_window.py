"""A real PsychoPy window on a virtual display: exact pixels, exact frames, exact times."""

import os
import subprocess
import sys
import time
from itertools import accumulate

import numpy as np
import pytest

from experiments.design import Keys, Screen
from experiments.order import make_trials
from experiments.session import run_session
from experiments.session_plan import journal_path
from experiments.tasks.abx import AbxTask
from stimuli_store.errors import DisplayError, StimsynthError
from stimuli_store.journal import read_session
from tests.experiments import virtual_display
from tests.experiments.conftest import ROOT_SIZE
from tests.experiments.helpers import SMALL, Script, design_for, write_design
from tests.helpers import tiny_bank

pytestmark = pytest.mark.window

PLANNED = {"iti": 30, "A": 12, "gap_ab": 30, "B": 12, "gap_bx": 60, "X": 12, "respond": 120}
FIRST = dict(zip(PLANNED, accumulate(PLANNED.values(), initial=0), strict=False))


@pytest.fixture
def virtual(display, monkeypatch):
    return virtual_display.install(monkeypatch)


@pytest.fixture
def open_person_booth(virtual):
    """Open a booth for a person whose keys are pressed by the virtual display."""
    from experiments.booth.keyboard import EventKeyboard
    from experiments.booth.load import load_psychopy
    from experiments.booth.psychopy_booth import PsychopyBooth
    from experiments.booth.stage import open_stage

    stages = []

    def open_it(screen: Screen | None = None) -> PsychopyBooth:
        psychopy = load_psychopy()
        stages.append(open_stage(psychopy, screen or SMALL))
        stages[-1].measure(allow_unsynced=False)
        return PsychopyBooth(stages[-1], EventKeyboard(psychopy), Keys())

    yield open_it
    for stage in stages:
        stage.close()


def screenshot(name: str, size: tuple[int, int]) -> np.ndarray:
    """The window's part of the whole screen, taken through another connection to the X server."""
    import PIL.ImageGrab
    import pyglet
    from pyglet.libs.x11 import xlib

    for window in pyglet.app.windows:
        xlib.XSync(window._x_display, 0)
    whole = np.asarray(PIL.ImageGrab.grab(xdisplay=name).convert("RGB"))
    left, top = ((ROOT_SIZE[i] - size[i]) // 2 for i in (0, 1))
    return whole[top : top + size[1], left : left + size[0]]


def expected_window(frame: np.ndarray | None, size: tuple[int, int]) -> np.ndarray:
    """A grey window with a frame in its middle, or with a black cross of two pixels' width."""
    window = np.full((size[1], size[0]), 128, np.uint8)
    if frame is None:
        y, x = (size[1] - 14) // 2, (size[0] - 14) // 2
        window[y + 6 : y + 8, x : x + 14] = 0
        window[y : y + 14, x + 6 : x + 8] = 0
    else:
        y, x = (size[1] - frame.shape[0]) // 2, (size[0] - frame.shape[1]) // 2
        window[y : y + frame.shape[0], x : x + frame.shape[1]] = frame
    return np.repeat(window[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("image", "window"),
    [
        ((32, 32), (200, 160)),
        ((33, 31), (200, 160)),
        ((64, 65), (201, 161)),
    ],
)
def test_every_frame_on_the_screen_is_the_banks(
    display, virtual, open_person_booth, tmp_path, image, window
):
    bank = tiny_bank(tmp_path, size=image, targets=("leaf",), levels=(4.0,), seeds=(0,))
    screen = Screen(size=window)
    design = design_for(bank, screen=screen)
    booth = open_person_booth(screen)
    current, seen = [], []
    show = booth.show

    def started(trial, frames):
        current[:] = [trial]
        onset = virtual.start()
        virtual.presses = [(onset + FIRST["X"] / 60 + 0.5, "left")]
        return show(trial, frames)

    def compare(swap: int) -> None:
        if not current or swap >= FIRST["respond"] + 2:
            return
        phase = [name for name in FIRST if FIRST[name] <= swap][-1]
        if phase not in "ABX" and swap not in (FIRST[phase], FIRST[phase] + 1):
            return
        frame = bank.frame(current[0].intervals[phase]).pixels if phase in "ABX" else None
        found = screenshot(display, window)
        np.testing.assert_array_equal(
            found, expected_window(frame, window), err_msg=f"{swap} {phase}"
        )
        seen.append((current[0].index, phase))

    booth.show = started
    virtual.on_swap = compare
    virtual.presses = [(virtual.now_s + 0.1, "space")]
    booth.farewell = lambda done, total: None
    session = run_session(design, bank, booth, "S01", 1, data_dir=tmp_path / "data")
    assert session.ended == "completed"
    assert len(seen) == 4 * (
        3 * 12 + 4 * 2
    )  # all stimulus frames, and the first two of every blank
    for record in session.records:
        for name, sha in record.trial.intervals.items():
            assert record.frame_sha256[name] == bank.by_id[sha].certificate.frame_sha256
        assert (record.response, record.flags) == ("A", ())
        assert [t.n_frames for t in record.timing][:-1] == list(PLANNED.values())[:-1]
    header = session.header.booth
    assert header["synchronised"] is True
    assert header["measured_hz"] == pytest.approx(60.0, abs=1e-6)
    assert header["keyboard"]["backend"] == "event"


def one_trial(bank):
    trial = make_trials(design_for(bank), bank, "S01", 1)[0]
    return trial, {name: bank.frame(sha).pixels for name, sha in trial.intervals.items()}


@pytest.mark.parametrize(
    ("phase", "index", "extra"),
    [
        ("A", 0, 1),
        ("A", 11, 1),
        ("B", 5, 1),
        ("X", 0, 1),
        ("X", 11, 4),
    ],
)
def test_a_dropped_frame_is_found_where_it_was(
    bank, virtual, open_person_booth, phase, index, extra
):
    booth = open_person_booth()
    trial, frames = one_trial(bank)
    # The frame stays up because the swap after it misses so many vertical blanks.
    onset = virtual.start(late={FIRST[phase] + index + 1: extra})
    before = 0 if phase == "X" else extra
    x_onset = onset + (FIRST["X"] + before) / 60
    virtual.presses = [(x_onset + 0.4321, "right")]
    record = booth.show(trial, frames)
    for timing in record.timing[:-1]:
        hit = timing.name == phase
        assert timing.n_frames == PLANNED[timing.name] + (extra if hit else 0)
        assert timing.dropped == ((index,) if hit else ())
    assert record.flags == ("dropped_frames",)
    assert record.rt_s == pytest.approx(0.4321, abs=1e-9)
    assert {t.name: t.onset_s for t in record.timing}["X"] == pytest.approx(x_onset, abs=1e-9)


def test_a_frame_lost_before_the_first_picture_is_recorded_but_flags_nothing(
    bank, virtual, open_person_booth
):
    booth = open_person_booth()
    trial, frames = one_trial(bank)
    onset = virtual.start(late={1: 3})
    virtual.presses = [(onset + (FIRST["X"] + 3) / 60 + 0.4, "left")]
    record = booth.show(trial, frames)
    assert (record.timing[0].n_frames, record.timing[0].dropped) == (33, (0,))
    assert record.flags == ()


@pytest.mark.parametrize(
    ("presses", "response", "rt_s", "respond_frames"),
    [
        ([(0.1, "right")], "B", 0.1, 1),  # during X, which stays nevertheless
        ([(-0.1, "left"), (0.3, "right")], "B", 0.3, 7),  # before X does not count
        ([(-0.005, "left"), (0.3, "right")], "B", 0.3, 7),  # not even just before
        ([(0.3, "f"), (0.4, "left"), (0.4001, "right")], "A", 0.4, 13),  # the first one counts
        ([(2.199, "left")], "A", 2.199, 120),  # in the last frame
        ([(2.201, "left")], None, None, 120),
        ([], None, None, 120),
    ],
)
def test_answers(bank, virtual, open_person_booth, presses, response, rt_s, respond_frames):
    booth = open_person_booth()
    trial, frames = one_trial(bank)
    x_onset = virtual.start() + FIRST["X"] / 60
    virtual.presses = [(x_onset + t, key) for t, key in presses]
    record = booth.show(trial, frames)
    planned = [*list(PLANNED.values())[:-1], respond_frames]
    assert [t.n_frames for t in record.timing] == planned
    assert record.response == response
    assert record.rt_s == (None if rt_s is None else pytest.approx(rt_s, abs=1e-9))
    assert record.correct == (response == trial.answer)
    assert record.flags == (("no_response",) if response is None else ())


@pytest.mark.parametrize("phase", ["iti", "X", "respond"])
def test_escape_keeps_finished_trials_and_the_rest_follows(
    bank, virtual, open_person_booth, tmp_path, phase
):
    design = design_for(bank, levels=(4.0,), targets=("leaf",))
    booth = open_person_booth()
    shown, show = [], booth.show

    def started(trial, frames):
        onset = virtual.start()
        leave = len(shown) == 2
        shown.append(trial.index)
        at = FIRST[phase] + 1 if leave else FIRST["X"]
        virtual.presses = [(onset + (at + 0.5) / 60, "escape" if leave else "left")]
        return show(trial, frames)

    booth.show = started
    booth.welcome = booth.farewell = lambda done, total: None
    first = run_session(design, bank, booth, "S01", 1, data_dir=tmp_path)
    assert (first.ended, len(first.records)) == ("escape", 2)
    second = run_session(design, bank, booth, "S01", 1, data_dir=tmp_path)
    assert (second.ended, len(second.records)) == ("completed", 8)
    assert shown == [0, 1, 2, 2, 3, 4, 5, 6, 7]
    assert [r.trial for r in second.records] == list(make_trials(design, bank, "S01", 1))
    assert read_session(journal_path(tmp_path, "S01", 1, "abx")) == second


def test_pages_wait_for_the_space_bar_and_obey_escape(virtual, open_person_booth):
    from experiments.ports import Quit

    booth = open_person_booth()
    start = virtual.now_s
    virtual.presses = [(start + 0.3, "left"), (start + 1.0, "space")]
    booth.welcome(0, 8)
    assert start + 1.0 <= virtual.now_s < start + 1.0 + 2 / 60
    virtual.presses = [(virtual.now_s + 0.1, "escape")]
    with pytest.raises(Quit):
        booth.rest(4, 8)


def test_one_wrong_pixel_stops_the_session(bank, virtual, tmp_path, monkeypatch):
    from experiments.booth.psychopy_booth import open_booth
    from experiments.booth.stage import Stage

    design = design_for(bank)
    booth = open_booth(design.screen, design.keys, responder=Script("A", 0.5))
    upload = Stage.upload

    def damaged(self, frame):
        frame = frame.copy()
        frame[3, 4] ^= 1
        return upload(self, frame)

    monkeypatch.setattr(Stage, "upload", damaged)
    try:
        with pytest.raises(DisplayError, match=r"trial 0: .* in interval A, B, X"):
            run_session(design, bank, booth, "S01", 1, data_dir=tmp_path)
    finally:
        booth.close()


def test_simulated_keys_give_the_same_answers_as_no_screen(bank, virtual, tmp_path):
    from experiments.booth.psychopy_booth import open_booth
    from experiments.design import seed_of
    from experiments.simulated import SimulatedBooth, SimulatedPerson
    from tests.experiments.helpers import Coin

    design = design_for(bank, levels=(4.0,), targets=("leaf",))
    person = SimulatedPerson(Coin(), seed_of(design, "S01", 1))
    booth = open_booth(design.screen, design.keys, responder=person)
    try:
        real = run_session(design, bank, booth, "S01", 1, data_dir=tmp_path / "real")
    finally:
        booth.close()
    nominal = SimulatedBooth(person, refresh_hz=60.0)
    simulated = run_session(design, bank, nominal, "S01", 1, data_dir=tmp_path / "simulated")
    assert real.ended == "completed"
    assert real.header.booth["simulated_keys"] is True
    for a, b in zip(real.records, simulated.records, strict=True):
        assert (a.trial, a.response, a.frame_sha256) == (b.trial, b.response, b.frame_sha256)
        if a.rt_s is not None:
            assert 0 <= a.rt_s - b.rt_s <= 1 / 60 + 1e-9  # stamped when polled


@pytest.mark.parametrize(("hz", "words"), [(30.0, "the display is too slow"), (75.0, "too fast")])
def test_another_refresh_rate_is_refused(display, monkeypatch, hz, words):
    from experiments.booth.psychopy_booth import open_booth

    virtual_display.install(monkeypatch, hz)
    with pytest.raises(DisplayError, match=f"{words}.*but the design asks for 60 Hz"):
        open_booth(SMALL, Keys())


def test_a_screen_that_flips_do_not_wait_for_is_refused_or_paced(display, bank):
    # The virtual X server has no vertical blank: hundreds of flips a second.
    from experiments.booth.psychopy_booth import open_booth

    with pytest.raises(DisplayError, match="flips do not wait for it"):
        open_booth(SMALL, Keys())
    booth = open_booth(SMALL, Keys(), allow_unsynced=True, responder=Script("B", 0.25))
    short = AbxTask(
        iti_ms=50, a_ms=50, gap_ab_ms=50, b_ms=50, gap_bx_ms=50, x_ms=50, respond_ms=400
    )
    trial = make_trials(design_for(bank, task=short), bank, "S01", 1)[0]
    frames = {name: bank.frame(sha).pixels for name, sha in trial.intervals.items()}
    try:
        assert booth.describe()["synchronised"] is False
        start = time.perf_counter()
        record = booth.show(trial, frames)
        took = time.perf_counter() - start
    finally:
        booth.close()
    assert record.response == "B"
    assert took >= 5 * 0.05 + 0.25  # five phases of 50 ms before X, and the answer


def test_pictures_larger_than_the_window_are_refused_before_anything_is_written(
    bank, virtual, open_person_booth, tmp_path
):
    booth = open_person_booth(Screen(size=(40, 30)))
    with pytest.raises(DisplayError, match="32 x 32 pixels does not fit into a window of 40 x 30"):
        run_session(design_for(bank), bank, booth, "S01", 1, data_dir=tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_screen_that_is_not_there_is_refused(virtual, open_person_booth):
    with pytest.raises(DisplayError, match="asks for screen 7, but this machine has 1"):
        open_person_booth(Screen(size=(60, 40), screen=7))


@pytest.mark.parametrize("frame", [0, 5, 11])
def test_a_wrong_pixel_in_any_frame_is_noticed(bank, virtual, open_person_booth, frame):
    """Something covers one pixel of A, in one of its frames alone."""
    booth = open_person_booth()
    trial, frames = one_trial(bank)
    stage, real, drawn = booth._stage, booth._stage.read, []

    def read(picture):
        pixels = real(picture).copy()
        if drawn.count("read") == 1 + frame:  # the first read only takes the time of reading
            pixels[3, 4] ^= 1
        drawn.append("read")
        return pixels

    stage.read = read
    record = booth.show(trial, frames)
    certified = bank.by_id[trial.intervals["A"]].certificate.frame_sha256
    assert record.frame_sha256["A"] != certified
    assert drawn.count("read") == 1 + 3 * 12


def test_where_reading_is_slow_the_first_and_the_last_frame_are_read(
    bank, virtual, open_person_booth
):
    booth = open_person_booth()
    trial, frames = one_trial(bank)
    reads, real = [], booth._stage.read

    def slow_read(picture):
        if not reads:
            virtual.now_s += 0.3 / 60
        reads.append(picture)
        return real(picture)

    booth._stage.read = slow_read
    record = booth.show(trial, frames)
    assert len(reads) == 1 + 3 * 2
    for name, sha in trial.intervals.items():
        assert record.frame_sha256[name] == bank.by_id[sha].certificate.frame_sha256


@pytest.mark.parametrize("background", [0.0, 0.4999, 0.75])
def test_background_is_the_level_asked_for(virtual, open_person_booth, display, background):
    open_person_booth(Screen(size=(60, 40), background=background))  # refuses any other level
    found = screenshot(display, (60, 40))
    assert set(np.unique(found)) == {round(background * 255)}


def test_colour_frames_come_back_as_they_are(virtual, open_person_booth):
    booth = open_person_booth(Screen(size=(60, 40)))
    frame = np.random.default_rng(5).integers(0, 256, (21, 30, 3), dtype=np.uint8)
    stage = booth._stage
    picture = stage.upload(frame)
    stage.draw(picture)
    np.testing.assert_array_equal(stage.read(picture), frame)


def test_all_grey_levels_come_back_as_they_are(virtual, open_person_booth):
    booth = open_person_booth(Screen(size=(60, 40)))
    frame = np.arange(256, dtype=np.uint8).reshape(16, 16)
    picture = booth._stage.upload(frame)
    booth._stage.draw(picture)
    np.testing.assert_array_equal(booth._stage.read(picture), frame)


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


def test_a_session_in_a_window_needs_no_home(display, tmp_path):
    design = write_design(tmp_path / "d.toml", tiny_bank(tmp_path), "[screen]\nsize = [200, 160]")
    words = ["run", design, "--participant", "S01", "--simulate", "right", "--booth", "psychopy"]
    words += ["--allow-unsynced", "--max-trials", 1]
    homeless = {k: v for k, v in os.environ.items() if k not in ("HOME", "USERPROFILE")}
    done = subprocess.run(
        [sys.executable, "-m", "stimsynth", *map(str, words)],
        env=homeless,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "1 of" in done.stdout

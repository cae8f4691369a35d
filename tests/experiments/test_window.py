"""A real PsychoPy window on a virtual display: every pixel of every frame, and when it is read back."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from experiments.outcome import record_of
from experiments.ports import Slide
from experiments.scene import slides_of
from experiments.screen import Position, Screen
from stimuli_store.records.canonical import frame_id
from stimuli_store.tasks import TASKS, task_named
from tests.experiments.conftest import ROOT_SIZE
from tests.experiments.made_trials import (
    ROOMY,
    keys_of,
    listening_of,
    made_up,
    onset_of,
    shortened,
    shown_in,
)

pytestmark = pytest.mark.window

SMALL = Screen(size=ROOMY)
ABX = task_named("abx")


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


def in_rgb(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


def frames_of(slides: tuple[tuple[Slide, ...], ...], n_last: int) -> list[tuple[int, np.ndarray]]:
    """Phase and pixels of every frame; the last phase, which ends at the answer, has `n_last`."""
    return [
        (number, slide.scene.pixels)
        for number, phase in enumerate(slides)
        for slide in phase
        for _ in range(n_last if number + 1 == len(slides) else slide.n_frames or 0)
    ]


class Watcher:
    """Compares every frame of the next trial with its scene: in the back buffer, and as X shows it."""

    def __init__(self, virtual, display: str, expected: list[tuple[int, np.ndarray]]) -> None:
        from psychopy.visual.window import openWindows

        (self.window,) = (ref() for ref in openWindows if ref() is not None)
        self.display, self.expected = display, expected
        self.compared: Counter = Counter()
        virtual.before_swap, virtual.on_swap = self.back_buffer, self.root

    def back_buffer(self, swap: int) -> None:
        if swap < len(self.expected):
            found = self.window._getPixels(buffer="back", includeAlpha=False)[::-1]
            self.compare("back buffer", swap, found)

    def root(self, swap: int) -> None:
        """Only the first frame of each phase, since a grab takes long."""
        if swap < len(self.expected):
            number = self.expected[swap][0]
            if swap == 0 or self.expected[swap - 1][0] != number:
                self.compare("root", swap, screenshot(self.display, tuple(self.window.size)))

    def compare(self, where: str, swap: int, found: np.ndarray) -> None:
        number, pixels = self.expected[swap]
        np.testing.assert_array_equal(found, in_rgb(pixels), err_msg=f"{where}, frame {swap}")
        self.compared[where, number] += 1

    def counts(self, where: str) -> list[int]:
        return [self.compared[where, number] for number in sorted({n for n, _ in self.expected})]


N_LAST = 14  # an answer 0.21 s after the onset of the last phase is noticed in its frame 13


@pytest.mark.parametrize("name", TASKS)
def test_every_frame_of_every_task_is_its_scene(display, virtual, open_person_booth, name):
    """With fixation over the pictures, a mask after them, and the patch."""
    task = replace(task_named(name), mask_ms=100.0)
    trial, frames = made_up(task, index=5)
    screen = replace(SMALL, patch_px=9)
    booth = open_person_booth(screen)
    slides = slides_of(task, trial, frames, screen, booth.size, answer_hint="Q or W")
    watcher = Watcher(virtual, display, frames_of(slides, N_LAST))
    onset = virtual.start() + onset_of(trial, len(slides) - 1)
    virtual.presses = [(onset + 0.21, "w")]
    shown = booth.show(slides, listening_of(task, trial))
    found = record_of(trial, task, shown, keys_of(task), booth.period_s)
    planned = [phase.n_frames for phase in trial.phases[:-1]] + [N_LAST]
    assert watcher.counts("back buffer") == planned
    assert watcher.counts("root") == [1] * len(slides)
    assert [t.n_frames for t in found.timing] == planned
    assert (found.response, found.flags) == (task.answers[1], ())
    assert found.frame_sha256 == {name: frame_id(frames[name]) for name in task.intervals}


@pytest.mark.parametrize("size", [(200, 160), (201, 161), (200, 161), (231, 190)])
@pytest.mark.parametrize("shape", [(33, 31), (64, 65, 3), (32, 40)])
def test_ramps_colours_and_odd_sizes_at_odd_places(
    display, virtual, open_person_booth, size, shape
):
    task = replace(shortened(task_named("pair"), 100.0), ramp_ms=33.3)
    places = {"left": Position(px=(-57, 11)), "right": Position(px=(36, -7))}
    screen = Screen(size=size, places=places, fixation="under", background=0.31)
    trial, frames = made_up(task, shape=shape)
    booth = open_person_booth(screen)
    slides = slides_of(task, trial, frames, screen, size)
    assert len(slides[1]) == 5
    watcher = Watcher(virtual, display, frames_of(slides, 6))
    virtual.start()
    shown = booth.show(slides, listening_of(task, trial))
    assert watcher.counts("back buffer") == [6, 6, 6]
    assert watcher.counts("root") == [1, 1, 1]
    assert shown.hashes == trial.intervals


@pytest.mark.parametrize("window", [(60, 40), (61, 41), (60, 41)])
def test_whatever_a_scene_holds_comes_back_exactly(virtual, open_person_booth, window):
    rng = np.random.default_rng(sum(window))
    stage = open_person_booth(Screen(size=window))._stage
    for case in range(60):
        scene = np.full((window[1], window[0], *((3,) if case % 2 else ())), 128, np.uint8)
        for _ in range(case % 4):
            left, top = rng.integers(0, window)
            part = scene[top : top + rng.integers(1, 30), left : left + rng.integers(1, 30)]
            part[...] = rng.integers(0, 256, part.shape)
        quad = stage.upload(scene)
        stage.draw(quad)
        np.testing.assert_array_equal(stage.read(), in_rgb(scene), err_msg=str(case))
        stage.clear()
        stage.release(quad)


def test_all_grey_levels_come_back_as_they_are(virtual, open_person_booth):
    stage = open_person_booth(Screen(size=(16, 16)))._stage
    scene = np.arange(256, dtype=np.uint8).reshape(16, 16)
    stage.draw(stage.upload(scene))
    np.testing.assert_array_equal(stage.read(), in_rgb(scene))


@pytest.mark.parametrize("background", [0.0, 0.4999, 0.75])
def test_background_is_the_level_asked_for(virtual, open_person_booth, display, background):
    open_person_booth(Screen(size=(60, 40), background=background))  # refuses any other level
    found = screenshot(display, (60, 40))
    assert set(np.unique(found)) == {round(background * 255)}


class Operations:
    """Operations of a stage in order, each with the number of flips before it."""

    def __init__(self, stage, monkeypatch) -> None:
        self.log: list[tuple[str, int]] = []
        self.flips = 0
        for name in ("upload", "read", "draw", "clear", "release", "flip"):
            monkeypatch.setattr(stage, name, self.counted(name, getattr(stage, name)))

    def counted(self, name, real):
        def call(*args):
            self.log.append((name, self.flips))
            self.flips += name == "flip"
            return real(*args)

        return call

    def count(self, name: str, flips: range = range(10**6)) -> int:
        return sum(op == name and after in flips for op, after in self.log)


@pytest.mark.parametrize("verify", ["rehearsal", "ends", "all"])
def test_pictures_are_loaded_and_checked_before_the_first_one_is_shown(
    virtual, open_person_booth, monkeypatch, verify
):
    screen = replace(SMALL, verify=verify)
    booth = open_person_booth(screen)
    for number, name in enumerate(TASKS):
        task = replace(shortened(task_named(name), 100.0), mask_ms=50.0)
        trial, frames = made_up(task, seed=number)
        slides = slides_of(task, trial, frames, screen, booth.size)
        virtual.presses = [(virtual.now_s + 0.1, "space")]
        booth.page("After a page, a trial begins with a flip of its own.", quit_key="escape")
        with monkeypatch.context() as patch:
            done = Operations(booth._stage, patch)
            onset = virtual.start() + onset_of(trial, len(trial.phases) - 1)
            virtual.presses = [(onset + 0.05, "w")]
            booth.show(slides, listening_of(task, trial))
        check_operations(done, trial, slides, verify, new_blank=number == 0)


def check_operations(done: Operations, trial, slides, verify: str, *, new_blank: bool) -> None:
    different = len({id(s.scene.pixels) for phase in slides for s in phase})
    pictures = [i for i, phase in enumerate(trial.phases) if phase.shows]
    first = trial.phases[0].n_frames
    # What comes after k flips is done while frame k - 1 is on the screen.
    end = sum(phase.n_frames for phase in trial.phases[: pictures[-1] + 1])
    before, during = range(first), range(first + 1, end + 1)
    uploads = different if new_blank else different - 1
    assert done.count("upload") == done.count("upload", before) == uploads
    assert done.count("draw", during) == done.count("flip", during) == len(during)
    assert [done.count(name, during) for name in ("upload", "release", "clear")] == [0, 0, 0]
    shown = [p for p in trial.phases if p.shows and not p.mask]
    reads = {"rehearsal": 0, "ends": 2 * len(shown), "all": end + 1 - first}[verify]
    assert done.count("read", range(first, end + 1)) == reads
    assert done.count("read", before) == different + (first if verify == "all" else 0)


def test_the_blank_between_trials_is_one_phase_and_what_is_done_in_it_counts(
    virtual, open_person_booth, monkeypatch
):
    """A trial's first phase begins with the flip that ended the trial before."""
    task = shortened(ABX, 200.0)
    trial, frames = made_up(task)
    booth = open_person_booth(SMALL)
    done = Operations(booth._stage, monkeypatch)
    listening = listening_of(task, trial)
    slides = slides_of(task, trial, frames, SMALL, booth.size)
    first = booth.show(slides, listening)
    uploads = done.count("upload")
    virtual.wait(3.4 / 60)  # for instance for the bank
    second = booth.show(slides, listening)
    assert second.flips_s[0][0] == first.end_s
    assert done.count("upload") == 2 * uploads - 1  # the blank is there already
    planned = [phase.n_frames for phase in trial.phases]
    for shown in (first, second):
        found = record_of(trial, task, shown, keys_of(task), booth.period_s)
        assert [t.n_frames for t in found.timing] == planned
        assert found.timing[0].dropped == ()
        assert found.flags == ("no_response",)
    virtual.wait(20.4 / 60)
    third = shown_in(booth, task, trial, frames, SMALL)
    assert third.timing[0].n_frames == 21
    assert third.flags == ("dropped_frames", "no_response")


@pytest.mark.parametrize(
    ("verify", "reading"),
    [("rehearsal", 1), ("ends", 3), ("ends", 4), ("all", 9), ("all", 12), ("all", 14)],
)
def test_a_wrong_pixel_in_any_reading_is_in_the_record(
    virtual, open_person_booth, monkeypatch, verify, reading
):
    """Something covers one pixel, in one reading alone: of the rehearsal, or of a frame shown."""
    task = shortened(task_named("pair"), 100.0)  # blank, pictures and answer: 3 scenes of 6 frames
    trial, frames = made_up(task)
    booth = open_person_booth(replace(SMALL, verify=verify))
    real, reads = booth._stage.read, []

    def read():
        pixels = real().copy()
        if len(reads) == reading:
            pixels[3, 4] ^= 1
        reads.append(frame_id(pixels))
        return pixels

    monkeypatch.setattr(booth._stage, "read", read)
    record = shown_in(booth, task, trial, frames, SMALL)
    assert len(reads) == {"rehearsal": 3, "ends": 5, "all": 3 + 18 + 1}[verify]
    assert record.frame_sha256 == dict.fromkeys(["left", "right"], reads[reading])


def test_an_upload_that_is_not_exact_is_in_the_record(virtual, open_person_booth, monkeypatch):
    task = shortened(ABX)
    trial, frames = made_up(task)
    booth = open_person_booth(SMALL)
    upload = booth._stage.upload

    def damaged(pixels):
        pixels = pixels.copy()
        pixels[80, 90] ^= 1
        return upload(pixels)

    monkeypatch.setattr(booth._stage, "upload", damaged)
    record = shown_in(booth, task, trial, frames, SMALL)
    assert all(record.frame_sha256[name] != sha for name, sha in trial.intervals.items())

"""Booth that shows trials in a PsychoPy window: whole frames, exact pixels, a time for every flip.

Durations are counted in flips; there is no waiting on a clock. Pictures are uploaded in the blank that
opens a trial. Frames are read back from the back buffer just before their flip, so that the record has
the hash of the pixels that were really shown: every frame of every picture, or only the first and the
last, if reading one takes over a quarter of a refresh period.
"""

# Reading back a picture's rectangle takes 1 ms at 256 x 256 and 4.5 ms at 512 x 512 with software OpenGL;
# hashing waits until the trial is over. A read that is too slow shows as a dropped frame.

import gc
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.booth.keyboard import EventKeyboard, Keyboard, open_keyboard
from experiments.booth.load import load_psychopy
from experiments.booth.stage import ShownFrame, Stage, open_stage
from experiments.booth.timing import phase_timings
from experiments.design import Keys, Screen
from experiments.outcome import record_of
from experiments.ports import Frames, Quit, Responder
from experiments.tasks import abx_text
from stimuli_store.records.canonical import frame_id
from stimuli_store.records.trials import Phase, Trial, TrialRecord

_CONTINUE = "space"
_READING_S = 0.3  # how long a simulated person looks at a page


class PsychopyBooth:
    """A booth with a real window, opened by `open_booth`; close it when done.

    With a `presser` a simulated participant answers, through the same queue of key presses as a person.
    """

    def __init__(
        self, stage: Stage, keyboard: Keyboard, keys: Keys, presser: "Presser | None" = None
    ) -> None:
        self._stage = stage
        self._keyboard = keyboard
        self._keys = keys
        self._presser = presser

    def describe(self) -> Mapping[str, Any]:
        """Return a description of the window, its timing and the keyboard, as plain JSON values."""
        return {
            **self._stage.describe(),
            "keyboard": dict(self._keyboard.describe()),
            "simulated_keys": self._presser is not None,
        }

    def check(self, shapes: Collection[tuple[int, ...]]) -> None:
        """Raise DisplayError if a frame of one of the shapes does not fit into the window."""
        self._stage.check(shapes)

    def show(self, trial: Trial, frames: Frames) -> TrialRecord:
        """Show one trial and return its record; see `experiments.ports.Booth.show`."""
        gc.disable()  # a collection in mid-trial would cost frames
        try:
            return _Showing(self._stage, self._keyboard, self._keys, self._presser).run(
                trial, frames
            )
        finally:
            gc.enable()

    def welcome(self, done: int, total: int) -> None:
        """Show the instructions, and wait for the space bar."""
        self._page(abx_text.RESUME if done else abx_text.WELCOME, done, total)

    def rest(self, done: int, total: int) -> None:
        """Show a page that offers a break, and wait for the space bar."""
        self._page(abx_text.REST, done, total)

    def farewell(self, done: int, total: int) -> None:
        """Show a page with thanks, and wait for the space bar."""
        self._page(abx_text.THANKS if done == total else abx_text.PAUSE_TEXT, done, total)

    def close(self) -> None:
        """Close the keyboard and the window."""
        self._keyboard.close()
        self._stage.close()

    def _page(self, text: str, done: int, total: int) -> None:
        names = {name: abx_text.key_words(key) for name, key in vars(self._keys).items()}
        page = self._stage.page(text.format(done=done, total=total, **names))
        self._keyboard.clear()
        if self._presser is not None:
            self._presser.press_at(_CONTINUE, self._stage.now_s() + _READING_S)
        while True:
            page.draw()
            self._stage.flip()
            pressed = {press.key for press in self._keyboard.poll()}
            if self._keys.quit in pressed:
                raise Quit
            if _CONTINUE in pressed:
                return


class Presser:
    """Simulated key presses that give a responder's answers."""

    def __init__(self, responder: Responder, keyboard: EventKeyboard, keys: Keys) -> None:
        self._responder = responder
        self._keyboard = keyboard
        self._key_of = {answer: key for key, answer in keys.answers().items()}

    def press_at(self, key: str, t_s: float) -> None:
        """Schedule a press of `key` at a time in seconds on the clock of the flips."""
        self._keyboard.schedule(key, t_s)

    def answer(self, trial: Trial, onset_s: float) -> None:
        """Schedule the key press of the responder's answer, counted from the last picture's onset."""
        answer = self._responder.answer(trial)
        self.press_at(self._key_of[answer.response], onset_s + answer.rt_s)


class _Showing:
    """State of one trial while it is on the screen: flips, pictures, pixels read back, answer."""

    def __init__(
        self, stage: Stage, keyboard: Keyboard, keys: Keys, presser: Presser | None
    ) -> None:
        self._stage = stage
        self._keyboard = keyboard
        self._answers = keys.answers()
        self._quit = keys.quit
        self._presser = presser
        self._flips: list[list[float]] = []
        self._pictures: dict[str, ShownFrame] = {}
        self._read: dict[str, np.ndarray] = {}
        self._read_all = False
        self._onset_s: float | None = None  # of the last picture
        self._answer: tuple[str, float] | None = None

    def run(self, trial: Trial, frames: Frames) -> TrialRecord:
        last = [phase for phase in trial.phases if phase.image is not None][-1]
        self._keyboard.clear()
        try:
            for phase in trial.phases:
                self._flips.append([])
                for index in range(phase.n_frames):
                    self._frame(phase, index, frames)
                    if not self._pictures:
                        self._load(trial, frames)
                    if phase is last and index == 0:
                        self._begin_answer(trial)
                    self._listen()
                    if self._answer is not None and phase is trial.phases[-1]:
                        break
            end_s = self._close_late()
        finally:
            self._stage.release(self._pictures)
        timing = phase_timings(trial.phases, self._flips, self._stage.period_s, end_s)
        hashes = {name: frame_id(pixels) for name, pixels in self._read.items()}
        return record_of(trial, self._answer, timing, hashes)

    def _frame(self, phase: Phase, index: int, frames: Frames) -> None:
        image, last = phase.image, index + 1 == phase.n_frames
        picture = None if image is None else self._pictures[image]
        self._stage.draw(picture)
        if image is not None and picture is not None and (self._read_all or index == 0 or last):
            self._keep(image, self._stage.read(picture), frames[image])
        self._flips[-1].append(self._stage.flip())

    def _keep(self, image: str, pixels: np.ndarray, given: np.ndarray) -> None:
        """Store the pixels read back for an interval, or the first of them that differ from `given`."""
        kept = self._read.setdefault(image, pixels)
        if kept is not pixels and np.array_equal(kept, given):
            self._read[image] = pixels

    def _load(self, trial: Trial, frames: Frames) -> None:
        """Upload every picture of a trial once; X shares the picture of A or B."""
        by_id: dict[str, ShownFrame] = {}
        for name, frame in frames.items():
            identity = trial.intervals[name]
            if identity not in by_id:
                by_id[identity] = self._stage.upload(frame)
            self._pictures[name] = by_id[identity]
        self._stage.rehearse(self._pictures)
        largest = max(by_id.values(), key=lambda p: p.place.width * p.place.height)
        self._read_all = self._stage.reads_fast(largest)

    def _begin_answer(self, trial: Trial) -> None:
        self._onset_s = self._flips[-1][0]
        if self._presser is not None:
            self._presser.answer(trial, self._onset_s)

    def _listen(self) -> None:
        """Store the first answer after the onset of the last picture; raise Quit for the quit key."""
        for press in self._keyboard.poll():
            if press.key == self._quit:
                raise Quit
            wanted = self._answer is None and press.key in self._answers
            if wanted and self._onset_s is not None and press.t_s >= self._onset_s:
                self._answer = (self._answers[press.key], press.t_s - self._onset_s)

    def _close_late(self) -> float | None:
        """End the last frame with a flip, if there is no answer yet, and poll the keys once more."""
        if self._answer is not None:
            return None
        self._stage.draw(None)
        end_s = self._stage.flip()
        self._listen()
        return end_s


def open_booth(
    screen: Screen,
    keys: Keys,
    *,
    allow_unsynced: bool = False,
    responder: Responder | None = None,
    fullscreen: bool = False,
) -> PsychopyBooth:
    """Open a window, measure its refresh rate, and return a booth that is ready.

    Parameters
    ----------
    screen, keys
        From the design.
    allow_unsynced
        Accept a screen of another refresh rate, or one that flips do not wait for.
    responder
        Simulated participant, who answers through simulated key presses.
    fullscreen
        Fill the screen even if the design does not ask for it.

    Raises
    ------
    DisplayError
        If there is no display, or it differs from the design.
    MissingExtra
        If PsychoPy is not installed.
    """
    psychopy = load_psychopy()
    stage = open_stage(psychopy, replace(screen, fullscreen=screen.fullscreen or fullscreen))
    try:
        stage.measure(allow_unsynced=allow_unsynced)
        if responder is None:
            return PsychopyBooth(stage, open_keyboard(psychopy), keys)
        events = EventKeyboard(psychopy)
        return PsychopyBooth(stage, events, keys, Presser(responder, events, keys))
    except BaseException:
        stage.close()
        raise

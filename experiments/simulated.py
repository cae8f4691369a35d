"""Booth without a screen: times are nominal, and nothing is drawn or read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.ports import AnswerLike, Listening, Observer, Press, Scene, Shown, Slide
from experiments.showing.loop import Phases, Showing, hashes_of
from stimuli_store.errors import DisplayError, InputError
from stimuli_store.records.trials import Trial

_ANSWERS = 1  # keeps the stream of answers apart from others of the same seed


class SimulatedPerson:
    """Participant whose random numbers depend only on the session's seed and the trial.

    So a session that was killed and continued gets the same answers as an uninterrupted one.

    Parameters
    ----------
    observer
        The observer who answers, as `analysis.observers.simulated.model_observer.ModelObserver`.
    seed
        Seed of the session, 0 or more.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import ModelObserver, course_of, evidence_of, read_design
    >>> design = read_design("design.toml")
    >>> observer = ModelObserver(
    ...     model="right", evidence=evidence_of(bank, "right"), gain=1.0, task=design.task,
    ...     rule=design.rule
    ... )
    >>> trial = course_of(design, bank, "S01", session=1).trials[0]
    >>> SimulatedPerson(
    ...     observer, seed=1).answer(trial) == SimulatedPerson(observer, seed=1).answer(trial
    ... )
    True
    """

    def __init__(self, observer: Observer, seed: int) -> None:
        self._observer = observer
        self._seed = seed

    def __repr__(self) -> str:
        return f"SimulatedPerson({self._observer!r}, seed={self._seed})"

    def answer(self, trial: Trial) -> AnswerLike:
        """Return the observer's answer to a trial."""
        key = [self._seed, _ANSWERS, trial.index, trial.attempt]
        return self._observer.respond(trial, np.random.default_rng(key))


class SimulatedBooth:
    """Booth that shows nothing: frames have their nominal times, and keys are pressed as scripted.

    Parameters
    ----------
    size
        Width and height that a window would have, in pixels.
    refresh_hz
        Nominal refresh rate, in hertz.

    Examples
    --------
    >>> SimulatedBooth((800, 600), 60.0).size
    (800, 600)
    """

    def __init__(self, size: tuple[int, int], refresh_hz: float) -> None:
        self._size = size
        self._refresh_hz = refresh_hz
        self._surface = _Nominal(1.0 / refresh_hz)
        self._since_s: float | None = None

    def __repr__(self) -> str:
        return f"SimulatedBooth({self._size}, {self._refresh_hz:g})"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window that scenes must have."""
        return self._size

    @property
    def period_s(self) -> float:
        """Nominal refresh period, in seconds."""
        return self._surface.period_s

    def describe(self) -> Mapping[str, Any]:
        """Return a description that names the booth as simulated, with its nominal refresh rate."""
        return {
            "adapter": "simulated",
            "refresh_hz": self._refresh_hz,
            "window": list(self._size),
            "keyboard": {"backend": "none"},
        }

    def show(self, phases: Sequence[Sequence[Slide]], listening: Listening) -> Shown:
        """Return a trial shown exactly as planned, and answered as scripted.

        Raises
        ------
        DisplayError
            If a scene has not the size of the window.
        InputError
            If a phase lasts until the answer, and the script presses no key that answers.
        """
        if listening.script is None and any(s.n_frames is None for p in phases for s in p):
            raise InputError(
                "a phase lasts until the answer, but nobody is simulated who would give one"
            )
        check_scene_sizes(phases, self._size)
        shown, self._since_s = Showing(phases, listening, self._surface).run(self._since_s)
        self._surface.forget()
        return replace(shown, hashes=hashes_of(phases, {}))

    def page(self, text: str, *, quit_key: str) -> tuple[float, float]:
        """Return the time twice: nobody reads the page."""
        now_s = self._surface.now_s()
        return now_s, now_s

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


def check_scene_sizes(phases: Phases, size: tuple[int, int]) -> None:
    """Check that every scene has the size of the window (width, height).

    Raises
    ------
    DisplayError
        With both sizes.
    """
    for slide in (slide for slides in phases for slide in slides):
        height, width = slide.scene.pixels.shape[:2]
        if (width, height) != tuple(size):
            raise DisplayError(
                f"a scene of {width} x {height} pixels cannot be shown in a window of "
                f"{size[0]} x {size[1]}; make scenes with the size of the booth"
            )


class _Nominal:
    """Surface whose flips come exactly one period apart."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self._frame = 0
        self._scripted: list[Press] = []

    def now_s(self) -> float:
        return self._frame * self.period_s

    def load(self, phases: Phases) -> None:
        """Do nothing: nothing is drawn."""

    def flip(self, scene: Scene, *, edge: bool = False) -> float:
        self._frame += 1
        return self.now_s()

    def poll(self) -> list[Press]:
        now_s = self.now_s() + 1e-9  # a press at a flip is seen there, whatever the rounding
        due = [press for press in self._scripted if press.t_s <= now_s]
        self._scripted = [press for press in self._scripted if press.t_s > now_s]
        return due

    def press_later(self, key: str, t_s: float) -> None:
        self._scripted.append(Press(key=key, t_s=t_s))

    def forget(self) -> None:
        """Discard the presses that were scripted for after the trial."""
        self._scripted = []

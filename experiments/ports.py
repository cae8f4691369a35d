"""Interfaces that a session uses: a booth that shows scenes, and an observer that answers trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from stimuli_store.records.trials import Trial


class Quit(Exception):
    """Raised when the participant presses the quit key or closes the window. Finished trials are kept.

    Examples
    --------
    >>> try:
    ...     raise Quit
    ... except Quit:
    ...     print("the participant left")
    the participant left
    """


class Interrupted(Exception):
    """Raised when a signal stops the process. Finished trials are kept.

    Attributes
    ----------
    signal_name
        Name of the signal, as ``"SIGTERM"``.
    number
        Number of the signal.

    Examples
    --------
    >>> try:
    ...     raise Interrupted("SIGINT", 2)
    ... except Interrupted as signal:
    ...     print(signal.signal_name)
    SIGINT
    """

    def __init__(self, signal_name: str, number: int) -> None:
        super().__init__(f"stopped by {signal_name}")
        self.signal_name = signal_name
        self.number = number


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Picture of the whole window, and where in it the stimuli of the intervals lie.

    Attributes
    ----------
    pixels
        uint8, (H, W) or (H, W, 3); row 0 is the top of the window.
    hashes
        Interval to the hash of the stimulus frame that the scene shows at full contrast and unmasked.
    """

    pixels: np.ndarray
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Slide:
    """A scene and the number of frames that it stays on the screen; None: until the answer."""

    scene: Scene
    n_frames: int | None


@dataclass(frozen=True, kw_only=True)
class Press:
    """A key press: the key's name and its time in seconds on the clock of the flips."""

    key: str
    t_s: float


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Flips, key presses and frame hashes of one trial that was shown.

    Attributes
    ----------
    flips_s
        Times of the flips of each phase, in seconds; the first one of a phase is its onset.
    end_s
        The flip that ended the last phase; None if the answer ended it.
    presses
        All key presses from the first flip on, in order, whatever the key.
    hashes
        Interval to the hash of the frame that was on the screen: the certified one if every pixel of the
        window that was read back is that of the scene, else the hash of what was read.
    """

    flips_s: tuple[tuple[float, ...], ...]
    end_s: float | None
    presses: tuple[Press, ...]
    hashes: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Keys that end a trial, and the index of the first phase that listens for them.

    `script` is the key that a simulated participant presses, and its time in seconds from the onset of
    that phase; None for a person.
    """

    phase: int
    keys: frozenset[str]
    quit: str
    script: tuple[str, float] | None = None


class AnswerLike(Protocol):
    """Interface of an answer and its reaction time in seconds from the first phase that listens."""

    @property
    def response(self) -> str:
        """The answer, one of the task's."""

    @property
    def rt_s(self) -> float:
        """Reaction time in seconds."""


class Observer(Protocol):
    """Interface of a simulated observer, such as `analysis.observers.simulated.model_observer.ModelObserver`.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import ModelObserver, evidence_of
    >>> from stimuli_store.tasks import task_named
    >>> observer: Observer = ModelObserver(
    ...     model="right", evidence=evidence_of(bank, "right"), gain=1.0, task=task_named("abx"),
    ...     rule="independent"
    ... )
    >>> observer.describe()["model"]
    'right'
    """

    def respond(self, trial: Trial, rng: np.random.Generator) -> AnswerLike:
        """Return an answer to a trial, drawn with `rng`."""

    def describe(self) -> Mapping[str, Any]:
        """Return the observer's true parameters, as plain JSON values."""


class Booth(Protocol):
    """Interface of a place where scenes are shown. It knows no task, no answer and no score.

    Examples
    --------
    >>> from stimsynth import SimulatedBooth
    >>> booth: Booth = SimulatedBooth((800, 600), 60.0)
    >>> booth.size
    (800, 600)
    """

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window in pixels, which scenes must have."""

    @property
    def period_s(self) -> float:
        """Refresh period, in seconds: measured where the screen is synchronised, else nominal."""

    def describe(self) -> Mapping[str, Any]:
        """Return a description of screen, timing and keyboard, as plain JSON values for the journal."""

    def show(self, phases: Sequence[Sequence[Slide]], listening: Listening) -> Shown:
        """Show the phases of one trial, each a sequence of slides, and return what happened.

        The last phase ends at the first press of one of `listening.keys` after the onset of the phase
        `listening.phase`; a phase before it is always shown whole. Scenes are uploaded in the first phase,
        which must be a blank.

        Raises
        ------
        Quit
            If the participant presses the quit key.
        """

    def page(self, text: str, *, quit_key: str) -> tuple[float, float]:
        """Show a page of text until the space bar is pressed; return its times on the clock of the flips.

        Raises
        ------
        Quit
            If the participant presses the quit key.
        """

    def close(self) -> None:
        """Close the screen and the keyboard."""

"""Interfaces that a session uses: a booth that shows trials, and a responder or observer that answers."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np

from stimuli_store.records.trials import Trial, TrialRecord

Frames = Mapping[str, np.ndarray]


class Quit(Exception):
    """Raised when the participant presses the quit key or closes the window. Finished trials are kept."""


class Interrupted(Exception):
    """Raised when a signal (`signal_name`: ``"SIGTERM"``, …) stops the process. Finished trials are kept."""

    def __init__(self, signal_name: str, number: int) -> None:
        super().__init__(f"stopped by {signal_name}")
        self.signal_name = signal_name
        self.number = number


class AnswerLike(Protocol):
    """Interface of an answer and its reaction time in seconds from the onset of the last picture."""

    @property
    def response(self) -> str:
        """The answer; for ABX ``"A"`` or ``"B"``."""

    @property
    def rt_s(self) -> float:
        """Reaction time in seconds."""


class Observer(Protocol):
    """Interface of a simulated observer, such as `analysis.observers.model_observer.ModelObserver`."""

    def respond(self, trial: Trial, rng: np.random.Generator) -> AnswerLike:
        """Return an answer to a trial, drawn with `rng`."""

    def describe(self) -> Mapping[str, Any]:
        """Return the observer's true parameters, as plain JSON values."""


class Responder(Protocol):
    """Interface of a simulated participant: an observer with fixed random numbers."""

    def answer(self, trial: Trial) -> AnswerLike:
        """Return the answer to a trial, always the same for the same trial."""


class Booth(Protocol):
    """Interface of a place where trials are shown. It saves nothing and does not know the design."""

    def describe(self) -> Mapping[str, Any]:
        """Return a description of screen, timing and keyboard, as plain JSON values for the journal."""

    def check(self, shapes: Collection[tuple[int, ...]]) -> None:
        """Raise DisplayError if frames of these shapes cannot be shown exactly; called before a session.

        Raises
        ------
        DisplayError
            If one of them cannot.
        """

    def welcome(self, done: int, total: int) -> None:
        """Show the instructions, and wait until the participant is ready."""

    def show(self, trial: Trial, frames: Frames) -> TrialRecord:
        """Show one trial and return its record.

        Parameters
        ----------
        trial
            The trial as planned.
        frames
            Interval name to 8-bit frame: uint8, (H, W) or (H, W, 3).

        Raises
        ------
        Quit
            If the participant presses the quit key; the trial does not count.
        """

    def rest(self, done: int, total: int) -> None:
        """Offer a break, and wait until the participant goes on."""

    def farewell(self, done: int, total: int) -> None:
        """Thank the participant at the end of a sitting."""

    def close(self) -> None:
        """Close the screen and the keyboard."""

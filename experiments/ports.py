"""What a session needs from outside: a booth to show trials in, and somebody who answers."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np

from stimuli_store.records.trials import Trial, TrialRecord

Frames = Mapping[str, np.ndarray]


class Quit(Exception):
    """The participant pressed the quit key, or closed the window. Finished trials are kept."""


class Interrupted(Exception):
    """The process was told to stop (`signal_name`: ``"SIGTERM"``, …). Finished trials are kept."""

    def __init__(self, signal_name: str, number: int) -> None:
        super().__init__(f"stopped by {signal_name}")
        self.signal_name = signal_name
        self.number = number


class AnswerLike(Protocol):
    """An answer and its reaction time in seconds from the onset of the last picture."""

    @property
    def response(self) -> str:
        """The answer; for ABX ``"A"`` or ``"B"``."""

    @property
    def rt_s(self) -> float:
        """Reaction time in seconds."""


class Observer(Protocol):
    """A model of a person, such as `analysis.observers.model_observer.ModelObserver`."""

    def respond(self, trial: Trial, rng: np.random.Generator) -> AnswerLike:
        """Return an answer drawn with `rng`."""

    def describe(self) -> Mapping[str, Any]:
        """Return the observer's true parameters, as plain JSON values."""


class Responder(Protocol):
    """What answers in a simulated session: an observer with its random numbers settled."""

    def answer(self, trial: Trial) -> AnswerLike:
        """Return the answer to a trial; the same for the same trial, however often it is asked."""


class Booth(Protocol):
    """A place where trials are shown. It saves nothing and knows no design."""

    def describe(self) -> Mapping[str, Any]:
        """Return how frames, times and keys are taken, as plain JSON values for the journal."""

    def check(self, shapes: Collection[tuple[int, ...]]) -> None:
        """See that frames of these shapes can be shown exactly; called before a session begins.

        Raises
        ------
        DisplayError
            If one cannot.
        """

    def welcome(self, done: int, total: int) -> None:
        """Tell the participant what to do, and wait until they are ready."""

    def show(self, trial: Trial, frames: Frames) -> TrialRecord:
        """Show one trial and return what happened.

        Parameters
        ----------
        trial
            The plan.
        frames
            Interval name to 8-bit frame: uint8, (H, W) or (H, W, 3).

        Raises
        ------
        Quit
            If the participant wants to leave; the trial does not count.
        """

    def rest(self, done: int, total: int) -> None:
        """Offer a break, and wait until the participant goes on."""

    def farewell(self, done: int, total: int) -> None:
        """Thank the participant."""

    def close(self) -> None:
        """Give the screen and the keyboard back."""

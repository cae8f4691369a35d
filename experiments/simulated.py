"""Booth without a screen: frames are hashed, times are nominal, a model answers."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from experiments.order import answer_rng
from experiments.outcome import answer_window_s, record_of
from experiments.ports import AnswerLike, Frames, Observer, Responder
from stimuli_store.records.canonical import frame_id
from stimuli_store.records.trials import PhaseTiming, Trial, TrialRecord


class SimulatedPerson:
    """Responder whose random numbers depend only on the session's seed and the trial.

    So a session that was killed and continued gets the same answers as an uninterrupted one.
    """

    def __init__(self, observer: Observer, seed: int) -> None:
        self._observer = observer
        self._seed = seed

    def answer(self, trial: Trial) -> AnswerLike:
        """Return the observer's answer to a trial."""
        return self._observer.respond(trial, answer_rng(self._seed, trial.index))


class SimulatedBooth:
    """Booth that shows nothing: it hashes the frames and asks a responder for answers.

    Parameters
    ----------
    responder
        The simulated participant, for instance a `SimulatedPerson`.
    refresh_hz
        Nominal refresh rate, in hertz.
    """

    def __init__(self, responder: Responder, *, refresh_hz: float) -> None:
        self._responder = responder
        self._refresh_hz = refresh_hz
        self._now_s = 0.0

    def describe(self) -> Mapping[str, Any]:
        """Return a description that names the booth as simulated, with its nominal refresh rate."""
        return {"adapter": "simulated", "refresh_hz": self._refresh_hz, "keyboard": "none"}

    def check(self, shapes: Collection[tuple[int, ...]]) -> None:
        """Do nothing: there is no screen that a frame might not fit."""

    def welcome(self, done: int, total: int) -> None:
        """Do nothing: there is nobody to welcome."""

    def rest(self, done: int, total: int) -> None:
        """Do nothing: a model does not tire."""

    def farewell(self, done: int, total: int) -> None:
        """Do nothing: there is nobody to thank."""

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def show(self, trial: Trial, frames: Frames) -> TrialRecord:
        """Return the record of a trial, shown exactly as planned and answered by the responder."""
        given = self._responder.answer(trial)
        window_s = answer_window_s(trial, self._refresh_hz)
        answer = (given.response, given.rt_s) if given.rt_s <= window_s else None
        last = _last_frames(trial, answer, self._refresh_hz)
        timing = []
        for phase in trial.phases:
            n_frames = last if phase is trial.phases[-1] else phase.n_frames
            timing.append(
                PhaseTiming(
                    name=phase.name,
                    onset_s=self._now_s,
                    n_frames=n_frames,
                    planned_frames=phase.n_frames,
                )
            )
            self._now_s += n_frames / self._refresh_hz
        hashes = {name: frame_id(frame) for name, frame in frames.items()}
        return record_of(trial, answer, timing, hashes)


def _last_frames(trial: Trial, answer: tuple[str, float] | None, refresh_hz: float) -> int:
    """Return the number of frames of the last phase: until the answer, at least one."""
    planned = trial.phases[-1].n_frames
    if answer is None:
        return planned
    before = answer_window_s(trial, refresh_hz) - planned / refresh_hz
    frames = math.ceil(round((answer[1] - before) * refresh_hz, 6))
    return min(max(1, frames), planned)

"""Trials as planned, and as they happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stimuli_store.tasks.types import Phase, Task
from stimuli_store.tools.shown import FactSheet


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """Recipe of a frame that is not in the bank: arguments of `stimuli_store.frames.perturb`.

    `target` and `distortion` are pixel ids in the bank.
    """

    target: str
    distortion: str
    amplitude: float
    dither: str
    seed: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Trial(FactSheet):
    """One trial as planned: stimuli by role, the stimulus of each interval, the right answer, the phases.

    Attributes
    ----------
    index
        Place in the session's order, from 0; a repeated trial keeps its index.
    task, rule
        Name of the task and the decision rule assumed of observers, kept with every answer because d'
        depends on it.
    stimuli
        Role to stimulus id. An id is a pixel id of the bank, or a key of `made`. The role
        ``"reference"`` may be there although the task does not show it: what the others lie near to or far
        from.
    intervals
        Interval name to stimulus id.
    answer
        The right answer.
    phases
        The plan in whole frames.
    factors
        What the trial is a case of, as columns for the analysis: ``comparison``, ``set``, ``target``,
        ``level`` with ``unit``, ``amplitude``, … A value is a number, a word, or None.
    made
        Stimulus id (the SHA-256 of the frame) to how it is made, for frames that are not in the bank.
    block
        Number of the block, from 0.
    attempt
        0, or how often the trial was shown before.
    track
        Name of the adaptive track it belongs to.
    """

    index: int
    task: str
    rule: str
    stimuli: Mapping[str, str]
    intervals: Mapping[str, str]
    answer: str
    phases: tuple[Phase, ...]
    factors: Mapping[str, float | str | None] = field(default_factory=dict)
    made: Mapping[str, Perturbation] = field(default_factory=dict)
    block: int = 0
    attempt: int = 0
    track: str | None = None

    def _facts(self) -> list[tuple[str, object]]:
        factors = (f"{name}={value}" for name, value in self.factors.items() if value is not None)
        return [
            ("index", self.index),
            ("task", self.task),
            ("shows", ", ".join(f"{name} {s[:6]}" for name, s in self.intervals.items())),
            ("answer", self.answer),
            ("factors", ", ".join(factors)),
            ("block", self.block),
            ("attempt", self.attempt or ""),
        ]


@dataclass(frozen=True, kw_only=True)
class PhaseTiming:
    """Measured onset and duration of a phase on the screen, with its dropped frames.

    `onset_s` is the time of the flip that first showed it, on the session's clock; `n_frames` the number
    of refresh periods it was shown; `planned_frames` is None for a phase that lasts until the answer;
    `dropped` are the indices (within the phase, from 0) of the planned frames that were shown too long,
    because the next frame came late.
    """

    name: str
    onset_s: float
    n_frames: int
    planned_frames: int | None = None
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KeyPress:
    """A key press during a trial: key, time in seconds on the session's clock, and the phase it came in."""

    key: str
    t_s: float
    phase: str


@dataclass(frozen=True, kw_only=True, repr=False)
class TrialRecord(FactSheet):
    """Result of one trial: response, reaction time, timing, key presses, hashes of the shown frames, flags.

    `response` is None when no answer came in time. `rt_s` counts from the onset of the first phase that
    listens. `frame_sha256` holds, for every interval, the hash of the frame that was really on the screen.
    `flags` (``"dropped_frames"``, ``"no_response"``, …) is empty for a trial without faults.
    """

    trial: Trial
    response: str | None
    correct: bool
    rt_s: float | None
    timing: tuple[PhaseTiming, ...] = ()
    presses: tuple[KeyPress, ...] = ()
    frame_sha256: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("response", self.response or "none"),
            ("correct", self.correct),
            ("time", "" if self.rt_s is None else f"{self.rt_s:.3f} s"),
            ("flags", ", ".join(self.flags)),
            *self.trial._facts(),
        ]


@dataclass(frozen=True, kw_only=True, repr=False)
class SessionHeader(FactSheet):
    """First line of a journal: participant, session, the whole design and task, bank, booth and software.

    `design` is the content of the design file, without the task and the path of the bank. `observer` is
    None for a person; for a simulated observer it holds its true parameters. `booth` describes how frames,
    times and keys were measured (adapter, refresh rate, keyboard back end, …). `created` is the time of
    day with its zone (ISO 8601). `run` counts sessions of one task on one day; `uncalibrated` is True if a
    bank of linear light was shown on a screen without a calibration, as was asked for.
    """

    participant: str
    session: int
    task: Task
    design: Mapping[str, Any]
    design_sha256: str
    pin: str
    seed: int
    n_trials: int
    booth: Mapping[str, Any]
    software: Mapping[str, str]
    created: str
    observer: Mapping[str, Any] | None = None
    run: int = 1
    uncalibrated: bool = False
    format: str = "stimjournal/1"

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("participant", self.participant),
            ("session", self.session),
            ("task", self.task.name),
            ("trials", self.n_trials),
            ("simulated", (self.observer or {}).get("model", "")),
            ("bank", self.pin),
            ("begun", self.created),
        ]

"""Trials as planned, and as they happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stimuli_store.records.spec import Level


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase of a trial, with its duration in whole frames.

    `image` names the interval whose stimulus is on the screen, or is None for a blank. The last phase
    waits for an answer and ends with it.
    """

    name: str
    image: str | None
    requested_ms: float
    n_frames: int


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial as planned: the stimulus of each interval, the right answer, the frames of each phase.

    Attributes
    ----------
    index
        Place in the session's order, from 0.
    task, rule
        Task (``"abx"``) and the decision rule assumed of observers (``"independent"`` or
        ``"differencing"``), kept with every answer because d' depends on it.
    intervals
        Interval name to pixel id: for ABX ``{"A": …, "B": …, "X": …}``.
    answer
        The right answer; for ABX ``"A"`` or ``"B"``.
    set, target, level, comparison
        The bank's set, the target's name, the level, and what is compared
        (``"reference-metamer"`` or ``"metamer-metamer"``).
    pair
        Pixel ids of the two stimuli being told apart, in a fixed order.
    phases
        The frame plan.
    """

    index: int
    task: str
    rule: str
    intervals: Mapping[str, str]
    answer: str
    set: str
    target: str
    level: Level
    comparison: str
    pair: tuple[str, str]
    phases: tuple[Phase, ...]


@dataclass(frozen=True, kw_only=True)
class PhaseTiming:
    """Measured onset and duration of a phase on the screen, with its dropped frames.

    `onset_s` is the time of the flip that first showed it, on the session's clock; `n_frames` the number
    of refresh periods it was shown; `dropped` the indices (within the phase, from 0) of the planned frames
    that were shown too long, because the next frame came late.
    """

    name: str
    onset_s: float
    n_frames: int
    planned_frames: int
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """Result of one trial: response, reaction time, timing, hashes of the shown frames, flags.

    `response` is None when no answer came in time. `rt_s` counts from the onset of the last stimulus
    interval (X in ABX). `frame_sha256` holds, for every interval, the hash of the frame that was really
    on the screen. `flags` (``"dropped_frames"``, ``"no_response"``, …) is empty for a trial without faults.
    """

    trial: Trial
    response: str | None
    correct: bool
    rt_s: float | None
    timing: tuple[PhaseTiming, ...] = ()
    frame_sha256: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SessionHeader:
    """First line of a journal: participant, session, design, bank, booth and software.

    `observer` is None for a person; for a simulated observer it holds its true parameters. `booth`
    describes how frames, times and keys were measured (adapter, refresh rate, keyboard back end, …).
    """

    participant: str
    session: int
    task: str
    design_sha256: str
    pin: str
    seed: int
    n_trials: int
    booth: Mapping[str, Any]
    software: Mapping[str, str]
    created: str
    observer: Mapping[str, Any] | None = None
    format: str = "stimjournal/1"

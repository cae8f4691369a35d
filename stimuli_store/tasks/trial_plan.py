"""Plan of one trial: phases in whole frames, and the stimulus of every interval."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks.types import Cell, Phase, PhaseSpec, Task

TOLERANCE_MS = 5.0


def phases_at(
    task: Task, hz: float, rng: np.random.Generator, *, tolerance_ms: float = TOLERANCE_MS
) -> tuple[Phase, ...]:
    """Return the phases of one trial in whole frames.

    Parameters
    ----------
    task
        The task; a checked one.
    hz
        Refresh rate of the screen, in hertz.
    rng
        Draws the durations that are given as a range.
    tolerance_ms
        Largest difference that rounding to whole frames may make.

    Raises
    ------
    InputError
        If a duration is shorter than one frame, or rounding changes it by more than `tolerance_ms`, or a
        mask does not fit into the blank after its picture.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> rng = np.random.default_rng(0)
    >>> [phase.n_frames for phase in phases_at(task_named("abx"), 60.0, rng)]
    [30, 12, 30, 12, 60, 12, 120]
    """
    mask_ms = task.mask_ms
    plan: list[Phase] = []
    for spec in task.phases:
        phase = _phase(spec, hz, rng, tolerance_ms)
        before = plan[-1] if plan else None
        if mask_ms and before is not None and before.shows and not phase.shows:
            mask = _frames("mask", mask_ms, hz, tolerance_ms)
            if phase.n_frames is not None:
                if phase.n_frames <= mask:
                    raise InputError(
                        f"a mask of {mask_ms:g} ms does not fit into the phase {phase.name!r} of "
                        f"{phase.requested_ms:g} ms that follows its picture"
                    )
                phase = replace(phase, n_frames=phase.n_frames - mask)
            plan.append(
                Phase(
                    name=f"{before.name}_mask",
                    shows=before.shows,
                    requested_ms=mask_ms,
                    n_frames=mask,
                    listens=phase.listens,
                    mask=True,
                )
            )
        plan.append(phase)
    return tuple(plan)


def _phase(spec: PhaseSpec, hz: float, rng: np.random.Generator, tolerance_ms: float) -> Phase:
    if spec.ms is None:
        return Phase(name=spec.name, shows=spec.shows, listens=spec.listens)
    if isinstance(spec.ms, tuple):
        for end in spec.ms:
            _frames(spec.name, end, hz, math.inf)
        ms, tolerance_ms = float(rng.uniform(*spec.ms)), math.inf
    else:
        ms = float(spec.ms)
    return Phase(
        name=spec.name,
        shows=spec.shows,
        requested_ms=ms,
        n_frames=_frames(spec.name, ms, hz, tolerance_ms),
        listens=spec.listens,
    )


def _frames(name: str, ms: float, hz: float, tolerance_ms: float) -> int:
    """Return a duration in whole frames; raise InputError if it is too short or rounds too far."""
    frames = ms * hz / 1000.0
    if not math.isfinite(frames) or frames < 1.0 - 1e-9:
        raise InputError(
            f"the phase {name!r} should last {ms:g} ms, but one frame at {hz:g} Hz lasts "
            f"{1000.0 / hz:.3f} ms; give at least that"
        )
    n_frames = math.floor(frames + 0.5)
    if abs(n_frames * 1000.0 / hz - ms) > tolerance_ms + 1e-9:
        raise InputError(
            f"the phase {name!r} should last {ms:g} ms, but whole frames at {hz:g} Hz make it "
            f"{n_frames * 1000.0 / hz:.1f} ms; give a multiple of {1000.0 / hz:.3f} ms, or a "
            f"tolerance_ms above {tolerance_ms:g}"
        )
    return n_frames


def arrange(task: Task, stimuli: Mapping[str, str], cell: Cell) -> tuple[dict[str, str], str]:
    """Return the stimulus of every interval in one cell, and the right answer.

    Parameters
    ----------
    task
        The task.
    stimuli
        Pixel id of the stimulus of each role.
    cell
        One of the task's cells.

    Raises
    ------
    InputError
        If a role of the cell has no stimulus.

    Examples
    --------
    >>> from stimuli_store.tasks import task_named
    >>> abx = task_named("abx")
    >>> arrange(abx, {"p": "grass", "q": "metamer"}, abx.cells[0])
    ({'A': 'grass', 'B': 'metamer', 'X': 'grass'}, 'A')
    """
    for role in cell.fills.values():
        if role not in stimuli:
            raise unknown_name(f"stimulus of the task {task.name}", role, sorted(stimuli))
    return {name: stimuli[cell.fills[name]] for name in task.intervals}, cell.answer

"""Trials of any task without a bank or a design: made-up frames, arranged as the task says."""

from dataclasses import replace

import numpy as np

from experiments.outcome import record_of
from experiments.ports import Listening
from experiments.scene import slides_of
from stimuli_store.records.canonical import frame_id
from stimuli_store.records.trials import Trial
from stimuli_store.tasks.trial_plan import arrange, phases_at
from stimuli_store.tasks.types import Task

WINDOW = (200, 160)
ROOMY = (210, 170)  # six pictures of 32 x 32 fit on a ring


def made_up(
    task: Task,
    *,
    shape: tuple[int, ...] = (32, 32),
    hz: float = 60.0,
    index: int = 0,
    cell: int = 0,
    seed: int = 0,
) -> tuple[Trial, dict[str, np.ndarray]]:
    """A trial in one cell of a task, and the frame of every interval: noise, one for each role."""
    rng = np.random.default_rng(seed)
    made = {role.name: rng.integers(0, 256, shape, dtype=np.uint8) for role in task.roles}
    stimuli = {name: frame_id(frame) for name, frame in made.items()}
    intervals, answer = arrange(task, stimuli, task.cells[cell % len(task.cells)])
    by_id = {frame_id(frame): frame for frame in made.values()}
    trial = Trial(
        index=index,
        task=task.name,
        rule=task.rules[0],
        stimuli=stimuli,
        intervals=intervals,
        answer=answer,
        phases=phases_at(task, hz, rng),
    )
    return trial, {name: by_id[sha] for name, sha in intervals.items()}


def keys_of(task: Task) -> dict[str, str]:
    """Answer by key: the letters of the top row."""
    return dict(zip("qwertyuiop", task.answers, strict=False))


def listening_of(task: Task, trial: Trial, script: tuple[str, float] | None = None) -> Listening:
    """The phase and keys that a session lets a booth listen to."""
    first = next(i for i, phase in enumerate(trial.phases) if phase.listens)
    return Listening(phase=first, keys=frozenset(keys_of(task)), quit="escape", script=script)


def shortened(task: Task, ms: float = 50.0) -> Task:
    """The task with phases of at most `ms`, so that it is over soon."""
    phases = tuple(
        phase if phase.ms is None else replace(phase, ms=min(ms, float(np.max(phase.ms))))
        for phase in task.phases
    )
    return replace(task, phases=phases)


def onset_of(trial: Trial, phase: int, hz: float = 60.0) -> float:
    """Onset of a phase as planned, in seconds from the first flip."""
    return sum(p.n_frames or 0 for p in trial.phases[:phase]) / hz


def shown_in(booth, task, trial, frames, screen, *, script=None):
    """Show a trial in a booth, and return its record."""
    slides = slides_of(task, trial, frames, screen, booth.size, answer_hint="Q or W")
    shown = booth.show(slides, listening_of(task, trial, script))
    return record_of(trial, task, shown, keys_of(task), booth.period_s)

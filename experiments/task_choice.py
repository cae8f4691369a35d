"""The task of a design: a declared one with changed durations, or one that the design declares itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.checks import check
from stimuli_store.tasks.trial_plan import phases_at
from stimuli_store.tasks.types import REFERENCE, Cell, PhaseSpec, Role, Task

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")
_PARTS = ("roles", "intervals", "answers", "phases", "cells", "rules")


@dataclass(frozen=True, kw_only=True)
class TaskChoice:
    """The table ``[task]`` of a design.

    Attributes
    ----------
    name
        A declared task, or the name of one that the table declares with all of `roles`, `intervals`,
        `answers`, `phases`, `cells` and `rules`.
    rule
        Decision rule that observers are assumed to follow; the task's first unless it is given.
    ms
        Other durations, by phase.
    ramp_ms, mask_ms, criterion
        As for `stimuli_store.tasks.types.Task`; None for the task's own.
    roles, intervals, answers, phases, cells, rules
        Declaration of a task of the design's own, as for `stimuli_store.tasks.types.Task`: all of them, or
        None of each for a declared task.

    Examples
    --------
    >>> TaskChoice(name="abx", ms={"A": 250.0}).name
    'abx'
    """

    name: str
    rule: str | None = None
    ms: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)
    ramp_ms: float | None = None
    mask_ms: float | None = None
    criterion: bool | None = None
    roles: tuple[Role, ...] | None = None
    intervals: tuple[str, ...] | None = None
    answers: tuple[str, ...] | None = None
    phases: tuple[PhaseSpec, ...] | None = None
    cells: tuple[Cell, ...] | None = None
    rules: tuple[str, ...] | None = None


def resolved(choice: TaskChoice) -> tuple[Task, str]:
    """Return the task that a design chooses or declares, and the decision rule.

    Raises
    ------
    InputError
        If there is no such task, rule or phase, or a declaration is incomplete or does not hold; one line
        for each fault.

    Examples
    --------
    >>> task, rule = resolved(TaskChoice(name="abx", ms={"A": 250.0}))
    >>> task.phases[1].ms, rule
    (250.0, 'independent')
    """
    task = _base(choice)
    phases = [phase.name for phase in task.phases]
    for name in choice.ms:
        if name not in phases:
            raise unknown_name(f"phase of the task {task.name}", name, phases)
    changes = {
        name: value
        for name in ("ramp_ms", "mask_ms", "criterion")
        if (value := getattr(choice, name)) is not None
    }
    timed = tuple(replace(p, ms=choice.ms.get(p.name, p.ms)) for p in task.phases)
    task = replace(task, phases=timed, **changes)
    check(task)
    _check_roles(task)
    _check_rules(task)
    rule = choice.rule or task.rules[0]
    if rule not in task.rules:
        raise unknown_name(f"rule of the task {task.name}", rule, list(task.rules))
    return task, rule


def check_durations(task: Task, refresh_hz: float, tolerance_ms: float) -> None:
    """Check that every phase can be shown at a refresh rate; raise InputError with a line for each fault."""
    faults = []
    for phase in task.phases:
        alone = replace(task, phases=(phase,), mask_ms=0.0)
        try:
            phases_at(alone, refresh_hz, np.random.default_rng(0), tolerance_ms=tolerance_ms)
        except InputError as error:
            faults.append(str(error))
    if not faults:
        phases_at(task, refresh_hz, np.random.default_rng(0), tolerance_ms=tolerance_ms)
    if faults:
        raise InputError("\n".join(faults))


def _check_rules(task: Task) -> None:
    """Check that the cells determine every decision rule that the task names."""
    from analysis.observers.rules import rule_of  # SciPy comes with it

    for rule in task.rules:
        rule_of(task, rule)


def _check_roles(task: Task) -> None:
    """Check that a comparison fills every role: one at 0, one at 1, and the reference."""
    for role in task.roles:
        if role.name not in (*task.contrast, REFERENCE):
            raise InputError(
                f"the task {task.name!r}: no comparison fills the role {role.name!r} beside "
                f"{task.contrast[0]!r} and {task.contrast[1]!r}; a task has one role at 0, one at 1, and "
                f"{REFERENCE!r}"
            )


def _base(choice: TaskChoice) -> Task:
    declared = {name: value for name in _PARTS if (value := getattr(choice, name)) is not None}
    if not declared:
        return task_named(choice.name)
    if choice.name in TASKS:
        raise InputError(
            f"the task {choice.name!r} is declared already; change its durations with `ms`, or give another "
            "name to the task that the design declares"
        )
    if not _NAME.fullmatch(choice.name):
        raise InputError(
            f"the name of a task must have 1 to 40 letters, digits or '-'; not {choice.name!r}"
        )
    missing = [name for name in _PARTS if name not in declared]
    if missing:
        raise InputError(
            f"the task {choice.name!r} is declared in the design, but without {', '.join(missing)}"
        )
    known = {f.name for f in fields(Task)}
    return Task(name=choice.name, **{name: declared[name] for name in _PARTS if name in known})

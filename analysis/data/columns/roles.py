"""Roles: what each column of somebody's table means, from a mapping or a TOML file."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.data.answers import EVIDENCE
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.convert import from_json
from stimuli_store.records.toml_file import read_toml_table
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.checks import check
from stimuli_store.tasks.types import Task

#: Roles that a column may play.
COLUMN_ROLES = (
    "participant",
    "session",
    "order",
    "image",
    "level",
    "task",
    "rule",
    "answer",
    "response",
    "correct",
    "n_correct",
    "n_trials",
    "rt_s",
    "rt_ms",
    "simulated",
    "excluded",
)
PREFERS = "prefers"

#: A column; or columns by the answer that they speak for.
Says = str | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class EveryTrial:
    """Facts that hold for every row of a table.

    Attributes
    ----------
    task
        A task's name, or its declaration as in a design.
    rule
        Decision rule; the task's first one if it is not given.
    unit
        Unit of the levels.
    participant
        Name of the participant, for a table of one.
    """

    task: str | Mapping[str, Any] | None = None
    rule: str | None = None
    unit: str = ""
    participant: str | None = None


@dataclass(frozen=True, kw_only=True)
class Exclude:
    """Answers left out from the start: response times in seconds outside two bounds, participants."""

    rt_s: tuple[float, float] | None = None
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Roles of a table's columns.

    Attributes
    ----------
    columns
        Role to column; "" says that no column plays it.
    evidence
        Model to what it says: a column; or a column for each answer, with ``prefers = "lower"`` if the lower
        one speaks for its answer.
    answers
        The table's words to the task's answers, or to "" if a word says that there was no answer.
    every_trial, exclude
        Facts about every row, and the answers that are left out.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, Says] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    every_trial: EveryTrial = field(default_factory=EveryTrial)
    exclude: Exclude = field(default_factory=Exclude)


_PARTS = ("evidence", "answers", "every_trial", "exclude")


def roles_of(given: Mapping[str, Any] | str | os.PathLike[str] | None) -> Roles:
    """Return the roles that a mapping, or a TOML file, gives to columns (`docs/formats/roles.md`).

    Raises
    ------
    InputError
        If a role is unknown (the nearest one is given), or is not the name of a column.

    Examples
    --------
    >>> roles_of({"participant": "subj", "evidence": {"ssim": "d_ssim"}}).evidence
    {'ssim': 'd_ssim'}
    """
    if given is None:
        return Roles()
    if not isinstance(given, Mapping | str | os.PathLike):
        raise InputError(
            f"roles are a mapping of role to column, or the path of a TOML file; not {type(given).__name__}"
        )
    table = given if isinstance(given, Mapping) else read_toml_table(given, "the roles")
    for role in table:
        if role not in (*COLUMN_ROLES, *_PARTS):
            raise unknown_name("role", str(role), [*COLUMN_ROLES, *_PARTS])
    parts = {name: table[name] for name in _PARTS if name in table}
    columns = {r: "" if c is None else c for r, c in table.items() if r not in _PARTS}
    own = parts.get("answers")
    if isinstance(own, Mapping):  # TOML has no None
        parts["answers"] = {text: "" if answer is None else answer for text, answer in own.items()}
    return from_json(Roles, {**parts, "columns": columns}, "roles")


def role_columns(roles: Roles, names: Sequence[str], guessed: Mapping[str, str]) -> dict[str, str]:
    """Return role to column for a table with some column names.

    A role plays the column that `roles` names, else the one that the table's format is known for (`guessed`),
    else the one with the role's own name. A column with a role's name that `roles` gives to another is free.

    Raises
    ------
    InputError
        If `roles` names a column that is not there; the nearest one is given.
    """
    found = {}
    for role in COLUMN_ROLES:
        column = roles.columns.get(role)
        if column:
            found[role] = known_column(column, names, role)
        elif column is None and role in guessed:
            found[role] = guessed[role]
        elif column is None and role in names:
            found[role] = role
    taken = {column for column in roles.columns.values() if column}
    return {
        role: column
        for role, column in found.items()
        if role in roles.columns or column not in taken
    }


def evidence_columns(roles: Roles, names: Sequence[str]) -> dict[str, Says]:
    """Return the columns with each model's evidence: from the roles, or named like ``evidence_ssim``.

    Raises
    ------
    InputError
        If a column is not there; the nearest one is given.
    """
    for model, says in roles.evidence.items():
        for column in columns_of(says):
            known_column(column, names, f"evidence.{model}")
    taken = {column for says in roles.evidence.values() for column in columns_of(says)}
    own = {
        name[len(EVIDENCE) :]: name
        for name in names
        if name.startswith(EVIDENCE) and name not in taken
    }
    return {**own, **roles.evidence}


def columns_of(says: Says) -> list[str]:
    """Return the columns in which a model speaks."""
    if isinstance(says, str):
        return [says]
    return [column for answer, column in says.items() if answer != PREFERS]


def known_column(column: str, names: Collection[str], role: str) -> str:
    """Return a column's name if the table has it, else raise InputError with the nearest one."""
    if column not in names:
        raise unknown_name(f"column for the role {role!r}:", column, list(names))
    return column


def stated(
    every: EveryTrial, task: str | Task | None, rule: str | None, unit: str
) -> tuple[Task | None, str | None, str]:
    """Return task, rule and unit of every trial, as given to `read_trials`, or else by the roles.

    Raises
    ------
    InputError
        If there is no such task, or its declaration does not hold.
    """
    named = task if task is not None else every.task
    return _task(named), rule or every.rule, unit or every.unit


def _task(given: str | Mapping[str, Any] | Task | None) -> Task | None:
    if given is None:
        return None
    if isinstance(given, str):
        return task_named(given)
    if not isinstance(given, Mapping):
        if not hasattr(given, "answers"):
            raise InputError(f"a task is a name or a declared task; not {given!r}")
        return given
    if given.get("name") in TASKS:
        raise InputError(
            f"the task {given['name']!r} is declared already; give its name alone, or another name to the "
            "task that the roles declare"
        )
    try:
        declared = from_json(Task, given, "every_trial.task")
    except InputError as error:
        raise InputError("; ".join(str(error).splitlines())) from None
    check(declared)
    return declared

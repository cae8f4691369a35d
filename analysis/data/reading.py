"""Read trials from files, folders, data frames and arrays, of any laboratory."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.answers import Answers
from analysis.data.columns.roles import (
    Roles,
    columns_of,
    evidence_columns,
    role_columns,
    roles_of,
    stated,
)
from analysis.data.lab_formats import LabTable, filled, read_path
from analysis.data.trial_table import answers_of_table, check_names
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_text, optional, takes

_COUNTS = ("level", "n_correct", "n_trials")


@takes(rule=optional(a_text), unit=a_text)
def read_trials(
    source: Any,
    roles: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    task: str | Task | None = None,
    rule: str | None = None,
    unit: str = "",
) -> Answers:
    """Return the answers in a table, in which roles name the user's own columns.

    Parameters
    ----------
    source
        A file of CSV, TSV or Parquet; a data file of PsychoPy; a folder of such files, or of behaviour in
        BIDS (``sub-*_beh.tsv``); a data frame; or an n x 3 array of levels, numbers correct and numbers of
        trials, as psignifit takes it.
    roles
        Role to column, or a TOML file of the same (`docs/formats/roles.md`): participant, session, order,
        image, level, task, rule; ``correct``, or ``answer`` and ``response``, or ``n_correct`` and
        ``n_trials``; rt_s or rt_ms, simulated; ``evidence = {model: column}``; ``answers = {word: answer}``,
        with ``""`` or None for a word that says that there was no answer.
        A column that is called like a role plays it, unless ``roles`` says ``""`` for it.
    task, rule
        Task of every trial, by name or declared, and its decision rule (the task's first).
    unit
        Unit of the levels; without it, the only text in a column ``unit``, if there is one.

    Returns
    -------
    Answers
        Trials without an answer are left out under the reason "no answer".

    Raises
    ------
    InputError
        If there is no table, a role names no column, a column does not hold what its role asks for, or a
        folder or table holds trials twice.

    Examples
    --------
    >>> trials = pd.DataFrame({"subj": ["a", "a"], "contrast": [0.1, 0.2], "acc": ["yes", "no"]})
    >>> answers = read_trials(trials, {"participant": "subj", "level": "contrast", "correct": "acc"})
    >>> answers.counts(by=["subj", "contrast"]).values.tolist()
    [['a', 0.1, 1.0, 1.0], ['a', 0.2, 0.0, 1.0]]
    """
    named = roles_of(roles)
    found, origin = _found(source, named)
    frame = check_names(found.frame, origin)
    of_every, by_rule, in_unit = stated(named.every_trial, task, rule, unit)
    names = [str(name) for name in frame.columns]
    at = role_columns(named, names, found.roles)
    if "n_correct" in at and "correct" not in named.columns:
        at.pop("correct", None)
    if of_every is not None:
        at.pop("task", None)
    answers = answers_of_table(
        frame,
        named,
        at,
        evidence_columns(named, names),
        task=of_every,
        rule=by_rule,
        unit=in_unit or _unit_in(frame, at),
        source=origin,
        in_time=found.in_time,
    )
    return _declared(replace(answers, notes=(*found.notes, *answers.notes)), named)


def _found(source: Any, roles: Roles) -> tuple[LabTable, str]:
    """Return the table and what it is called."""
    if isinstance(source, pd.DataFrame):
        _check_index(source, roles)
        return filled(LabTable(frame=source), "the data frame"), "the data frame"
    if isinstance(source, str | os.PathLike):
        return read_path(Path(source), roles.columns), str(Path(source))
    try:
        counts = np.asarray(source, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"cannot read trials from an object of type {type(source).__name__}; give a path, a data frame, "
            "or numbers in rows of level, n_correct and n_trials"
        ) from error
    if counts.ndim != 2 or counts.shape[1] != len(_COUNTS):
        raise InputError(
            f"an array of counts has rows of {', '.join(_COUNTS)}: its shape is (n, 3); not {counts.shape}"
        )
    if not np.isfinite(counts[:, 0]).all():
        raise InputError("every row of an array of counts needs a level that is a finite number")
    return LabTable(frame=pd.DataFrame(counts, columns=list(_COUNTS))), "the array"


def _check_index(frame: pd.DataFrame, roles: Roles) -> None:
    """Check that no role names a column that stands in the index, as groups of a frame do."""
    said = [c for says in roles.evidence.values() for c in columns_of(says)]
    for name in {*roles.columns.values(), *said} & {n for n in frame.index.names if n is not None}:
        if name not in frame.columns:
            raise InputError(
                f"{name!r} is no column of the data frame but in its index; give frame.reset_index()"
            )


def _unit_in(frame: pd.DataFrame, at: Mapping[str, str]) -> str:
    """Return the only text in a column ``unit`` that plays no role, as in reports; "" if there is none."""
    if "unit" not in frame.columns or "unit" in at.values():
        return ""
    found = frame["unit"].dropna().unique()
    return found[0] if len(found) == 1 and isinstance(found[0], str) else ""


def _declared(answers: Answers, roles: Roles) -> Answers:
    """Return answers without those that the roles leave out."""
    if roles.exclude.rt_s is not None:
        answers = answers.exclude_rt(*roles.exclude.rt_s)
    if roles.exclude.participants:
        answers = answers.exclude_participants(roles.exclude.participants)
    return answers

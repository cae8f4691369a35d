"""The standard table of answers, made from somebody's table and the roles of its columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.answers import EVIDENCE, Answers
from analysis.data.columns.evidence import evidence_of_rows
from analysis.data.columns.meanings import categories_of, distinct, notes_on_words
from analysis.data.columns.roles import Roles, Says, columns_of
from analysis.data.columns.scoring import scored
from analysis.data.columns.standard import labelled, standard_columns
from analysis.data.copies import notes_on_copies
from analysis.data.exclusions import NO_ANSWER, excluded_of, with_reason
from analysis.data.sides import PREFERENCES, one_side
from analysis.observers.rules import rule_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named
from stimuli_store.tasks.types import Task

#: Name of a further column that is called like one of the standard columns.
RENAMED = "factor_"


def answers_of_table(
    frame: pd.DataFrame,
    roles: Roles,
    at: Mapping[str, str],
    evidence: Mapping[str, Says],
    *,
    task: Task | None,
    rule: str | None,
    unit: str,
    source: str,
    in_time: bool,
) -> Answers:
    """Return the answers that a table holds.

    Parameters
    ----------
    frame
        The table, with a plain index.
    roles
        What the user said about it.
    at, evidence
        Role to column, and model to what it says, all of them there.
    task, rule, unit
        Of every trial; without a task, the column of this role says it.
    source
        Where the table came from.
    in_time
        Whether its rows are in the order of time.

    Raises
    ------
    InputError
        If a column does not hold what its role asks for.
    """
    columns = {role: frame[column] for role, column in at.items()}
    tasks, of_row = _tasks(columns.get("task"), task, len(frame))
    if rule is not None and None in tasks:
        raise InputError(
            f"the rule {rule!r} is one of a task; name the task too, as in read_trials(..., task=...)"
        )
    found = scored(columns, tasks, of_row, roles.answers)
    answer, response = (
        pd.Categorical.from_codes(codes, categories=list(found.labels))
        for codes in (found.answer, found.response)
    )
    directed = np.array([t is not None and t.directed for t in tasks])[of_row]
    standard = {
        **standard_columns(columns, roles.every_trial.participant, len(frame)),
        "task": labelled(["" if t is None else t.name for t in tasks], of_row),
        "rule": _rules(columns.get("rule"), tasks, of_row, rule),
        "answer": answer,
        "response": response,
        "n_correct": found.n_correct,
        "n_trials": found.n_trials,
        "excluded": _excluded(columns.get("excluded"), found.unanswered),
    }
    for model, says in evidence.items():
        standard[EVIDENCE + model] = evidence_of_rows(
            frame, model, says, answer=answer, directed=directed, own=roles.answers
        )
    further = _further_columns(frame, at, evidence, standard)
    table = pd.DataFrame({**standard, **further}, copy=False)
    named_tasks = {t.name: t for t in tasks if t is not None}
    if found.preferences:
        table = one_side(table, named_tasks, [EVIDENCE + model for model in evidence])
    numbered = "order" in at or "n_trials" in at
    return Answers(
        table=table,
        tasks=named_tasks,
        unit=unit,
        conditions=tuple(further),
        columns=_named(at, evidence),
        source=source,
        in_time=in_time or "order" in at,
        preferences=found.preferences,
        notes=(
            *((PREFERENCES,) if found.preferences else ()),
            *notes_on_words(table),
            *(() if numbered else notes_on_copies(table, source)),
        ),
    )


def _further_columns(
    frame: pd.DataFrame,
    at: Mapping[str, str],
    evidence: Mapping[str, Says],
    standard: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the columns that play no role, by a name that no standard column has."""
    used = {*at.values(), *(column for says in evidence.values() for column in columns_of(says))}
    return {
        RENAMED + name if name in standard else name: _further(frame[name])
        for name in frame.columns
        if name not in used
    }


def _named(at: Mapping[str, str], evidence: Mapping[str, Says]) -> dict[str, str]:
    """Return the user's column names with the columns that they became."""
    became = {
        column: EVIDENCE + model for model, column in evidence.items() if isinstance(column, str)
    }
    for role, column in at.items():
        if role != "correct":
            became.setdefault(column, "rt_s" if role == "rt_ms" else role)
    return became


def _tasks(
    column: pd.Series | None, task: Task | None, n: int
) -> tuple[list[Task | None], np.ndarray]:
    """Return the tasks, and the index of the task of each row (n,)."""
    if task is not None or column is None:
        return [task], np.zeros(n, dtype=np.intp)
    named = categories_of(column)
    if (named.codes < 0).any():
        raise InputError(f"the column {column.name!r} (role 'task') must name a task in every row")
    return [task_named(name) for name in named.categories], np.asarray(named.codes, dtype=np.intp)


def _rules(
    column: pd.Series | None, tasks: Sequence[Task | None], of_row: np.ndarray, rule: str | None
) -> pd.Categorical:
    """Return the decision rule of each row: the given one, the column's, or the first of the task."""
    if column is None or rule is not None:
        return labelled(["" if t is None else rule_of(t, rule) for t in tasks], of_row)
    made = categories_of(column)
    if (made.codes < 0).any():
        raise InputError(f"the column {column.name!r} (role 'rule') must name a rule in every row")
    for number, task in enumerate(tasks):
        if task is not None:
            for name in made[of_row == number].unique():
                rule_of(task, str(name))
    return made


def _excluded(column: pd.Series | None, unanswered: np.ndarray) -> pd.Series:
    n = len(unanswered)
    if column is None:
        return excluded_of(n, {NO_ANSWER: unanswered})
    codes, texts = distinct(column)
    excluded = excluded_of(n, {})
    for number, text in enumerate(texts):
        for reason in str(text).split(";"):
            if reason.strip():
                excluded = with_reason(excluded, reason.strip(), codes == number)
    return with_reason(excluded, NO_ANSWER, unanswered)


def _further(column: pd.Series) -> Any:
    """Return a column of the user as it is, text as categories."""
    if pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column):
        try:
            return column.astype("category").array
        except TypeError:  # lists and the like
            return column.map(str).astype("category").array
    return column.array


def check_names(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return a table whose columns have names of text that differ, and whose rows are counted from 0.

    Raises
    ------
    InputError
        If it has no rows, or two columns of one name.
    """
    if not len(frame):
        raise InputError(f"{source} holds no rows; give a table with a row for each trial")
    names = [str(name) for name in frame.columns]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{source} has two columns called {twice[0]!r}; give each its own name")
    return frame.set_axis(names, axis=1).reset_index(drop=True)

"""Answers of session journals: a row for every trial shown, with why some are left out."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.answers import EVIDENCE, Answers
from analysis.data.exclusions import (
    NO_ANSWER,
    PRACTICE,
    SHOWN_AGAIN,
    UNVERIFIED_FRAME,
    WRONG_FRAME,
    excluded_of,
    rows_without,
    with_reason,
)
from analysis.data.kinds import given_bank, sessions_given
from analysis.data.presented import (
    frames_shown,
    frames_verified,
    is_simulated,
    seen_phases,
    timing_ok,
)
from analysis.data.trial_table import RENAMED
from analysis.observers.evidence import Evidence, evidence_of
from analysis.observers.structure import structure_of
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError, PinMismatch
from stimuli_store.journal import Session
from stimuli_store.records.trials import Trial, TrialRecord
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import takes

STIMULUS = "stimulus_"
INTERVAL = "interval_"
#: Flags of a trial whose answer does not count.
VOID = frozenset({"practice"})
#: Factors that every table has, and that no trial need have.
_ALWAYS = ("comparison", "set", "target", "level", "unit")


def tasks_of_sessions(sessions: Sequence[Session]) -> list[Task]:
    """Return the tasks of sessions, each once.

    Raises
    ------
    InputError
        If there is no session, or two tasks have one name and different cells.
    """
    tasks: list[Task] = []
    for task in (session.header.task for session in sessions):
        alike = [known for known in tasks if known.name == task.name]
        if alike and structure_of(alike[0]) != structure_of(task):
            raise InputError(
                f"these sessions are of several tasks, some with one name and different cells ({task.name}); "
                "analyse each alone, by naming its journals"
            )
        tasks += [] if alike else [task]
    if not tasks:
        raise InputError("there is no session to analyse")
    return tasks


@takes(bank=given_bank, sessions=sessions_given)
def answers_of(bank: Bank, sessions: Sequence[Session]) -> Answers:
    """Return the answers of sessions run with a bank, a row for every trial shown, with all models' evidence.

    Beside the columns that all answers have there are: run, trial, block, attempt, track, ``flags`` (joined
    by ``;``); the factors of the trials (comparison, set, target, unit, …; one that has the name of another
    column is ``factor_<name>``); ``stimulus_<role>`` and ``interval_<name>`` (stimulus ids); timing_ok
    (True, False, or None without timing), planned_frames, realised_frames, dropped_frames, frames_verified
    (whether every frame shown has the certified hash; None without a screen), pin. The image is the factor
    ``target``, or else the set, or the stimulus of the lower role.

    Trials without an answer, of practice, shown again later, and with a frame on the screen that is not the
    certified one, or was not verified, are left out; ``answers.include(reason)`` takes a reason back.
    Dropped frames are only counted; ``answers.exclude_dropped_frames()`` leaves them out.

    Parameters
    ----------
    bank
        The bank that the sessions were planned from, open.
    sessions
        Sessions, from `read_sessions`.

    Raises
    ------
    PinMismatch
        If a session was planned from another bank.
    InputError
        If there is no finished trial, or two tasks of one name differ.

    Examples
    --------
    >>> from stimsynth import open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> len(answers) > 0, answers.task.name
    (True, 'abx')
    """
    for session in sessions:
        if session.header.pin != bank.pin:
            raise PinMismatch(
                f"session {session.header.session} of {session.header.participant} was run with "
                f"{session.header.pin}, but this bank is {bank.pin}; analyse it with its own bank"
            )
    tasks = tasks_of_sessions(sessions)
    if not any(session.records for session in sessions):
        raise InputError("these sessions hold no finished trial")
    table = pd.DataFrame([row for session in sessions for row in _rows(bank, session)])
    spoken = [(r.trial, s.header.task) for s in sessions for r in s.records]
    for label in bank.model_labels:
        table[EVIDENCE + label] = _evidence(evidence_of(bank, label), spoken)
    units = table.unit.dropna().unique()
    return Answers(
        table=_typed(table),
        tasks={task.name: task for task in tasks},
        unit=str(units[0]) if len(units) == 1 else "",
        conditions=tuple(name for name in _factors(sessions) if name in table.columns),
        source=f"sessions of {bank.pin}",
        in_time=True,
    )


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with columns of the types that all answers have."""
    labels = list(dict.fromkeys(v for n in ("answer", "response") for v in table[n].dropna()))
    numbers = not any(isinstance(v, str) for v in table.level)
    return table.assign(
        **{name: pd.Categorical(table[name]) for name in ("participant", "image", "task", "rule")},
        **{name: pd.Categorical(table[name], labels) for name in ("answer", "response")},
        level=table.level.astype(np.float64 if numbers else object),
        rt_s=table.rt_s.astype(np.float64),
        excluded=_excluded(table.excluded),
    )


def _excluded(reasons: pd.Series) -> pd.Series:
    excluded = excluded_of(len(reasons), {})
    for reason in dict.fromkeys(reason for row in reasons for reason in row):
        excluded = with_reason(excluded, reason, np.array([reason in row for row in reasons]))
    return excluded


def _factors(sessions: Sequence[Session]) -> list[str]:
    return list(dict.fromkeys(f for s in sessions for r in s.records for f in r.trial.factors))


def counted(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return of every trial the attempt that is analysed: the last with an answer, else the last.

    Attempts whose flags say that they do not count (practice) are left out.
    """
    chosen: dict[int, TrialRecord] = {}
    for record in records:
        if VOID.intersection(record.flags):
            continue
        before = chosen.get(record.trial.index)
        if before is None or record.response is not None or before.response is None:
            chosen[record.trial.index] = record
    return list(chosen.values())


def meant(answers: Answers) -> np.ndarray:
    """Return a mask (n,) of trials that were to count: none of practice, none that was shown again."""
    return rows_without(answers.table.excluded, frozenset({PRACTICE, SHOWN_AGAIN}))


def _evidence(evidence: Evidence, trials: Sequence[tuple[Trial, Task]]) -> list[float]:
    known: dict[tuple[Any, ...], float] = {}
    found = []
    for trial, task in trials:
        key = (trial.task, *sorted(trial.stimuli.items()))
        if key not in known:
            try:
                known[key] = evidence(trial, task)
            except InputError:
                known[key] = float("nan")
        found.append(known[key])
    return found


def _rows(bank: Bank, session: Session) -> Iterator[dict[str, Any]]:
    counting = {id(record) for record in counted(session.records)}
    for order, record in enumerate(session.records):
        reasons = _reasons(bank, session, record, id(record) in counting)
        yield _row(bank, session, record, order, reasons)


def _reasons(bank: Bank, session: Session, record: TrialRecord, counts: bool) -> list[str]:
    """Return why a trial is left out, if it is."""
    practice = bool(VOID.intersection(record.flags))
    frames = frames_shown(bank, session, record)
    reasons = {
        PRACTICE: practice,
        SHOWN_AGAIN: not counts and not practice,
        NO_ANSWER: record.response is None,
        WRONG_FRAME: any(shown is not None and not right for shown, right in frames),
        UNVERIFIED_FRAME: any(shown is None for shown, _ in frames),
    }
    return [reason for reason, holds in reasons.items() if holds]


def _row(
    bank: Bank, session: Session, record: TrialRecord, order: int, reasons: list[str]
) -> dict[str, Any]:
    trial, header = record.trial, session.header
    planned = [p for p in seen_phases(record) if p.planned_frames is not None]
    low, _ = header.task.contrast
    named = (trial.factors.get("target"), trial.factors.get("set"), trial.stimuli.get(low))
    first = {
        "participant": header.participant,
        "image": next((str(name) for name in named if name is not None), None),
        "session": header.session,
        "order": order,
        "run": header.run,
        "trial": trial.index,
        "block": trial.block,
        "attempt": trial.attempt,
        "track": trial.track,
        "task": trial.task,
        "rule": trial.rule,
        **dict.fromkeys(_ALWAYS),
    }
    last = {
        **{STIMULUS + role: sha for role, sha in trial.stimuli.items()},
        **{INTERVAL + name: sha for name, sha in trial.intervals.items()},
        "answer": trial.answer,
        "response": record.response,
        "n_correct": float(record.correct),
        "n_trials": 1.0,
        "rt_s": record.rt_s,
        "flags": ";".join(record.flags),
        "excluded": reasons,
        "timing_ok": timing_ok(record),
        "planned_frames": sum(p.planned_frames or 0 for p in planned),
        "realised_frames": sum(p.n_frames for p in planned),
        "dropped_frames": sum(len(p.dropped) for p in seen_phases(record)),
        "frames_verified": frames_verified(bank, session, record),
        "simulated": is_simulated(session),
        "pin": header.pin,
    }
    taken = {*first, *last}.difference(_ALWAYS)
    factors = {(RENAMED + k if k in taken else k): v for k, v in trial.factors.items()}
    return {**first, **factors, **last}


def level_counts(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the levels of some rows, ascending, with right answers and trials at each (three arrays (L,)).

    The levels must be numbers.
    """
    counts = rows.groupby("level", sort=True)[["n_correct", "n_trials"]].sum()
    return (
        counts.index.to_numpy(dtype=np.float64),
        counts.n_correct.to_numpy(dtype=np.float64),
        counts.n_trials.to_numpy(dtype=np.float64),
    )

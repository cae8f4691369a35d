"""Tidy tables from journals and a bank: a row per trial shown, with every model's evidence."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.data.cells import Cells
from analysis.observers.evidence import Evidence, evidence_of
from analysis.observers.structure import structure_of
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError, PinMismatch
from stimuli_store.journal import Session
from stimuli_store.records.trials import PhaseTiming, Trial, TrialRecord
from stimuli_store.tasks.types import Task

if TYPE_CHECKING:
    import pandas as pd

EVIDENCE = "evidence_"
STIMULUS = "stimulus_"
INTERVAL = "interval_"
RENAMED_FACTOR = "factor_"
#: Flags of a trial whose answer does not count.
VOID = frozenset({"practice"})


def is_simulated(session: Session) -> bool:
    """Return whether a simulated observer gave the answers of a session."""
    return session.header.observer is not None


def task_of_sessions(sessions: Sequence[Session]) -> Task:
    """Return the task of sessions, which must all have the same one.

    Raises
    ------
    InputError
        If there is none, or they are of several tasks or of tasks with one name and different cells.
    """
    tasks: list[Task] = []
    for task in (session.header.task for session in sessions):
        if not any(task.name == t.name and structure_of(task) == structure_of(t) for t in tasks):
            tasks.append(task)
    if not tasks:
        raise InputError("there is no session to analyse")
    if len(tasks) > 1:
        named = sorted(task.name for task in tasks)
        twice = len(set(named)) < len(named)
        raise InputError(
            f"these sessions are of several tasks ({', '.join(named)})"
            + (", some with one name and different cells" if twice else "")
            + "; analyse each alone: name its journals, or give --task"
        )
    return tasks[0]


def tidy(bank: Bank, sessions: Sequence[Session]) -> "pd.DataFrame":
    """Return a table with a row for every trial shown, and a column ``evidence_<model>`` per stored model.

    Columns: participant, session, trial, block, attempt, track, task, rule; the factors of the trials
    (comparison, set, target, level, unit, …; one that has the name of another column is
    ``factor_<name>``); ``stimulus_<role>`` and ``interval_<name>`` (stimulus ids); answer, response,
    correct, rt_s, flags (joined by ``;``), counts (whether this attempt is the one that is analysed),
    timing_ok (True, False, or None without timing), planned_frames, realised_frames, dropped_frames,
    frames_verified (whether every frame shown has the certified hash; None without a screen), simulated, pin.
    Evidence is a distance, or a signed preference where the task has a direction and the trial a reference.

    Raises
    ------
    PinMismatch
        If a session was planned from another bank.
    InputError
        If there is no finished trial, or the sessions are of several tasks.
    """
    import pandas as pd

    for session in sessions:
        if session.header.pin != bank.pin:
            raise PinMismatch(
                f"session {session.header.session} of {session.header.participant} was run with "
                f"{session.header.pin}, but this bank is {bank.pin}; analyse it with its own bank"
            )
    task = task_of_sessions(sessions)
    shown = [(session, record) for session in sessions for record in session.records]
    if not shown:
        raise InputError("these sessions hold no finished trial")
    counting = {id(record) for session in sessions for record in counted(session.records)}
    rows = [_row(bank, session, record, id(record) in counting) for session, record in shown]
    table = pd.DataFrame(rows)
    for name in ("comparison", "set", "target", "level", "unit"):
        if name not in table:
            table[name] = None
    trials = [record.trial for _, record in shown]
    for label in bank.model_labels:
        table[EVIDENCE + label] = _evidence(evidence_of(bank, label), trials, task)
    return table


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


def _evidence(evidence: Evidence, trials: Sequence[Trial], task: Task) -> list[float]:
    known: dict[tuple[Any, ...], float] = {}
    found = []
    for trial in trials:
        key = tuple(sorted(trial.stimuli.items()))
        if key not in known:
            try:
                known[key] = evidence(trial, task)
            except InputError:
                known[key] = float("nan")
        found.append(known[key])
    return found


def _row(bank: Bank, session: Session, record: TrialRecord, counts: bool) -> dict[str, Any]:
    trial, header = record.trial, session.header
    planned = [p for p in seen_phases(record) if p.planned_frames is not None]
    first = {
        "participant": header.participant,
        "session": header.session,
        "trial": trial.index,
        "block": trial.block,
        "attempt": trial.attempt,
        "track": trial.track,
        "task": trial.task,
        "rule": trial.rule,
    }
    last = {
        **{STIMULUS + role: sha for role, sha in trial.stimuli.items()},
        **{INTERVAL + name: sha for name, sha in trial.intervals.items()},
        "answer": trial.answer,
        "response": record.response,
        "correct": record.correct,
        "rt_s": record.rt_s,
        "flags": ";".join(record.flags),
        "counts": counts,
        "timing_ok": timing_ok(record),
        "planned_frames": sum(p.planned_frames or 0 for p in planned),
        "realised_frames": sum(p.n_frames for p in planned),
        "dropped_frames": sum(len(p.dropped) for p in seen_phases(record)),
        "frames_verified": frames_verified(bank, session, record),
        "simulated": is_simulated(session),
        "pin": header.pin,
    }
    taken = {*first, *last}
    factors = {(RENAMED_FACTOR + k if k in taken else k): v for k, v in trial.factors.items()}
    return {**first, **factors, **last}


def timing_ok(record: TrialRecord) -> bool | None:
    """Return whether the pictures were shown for exactly the planned frames; None without timing.

    Only the phases from the first picture to the last count, not the blank before them, in which
    pictures are loaded, and not the blank after them, which ends at the answer. A phase that lasts until the
    answer needs no number of frames, and the trial's last phase may be cut short by it.
    """
    if not record.timing:
        return None
    last = record.timing[-1]
    return all(
        not phase.dropped
        and (
            phase.planned_frames is None
            or phase.n_frames == phase.planned_frames
            or (phase is last and phase.n_frames < phase.planned_frames)
        )
        for phase in seen_phases(record)
    )


def seen_phases(record: TrialRecord) -> tuple[PhaseTiming, ...]:
    """Return the timings of a trial's phases, from the first picture to the last."""
    shown = [i for i, phase in enumerate(record.trial.phases) if phase.shows]
    if not shown:
        return record.timing[:-1]
    return record.timing[shown[0] : shown[-1] + 1]


def frames_verified(bank: Bank, session: Session, record: TrialRecord) -> bool | None:
    """Return whether every frame shown in a trial is the certified one, or the one its making must give.

    It is None without a screen, and False if a hash differs or was not recorded.
    """
    if not on_screen(session):
        return None
    return all(
        record.frame_sha256.get(name) == _frame_of(bank, record.trial, sha)
        for name, sha in record.trial.intervals.items()
    )


def _frame_of(bank: Bank, trial: Trial, stimulus: str) -> str:
    """Return the hash of the frame of a stimulus; that of a made one is its id, an unknown one has none."""
    if stimulus in trial.made:
        return stimulus
    known = bank.by_id.get(stimulus)
    return known.certificate.frame_sha256 if known else ""


def on_screen(session: Session) -> bool:
    """Return whether a session was shown on a real screen, according to its header's booth."""
    adapter = session.header.booth.get("adapter")
    if adapter is None:
        return any(record.frame_sha256 for record in session.records)
    return adapter != "simulated"


def answered_of(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows of a table that are analysed: attempts that count and were answered."""
    return table[table.counts.astype(bool) & table.response.notna()]


def cells_of(table: "pd.DataFrame", task: Task) -> Cells:
    """Return the answered trials of a table as counts by cell, for `analysis.ranking.rank`.

    Trials without a response are left out. Models that have no evidence for some pair are left out
    too (`models_without_evidence` names them). The image is the factor `target`, or else the set, or the
    lower stimulus.
    """
    answered = answered_of(table).copy()
    low, high = (STIMULUS + role for role in task.contrast)
    answered["image"] = answered["target"].fillna(answered["set"]).fillna(answered[low])
    labels = [c for c in answered if str(c).startswith(EVIDENCE) and answered[c].notna().all()]
    keys = ["participant", "image", low, high, "rule"]
    grouped = answered.groupby(keys, sort=True)
    cells = grouped.agg(
        n_correct=("correct", "sum"),
        n_trials=("correct", "size"),
        **{str(c): (c, "first") for c in labels},
    ).reset_index()
    text: Mapping[str, np.ndarray] = {key: cells[key].to_numpy(dtype=str) for key in keys}
    return Cells(
        task=task,
        participant=text["participant"],
        image=text["image"],
        pair=np.char.add(np.char.add(text[low], "-"), text[high]),
        rule=text["rule"],
        n_correct=cells.n_correct.to_numpy(dtype=np.float64),
        n_trials=cells.n_trials.to_numpy(dtype=np.float64),
        evidence={
            str(c)[len(EVIDENCE) :]: cells[str(c)].to_numpy(dtype=np.float64) for c in labels
        },
    )


def models_without_evidence(table: "pd.DataFrame") -> tuple[str, ...]:
    """Return the labels of models that say nothing of some pair in the table."""
    return tuple(
        str(c)[len(EVIDENCE) :]
        for c in table
        if str(c).startswith(EVIDENCE) and table[c].isna().any()
    )


def level_counts(table: "pd.DataFrame") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the levels, ascending, with right answers and answered trials at each (three arrays (L,)).

    The levels must be numbers.
    """
    answered = answered_of(table)
    grouped = answered.groupby("level", sort=True).correct
    counts = grouped.agg(["sum", "size"])
    return (
        counts.index.to_numpy(dtype=np.float64),
        counts["sum"].to_numpy(dtype=np.float64),
        counts["size"].to_numpy(dtype=np.float64),
    )

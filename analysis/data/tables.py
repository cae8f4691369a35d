"""Tidy tables from journals and a bank: a row per trial, with every model's distance."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.data.cells import Cells
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError, PinMismatch
from stimuli_store.journal import Session
from stimuli_store.records.predictions import Distances
from stimuli_store.records.trials import PhaseTiming, TrialRecord

if TYPE_CHECKING:
    import pandas as pd

DISTANCE = "distance_"


def is_simulated(session: Session) -> bool:
    """Return whether a simulated observer gave the answers of a session."""
    return session.header.observer is not None


def tidy(bank: Bank, sessions: Sequence[Session]) -> "pd.DataFrame":
    """Return a table with a row per finished trial and a column ``distance_<model>`` for every stored model.

    Columns: participant, session, trial, task, rule, target, set, level, unit, comparison, pair_a,
    pair_b, A, B, X (pixel ids of the intervals; others by their own names), answer, response,
    correct, rt_s, flags (joined by ``;``), timing_ok (True, False, or None without timing),
    planned_frames, realised_frames, dropped_frames, frames_verified (whether every frame shown has
    the certified hash; None without a screen), simulated, pin.

    Raises
    ------
    PinMismatch
        If a session was planned from another bank.
    InputError
        If there is no finished trial.
    """
    import pandas as pd

    for session in sessions:
        if session.header.pin != bank.pin:
            raise PinMismatch(
                f"session {session.header.session} of {session.header.participant} was run with "
                f"{session.header.pin}, but this bank is {bank.pin}; analyse it with its own bank"
            )
    rows = [_row(bank, session, record) for session in sessions for record in session.records]
    if not rows:
        raise InputError("these sessions hold no finished trial")
    table = pd.DataFrame(rows)
    pairs = [frozenset(pair) for pair in zip(table.pair_a, table.pair_b, strict=True)]
    for label in bank.model_labels:
        known = bank.distances(label)
        table[DISTANCE + label] = [_distance(known, pair) for pair in pairs]
    return table


def _distance(known: Distances, pair: frozenset[str]) -> float:
    return 0.0 if len(pair) == 1 else known.get(pair, float("nan"))


def _row(bank: Bank, session: Session, record: TrialRecord) -> dict[str, Any]:
    trial, header, seen = record.trial, session.header, seen_phases(record)
    return {
        "participant": header.participant,
        "session": header.session,
        "trial": trial.index,
        "task": trial.task,
        "rule": trial.rule,
        "target": trial.target,
        "set": trial.set,
        "level": trial.level.value,
        "unit": trial.level.unit,
        "comparison": trial.comparison,
        "pair_a": trial.pair[0],
        "pair_b": trial.pair[1],
        **dict(trial.intervals),
        "answer": trial.answer,
        "response": record.response,
        "correct": record.correct,
        "rt_s": record.rt_s,
        "flags": ";".join(record.flags),
        "timing_ok": timing_ok(record),
        "planned_frames": sum(p.planned_frames for p in seen),
        "realised_frames": sum(p.n_frames for p in seen),
        "dropped_frames": sum(len(p.dropped) for p in seen),
        "frames_verified": frames_verified(bank, session, record),
        "simulated": is_simulated(session),
        "pin": header.pin,
    }


def timing_ok(record: TrialRecord) -> bool | None:
    """Return whether the pictures were shown for exactly the planned frames; None without timing.

    Only the phases from the first picture to the last count, not the blank before them, in which
    pictures are loaded, and not the blank after them, which ends at the answer.
    """
    if not record.timing:
        return None
    return all(
        phase.n_frames == phase.planned_frames and not phase.dropped
        for phase in seen_phases(record)
    )


def seen_phases(record: TrialRecord) -> tuple[PhaseTiming, ...]:
    """Return the timings of a trial's phases, from the first picture to the last."""
    shown = [i for i, phase in enumerate(record.trial.phases) if phase.image is not None]
    if not shown:
        return record.timing[:-1]
    return record.timing[shown[0] : shown[-1] + 1]


def frames_verified(bank: Bank, session: Session, record: TrialRecord) -> bool | None:
    """Return whether every frame shown in a trial has the hash that the bank certifies.

    It is None without a screen, and False if a hash differs or was not recorded.
    """
    if not on_screen(session):
        return None
    intervals = record.trial.intervals
    return set(record.frame_sha256) >= set(intervals) and all(
        sha in bank.by_id and bank.by_id[sha].certificate.frame_sha256 == record.frame_sha256[name]
        for name, sha in intervals.items()
    )


def on_screen(session: Session) -> bool:
    """Return whether a session was shown on a real screen, according to its header's booth."""
    adapter = session.header.booth.get("adapter")
    if adapter is None:
        return any(record.frame_sha256 for record in session.records)
    return adapter != "simulated"


def cells_of(table: "pd.DataFrame") -> Cells:
    """Return the answered trials of a table as counts by cell, for `analysis.ranking.rank`.

    Trials without a response are left out. Models that have no distance for some pair are left out
    too (`models_without_distances` names them).
    """
    answered = table[table.response.notna()]
    labels = [c for c in answered if str(c).startswith(DISTANCE) and answered[c].notna().all()]
    keys = ["participant", "target", "pair_a", "pair_b", "task", "rule"]
    grouped = answered.groupby(keys, sort=True)
    cells = grouped.agg(
        n_correct=("correct", "sum"),
        n_trials=("correct", "size"),
        **{str(c): (c, "first") for c in labels},
    ).reset_index()
    text: Mapping[str, np.ndarray] = {key: cells[key].to_numpy(dtype=str) for key in keys}
    return Cells(
        participant=text["participant"],
        image=text["target"],
        pair=np.char.add(np.char.add(text["pair_a"], "-"), text["pair_b"]),
        task=text["task"],
        rule=text["rule"],
        n_correct=cells.n_correct.to_numpy(dtype=np.float64),
        n_trials=cells.n_trials.to_numpy(dtype=np.float64),
        distances={
            str(c)[len(DISTANCE) :]: cells[str(c)].to_numpy(dtype=np.float64) for c in labels
        },
    )


def models_without_distances(table: "pd.DataFrame") -> tuple[str, ...]:
    """Return the labels of models that have no distance for some pair in the table."""
    return tuple(
        str(c)[len(DISTANCE) :]
        for c in table
        if str(c).startswith(DISTANCE) and table[c].isna().any()
    )


def level_counts(table: "pd.DataFrame") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the levels, ascending, with right answers and answered trials at each (three arrays (L,))."""
    answered = table[table.response.notna()]
    grouped = answered.groupby("level", sort=True).correct
    counts = grouped.agg(["sum", "size"])
    return (
        counts.index.to_numpy(dtype=np.float64),
        counts["sum"].to_numpy(dtype=np.float64),
        counts["size"].to_numpy(dtype=np.float64),
    )

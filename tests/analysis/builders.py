"""Trials, sessions and journals of simulated observers over a small bank."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.observers.model_observer import ModelObserver
from stimuli_store.bank.reading import Bank
from stimuli_store.journal import Journal
from stimuli_store.records.spec import Level
from stimuli_store.records.trials import Phase, PhaseTiming, SessionHeader, Trial, TrialRecord

PLAN = (("fixation", None), ("A", "A"), ("B", "B"), ("X", "X"), ("respond", None))
PHASES = tuple(Phase(name=name, image=image, requested_ms=200, n_frames=12) for name, image in PLAN)


def trial(pair: tuple[str, str], **fields: Any) -> Trial:
    """An ABX trial of a pair; its first stimulus is A and the answer unless said otherwise."""
    values: dict[str, Any] = {
        "index": 0,
        "task": "abx",
        "rule": "independent",
        "intervals": {"A": pair[0], "B": pair[1], "X": pair[0]},
        "answer": "A",
        "set": "s",
        "target": "t",
        "level": Level(value=8.0, unit="window_px"),
        "comparison": "reference-metamer",
        "pair": pair,
        "phases": PHASES,
    }
    return Trial(**{**values, **fields})


def bank_pairs(bank: Bank) -> Iterable[dict[str, Any]]:
    """Every reference-metamer and metamer-metamer pair of a bank."""
    for label, members in bank.sets.items():
        target = members[0].target
        common = {
            "set": label,
            "target": bank.references[target].name,
            "level": members[0].level,
        }
        for member in members:
            yield {**common, "pair": (target, member.sha256), "comparison": "reference-metamer"}
        ids = [member.sha256 for member in members]
        for i, a in enumerate(ids):
            for b in ids[i + 1 :]:
                yield {**common, "pair": (a, b), "comparison": "metamer-metamer"}


def session_trials(bank: Bank, n_repeats: int, rng: np.random.Generator) -> list[Trial]:
    """Every pair `n_repeats` times in random order, with random sides and answers."""
    rows = [row for row in bank_pairs(bank) for _ in range(n_repeats)]
    trials = []
    for index, place in enumerate(rng.permutation(len(rows))):
        row = rows[place]
        a, b = row["pair"] if rng.random() < 0.5 else row["pair"][::-1]
        answer = "AB"[int(rng.integers(2))]
        x = a if answer == "A" else b
        intervals = {"A": a, "B": b, "X": x}
        trials.append(
            trial(
                row["pair"],
                index=index,
                answer=answer,
                intervals=intervals,
                **{k: v for k, v in row.items() if k != "pair"},
            )
        )
    return trials


def header(bank: Bank, participant: str, n_trials: int, **fields: Any) -> SessionHeader:
    values: dict[str, Any] = {
        "participant": participant,
        "session": 1,
        "task": "abx",
        "design_sha256": "d" * 64,
        "pin": bank.pin,
        "seed": 0,
        "n_trials": n_trials,
        "booth": {"adapter": "simulated", "refresh_hz": 60.0, "keyboard": "none"},
        "software": {"stimsynth": "0.1.0"},
        "created": "2026-01-01T00:00:00+00:00",
    }
    return SessionHeader(**{**values, **fields})


def record_of(bank: Bank, planned: Trial, response: str | None, rt_s: float | None) -> TrialRecord:
    timing = tuple(
        PhaseTiming(name=p.name, onset_s=0.2 * i, n_frames=p.n_frames, planned_frames=p.n_frames)
        for i, p in enumerate(planned.phases)
    )
    return TrialRecord(
        trial=planned,
        response=response,
        correct=response == planned.answer,
        rt_s=rt_s,
        timing=timing,
        frame_sha256={
            name: bank.by_id[sha].certificate.frame_sha256
            for name, sha in planned.intervals.items()
        },
        flags=() if response else ("no_response",),
    )


def write_journal(path: Path, head: SessionHeader, records: Sequence[TrialRecord]) -> Path:
    with Journal(path) as journal:
        journal.append("header", head)
        for record in records:
            journal.append("trial", record)
        journal.append("end", {"reason": "completed"})
    return path


def simulate(
    bank: Bank,
    observer: ModelObserver,
    folder: Path,
    *,
    participants: int = 4,
    n_repeats: int = 3,
    seed: int = 0,
    fields: Mapping[str, Any] | None = None,
) -> Path:
    """Journals of several simulated participants in a folder."""
    for number in range(participants):
        rng = np.random.default_rng([seed, number])
        trials = session_trials(bank, n_repeats, rng)
        answers = [(t, observer.respond(t, rng)) for t in trials]
        write_journal(
            folder / f"p{number}.jsonl",
            header(
                bank, f"p{number}", len(trials), observer=observer.describe(), **dict(fields or {})
            ),
            [record_of(bank, t, a.response, a.rt_s) for t, a in answers],
        )
    return folder

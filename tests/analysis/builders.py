"""Trials, sessions and journals of simulated observers over a small bank, for any task."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.data.tables import answers_of
from analysis.observers.evidence import Evidence, evidence_of
from analysis.observers.simulated.calibrating import calibrated_observer
from analysis.observers.simulated.model_observer import ModelObserver
from analysis.report.results import Results, analyse
from analysis.report.write import write_report
from stimuli_store.bank.reading import Bank
from stimuli_store.journal import Journal, Session
from stimuli_store.records.trials import PhaseTiming, SessionHeader, Trial, TrialRecord
from stimuli_store.tasks import task_named
from stimuli_store.tasks.trial_plan import arrange, phases_at
from stimuli_store.tasks.types import Task

ABX = task_named("abx")


def trial(pair: tuple[str, str], *, task: Task = ABX, cell: int = 0, **fields: Any) -> Trial:
    """A trial of a pair (at 0, at d') in one of the cells of a task; the first of ABX by default."""
    stimuli = {**dict(zip(task.contrast, pair, strict=True)), **fields.pop("others", {})}
    intervals, answer = arrange(task, stimuli, task.cells[cell])
    values: dict[str, Any] = {
        "index": 0,
        "task": task.name,
        "rule": task.rules[0],
        "stimuli": stimuli,
        "intervals": intervals,
        "answer": answer,
        "phases": phases_at(task, 60.0, np.random.default_rng(0)),
    }
    factors = {
        "comparison": "reference-member",
        "set": "s",
        "target": "t",
        "level": 8.0,
        "unit": "window_px",
        **fields.pop("factors", {}),
    }
    return Trial(**{**values, **fields, "factors": factors})


def bank_pairs(bank: Bank) -> Iterable[tuple[tuple[str, str], dict[str, Any]]]:
    """Every pair of target and member, and of two members, with its factors."""
    for label, members in bank.sets.items():
        target = members[0].target
        level = members[0].level
        assert level is not None
        common = {
            "set": label,
            "target": bank.references[target].name,
            "level": level.value,
            "unit": level.unit,
        }
        for member in members:
            yield (target, member.sha256), {**common, "comparison": "reference-member"}
        ids = [member.sha256 for member in members]
        for i, a in enumerate(ids):
            for b in ids[i + 1 :]:
                yield (a, b), {**common, "comparison": "member-member"}


def session_trials(
    bank: Bank, n_repeats: int, rng: np.random.Generator, task: Task = ABX, rule: str | None = None
) -> list[Trial]:
    """Every pair `n_repeats` times in random order, each time in a random cell."""
    rows = [row for row in bank_pairs(bank) for _ in range(n_repeats)]
    reference = {"reference"} & {role.name for role in task.roles}
    named = {record.name: sha for sha, record in bank.references.items()}
    far = bank.distances("right")
    trials = []
    for index, place in enumerate(rng.permutation(len(rows))):
        pair, factors = rows[place]
        target = named[factors["target"]]
        others = {"reference": target} if reference else {}
        if reference:  # the nearer one is the lower one, as in a MAD pair
            pair = tuple(sorted(pair, key=lambda sha: far.get(frozenset((target, sha)), 0.0)))
        cell = int(rng.integers(len(task.cells)))
        made = trial(pair, task=task, cell=cell, index=index, factors=factors, others=others)
        trials.append(made if rule is None else replace(made, rule=rule))
    return trials


def observer_for(
    bank: Bank, trials: Sequence[Trial], task: Task = ABX, model: str = "right", **how: Any
) -> ModelObserver:
    """An observer that is right in 80 % of the trials on average, unless said otherwise."""
    return calibrated_observer(model, evidence_of(bank, model), trials, task, **how)


def evidence(distances: Mapping[frozenset[str], float], **fields: Any) -> Evidence:
    """Evidence of a model m with these distances."""
    return Evidence(**{"model": "m", "distances": distances, **fields})


def header(bank: Bank, participant: str, n_trials: int, **fields: Any) -> SessionHeader:
    values: dict[str, Any] = {
        "participant": participant,
        "session": 1,
        "task": ABX,
        "design": {"task": {"use": "abx"}},
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
        PhaseTiming(
            name=p.name,
            onset_s=0.2 * i,
            n_frames=p.n_frames or 20,
            planned_frames=p.n_frames,
        )
        for i, p in enumerate(planned.phases)
    )
    return TrialRecord(
        trial=planned,
        response=response,
        correct=response == planned.answer,
        rt_s=rt_s,
        timing=timing,
        frame_sha256={
            name: sha if sha in planned.made else bank.by_id[sha].certificate.frame_sha256
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


def analysed(bank: Bank, sessions: Sequence[Session], **how: Any) -> Results:
    """The results of sessions run with a bank."""
    return analyse(answers_of(bank, sessions), bank=bank, sessions=sessions, **how)


def reported(bank: Bank, sessions: Sequence[Session], out: Path, **how: Any) -> Results:
    """The results of sessions run with a bank, whose report is written to a folder."""
    return write_report(answers_of(bank, sessions), out, bank=bank, sessions=sessions, **how)


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
        trials = session_trials(bank, n_repeats, rng, observer.task, observer.rule)
        answers = [(t, observer.respond(t, rng)) for t in trials]
        write_journal(
            folder / f"p{number}.jsonl",
            header(
                bank,
                f"p{number}",
                len(trials),
                task=observer.task,
                observer=observer.describe(),
                **dict(fields or {}),
            ),
            [record_of(bank, t, a.response, a.rt_s) for t, a in answers],
        )
    return folder

"""True sensitivities and thresholds of simulated observers, beside which estimates stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.data.presented import is_simulated
from analysis.observers.criterion import dprime_of_rates, operating_of
from analysis.observers.evidence import evidence_of
from analysis.observers.links import link_of
from analysis.observers.simulated.model_observer import ModelObserver, observer_from_description
from analysis.observers.simulated.true_thresholds import pooled_true_threshold
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.journal import Session
from stimuli_store.records.trials import Trial
from stimuli_store.tasks.types import Task

if TYPE_CHECKING:
    import pandas as pd

#: Simulated observer and the trial that it answered.
Observed = tuple[ModelObserver, Trial]
_KEY = ("participant", "session", "run", "trial")


@dataclass(frozen=True, kw_only=True)
class Truths:
    """Simulated observers by the participant, session, run and index of each trial; empty for people."""

    known: Mapping[tuple[str, int, int, int], Observed] = field(default_factory=dict)

    def of(self, rows: "pd.DataFrame") -> list[Observed]:
        """Return observer and trial of every row, or nothing if one of them is not known."""
        if not self.known or not set(_KEY) <= set(rows.columns):
            return []
        keys = zip(*(rows[name].tolist() for name in _KEY), strict=True)
        found = [self.known.get((str(key[0]), *map(int, key[1:]))) for key in keys]  # type: ignore[arg-type]
        known = [one for one in found if one is not None]
        return known if len(known) == len(found) else []


def truths_of(bank: Bank | None, sessions: Sequence[Session]) -> Truths:
    """Return the simulated observers of sessions run with a bank, as far as it has their models."""
    known: dict[tuple[str, int, int, int], Observed] = {}
    for session in sessions:
        observer = observer_of(bank, session) if bank is not None else None
        if observer is not None:
            head = session.header
            for record in session.records:
                key = (head.participant, head.session, head.run, record.trial.index)
                known[key] = (observer, record.trial)
    return Truths(known=known)


def observer_of(bank: Bank, session: Session) -> ModelObserver | None:
    """Return the simulated observer of a session; None for a person or an unknown observer."""
    description = session.header.observer
    if description is None or description.get("model") not in bank.model_labels:
        return None
    try:
        evidence = evidence_of(bank, description["model"])
        return observer_from_description(description, evidence, session.header.task)
    except InputError:
        return None


def descriptions_of(sessions: Sequence[Session]) -> tuple[dict[str, Any], ...]:
    """Return the descriptions of the simulated observers of sessions, without repetition."""
    found: list[dict[str, Any]] = []
    for session in sessions:
        description = dict(session.header.observer or {})
        if is_simulated(session) and description not in found:
            found.append(description)
    return tuple(found)


def true_dprimes(
    observed: Sequence[Observed], place: np.ndarray, n_levels: int, task: Task, rule: str
) -> tuple[float | None, ...]:
    """Return d' of simulated observers at each level, from the index of each trial's level (n,).

    It is the d' at which an observer without lapses is right as often as they are on average; None without
    observers.
    """
    if not observed:
        return (None,) * n_levels
    values = np.array([_probabilities(o, t, task) for o, t in observed], dtype=np.float64)
    means = [values[place == level].mean(axis=0) for level in range(n_levels)]
    if task.criterion:
        operating = operating_of(task, rule)
        return tuple(dprime_of_rates(operating, float(h), float(f)) for h, f in means)
    return tuple(float(d) for d in link_of(task, rule).dprime(np.array(means)[:, 0]))


def _probabilities(observer: ModelObserver, trial: Trial, task: Task) -> tuple[float, ...]:
    return observer.rates(trial) if task.criterion else (observer.p_correct(trial),)


def true_threshold_of(observed: Sequence[Observed], p: float) -> float | None:
    """Return the level at which simulated observers are right with probability `p`; None without any."""
    if not observed:
        return None
    return pooled_true_threshold([(observer, [trial]) for observer, trial in observed], p)

"""Results of an analysis, computed once from a bank and its sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.data.tables import cells_of, is_simulated, level_counts, tidy
from analysis.fits.fit import Fit, fit_psychometric
from analysis.fits.scaling import ScalingFit, fit_critical_scaling
from analysis.observers.model_observer import (
    ModelObserver,
    observer_from_description,
    pooled_true_threshold,
)
from analysis.observers.sdt import DPrime, dprime_from_counts, link_of
from analysis.ranking.rank import Ranking, rank_models
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from stimuli_store.journal import Session

if TYPE_CHECKING:
    import pandas as pd

HEADLINE = "reference-metamer"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Fits to the answers of one comparison, or of one participant in it.

    Attributes
    ----------
    name, comparison
        Name of the comparison or of the participant, and the comparison.
    task, rule
        Task and decision rule.
    levels, n_correct, n_trials
        Answered trials by level (L,).
    fit
        The psychometric function and its threshold.
    dprimes
        d' at each level.
    scaling
        Critical-scaling fit; None if a level is not above zero.
    true_threshold
        The simulated observers' own threshold; None if any answer came from a person.
    """

    name: str
    comparison: str
    task: str
    rule: str
    levels: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray
    fit: Fit
    dprimes: tuple[DPrime, ...]
    scaling: ScalingFit | None
    true_threshold: float | None


@dataclass(frozen=True, kw_only=True)
class Results:
    """Results of an analysis: fits by comparison and participant, model ranking, simulated observers.

    Attributes
    ----------
    pin, unit
        The bank, and the unit of the levels.
    p
        Proportion correct that defines the thresholds.
    headline
        The comparison whose threshold is reported first (``"reference-metamer"`` if there is one).
    others
        The other comparisons.
    by_participant
        The headline comparison, one participant each.
    ranking
        Models ranked by their prediction of the answers; None if no model has distances for all pairs.
    observers
        Descriptions of the simulated observers, without repetition; empty for people.
    """

    pin: str
    unit: str
    p: float
    headline: Condition
    others: tuple[Condition, ...]
    by_participant: tuple[Condition, ...]
    ranking: Ranking | None
    observers: tuple[dict[str, Any], ...]
    n_trials: int
    participants: tuple[str, ...]

    @property
    def threshold(self) -> float:
        """Threshold of the headline comparison, in `unit`."""
        return self.headline.fit.threshold

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `threshold`, in `unit`."""
        return self.headline.fit.low, self.headline.fit.high

    @property
    def true_threshold(self) -> float | None:
        """True threshold of the simulated observers; None if any answer came from a person."""
        return self.headline.true_threshold

    @property
    def winner(self) -> str | None:
        """Label of the model that agrees best with the answers; None without a ranking."""
        return self.ranking.winner if self.ranking else None


def analyse(
    bank: Bank, sessions: Sequence[Session], *, p: float = 0.75, seed: int = 0
) -> tuple[Results, "pd.DataFrame"]:
    """Return the results of sessions run with a bank, and the tidy table they were computed from.

    Parameters
    ----------
    bank, sessions
        From `stimuli_store.open_bank` and `analysis.data.journals.read_sessions`.
    p
        Proportion correct that defines the thresholds.
    seed
        Seed of the resampling behind the ranking's intervals.

    Raises
    ------
    PinMismatch
        If a session was run with another bank.
    InputError
        If no trial was answered, or the levels are in several units.
    """
    table = tidy(bank, sessions)
    answered = table[table.response.notna()]
    if not len(answered):
        raise InputError("no trial of these sessions was answered, so there is nothing to fit")
    units = sorted(set(answered.unit))
    if len(units) != 1:
        raise InputError(
            f"the levels have several units ({', '.join(units)}); analyse these sessions separately"
        )
    conditions = _conditions(bank, sessions, answered, p)
    headline = next((c for c in conditions if c.comparison == HEADLINE), conditions[0])
    people = sorted(set(answered.participant))
    own = answered[_of(answered, headline)]
    results = Results(
        pin=bank.pin,
        unit=units[0],
        p=p,
        headline=headline,
        others=tuple(c for c in conditions if c is not headline),
        by_participant=tuple(
            _condition(bank, sessions, own[own.participant == name], p, name)
            for name in people
            if (own.participant == name).any()
        ),
        ranking=_ranking(table, seed),
        observers=_observers(sessions),
        n_trials=len(table),
        participants=tuple(sorted(set(table.participant))),
    )
    return results, table


def _conditions(
    bank: Bank, sessions: Sequence[Session], answered: "pd.DataFrame", p: float
) -> list[Condition]:
    several = answered.groupby(["task", "rule"]).ngroups > 1
    made = []
    for (comparison, task, rule), rows in answered.groupby(["comparison", "task", "rule"]):
        name = f"{comparison} ({task}, {rule})" if several else str(comparison)
        made.append(_condition(bank, sessions, rows, p, name))
    return made


def _of(answered: "pd.DataFrame", condition: Condition) -> "pd.Series":
    named = answered.comparison == condition.comparison
    return named & (answered.task == condition.task) & (answered.rule == condition.rule)


def _condition(
    bank: Bank, sessions: Sequence[Session], rows: "pd.DataFrame", p: float, name: str
) -> Condition:
    task, rule = str(rows.task.iloc[0]), str(rows.rule.iloc[0])
    levels, right, total = level_counts(rows)
    positive = bool(levels.min() > 0)
    fit = fit_psychometric(
        levels,
        right,
        total,
        guess=link_of(task, rule).guess,
        p=p,
        axis="log" if positive else "linear",
    )
    return Condition(
        name=name,
        comparison=str(rows.comparison.iloc[0]),
        task=task,
        rule=rule,
        levels=levels,
        n_correct=right,
        n_trials=total,
        fit=fit,
        dprimes=tuple(
            dprime_from_counts(int(k), int(n), task, rule)
            for k, n in zip(right, total, strict=True)
        ),
        scaling=(
            fit_critical_scaling(levels, right, total, task=task, rule=rule) if positive else None
        ),
        true_threshold=_true(bank, sessions, rows, p) if positive else None,
    )


def _true(bank: Bank, sessions: Sequence[Session], rows: "pd.DataFrame", p: float) -> float | None:
    """Return the true threshold of the simulated observers of some rows; None if a person answered."""
    shown: dict[tuple[str, int], set[int]] = {}
    for person, number, trial in zip(rows.participant, rows.session, rows.trial, strict=True):
        shown.setdefault((str(person), int(number)), set()).add(int(trial))
    known = []
    for session in sessions:
        wanted = shown.get((session.header.participant, session.header.session))
        if not wanted:
            continue
        observer = observer_of(bank, session)
        if observer is None:
            return None
        trials = [record.trial for record in session.records if record.trial.index in wanted]
        known.append((observer, trials))
    return pooled_true_threshold(known, p)


def observer_of(bank: Bank, session: Session) -> ModelObserver | None:
    """Return the simulated observer of a session; None for a person or an unknown observer."""
    description = session.header.observer
    if description is None or description.get("model") not in bank.model_labels:
        return None
    try:
        return observer_from_description(description, bank.distances(description["model"]))
    except InputError:
        return None


def _ranking(table: "pd.DataFrame", seed: int) -> Ranking | None:
    cells = cells_of(table)
    return rank_models(cells, seed=seed) if cells.distances else None


def _observers(sessions: Sequence[Session]) -> tuple[dict[str, Any], ...]:
    found: list[dict[str, Any]] = []
    for session in sessions:
        if is_simulated(session) and dict(session.header.observer or {}) not in found:
            found.append(dict(session.header.observer or {}))
    return tuple(found)

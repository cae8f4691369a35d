"""Results of an analysis, computed once from a bank and its sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.data.answers import Answers
from analysis.data.cell_counts import models_without_evidence
from analysis.data.presented import is_simulated
from analysis.data.tables import STIMULUS, answers_of, meant, task_of_sessions
from analysis.observers.evidence import evidence_of
from analysis.observers.model_observer import ModelObserver, observer_from_description
from analysis.ranking.diagnose import diagnose
from analysis.ranking.diagnostics import Diagnostic
from analysis.ranking.rank import rank
from analysis.ranking.records import Ranking
from analysis.report.conditions import Condition, Watched, by_participant, condition_of
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.journal import Session
from stimuli_store.tasks.types import Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Results:
    """Results of an analysis: fits by comparison and participant, model ranking, simulated observers.

    Attributes
    ----------
    pin, task
        The bank, and the task of all sessions.
    p
        Proportion correct that defines the thresholds.
    headline
        The comparison that is reported first: one with target images themselves if there is any, and of
        these the one with the most answers.
    others
        The other comparisons.
    by_participant
        The headline comparison, one participant each.
    ranking
        Models ranked by their prediction of the answers; None if no model has evidence for all pairs.
    diagnostics
        Checks of the answers (`analysis.ranking.diagnose`).
    observers
        Descriptions of the simulated observers, without repetition; empty for people.
    n_trials, participants
        Number of trials, answered or not, and the names of the participants.
    """

    pin: str
    task: Task
    p: float
    headline: Condition
    others: tuple[Condition, ...]
    by_participant: tuple[Condition, ...]
    ranking: Ranking | None
    diagnostics: tuple[Diagnostic, ...]
    observers: tuple[dict[str, Any], ...]
    n_trials: int
    participants: tuple[str, ...]

    @property
    def unit(self) -> str:
        """Unit of the levels of the headline comparison; empty if there is none."""
        return self.headline.unit

    @property
    def threshold(self) -> float | None:
        """Threshold of the headline comparison, in `unit`; None if there is only d'."""
        return self.headline.fit.threshold if self.headline.fit else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of `threshold`, in `unit`."""
        fit = self.headline.fit
        return (fit.low, fit.high) if fit else None

    @property
    def true_threshold(self) -> float | None:
        """True threshold of the simulated observers; None if any answer came from a person."""
        return self.headline.true_threshold

    @property
    def best(self) -> tuple[str, ...]:
        """Labels of the models that agree best with the answers; several where they are not told apart."""
        return self.ranking.best if self.ranking else ()


def sessions_of(sessions: Sequence[Session], task: str) -> tuple[Session, ...]:
    """Return the sessions of one task by its name.

    Raises
    ------
    InputError
        If no session is of this task; those that there are are named.
    """
    found = tuple(session for session in sessions if session.header.task.name == task)
    if not found:
        names = sorted({session.header.task.name for session in sessions})
        raise unknown_name("task of these sessions", task, names)
    return found


def analyse(
    bank: Bank, sessions: Sequence[Session], *, p: float = 0.75, seed: int = 0
) -> tuple[Results, Answers]:
    """Return the results of sessions run with a bank, and the answers they were computed from.

    Parameters
    ----------
    bank, sessions
        From `stimuli_store.open_bank` and `analysis.data.journals.read_sessions`; all of one task.
    p
        Proportion correct that defines the thresholds.
    seed
        Seed of the resampling behind the ranking's intervals.

    Raises
    ------
    PinMismatch
        If a session was run with another bank.
    InputError
        If no trial was answered, the sessions are of several tasks, or of people and simulated observers.
    """
    task, answers = task_of_sessions(sessions), answers_of(bank, sessions)
    answered = answers.kept
    if not len(answered):
        raise InputError("no trial of these sessions was answered, so there is nothing to fit")
    watched = _watched(bank, sessions)
    answered = answered.assign(comparison=answered.comparison.fillna("all trials"))
    conditions = _conditions(answered, task, watched, p)
    ranking = _ranking(answers, seed)
    shares = {c.name: _share_of_targets(bank, answered[_of(answered, c)], task) for c in conditions}
    headline = max(conditions, key=lambda c: (shares[c.name] > 0.5, c.n_trials.sum()))
    results = Results(
        pin=bank.pin,
        task=task,
        p=p,
        headline=headline,
        others=tuple(c for c in conditions if c is not headline),
        by_participant=by_participant(answered[_of(answered, headline)], task, watched, p),
        ranking=ranking,
        diagnostics=ranking.diagnostics if ranking else diagnose(answers),
        observers=_observers(sessions),
        n_trials=int(meant(answers).sum()),
        participants=tuple(sorted(set(answers.table.participant))),
    )
    return results, answers


def _conditions(
    answered: "pd.DataFrame", task: Task, watched: Watched, p: float
) -> list[Condition]:
    several = answered.rule.nunique() > 1
    made = []
    for (comparison, rule), rows in answered.groupby(["comparison", "rule"], observed=True):
        name = f"{comparison} ({rule})" if several else str(comparison)
        made.append(condition_of(rows, task, watched, p, name))
    return made


def _of(answered: "pd.DataFrame", condition: Condition) -> "pd.Series":
    return (answered.comparison == condition.comparison) & (answered.rule == condition.rule)


def _share_of_targets(bank: Bank, rows: "pd.DataFrame", task: Task) -> float:
    """Return the share of trials in which one of the two stimuli is a target image itself."""
    known = [rows[STIMULUS + role].isin(list(bank.references)) for role in task.contrast]
    return float((known[0] | known[1]).mean())


def _watched(bank: Bank, sessions: Sequence[Session]) -> Watched:
    """Return the observer, and the trial as it was planned, of every trial."""
    found = {}
    for session in sessions:
        observer = observer_of(bank, session)
        header = session.header
        for record in session.records:
            key = (header.participant, header.session, header.run, record.trial.index)
            found[key] = (observer, record.trial)
    return found


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


def _ranking(answers: Answers, seed: int) -> Ranking | None:
    can_be_ranked = set(answers.models).difference(models_without_evidence(answers))
    return rank(answers, seed=seed) if can_be_ranked else None


def _observers(sessions: Sequence[Session]) -> tuple[dict[str, Any], ...]:
    found: list[dict[str, Any]] = []
    for session in sessions:
        if is_simulated(session) and dict(session.header.observer or {}) not in found:
            found.append(dict(session.header.observer or {}))
    return tuple(found)

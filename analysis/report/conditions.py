"""Conditions: the answers of one comparison (or one participant in it), level by level, with their fits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.data.tables import level_counts
from analysis.fits.fit import Fit
from analysis.fits.fitting import fit_psychometric
from analysis.fits.scaling import ScalingFit, fit_critical_scaling
from analysis.observers.criterion import dprime_of_rates, operating_of
from analysis.observers.from_counts import DPrime, dprime_from_counts, dprime_from_hits
from analysis.observers.links import link_of
from analysis.observers.model_observer import ModelObserver, pooled_true_threshold
from analysis.observers.structure import signal_of, structure_of
from stimuli_store.errors import InputError
from stimuli_store.records.trials import Trial
from stimuli_store.tasks.types import Task

if TYPE_CHECKING:
    import pandas as pd

Case = float | str | None
#: Participant, session, run and index of a trial to its simulated observer (None: a person) and the trial.
Watched = Mapping[tuple[str, int, int, int], tuple[ModelObserver | None, Trial]]
_WINDOWS = ("window", "scaling")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Answers of one comparison, or of one participant in it, and what was fitted to them.

    Attributes
    ----------
    name, comparison
        Name of the comparison or of the participant, and the comparison.
    task, rule
        Task and decision rule.
    unit
        Unit of the levels; empty if there is none.
    levels
        Numbers in ascending order, then words, then None for trials without a level.
    n_correct, n_trials
        Answered trials by level (L,).
    dprimes
        d' at each level; None where trials with, or without, a difference are missing from a task with a
        criterion.
    true_dprimes
        d' of the simulated observers at each level: the one at which an observer without lapses is right as
        often as they are on average. None for people.
    fit
        The psychometric function and its threshold; None if levels are not numbers, or there is one only,
        or the task has a criterion.
    scaling
        Critical-scaling fit of window sizes; None for other levels.
    true_threshold
        The simulated observers' own threshold; None if any answer came from a person.
    """

    name: str
    comparison: str
    task: Task
    rule: str
    unit: str
    levels: tuple[Case, ...]
    n_correct: np.ndarray
    n_trials: np.ndarray
    dprimes: tuple[DPrime | None, ...]
    true_dprimes: tuple[float | None, ...]
    fit: Fit | None
    scaling: ScalingFit | None
    true_threshold: float | None

    @property
    def numbers(self) -> np.ndarray:
        """The levels as numbers (L,); NaN for words and missing ones."""
        return np.array([np.nan if _is_no_number(v) else v for v in self.levels], dtype=np.float64)


def condition_of(
    rows: "pd.DataFrame", task: Task, watched: Watched, p: float, name: str
) -> Condition:
    """Return the condition of some answered trials, all of one comparison and rule.

    Raises
    ------
    InputError
        If their levels have several units.
    """
    rule, units = str(rows.rule.iloc[0]), sorted({str(u) for u in rows.unit.dropna()})
    if len(units) > 1:
        raise InputError(
            f"the levels of {name} have several units ({', '.join(units)}); analyse these sessions apart"
        )
    by_level = list(_by_level(rows))
    levels = tuple(level for level, _ in by_level)
    numbers = not any(_is_no_number(level) for level in levels)
    fit, scaling, true = None, None, None
    if numbers and len(levels) > 1 and not task.criterion:
        counts = level_counts(rows)
        positive = bool(counts[0].min() > 0)
        link = link_of(task, rule)
        fit = fit_psychometric(*counts, guess=link.guess, p=p, axis="log" if positive else "linear")
        if positive and any(word in " ".join(units) for word in _WINDOWS):
            scaling = fit_critical_scaling(*counts, task=task, rule=rule)
        true = _true_threshold(rows, watched, p) if positive else None
    return Condition(
        name=name,
        comparison=str(rows.comparison.iloc[0]),
        task=task,
        rule=rule,
        unit=units[0] if units else "",
        levels=levels,
        n_correct=np.array([float(part.n_correct.sum()) for _, part in by_level]),
        n_trials=np.array([float(part.n_trials.sum()) for _, part in by_level]),
        dprimes=tuple(_dprime(part, task, rule) for _, part in by_level),
        true_dprimes=tuple(_true_dprime(part, task, rule, watched) for _, part in by_level),
        fit=fit,
        scaling=scaling,
        true_threshold=true,
    )


def _is_no_number(level: object) -> bool:
    return level is None or isinstance(level, str)


def _by_level(rows: "pd.DataFrame") -> "Iterator[tuple[Case, pd.DataFrame]]":
    """Yield the trials of each level: numbers in ascending order, words, then trials without one."""
    levels: list[Case] = [
        None if v is None or v != v else v if isinstance(v, str) else float(v) for v in rows.level
    ]
    numbers = sorted({v for v in levels if v is not None and not isinstance(v, str)})
    words = sorted({v for v in levels if isinstance(v, str)})
    for level in (*numbers, *words, *([None] if None in levels else [])):
        yield level, rows[[v == level for v in levels]]


def _dprime(rows: "pd.DataFrame", task: Task, rule: str) -> DPrime | None:
    if not task.criterion:
        return dprime_from_counts(int(rows.n_correct.sum()), int(rows.n_trials.sum()), task, rule)
    reports = task.answers[signal_of(structure_of(task))]
    differs, said = rows.answer == reports, rows.response == reports
    if differs.all() or not differs.any():
        return None
    return dprime_from_hits(
        int((differs & said).sum()),
        int(differs.sum()),
        int((~differs & said).sum()),
        int((~differs).sum()),
        task,
        rule,
    )


def _observed(rows: "pd.DataFrame", watched: Watched) -> list[tuple[ModelObserver, Trial]] | None:
    """Return the simulated observer and the trial of each row; None if a person answered any of them."""
    keys = zip(rows.participant, rows.session, rows.run, rows.trial, strict=True)
    found = [
        watched[str(person), int(number), int(run), int(trial)]
        for person, number, run, trial in keys
    ]
    known = [(observer, trial) for observer, trial in found if observer is not None]
    return known if len(known) == len(found) else None


def _true_dprime(rows: "pd.DataFrame", task: Task, rule: str, watched: Watched) -> float | None:
    observed = _observed(rows, watched)
    if observed is None:
        return None
    if task.criterion:
        hits, false_alarms = np.mean([observer.rates(t) for observer, t in observed], axis=0)
        return dprime_of_rates(operating_of(task, rule), float(hits), float(false_alarms))
    p = float(np.mean([observer.p_correct(t) for observer, t in observed]))
    return float(link_of(task, rule).dprime(np.array(p)))


def _true_threshold(rows: "pd.DataFrame", watched: Watched, p: float) -> float | None:
    observed = _observed(rows, watched)
    if observed is None:
        return None
    return pooled_true_threshold([(observer, [trial]) for observer, trial in observed], p)


def by_participant(
    own: "pd.DataFrame", task: Task, watched: Watched, p: float
) -> tuple[Condition, ...]:
    """Return a condition for every participant of some answered trials."""
    return tuple(
        condition_of(own[own.participant == name], task, watched, p, str(name))
        for name in sorted(set(own.participant))
    )

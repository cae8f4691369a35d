"""From answers to conditions: grouped, counted by level, fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.answers import Answers
from analysis.data.columns.hits import hit_counts
from analysis.data.counts import Counts, summed_counts
from analysis.fits.engine.settings import named_settings
from analysis.fits.fit import Fit
from analysis.fits.fitting import fit_counts
from analysis.fits.goodness import goodness_of_fit
from analysis.fits.scaling.fitting import fit_critical_scaling
from analysis.fits.scaling.record import ScalingFit
from analysis.observers.counted.dprime_result import DPrime
from analysis.observers.counted.from_counts import dprimes_from_counts
from analysis.observers.counted.from_hits import dprimes_from_hits
from analysis.observers.links import link_of
from analysis.report.conditions import MISFIT_DRAWS, Case, Condition
from analysis.report.levels_shown import OWN, POOLED, caution_on_levels
from analysis.report.populations import population_dprimes, population_of, typical_of
from analysis.report.truth import Truths, true_dprimes, true_threshold_of
from stimuli_store.tasks.types import Task

_RULE = 2  # place of the rule among the keys of a condition
_WINDOWS = ("window", "scaling")
_HALF = 0.5  # guess rate of answers without a task


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of conditions: proportion correct of the threshold, rules of d', true observers, seed."""

    p: float
    rules: Sequence[str]
    truths: Truths
    seed: int


@dataclass(frozen=True, kw_only=True)
class ConditionGroup:
    """Answers of one condition, with its name and the unit of its levels."""

    name: str
    unit: str
    answers: Answers


def condition_groups(answers: Answers, by: Sequence[str]) -> list[ConditionGroup]:
    """Return answers apart by people and simulated observers, task, rule, and the values of some columns.

    Levels in several units are told apart too.

    Raises
    ------
    InputError
        If there is no such column.
    """
    units = ["unit"] if not answers.unit and "unit" in answers.table.columns else []
    keys = ("simulated", "task", "rule", *by, *units)
    groups = list(answers.groups(keys))
    varied = [len({key[i] for key, _ in groups}) > 1 for i in range(len(keys))]
    varied[_RULE] = len({key[1:3] for key, _ in groups}) > len({key[1] for key, _ in groups})
    return [
        ConditionGroup(
            name=_name(key, varied, len(by)),
            unit=str(key[-1] or "") if units else answers.unit,
            answers=part,
        )
        for key, part in groups
    ]


def _name(key: tuple[Any, ...], varied: Sequence[bool], n_by: int) -> str:
    """Return the name of a condition: the values of its columns, then of what else differs from others."""
    simulated, task, rule, *rest = key
    named = ["without" if value is None else _text(value) for value in rest[:n_by]]
    if n_by == 1 and rest[0] is None:
        named = ["all trials"]
    told = [
        _text(value)
        for value, differs in zip(
            (task, rule, *rest[n_by:]), (*varied[1:3], *varied[3 + n_by :]), strict=True
        )
        if differs and value is not None
    ]
    told += ["simulated"] if varied[0] and simulated else []
    name = ", ".join(named) or "all answers"
    return f"{name} ({', '.join(told)})" if told else name


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def condition_of(group: ConditionGroup, settings: Settings) -> Condition:
    """Return a condition with its parts and all that is fitted to them.

    Raises
    ------
    InputError
        If `settings.p` is not between the guess rate of the task and 1.
    """
    part, name, unit = group.answers, group.name, group.unit
    people, images = (
        [(str(key[0]), own) for key, own in part.groups(column) if key[0] is not None]
        for column in ("participant", "image")
    )
    parts = [(name, part), *_several(people), *_several(images)]
    counted = [_Counted.of(own) for _, own in parts]
    fits = _fits(counted, part, settings.p)
    made = [
        _plain(called, own, unit, tally, fit, settings)
        for (called, own), tally, fit in zip(parts, counted, fits, strict=True)
    ]
    whole, n_people = made[0], len(_several(people))
    return replace(
        whole,
        n_participants=len(people),
        n_images=len(images),
        **_threshold(part, whole, made[1 : 1 + n_people], settings.p),
        population_dprimes=population_dprimes(part, whole.levels, whole.task, whole.rule)
        if whole.dprimes
        else (),
        misfit=_misfit(whole.fit, settings.seed) if whole.fit else None,
        scaling=_scaling(whole),
        by_participant=tuple(made[1 : 1 + n_people]),
        by_image=tuple(made[1 + n_people :]),
    )


def _threshold(
    part: Answers, whole: Condition, people: Sequence[Condition], p: float
) -> dict[str, Any]:
    """Return the population's threshold, and a caution if the choice of levels matters to it."""
    if whole.fit is None:
        return {}
    caution = caution_on_levels(part)
    found = typical_of([one.fit for one in people if one.fit], part) if caution else None
    if found is not None:
        return {"population": found, "levels_caution": f"{caution}, {OWN}"}
    return {
        "population": population_of(part, whole.fit, p),
        "levels_caution": caution and f"{caution}; {POOLED}",
    }


def _misfit(fit: Fit, seed: int) -> float:
    return goodness_of_fit(fit, n_draws=MISFIT_DRAWS, seed=seed).deviance.share


def _several(parts: list[tuple[str, Answers]]) -> list[tuple[str, Answers]]:
    return parts if len(parts) > 1 else []


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """Kept rows, their levels in order, and the index of each row's level."""

    rows: pd.DataFrame
    levels: tuple[Case, ...]
    place: np.ndarray

    @classmethod
    def of(cls, answers: Answers) -> "_Counted":
        rows = answers.kept
        codes, found = pd.factorize(rows.level, use_na_sentinel=False)
        cases: list[Case] = [
            None if pd.isna(v) else v if isinstance(v, str) else float(v) for v in found
        ]
        order = sorted(range(len(cases)), key=lambda i: _order(cases[i]))
        return cls(rows=rows, levels=tuple(cases[i] for i in order), place=np.argsort(order)[codes])

    def sums(self, values: Any, mask: Any = True) -> np.ndarray:
        """Return sums of values (n,) by level (L,), over the rows of a mask."""
        weights = np.where(mask, np.asarray(values, dtype=np.float64), 0.0)
        return np.bincount(self.place, weights, minlength=len(self.levels))


def _order(level: Case) -> tuple[int, float, str]:
    if level is None:
        return 2, 0.0, ""
    return (1, 0.0, level) if isinstance(level, str) else (0, level, "")


def _plain(
    name: str, own: Answers, unit: str, tally: _Counted, fit: Fit | None, settings: Settings
) -> Condition:
    """Return a condition without its parts, goodness of fit and critical scaling."""
    rows = tally.rows
    task, rule = own.tasks.get(str(rows.task.iloc[0])), str(rows.rule.iloc[0])
    observed = settings.truths.of(rows)
    above = bool((_finite(tally.levels) > 0).all())
    return Condition(
        name=name,
        task=task,
        rule=rule,
        unit=unit,
        simulated=bool(rows.simulated.iloc[0]),
        n_participants=int(rows.participant.nunique()),
        n_images=int(rows.image.nunique()),
        levels=tally.levels,
        n_correct=tally.sums(rows.n_correct),
        n_trials=tally.sums(rows.n_trials),
        preferences=own.preferences,
        dprimes=_dprimes(tally, task, (rule, *settings.rules))
        if task and not own.preferences
        else {},
        true_dprimes=true_dprimes(observed, tally.place, len(tally.levels), task, rule)
        if task and not own.preferences
        else (None,) * len(tally.levels),
        fit=fit,
        true_threshold=true_threshold_of(observed, settings.p) if fit and above else None,
    )


def _finite(levels: Sequence[Case]) -> np.ndarray:
    return np.array([v for v in levels if isinstance(v, float)], dtype=np.float64)


def _fits(counted: Sequence[_Counted], answers: Answers, p: float) -> list[Fit | None]:
    """Return the fits of counts of one task, None where there are not two levels that are numbers."""
    task = answers.tasks.get(str(counted[0].rows.task.iloc[0]))
    chosen = {
        i: _counts(tally)
        for i, tally in enumerate(counted)
        if len(_finite(tally.levels)) > 1 and not any(isinstance(v, str) for v in tally.levels)
    }
    if not chosen or answers.preferences or (task is not None and task.criterion):
        return [None] * len(counted)
    guess = _HALF if task is None else link_of(task, str(counted[0].rows.rule.iloc[0])).guess
    axis = "log" if min(counts.levels[0] for counts in chosen.values()) > 0 else "linear"
    settings = named_settings({"guess": guess, "p": p, "axis": axis})
    made = dict(zip(chosen, fit_counts(list(chosen.values()), settings), strict=True))
    return [made.get(i) for i in range(len(counted))]


def _counts(tally: _Counted) -> Counts:
    levels = _finite(tally.levels)
    right, total = (
        tally.sums(tally.rows[name])[: len(levels)] for name in ("n_correct", "n_trials")
    )
    return summed_counts(levels, right, total)


def _scaling(whole: Condition) -> ScalingFit | None:
    if whole.fit is None or whole.task is None or whole.fit.function.axis != "log":
        return None
    if not any(word in whole.unit for word in _WINDOWS):
        return None
    counts = whole.fit.counts
    return fit_critical_scaling(
        counts.levels, counts.n_correct, counts.n_trials, task=whole.task, rule=whole.rule
    )


def _dprimes(
    tally: _Counted, task: Task, rules: Sequence[str]
) -> Mapping[str, tuple[DPrime | None, ...]]:
    """Return d' at each level under each of several rules."""
    if not task.criterion:
        right, total = (tally.sums(tally.rows[name]) for name in ("n_correct", "n_trials"))
        return {
            rule: dprimes_from_counts(right, total, task, rule) for rule in dict.fromkeys(rules)
        }
    kin = np.zeros(len(tally.levels), dtype=np.intp)
    counts = hit_counts(tally.rows, tally.place, kin, task)
    known = np.flatnonzero((counts[1] > 0) & (counts[3] > 0))
    found: dict[str, tuple[DPrime | None, ...]] = {}
    for rule in dict.fromkeys(rules):
        made = _from_hits(counts[:, known], task, rule)
        at = dict(zip(known.tolist(), made, strict=True))
        found[rule] = tuple(at.get(i) for i in range(len(tally.levels)))
    return found


def _from_hits(counts: np.ndarray, task: Task, rule: str) -> tuple[DPrime, ...]:
    hits, n_signal, alarms, n_noise = counts
    return dprimes_from_hits(hits, n_signal, alarms, n_noise, task, rule) if len(hits) else ()

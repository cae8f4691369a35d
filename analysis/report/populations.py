"""Thresholds and d' of a population: intervals for new people and images, where there are enough of them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from analysis.curves.axes import from_axis, to_axis
from analysis.data.answers import Answers
from analysis.fits.fit import Fit, FitStatus
from analysis.fits.population import population_dprime, population_threshold
from analysis.infer.population import FEWEST, PopulationEstimate, whom
from analysis.report.conditions import Case, lowest_of
from stimuli_store.tasks.types import Task

_MOST_LEVELS = 12
#: Outcomes of a fit whose curve passes p.
_PASSING = frozenset(
    {FitStatus.CONVERGED, FitStatus.FALLING, FitStatus.EXTRAPOLATED, FitStatus.UNDETERMINED}
)
_KEYS = ("participant", "image")


def population_of(answers: Answers, fit: Fit, p: float) -> PopulationEstimate | None:
    """Return the threshold of the population with its interval, from the answers of one condition.

    It is None where there is one participant, or fewer than three of both people and images, and where the
    answers bound it on neither side.
    """
    if not _enough(answers):
        return None
    rows = answers.kept
    rows = rows[np.isfinite(rows.level.astype(np.float64))]
    keys = [*_keys(answers), "level"]
    cells = rows.groupby(keys, observed=True)[["n_correct", "n_trials"]].sum().reset_index()
    found = population_threshold(
        cells.participant.to_numpy(dtype=str),
        cells.image.to_numpy(dtype=str) if "image" in keys else None,
        cells.level.to_numpy(dtype=np.float64),
        cells.n_correct.to_numpy(),
        cells.n_trials.to_numpy(),
        guess=fit.function.guess,
        p=p,
        axis=fit.function.axis,
        rising=fit.rising,
    )
    # People weigh equally here and trials in the fit: others are known no better than those who took part.
    found = replace(found, low=min(found.low, fit.low), high=max(found.high, fit.high))
    lowest = lowest_of(fit)
    known = lowest < found.value < np.inf and (found.low > lowest or found.high < np.inf)
    return found if known else None


def typical_of(fits: Sequence[Fit], answers: Answers) -> PopulationEstimate | None:
    """Return the mean of everybody's own threshold on the axis, with Student's interval.

    Levels that follow the answers of each person bias it little, and the threshold of pooled answers much. A
    threshold beyond the levels, or with an open interval, counts too: it is that of somebody far from the
    others. It is None where somebody of the answers has none at all, or there are fewer than three.
    """
    n_people, n_images = (answers.kept[name].nunique() for name in _KEYS)
    passed = [f for f in fits if f.status in _PASSING and lowest_of(f) < f.threshold < np.inf]
    if n_people < FEWEST or len(passed) < n_people:
        return None
    axis = passed[0].function.axis
    own = to_axis([fit.threshold for fit in passed], axis)
    sd = float(own.std(ddof=1))
    se = sd / np.sqrt(n_people)
    half = float(stdtrit(n_people - 1, 0.975)) * se
    value, low, high = from_axis(own.mean() + np.array([0.0, -half, half]), axis).tolist()
    return PopulationEstimate(
        value=value,
        low=low,
        high=high,
        for_whom=whom(n_people, min(n_images, 1)),
        df=n_people - 1.0,
        se=se,
        sd_participants=sd,
        sd_images=np.nan,
        n_participants=n_people,
        n_images=n_images,
    )


def population_dprimes(
    answers: Answers, levels: Sequence[Case], task: Task | None, rule: str
) -> tuple[PopulationEstimate | None, ...]:
    """Return d' of the population at each level, None where it has none, as in a task with a criterion."""
    none = (None,) * len(levels)
    if task is None or task.criterion or len(levels) > _MOST_LEVELS:
        return none
    return tuple(_dprime_at(answers, level, task, rule) for level in levels)


def _dprime_at(answers: Answers, level: Case, task: Task, rule: str) -> PopulationEstimate | None:
    at = answers.table.level.isna() if level is None else answers.table.level == level
    part = answers.exclude("another level", ~np.asarray(at, dtype=bool))
    if not _enough(part):
        return None
    keys = _keys(part)
    cells = part.kept.groupby(keys, observed=True)[["n_correct", "n_trials"]].sum().reset_index()
    found = population_dprime(
        cells.participant.to_numpy(dtype=str),
        cells.image.to_numpy(dtype=str) if "image" in keys else None,
        cells.n_correct.to_numpy(),
        cells.n_trials.to_numpy(),
        task=task,
        rule=rule,
    )
    known = np.isfinite(found.value) and (found.low > 0 or found.high < np.inf)
    return found if known else None


def _keys(answers: Answers) -> list[str]:
    """Return the columns of people and images, the latter if every row has one."""
    return [name for name in _KEYS if answers.kept[name].notna().all()]


def _enough(answers: Answers) -> bool:
    rows = answers.kept
    n_people, n_images = (rows[name].nunique() for name in _KEYS)
    return n_people > 1 and (n_people >= FEWEST or n_images >= FEWEST)

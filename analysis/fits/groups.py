"""One psychometric function for each group of answers, such as each participant in each condition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.answers import Answers
from analysis.data.columns.hits import differing, reports
from analysis.data.columns.meanings import unit_hint
from analysis.data.counts import Counts, summed_counts
from analysis.data.kinds import apart_from, scored_answers
from analysis.fits.engine.settings import named_settings
from analysis.fits.fit import SUMMARY, Fit
from analysis.fits.fitting import fit_counts
from analysis.observers.links import link_of
from stimuli_store.errors import InputError
from stimuli_store.tools import html
from stimuli_store.tools.gates import takes
from stimuli_store.tools.svg import interval_drawing

GroupKey = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Fits:
    """Fits of groups of answers, in ascending order of their keys.

    Attributes
    ----------
    by
        Columns that tell the groups apart; empty if all answers are one group.
    keys
        Values of these columns for each group.
    fits
        One fit for each group.
    unit
        Unit of the levels.
    simulated
        Whether simulated observers gave the answers.
    person
        Name in `by` of the column of participants; "" if the fits are not by participant.
    n_images
        Number of images in all answers; 0 if they are not told apart.

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import fit
    >>> fits = fit(answers, by="participant")
    >>> fits.keys
    (('S01',), ('S02',), ('S03',))
    """

    by: tuple[str, ...]
    keys: tuple[GroupKey, ...]
    fits: tuple[Fit, ...]
    unit: str = ""
    simulated: bool = False
    person: str = ""
    n_images: int = 0

    @property
    def table(self) -> pd.DataFrame:
        """A row for each group: its key, threshold with interval, curve, goodness and status."""
        rows = [
            {**dict(zip(self.by, key, strict=True)), **fit.summary} for key, fit in self.items()
        ]
        return pd.DataFrame(rows)

    def items(self) -> Iterator[tuple[GroupKey, Fit]]:
        """Yield each key with its fit."""
        yield from zip(self.keys, self.fits, strict=True)

    def only(self, **equal: Any) -> "Fits":
        """Return the groups whose keys have the given values, as in ``fits.only(condition="near")``.

        Raises
        ------
        InputError
            If a name is no key, or no group has these values.
        """
        for name in equal:
            self._place(name)
        chosen = [
            (key, fit)
            for key, fit in self.items()
            if all(key[self._place(name)] == value for name, value in equal.items())
        ]
        if not chosen:
            raise InputError(f"no group has {', '.join(f'{k} = {v!r}' for k, v in equal.items())}")
        keys, fits = zip(*chosen, strict=True)
        return replace(self, keys=keys, fits=fits)

    def values_of(self, name: str) -> tuple[Any, ...]:
        """Return the values of one of the keys (G,)."""
        place = self._place(name)
        return tuple(key[place] for key in self.keys)

    def _place(self, name: str) -> int:
        if name not in self.by:
            raise InputError(
                f"these fits are not by {name!r}, but by {', '.join(self.by) or 'nothing'}; "
                f"fit(answers, by=[..., {name!r}]) makes some that are"
            )
        return self.by.index(name)

    def __getitem__(self, key: Any) -> Fit:
        """Return the fit of one group; its key is a tuple, or the value where there is one column."""
        wanted = key if isinstance(key, tuple) else (key,)
        for known, fit in self.items():
            if known == wanted:
                return fit
        raise InputError(
            f"no group is called {key!r}; the first of {len(self)} is {self.keys[0]!r}, by "
            f"{', '.join(self.by) or 'nothing'}"
        )

    def __len__(self) -> int:
        return len(self.fits)

    def __iter__(self) -> Iterator[Fit]:
        return iter(self.fits)

    def __repr__(self) -> str:
        by = f" by {', '.join(self.by)}" if self.by else ""
        if len(self) == 1:
            return f"Fits(1 fit{by}: {self.fits[0]!r})"
        unsure = sum(not fit.status.is_found for fit in self.fits)
        rest = f", {unsure} without a threshold to rely on" if unsure else ""
        return f"Fits({len(self)} fits{by}{rest})"

    def _repr_html_(self) -> str:
        shown = self.table.drop(columns=["p", "guess", "deviance", "dispersion"])
        rows = [[_short(value) for value in row] for row in shown.itertuples(index=False)]
        drawn = [
            (" ".join(map(str, key)), fit.threshold, fit.low, fit.high) for key, fit in self.items()
        ]
        table = html.table([str(name) for name in shown.columns], rows)
        return table + interval_drawing(drawn, "thresholds with their intervals")


@takes(answers=scored_answers, by=apart_from(*SUMMARY))
def fit(answers: Answers, by: str | Sequence[str] = (), **settings: Any) -> Fits:
    """Fit a psychometric function to each group of answers, all in one computation.

    In a task with a criterion the curve is of the proportion of reports of a difference ("yes"), right or
    not, and its guess rate is free. Trials without a difference are a point of it, at a level below all
    others.

    Parameters
    ----------
    answers
        From `read_trials` or `answers_of`; rows that are left out do not count.
    by
        Columns that tell the groups apart, by role or by the user's own name; by default all answers are
        one group.
    **settings
        As for `fit_psychometric`. The guess rate is that of each group's task unless it is given. The axis is
        logarithmic if all levels are above 0, else linear.

    Raises
    ------
    InputError
        If a column is unknown, levels are no numbers, a group is of several tasks, or a setting is not valid,
        or, in a task with a criterion, trials without a difference have levels of those with one.

    Examples
    --------
    >>> from analysis.data.reading import read_trials
    >>> levels, right = [8, 16, 32, 64, 128], [26, 31, 41, 48, 49]
    >>> answers = read_trials([[x, k, 50] for x, k in zip(levels, right)], task="2afc")
    >>> fit(answers)[()]
    Fit(25 [18, 35.3] at 0.75, normal, 250 trials, CONVERGED)
    >>> table = {"size": levels, "n_correct": right, "n_trials": 50}
    >>> fit(read_trials(pd.DataFrame(table), {"level": "size"}, task="2afc", unit="px"))
    Fits(1 fit: Fit(size (pixels) 25 [18, 35.3] at 0.75, normal, 250 trials, CONVERGED))
    """
    groups = list(answers.groups(by)) if by else [((), answers)]
    rows = answers.kept
    if not len(rows):
        raise InputError("no answer is left to fit; look at answers.exclusions")
    settings.setdefault("axis", "log" if _levels(rows).min() > 0 else "linear")
    keys = tuple(key for key, _ in groups)
    counts = [_counts(part) for _, part in groups]
    given = named_settings(settings)
    own_task = "guess" not in settings
    guesses = [guess_of(part) if own_task else given.guess for _, part in groups]
    found: dict[int, Fit] = {}
    for guess in dict.fromkeys(guesses):
        rows_of = [i for i, own in enumerate(guesses) if own == guess]
        made = fit_counts(
            [counts[i] for i in rows_of], named_settings({**settings, "guess": guess})
        )
        found.update(zip(rows_of, made, strict=True))
    name = next((own for own, role in answers.columns.items() if own != role == "level"), "")
    return Fits(
        by=tuple(by),
        keys=keys,
        fits=tuple(
            replace(found[i], level_name=name, unit=unit_of(part))
            for i, (_, part) in enumerate(groups)
        ),
        unit=answers.unit,
        simulated=bool(rows.simulated.any()),
        person=next((name for name in by if answers.column(name) == "participant"), ""),
        n_images=int(rows.image.nunique()),
    )


def unit_of(answers: Answers) -> str:
    """Return the unit of answers' levels; "" if there is none, or several."""
    if answers.unit or "unit" not in answers.kept:
        return answers.unit
    found = answers.kept["unit"].dropna().unique()
    return str(found[0]) if len(found) == 1 else ""


def guess_of(answers: Answers) -> float | str:
    """Return the guess rate of answers' task; ``"free"`` in a task with a criterion, 0.5 without a task.

    Raises
    ------
    InputError
        If the answers are of several tasks.
    """
    if not answers.tasks:
        return 0.5
    task = answers.task
    return "free" if task.criterion else link_of(task).guess


def _counts(answers: Answers) -> Counts:
    rows, tasks = answers.kept, answers.tasks
    levels = _levels(rows)
    if not tasks or not answers.task.criterion:
        return summed_counts(levels, rows.n_correct.to_numpy(), rows.n_trials.to_numpy())
    task = answers.task
    if rows.answer.isna().any():
        raise InputError(
            f"in the task {task.name!r} a curve is of reports of a difference; name the columns of the right "
            "and the given answer with the roles answer and response"
        )
    differs = differing(rows, task)
    if differs.any() and (levels[~differs] >= levels[differs].min()).any():
        only = sorted(rows.answer[differs].unique())[0]
        raise InputError(
            "trials without a difference have levels of trials with one, but are no point of a curve there; "
            "give them level 0, fit the others alone, as in "
            f"fit(answers.only(answer={only!r})), or compare d' by level (dprimes)"
        )
    return summed_counts(levels, reports(rows, task), rows.n_trials.to_numpy())


def _levels(rows: pd.DataFrame) -> np.ndarray:
    try:
        levels = rows.level.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        hint = unit_hint(rows.level.dropna().unique())
        raise InputError(
            "a psychometric function needs levels that are numbers; these are words, so compare their "
            f"groups by d' (dprimes){'; ' + hint if hint else ''}"
        ) from error
    if np.isnan(levels).all():
        raise InputError(
            "these answers have no levels; name their column with the role level, or look at d' (dprimes)"
        )
    if np.isnan(levels).any():
        raise InputError(
            "some answers have no level; leave them out with answers.exclude('no level', "
            "answers.table.level.isna())"
        )
    return levels


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""Sensitivity d' of each group of answers, such as each model or condition."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.answers import Answers
from analysis.data.columns.hits import hit_counts
from analysis.data.kinds import apart_from, scored_answers
from analysis.fits.groups import GroupKey
from analysis.fits.population import population_dprime
from analysis.infer.jackknife import WEIGHINGS
from analysis.infer.population import FEWEST, OWN_CRITERIA, whom
from analysis.observers.counted.dprime_result import DPrime, DPrimeStatus
from analysis.observers.counted.from_counts import dprimes_from_counts
from analysis.observers.counted.from_hits import dprimes_from_hits
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools import html
from stimuli_store.tools.gates import one_of, takes
from stimuli_store.tools.svg import interval_drawing

_RESULTS = (
    *("dprime", "low", "high", "for_whom", "status", "n_correct", "n_trials"),
    *("hits", "signal_trials", "false_alarms", "noise_trials", "criterion", "bias"),
)
_Asked = tuple[str, str]  # names of a task and a rule
_Group = tuple[GroupKey, Answers]


@dataclass(frozen=True, kw_only=True, eq=False)
class DPrimes:
    """d' of groups of answers, in ascending order of their keys.

    Attributes
    ----------
    by
        Columns that tell the groups apart; empty if all answers are one group.
    keys
        Values of these columns for each group.
    found
        d' of each group, with its interval and counts.
    for_whom
        Whom each interval speaks for: "new people and new images", or "these people …" who took part.
    unit
        Unit of the levels.

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import dprimes
    >>> len(dprimes(answers, by="level"))
    4
    """

    by: tuple[str, ...]
    keys: tuple[GroupKey, ...]
    found: tuple[DPrime, ...]
    for_whom: tuple[str, ...]
    unit: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """A row for each group: its key, d' with its interval, status, counts, and hits if there are any."""
        rows = [
            {
                **dict(zip(self.by, key, strict=True)),
                "dprime": one.estimate,
                "low": one.low,
                "high": one.high,
                "for_whom": whom,
                "status": one.status.name.lower(),
                "n_correct": one.n_correct,
                "n_trials": one.n_trials,
                **_rates(one),
            }
            for key, one, whom in zip(self.keys, self.found, self.for_whom, strict=True)
        ]
        return pd.DataFrame(rows)

    def items(self) -> Iterator[tuple[GroupKey, DPrime]]:
        """Yield each key with its d'."""
        yield from zip(self.keys, self.found, strict=True)

    def __getitem__(self, key: Any) -> DPrime:
        """Return d' of one group; its key is a tuple, or the value where there is one column."""
        wanted = key if isinstance(key, tuple) else (key,)
        for known, one in self.items():
            if known == wanted:
                return one
        raise InputError(
            f"no group is called {key!r}; the first of {len(self)} is {self.keys[0]!r}, by "
            f"{', '.join(self.by) or 'nothing'}"
        )

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[DPrime]:
        return iter(self.found)

    def __repr__(self) -> str:
        unsure = sum(one.status is not DPrimeStatus.ESTIMATED for one in self.found)
        by = f" by {', '.join(self.by)}" if self.by else ""
        rest = f", {unsure} without bound or below chance" if unsure else ""
        return f"DPrimes({len(self)} group{'s' if len(self) != 1 else ''}{by}{rest})"

    def _repr_html_(self) -> str:
        table = self.table
        rows = [
            [f"{v:.3g}" if isinstance(v, float) else str(v) for v in row]
            for row in table.itertuples(index=False)
        ]
        drawn = [
            (" ".join(map(str, key)), one.estimate, one.low, one.high)
            for key, one in zip(self.keys, self.found, strict=True)
        ]
        head = [str(name) for name in table.columns]
        return html.table(head, rows) + interval_drawing(drawn, "d' with its intervals")


@takes(answers=scored_answers, by=apart_from(*_RESULTS), weigh=one_of(*WEIGHINGS))
def dprimes(
    answers: Answers,
    by: str | Sequence[str] = (),
    *,
    rule: str | None = None,
    weigh: str = "participants",
) -> DPrimes:
    """Return d' of each group of answers, with 95 % intervals.

    A group of three people or more has the d' of the average proportion correct, with an interval for new
    people, and for new images if there are three or more (`population_dprime`). A smaller one has the d' and
    interval of its counts (`dprimes_from_counts`), which speak for these people only; so has a group without
    an error, and, from hits and false alarms (`dprimes_from_hits`), each group in a task with a criterion.
    There, by level, trials without a difference at a level of their own, such as 0, count at each of the
    other levels, and have no row.

    Parameters
    ----------
    answers
        From `read_trials` or `answers_of`; rows that are left out do not count.
    by
        Columns that tell the groups apart, by role or by the user's own name; by default all answers are
        one group.
    rule
        Decision rule of all answers; None for that of each trial.
    weigh
        Whether ``"participants"`` (default) or ``"trials"`` count the same in groups of three or more.

    Raises
    ------
    InputError
        If a column is unknown, no task is stated, or a group is of several tasks or rules, or, in a task
        with a criterion, lacks trials with a difference or without one.

    Examples
    --------
    >>> from analysis.data.reading import read_trials
    >>> answers = read_trials([[1, 76, 100], [2, 92, 100]], task="2ifc")
    >>> dprimes(answers, by="level").table.dprime.round(2).tolist()
    [1.0, 1.99]
    """
    chosen = answers if rule is None else answers.with_rule(rule)
    if not len(chosen.kept):
        raise InputError("no answer is left; look at answers.exclusions")
    groups = list(chosen.groups(by))
    asked = [_asked(key, part) for key, part in groups]
    kept = [i for i, name in enumerate(by) if chosen.column(name) != "level"]
    rests = [tuple(key[i] for i in kept) if len(kept) < len(by) else key for key, _ in groups]
    found: dict[int, DPrime] = {}
    for task, one_rule in dict.fromkeys(asked):
        places = [i for i, own in enumerate(asked) if own == (task, one_rule)]
        theirs = [groups[i] for i in places], [rests[i] for i in places]
        made = _estimates(*theirs, chosen.tasks[task], one_rule)
        found |= {i: one for i, one in zip(places, made, strict=True) if one is not None}
    places = sorted(found)
    spoken = [
        _for_new(found[i], groups[i][1], chosen.tasks[asked[i][0]], asked[i][1], weigh)
        for i in places
    ]
    return DPrimes(
        by=tuple(by),
        keys=tuple(groups[i][0] for i in places),
        found=tuple(one for one, _ in spoken),
        for_whom=tuple(said for _, said in spoken),
        unit=answers.unit,
    )


def _for_new(one: DPrime, part: Answers, task: Task, rule: str, weigh: str) -> tuple[DPrime, str]:
    """Return d' with the interval for new people where it can be had, and whom the interval speaks for."""
    rows = part.kept
    images = rows.image.nunique() if rows.image.notna().all() else 0
    these = whom(1, min(images, 1))
    few = rows.participant.nunique() < FEWEST
    if task.criterion and not few:
        return one, f"{these}: {OWN_CRITERIA}"
    if task.criterion or few or one.status is DPrimeStatus.UNBOUNDED:
        return one, these  # people without an error do not say how others may differ
    cells = part.counts(by=["participant", "image"] if images else ["participant"])
    found = population_dprime(
        cells.participant.astype(str),
        cells.image.astype(str) if images else None,
        cells.n_correct,
        cells.n_trials,
        task=task,
        rule=rule,
        weigh=weigh,
    )
    return replace(one, estimate=found.value, low=found.low, high=found.high), found.for_whom


def _asked(key: GroupKey, part: Answers) -> _Asked:
    """Return the task and the rule of a group."""
    task, rules = part.task.name, [str(name) for name in part.kept.rule.unique()]
    if len(rules) > 1:
        raise InputError(
            f"the answers {_of(key)}are of several rules ({', '.join(sorted(rules))}); name one, as in "
            f"dprimes(..., rule={rules[0]!r})"
        )
    return task, rules[0]


def _estimates(
    groups: Sequence[_Group], rests: Sequence[GroupKey], task: Task, rule: str
) -> tuple[DPrime | None, ...]:
    """Return d' of groups; None for trials without a difference that count at other levels."""
    if task.criterion:
        return _from_hits(groups, rests, task, rule)
    right, total = np.array([part.kept[["n_correct", "n_trials"]].sum() for _, part in groups]).T
    return dprimes_from_counts(right, total, task, rule)


def _from_hits(
    groups: Sequence[_Group], rests: Sequence[GroupKey], task: Task, rule: str
) -> tuple[DPrime | None, ...]:
    parts = [part.kept for _, part in groups]
    rows = pd.concat(parts, ignore_index=True)
    if rows.answer.isna().any():
        raise InputError(
            f"d' in the task {task.name!r} needs hits and false alarms; name the columns of the right and "
            "the given answer with the roles answer and response"
        )
    numbers = {rest: number for number, rest in enumerate(dict.fromkeys(rests))}
    kin = np.array([numbers[rest] for rest in rests])
    counts = hit_counts(rows, np.repeat(np.arange(len(parts)), [*map(len, parts)]), kin, task)
    signal, noise = counts[1] > 0, counts[3] > 0
    lends = ~signal & np.isin(kin, kin[signal])
    for (key, _), both, differs in zip(groups, (signal & noise) | lends, signal, strict=True):
        if not both:
            raise InputError(
                f"the answers {_of(key)}are all to trials {'with' if differs else 'without'} a difference; "
                f"d' in the task {task.name!r} needs both sorts in every group (by level, those without "
                "one may have a level of their own)"
            )
    hits, n_signal, alarms, n_noise = counts[:, ~lends]
    made = iter(dprimes_from_hits(hits, n_signal, alarms, n_noise, task, rule))
    return tuple(None if lent else next(made) for lent in lends)


def _of(key: GroupKey) -> str:
    return f"of {', '.join(map(str, key))} " if key else ""


def _rates(one: DPrime) -> dict[str, float]:
    if one.rates is None:
        return {}
    return {
        "hits": one.rates.n_hits,
        "signal_trials": one.rates.n_signal,
        "false_alarms": one.rates.n_false_alarms,
        "noise_trials": one.rates.n_noise,
        "criterion": one.rates.criterion,
        "bias": one.rates.bias,
    }

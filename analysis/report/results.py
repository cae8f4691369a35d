"""Results of an analysis, computed once from answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.data.answers import Answers
from analysis.data.kinds import given_answers, given_bank, sessions_given
from analysis.data.tables import STIMULUS, meant
from analysis.fits.conditions.contrast_record import Contrasts
from analysis.infer.estimates import Estimate
from analysis.ranking.diagnose import diagnose
from analysis.ranking.diagnostics import Diagnostic
from analysis.ranking.records import Ranking
from analysis.report.conditions import Condition
from analysis.report.contrasted import contrasts_of
from analysis.report.grouping import ConditionGroup, Settings, condition_groups, condition_of
from analysis.report.ranked import rankings_of
from analysis.report.ruled import ALL_RULES, left_out, shared_rules, under_rule
from analysis.report.truth import descriptions_of, truths_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools import html
from stimuli_store.tools.gates import a_seed, a_share, a_text, optional, some_names, takes

if TYPE_CHECKING:
    from stimuli_store.bank.reading import Bank
    from stimuli_store.journal import Session

_COMPARISON = "comparison"
_MOST_VALUES = 12  # of a column that may tell conditions apart


@dataclass(frozen=True, kw_only=True)
class Sort:
    """Numbers of sessions and trials of people, or of simulated observers, left out or not."""

    n_sessions: int
    n_trials: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Results:
    """Results of an analysis: conditions with their thresholds and d', rankings of models, checks.

    Attributes
    ----------
    source, pin
        Where the answers came from; the bank they were run with, or "".
    p, seed
        Proportion correct that defines the thresholds, and the seed of all resampling.
    conditions
        Conditions, the headline first: of people before simulated ones; of a bank, those with target images
        themselves before others, and those with more answers first.
    rankings
        Decision rule, or "" for the rule of each trial, to the models ranked under it; of people's answers,
        unless all are simulated.
    not_ranked
        Why models are not ranked; "" if they are, or there is none.
    contrasts, no_contrasts
        Thresholds of the conditions compared in pairs, where one column was asked for, within participants if
        that can be; why they are not compared, or "".
    diagnostics
        Checks of the answers that are ranked (`analysis.ranking.diagnose`).
    observers
        Descriptions of the simulated observers, without repetition; empty for people.
    people, simulated
        Sizes of the two sorts of answers.
    pooled
        Columns with a few values over which the conditions are pooled.
    n_trials, n_images, participants
        Number of trials, answered or not, that were to count, of images that were told apart, and the names
        of the participants.
    notes
        Sentences about what was read and may need a look (`Answers.notes`).

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import analyse
    >>> results = analyse(answers)
    >>> results.headline.for_whom
    'new people and these images'
    """

    source: str
    pin: str
    p: float
    seed: int
    conditions: tuple[Condition, ...]
    rankings: Mapping[str, Ranking]
    not_ranked: str
    contrasts: Contrasts | None
    no_contrasts: str
    diagnostics: tuple[Diagnostic, ...]
    observers: tuple[dict[str, Any], ...]
    people: Sort
    simulated: Sort
    pooled: tuple[str, ...]
    n_trials: int
    n_images: int
    participants: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        named = ", ".join(
            f"{c.name} {c.estimate or 'without threshold'}" for c in self.conditions[:3]
        )
        best = f"; best models {', '.join(self.best)}" if self.best else ""
        return f"Results({self.n_trials} trials: {named}{best})"

    def _repr_html_(self) -> str:
        rows = [
            *((c.name or "threshold", c.estimate or "without threshold") for c in self.conditions),
            ("best models", ", ".join(self.best) or self.not_ranked or "not ranked"),
            ("trials", self.n_trials),
            ("participants", len(self.participants)),
            ("look at", "; ".join(self.notes) or "nothing"),
        ]
        return html.table((), rows)

    @property
    def headline(self) -> Condition:
        """The condition that is reported first."""
        return self.conditions[0]

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of all conditions, each once."""
        tasks = {c.task.name: c.task for c in self.conditions if c.task is not None}
        return tuple(tasks.values())

    @property
    def unit(self) -> str:
        """Unit of the levels of the headline condition; empty if there is none."""
        return self.headline.unit

    @property
    def estimate(self) -> Estimate | None:
        """Threshold of the headline condition, in `unit`; None if the answers do not determine one."""
        return self.headline.estimate

    @property
    def threshold(self) -> float | None:
        """Value of `estimate`; None without one."""
        return self.estimate.value if self.estimate else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of `estimate`; None without one."""
        return (self.estimate.low, self.estimate.high) if self.estimate else None

    @property
    def true_threshold(self) -> float | None:
        """True threshold of the simulated observers; None if any answer came from a person."""
        return self.headline.true_threshold

    @property
    def ranking(self) -> Ranking | None:
        """The first ranking; None without one."""
        return next(iter(self.rankings.values()), None)

    @property
    def best(self) -> tuple[str, ...]:
        """Labels of the models that agree best with the answers; several where they are not told apart."""
        return self.ranking.best if self.ranking else ()


@takes(
    answers=given_answers,
    bank=optional(given_bank),
    sessions=sessions_given,
    by=optional(some_names),
    p=a_share,
    rule=optional(a_text),
    seed=a_seed,
)
def analyse(
    answers: Answers,
    *,
    bank: "Bank | None" = None,
    sessions: "Sequence[Session]" = (),
    by: Sequence[str] | None = None,
    p: float = 0.75,
    rule: str | None = None,
    seed: int = 0,
) -> Results:
    """Return the results of some answers: thresholds and d' by condition, models ranked, checks.

    Answers of people and of simulated observers are never in one fit; if there are both, the models are
    ranked by the people's.

    Parameters
    ----------
    answers
        From `analysis.read_trials` or `analysis.answers_of`; of one or several tasks.
    bank, sessions
        Bank and sessions that the answers are of, for the truth about simulated observers.
    by
        Columns whose values are conditions; None for ``comparison``, if there is such a column.
    p
        Proportion correct that defines the thresholds.
    rule
        Decision rule under which the answers are analysed; None for that of each trial. ``"all"`` gives d'
        and the ranking under every rule that the tasks have.
    seed
        Seed of the resampling behind the ranking's intervals and goodness of fit.

    Raises
    ------
    InputError
        If no answer is left, there is no such column or rule, or `p` is not between the guess rate and 1.

    Examples
    --------
    >>> from analysis import read_trials
    >>> counts = [[8, 26, 50], [16, 31, 50], [32, 41, 50], [64, 48, 50]]
    >>> results = analyse(read_trials(counts, task="2ifc", unit="px"))
    >>> results.headline.name, round(results.threshold), results.headline.for_whom
    ('all answers', 25, 'this participant')
    """
    if not (answers.table.excluded == "").any():
        raise InputError(f"no answer is left to analyse: {left_out(answers)}")
    rules = shared_rules(answers) if rule == ALL_RULES else ()
    chosen = answers if rule is None or rules else under_rule(answers, rule)
    settings = Settings(p=p, rules=rules, truths=truths_of(bank, sessions), seed=seed)
    columns = _columns(answers) if by is None else tuple(by)
    groups = sorted(condition_groups(chosen, columns), key=lambda group: _place(group, bank))
    ranked = _ranked(chosen)
    rankings, not_ranked = rankings_of(ranked, rules, seed)
    found = next(iter(rankings.values()), None)
    compared, no_contrasts = contrasts_of(ranked, tuple(by or ()), p)
    return Results(
        source=answers.source,
        pin=bank.pin if bank else "",
        p=p,
        seed=seed,
        conditions=tuple(condition_of(group, settings) for group in groups),
        rankings=rankings,
        not_ranked=not_ranked,
        contrasts=compared,
        no_contrasts=no_contrasts,
        diagnostics=found.diagnostics if found else diagnose(ranked),
        observers=descriptions_of(sessions),
        people=_sort(answers, simulated=False),
        simulated=_sort(answers, simulated=True),
        pooled=() if sessions else _pooled(answers, columns),
        n_trials=int(answers.table.n_trials[meant(answers)].sum()),
        n_images=int(answers.table.image.nunique()),
        participants=tuple(sorted(map(str, answers.table.participant.unique()))),
        notes=answers.notes,
    )


def _columns(answers: Answers) -> tuple[str, ...]:
    return (_COMPARISON,) if _COMPARISON in answers.table.columns else ()


def _place(group: ConditionGroup, bank: "Bank | None") -> tuple[bool, bool, float]:
    """Return the place of a condition among others: of people, with target images, with most answers."""
    rows = group.answers.kept
    return (
        bool(rows.simulated.iloc[0]),
        bank is None or _share_of_targets(bank, group.answers, rows) <= 0.5,
        -float(rows.n_trials.sum()) if bank else 0.0,
    )


def _share_of_targets(bank: "Bank", answers: Answers, rows: pd.DataFrame) -> float:
    """Return the share of trials in which one of the two stimuli is a target image itself."""
    names = [STIMULUS + role for role in answers.tasks[str(rows.task.iloc[0])].contrast]
    known = [rows[name].isin(list(bank.references)) for name in names if name in rows]
    return float(np.any(known, axis=0).mean()) if known else 0.0


def _ranked(answers: Answers) -> Answers:
    """Return the answers of people, or all if there are none of people."""
    kept = answers.table[answers.table.excluded == ""]
    both = 0 < int(kept.simulated.sum()) < len(kept)
    return answers.only(simulated=False) if both else answers


def _sort(answers: Answers, *, simulated: bool) -> Sort:
    rows = answers.table[answers.table.simulated == simulated]
    names = [name for name in ("participant", "session", "run") if name in rows.columns]
    return Sort(n_sessions=len(rows[names].drop_duplicates()), n_trials=int(rows.n_trials.sum()))


def _pooled(answers: Answers, by: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a few words or whole numbers that tell no conditions apart."""
    told = {answers.column(name) for name in by}
    rest = [name for name in answers.conditions if name not in told]
    return tuple(n for n in rest if 1 < answers.table[n].nunique() <= _MOST_VALUES)

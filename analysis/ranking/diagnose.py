"""All checks of some answers, and the decision rule that they speak for."""

from dataclasses import replace

import numpy as np

from analysis.data.answers import Answers
from analysis.data.cells import Cells, guesses_of
from analysis.data.kinds import given_answers
from analysis.observers.rules import rule_of
from analysis.ranking.answer_checks import below_chance, interval_bias, lapses
from analysis.ranking.course_checks import drift, oddball_asymmetry, timing
from analysis.ranking.diagnostics import Diagnostic, not_checked
from analysis.ranking.dual_bootstrap import resample, spreads_of
from analysis.ranking.folds import folds_of
from analysis.ranking.held_out import score
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import takes

_NAME = "decision rule"
_CHECKS = ("below chance", "interval bias", "oddball asymmetry", "lapses", "drift", "timing")


@takes(answers=given_answers)
def diagnose(answers: Answers) -> tuple[Diagnostic, ...]:
    """Return the checks of answers that need no model.

    They are: below chance, interval bias, oddball asymmetry, lapses, drift and timing. Each has a sentence,
    and a p-value or an interval; one that cannot be made says why, as all of them do of preferences.

    Parameters
    ----------
    answers
        From `read_trials` or `answers_of`; those that are left out are not looked at.

    Examples
    --------
    >>> from analysis import read_trials
    >>> rows = [[1, 2, 40], [2, 30, 40]]
    >>> found = diagnose(read_trials(rows, task="2ifc"))
    >>> [check.name for check in found if check.alarming]
    ['below chance']
    """
    rows = answers.kept
    if answers.preferences:
        return tuple(not_checked(name, "no answer is right") for name in _CHECKS)
    tasks = {name: task for name, task in answers.tasks.items() if (rows["task"] == name).any()}
    return (
        below_chance(rows, tasks),
        interval_bias(rows, tasks),
        oddball_asymmetry(rows, tasks),
        lapses(rows),
        drift(rows, answers.conditions, in_time=answers.in_time),
        timing(rows),
    )


def decision_rule(cells: Cells, label: str, *, n_draws: int, seed: int) -> Diagnostic:
    """Return the rule of the task under which a model predicts the answers best, beside the others.

    Parameters
    ----------
    cells
        Answers to one task.
    label
        The model.
    n_draws, seed
        As in `analysis.ranking.rank.rank`.
    """
    if len(cells.tasks) != 1:
        return not_checked(_NAME, "there are several tasks")
    (task,) = cells.tasks.values()
    rules = rules_of(task)
    if len(rules) < 2:
        return not_checked(_NAME, "the task has one rule only")
    folds = folds_of(cells.participant, cells.image, cells.pair)
    if not folds.held_out:
        return not_checked(_NAME, "nothing can be held out")
    bits = {}
    for rule in rules:
        under = replace(cells, rule=np.full(len(cells.rule), rule))
        bits[rule] = score(under, label, folds, guesses_of(under)).held_out
    order = sorted(rules, key=lambda rule: -bits[rule].sum())
    resampled = resample(
        np.stack([bits[rule] for rule in order]),
        cells.n_trials,
        cells.participant,
        cells.image,
        n_draws=n_draws,
        seed=seed,
    )
    if not resampled.draws:
        return not_checked(_NAME, "there is one participant and one image")
    gaps = spreads_of(resampled, np.eye(len(order))[:1] - np.eye(len(order))[1:])
    worse = [
        f"{rule} by {gap.mean:.4f} [{gap.low:.4f}, {gap.high:.4f}]"
        for rule, gap in zip(order[1:], gaps, strict=True)
    ]
    return Diagnostic(
        name=_NAME,
        sentence=f"{label} predicts the answers best under the rule {order[0]}; worse in bits per trial: "
        + ", ".join(worse),
        p=gaps[0].p,
        value=gaps[0].mean,
        low=gaps[0].low,
        high=gaps[0].high,
    )


def rules_of(task: Task) -> list[str]:
    """Return the decision rules of a task that its cells determine."""
    return [rule for rule in task.rules if _is_rule(task, rule)]


def _is_rule(task: Task, rule: str) -> bool:
    try:
        return rule_of(task, rule) == rule
    except InputError:
        return False

"""Rules under which answers are analysed, and answers that are left out, in words."""

from analysis.data.answers import Answers
from analysis.ranking.diagnose import rules_of
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks.types import Task

#: Name that stands for every decision rule that the tasks have.
ALL_RULES = "all"


def left_out(answers: Answers) -> str:
    """Return the reasons why answers are left out, each with its number of trials."""
    reasons = answers.exclusions
    return (
        ", ".join(f"{r.reason} {r.trials}" for r in reasons.itertuples())
        + " of "
        + str(len(answers))
    )


def shared_rules(answers: Answers) -> tuple[str, ...]:
    """Return the decision rules that all tasks have, in the order of the first."""
    known = [rules_of(task) for task in _tasks(answers)]
    shared = [rule for rule in known[0] if all(rule in others for others in known)] if known else []
    if not shared:
        raise InputError(
            "no decision rule is shared by all tasks of these answers "
            f"({', '.join(answers.tasks) or 'none is stated'}); take one task"
        )
    return tuple(shared)


def under_rule(answers: Answers, rule: str) -> Answers:
    """Return answers under a decision rule of one of their tasks; the error also names "all"."""
    tasks = _tasks(answers)
    known = list(dict.fromkeys(name for task in tasks for name in rules_of(task)))
    if rule not in known:
        raise unknown_name("decision rule", rule, [*known, ALL_RULES])
    return answers.with_rule(rule)


def _tasks(answers: Answers) -> list[Task]:
    """Return the tasks of the rows, in alphabetical order."""
    used = sorted(str(name) for name in answers.table.task.unique())
    return [answers.tasks[name] for name in used if name in answers.tasks]

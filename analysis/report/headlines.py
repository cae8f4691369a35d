"""Statements of the results in words, which the terminal, the page and the JSON file have in common."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.fits.fit import FitStatus
from analysis.observers.from_counts import DPrimeStatus
from analysis.ranking.records import Ranking
from analysis.report import formatting
from analysis.report.conditions import Condition, bounded, undetermined
from analysis.report.results import Results
from stimuli_store.tasks.types import Task

#: Below this p-value a curve is said not to describe the answers.
MISFIT = 0.01
#: Why there is no d' at a level.
NO_CONTRAST = "without trials that differ and trials that do not there is no d'"
_MOST_CONDITIONS = 6
_MOST_LEVELS = 8
_MOST_NAMED = 3  # models in a headline


@dataclass(frozen=True, kw_only=True)
class Note:
    """A phrase that qualifies a statement; `alarming` if a reader must not overlook it."""

    text: str
    alarming: bool = False


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A result in words.

    Attributes
    ----------
    label, value
        The quantity and its value, with its unit.
    notes
        What qualifies it: interval, for whom it speaks, whether the curve fits.
    short
        The label where there is little room.
    kind
        ``""``, ``"true"`` for the truth about simulated observers, or ``"alarm"``.
    """

    label: str
    value: str
    notes: tuple[Note, ...]
    short: str
    kind: str = ""


def statements_of(results: Results) -> tuple[Statement, ...]:
    """Return the results in words: thresholds and d' by condition, models, and checks that need a look."""
    shown = results.conditions[:_MOST_CONDITIONS]
    found = [s for condition in shown for s in _of_condition(condition, results)]
    if len(results.conditions) > len(shown):
        more = formatting.number_of(len(results.conditions) - len(shown), "condition")
        found.append(
            Statement(
                label="Further conditions", value=f"{more} more in the report", notes=(), short=""
            )
        )
    found += [_of_ranking(rule, made, results) for rule, made in results.rankings.items()]
    found += [
        Statement(
            label="Look at this",
            value=check.name,
            notes=(Note(text=check.sentence, alarming=True),),
            short="look at",
            kind="alarm",
        )
        for check in results.diagnostics
        if check.alarming
    ]
    return tuple(found)


def answers_line(results: Results) -> str:
    """Return the sizes of the data, and who answered which tasks, in one line."""
    counted = formatting.number_of
    sizes = f"{counted(results.n_trials, 'trial')} of {counted(len(results.participants), 'participant')}"
    if results.n_images:
        sizes += f" and {counted(results.n_images, 'image')}"
    rules: dict[str, list[str]] = {task.name: [] for task in results.tasks}
    for c in results.conditions:
        if c.task and c.rule not in rules[c.task.name]:
            rules[c.task.name].append(c.rule)
    told = "; ".join(_task(task, rules[task.name]) for task in results.tasks)
    return f"{sizes}, {told}" if told else sizes


def _task(task: Task, rules: list[str]) -> str:
    said = f"task {task.name}, rule {' and '.join(rules)}"
    return said if task.guess is None else f"{said}, guess rate {task.guess:.3g}"


def sorts_line(results: Results) -> str:
    """Return how much of the data simulated observers gave; "" if people gave all of it."""
    people, simulated, counted = results.people, results.simulated, formatting.number_of
    if not simulated.n_trials:
        return ""
    if not people.n_trials:
        return f"all answers are simulated ({counted(simulated.n_sessions, 'session')})"
    return (
        f"{counted(people.n_sessions, 'session')} of people ({counted(people.n_trials, 'trial')}) and "
        f"{counted(simulated.n_sessions, 'simulated session')} ({counted(simulated.n_trials, 'trial')}) are "
        "analysed apart; the models are ranked by the people's answers"
    )


def assumptions_of(results: Results) -> list[str]:
    """Return sentences on assumptions that the user can replace by an option."""
    said = []
    if any(c.task is None for c in results.conditions):
        said.append(
            "no task is stated: the guess rate is taken to be 0.5, and there is no d'; state one with --task"
        )
    if results.pooled:
        named = " and ".join(results.pooled)
        said.append(f"conditions are pooled over {named}; --by COLUMN analyses its values apart")
    return said


def _of_condition(condition: Condition, results: Results) -> Iterator[Statement]:
    if condition.fit is None:
        yield from _dprimes(condition)
        return
    yield _threshold(condition, results.p)
    found, true = condition.estimate, condition.true_threshold
    if true is not None:
        inside = formatting.inside(found.low, true, found.high) if found else "no estimate"
        value = formatting.estimated(true, condition.unit)
        yield _truth("True threshold (simulated)", value, inside)


def _truth(label: str, value: str, where: str) -> Statement:
    note = Note(text=f"of the simulated observers: {where}")
    return Statement(label=label, value=value, notes=(note,), short="true", kind="true")


def _threshold(condition: Condition, p: float) -> Statement:
    fit, found = condition.fit, condition.estimate
    assert fit is not None
    notes = [Note(text=condition.name)]
    if found is None:
        notes.append(Note(text=undetermined(fit), alarming=True))
        value = "not determined"
    else:
        value = formatting.estimated(found.value, condition.unit)
        notes.append(
            Note(text=f"95 % interval {interval_words(condition)}, for {condition.for_whom}")
        )
        if fit.status is FitStatus.EXTRAPOLATED:
            notes.append(Note(text=fit.status.value, alarming=True))
        if not fit.rising:
            notes.append(
                Note(text="proportion correct falls as the level grows, and so does the curve")
            )
    notes += misfit_notes(condition)
    at = f"{formatting.percent(p)} correct"
    return Statement(
        label=f"Threshold at {at}",
        value=value,
        notes=tuple(notes),
        short="threshold",
    )


def interval_words(condition: Condition) -> str:
    """Return the interval of a condition's threshold in words; a dash if it has none."""
    found = condition.estimate
    if found is None or condition.fit is None:
        return "–"
    lowest = 0.0 if condition.fit.function.axis == "log" else -np.inf
    return formatting.bounds(found.low, found.high, condition.unit, lowest=lowest)


def misfit_notes(condition: Condition) -> list[Note]:
    """Return the note that a curve does not describe the answers, if it does not."""
    if condition.misfit is None or condition.misfit >= MISFIT:
        return []
    found = formatting.p_value(condition.misfit)
    return [
        Note(
            text=f"the curve does not describe the answers (goodness of fit, {found})",
            alarming=True,
        )
    ]


def _dprimes(condition: Condition) -> Iterator[Statement]:
    """Yield d' at the levels with most answers, in the order of the levels."""
    most = sorted(np.argsort(-condition.n_trials, kind="stable")[:_MOST_LEVELS].tolist())
    for place in most:
        level, found = condition.levels[place], condition.own_dprimes[place]
        true = condition.true_dprimes[place]
        where = condition.name
        if level is not None:
            where += f", level {formatting.with_unit(level, condition.unit)}"
        notes = [Note(text=where)]
        if found is None or not bounded(found):
            total = formatting.number_of(condition.n_trials[place], "trial")
            notes.append(Note(text=f"right in {condition.n_correct[place]:.0f} of {total}"))
            notes.append(
                Note(text="that bounds d' on neither side" if found else NO_CONTRAST, alarming=True)
            )
            yield Statement(label="d′", value="not determined", notes=tuple(notes), short="d'")
            continue
        notes.append(
            Note(text=f"95 % interval {formatting.dprime_bounds(found)}, for {condition.for_whom}")
        )
        if found.rates is not None:
            notes.append(Note(text=formatting.rates(found)))
        if found.status is DPrimeStatus.BELOW_CHANCE:
            notes.append(Note(text=found.status.value, alarming=True))
        yield Statement(label="d′", value=f"{found.estimate:.2f}", notes=tuple(notes), short="d'")
        if true is not None:
            yield _truth(
                "True d′ (simulated)", f"{true:.2f}", formatting.inside(found.low, true, found.high)
            )


def _of_ranking(rule: str, found: Ranking, results: Results) -> Statement:
    several = len(found.best) > 1
    label = "Models that agree best" if several else "Model that agrees best"
    short = "best models" if several else "best model"
    if len(found.rows) == 1:
        label, short = "Agreement of the only model", "model"
    if len(results.rankings) > 1:
        label += f", rule {rule}"
    value, notes = found.sentence, [Note(text=_bits(found)), Note(text=found.sizes)]
    if len(found.best) > _MOST_NAMED:
        apart = found.sentence[found.sentence.index(", not told apart") :]
        value = f"{len(found.best)} of {len(found.rows)} models{apart}"
        notes.insert(0, Note(text=", ".join(found.best)))
    if len(results.rankings) > 1:
        notes.insert(0, Note(text=f"under the rule {rule}"))
    if not found.held_out:
        notes.append(Note(text="nothing could be held out", alarming=True))
    return Statement(label=label, value=value, notes=tuple(notes), short=short)


def _bits(found: Ranking) -> str:
    """Return the bits of the best models in words."""
    bits = [row.bits for row in found.rows if row.label in found.best]
    ends = list(dict.fromkeys(formatting.number(value, 3) for value in (min(bits), max(bits))))
    return f"{' to '.join(ends)} {found.measure}"

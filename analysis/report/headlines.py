"""Statements of the results in words, which the terminal, the page and the JSON file have in common."""

from math import isfinite

from analysis.fits.conditions.contrast_record import Contrast
from analysis.ranking.records import Ranking
from analysis.report import formatting
from analysis.report.contrasted import SIGNS
from analysis.report.results import Results
from analysis.report.statements import Note, Statement, condition_statements
from stimuli_store.tasks.types import Task
from stimuli_store.tools.shown import p_value

_MOST_CONDITIONS = 6
_MOST_PAIRS = 3
_ALPHA = 0.05
_MOST_NAMED = 3  # models in a headline


def statements_of(results: Results) -> tuple[Statement, ...]:
    """Return the results in words: thresholds and d' by condition, models, and checks that need a look."""
    shown = results.conditions[:_MOST_CONDITIONS]
    found = [s for condition in shown for s in condition_statements(condition, results.p)]
    if len(results.conditions) > len(shown):
        more = formatting.tally(len(results.conditions) - len(shown), "condition")
        found.append(
            Statement(
                label="Further conditions", value=f"{more} more in the report", notes=(), short=""
            )
        )
    if results.contrasts is not None:
        pairs = results.contrasts.rows
        caution = results.contrasts.caution
        found += [_of_contrast(row, len(pairs), caution) for row in pairs[:_MOST_PAIRS]]
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
    counted = formatting.tally
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
    people, simulated, counted = results.people, results.simulated, formatting.tally
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
    """Return sentences on assumptions that the user can replace by an option, or by a column."""
    said = list(results.notes)
    if any(c.task is None for c in results.conditions):
        said.append(
            "no task is stated: the guess rate is taken to be 0.5, and there is no d'; state one with --task"
        )
    if results.pooled:
        named = " and ".join(results.pooled)
        said.append(f"conditions are pooled over {named}; --by COLUMN analyses its values apart")
    return said


def _of_contrast(row: Contrast, n_pairs: int, caution: str) -> Statement:
    between = f"{row.first} {SIGNS[row.scale]} {row.second}"
    ends = formatting.bounds(row.estimate.low, row.estimate.high)
    notes = (
        Note(text=between),
        Note(text=f"95 % interval {ends}, for {row.for_whom}"),
        Note(text=_told_apart(row, n_pairs)),
        *([Note(text=caution)] if caution else []),
    )
    value = formatting.number(row.estimate.value)
    return Statement(
        label=f"{row.scale.capitalize()} of thresholds", value=value, notes=notes, short=row.scale
    )


def _told_apart(row: Contrast, n_pairs: int) -> str:
    """Return whether two conditions differ in words; a large p value is not said to show equality."""
    if not isfinite(row.estimate.low):
        return "whether they differ is not determined"
    said = "differ" if row.p_holm < _ALPHA else "not shown to differ"
    corrected = ", corrected for the number of pairs" if n_pairs > 1 else ""
    return f"{said}: {p_value(row.p_holm)}{corrected}"


def _of_ranking(rule: str, found: Ranking, results: Results) -> Statement:
    several = len(found.best) > 1
    label = "Models that agree best" if several else "Model that agrees best"
    short = "best models" if several else "best model"
    if len(found.rows) == 1:
        label, short = "Agreement of the only model", "model"
    if len(results.rankings) > 1:
        label += f", rule {rule}"
    value, notes = (
        found.verdict,
        [Note(text=_bits(found)), Note(text=found.sizes), Note(text=found.spread)],
    )
    if len(found.best) > _MOST_NAMED:
        apart = found.verdict[found.verdict.index(", not told apart") :]
        share = "all" if len(found.best) == len(found.rows) else f"{len(found.best)} of"
        value = f"{share} {len(found.rows)} models{apart}"
        notes.insert(0, Note(text=", ".join(found.best)))
    if len(results.rankings) > 1:
        notes.insert(0, Note(text=f"under the rule {rule}"))
    if found.caveat:
        notes.insert(0, Note(text=found.caveat))
    if not found.held_out:
        notes.append(Note(text="nothing could be held out", alarming=True))
    return Statement(label=label, value=value, notes=tuple(notes), short=short)


def _bits(found: Ranking) -> str:
    """Return the bits of the best models in words."""
    bits = [row.bits for row in found.rows if row.label in found.best]
    ends = list(dict.fromkeys(formatting.number(value, 3) for value in (min(bits), max(bits))))
    return f"{' to '.join(ends)} {found.measure}"

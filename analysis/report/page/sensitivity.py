"""Section of the report on d': by level, with hits and false alarms where there is a criterion."""

import numpy as np

from analysis.data.level_names import unit_label
from analysis.fits.scaling.record import ScalingStatus
from analysis.observers.counted.dprime_result import DPrime
from analysis.plots import style
from analysis.plots.dprimes import plot_dprime
from analysis.report import formatting
from analysis.report.conditions import Condition, bounded
from analysis.report.results import Results
from stimuli_store.tools import html

_MOST_PARTS = 20
#: Outcomes of a critical-scaling fit whose values are no results.
_NO_SCALING = frozenset(ScalingStatus) - {
    ScalingStatus.CONVERGED,
    ScalingStatus.EXTRAPOLATED,
    ScalingStatus.OPEN,
}


def dprime_section(results: Results) -> str:
    """Return the section on d' as HTML: pictures by level, critical scaling, tables; "" without any."""
    known = [c for c in results.conditions if c.dprimes]
    if not known:
        return ""
    parts = [_of_condition(known[0], several=len(known) > 1)]
    parts += [html.folded(f"d′ of {c.name}", _of_condition(c, several=True)) for c in known[1:]]
    note = (
        "Where all answers were right an interval has no upper bound; where all trials "
        "of a level have the same right answer, a task with a criterion gives no d′."
    )
    return html.section("Sensitivity by level", *parts, html.paragraph(note, "small"))


def _of_condition(condition: Condition, *, several: bool) -> str:
    parts = [f"<h3>{html.text(condition.name)}</h3>" if several else ""]
    numbers = condition.numbers
    known = [
        (float(level), d)
        for level, (d, _) in zip(numbers, condition.told_dprimes, strict=True)
        if d is not None and np.isfinite(level)
    ]
    if len(known) > 1:
        made = plot_dprime(dict(known), scaling=condition.scaling, unit=condition.unit)
        parts.append(html.picture(style.to_png(made), f"d′ by level, {condition.name}", 720))
    parts.append(_scaling_note(condition))
    parts += [
        (html.paragraph(f"Under the rule {rule}:") if len(condition.dprimes) > 1 else "")
        + dprime_table(condition, rule)
        for rule in condition.dprimes
    ]
    if condition.fit is None and condition.by_participant:
        tables = [
            f"<h3>{html.text(one.name)}</h3>{dprime_table(one, one.rule)}"
            for one in condition.by_participant[:_MOST_PARTS]
        ]
        parts.append(html.folded("d′ by participant", "".join(tables)))
    return "".join(parts)


def _scaling_note(condition: Condition) -> str:
    scaling = condition.scaling
    if scaling is None:
        return ""
    if scaling.status in _NO_SCALING:
        said = f"Critical scaling is not determined: {scaling.status.value}"
        return f'<p class="alarm">{html.text(formatting.sentence(said))}</p>'
    unit = condition.unit
    ends = formatting.bounds(scaling.critical_low, scaling.critical_high, unit, lowest=0.0)
    gains = formatting.bounds(scaling.gain_low, scaling.gain_high, lowest=0.0)
    said = (
        f"Critical scaling s₀ = {formatting.estimated(scaling.critical, unit)} ({ends}); "
        f"α₀ = {formatting.number(scaling.gain)} ({gains}), for {condition.these}"
    )
    if scaling.status is not ScalingStatus.CONVERGED:
        said += f"; {scaling.status.value}"
    return html.paragraph(formatting.sentence(said))


def dprime_table(condition: Condition, rule: str) -> str:
    """Return a table of d' under a rule, level by level: its interval, for whom that speaks, and hits."""
    own = rule == condition.rule
    simulated = own and any(true is not None for true in condition.true_dprimes)
    criterion = condition.task is not None and condition.task.criterion
    head = [
        unit_label(condition.unit),
        "hits, false alarms" if criterion else "correct",
        "d′",
        "95 % interval",
        "for",
    ]
    told = (
        condition.told_dprimes if own else [(d, condition.these) for d in condition.dprimes[rule]]
    )
    rows = []
    for level, right, total, (found, whom), true in zip(
        condition.levels,
        condition.n_correct,
        condition.n_trials,
        told,
        condition.true_dprimes,
        strict=True,
    ):
        row = [
            formatting.case(level),
            _answers(found, right, total, criterion),
            *_cells(found, whom),
        ]
        rows.append([*row, "–" if true is None else f"{true:.2f}"] if simulated else row)
    return html.table([*head, "true (simulated)"] if simulated else head, rows)


def _answers(found: DPrime | None, right: float, total: float, criterion: bool) -> str:
    if found is not None and criterion:
        return formatting.rates(found)
    return f"{right:.0f} of {total:.0f}" + (" right" if criterion else "")


def _cells(found: DPrime | None, whom: str) -> list[str]:
    if found is None or not bounded(found):
        return ["not determined", "–", "–"]
    return [formatting.number(found.estimate, 2), formatting.dprime_bounds(found), whom]

"""Section of the report on d': by level, with hits and false alarms where there is a criterion."""

import numpy as np
from scipy.special import chdtri

from analysis.plots import style
from analysis.plots.dprimes import plot_dprime
from analysis.plots.words import unit_label
from analysis.report import formatting
from analysis.report.conditions import Condition
from analysis.report.results import Results
from stimuli_store.tools import html

_N_PARAMETERS = 3


def dprime_section(results: Results) -> str:
    """Return the section on d' as HTML: its picture by level, the critical scaling, and tables."""
    head = results.headline
    parts = []
    known = [d for d in head.dprimes if d is not None]
    if len(known) == len(head.levels) and np.isfinite(head.numbers).all():
        by_level = dict(zip(head.numbers.tolist(), known, strict=True))
        made = plot_dprime(by_level, scaling=head.scaling, unit=results.unit)
        parts.append(html.picture(style.to_png(made), "d′ by level", 720))
    parts.append(_scaling_note(head))
    shown = [head, *(c for c in results.others if c.fit is None)]
    parts += [dprime_table(condition) for condition in shown]
    parts.append(
        html.paragraph(
            f"{head.task.name} with the {head.rule} rule. The upper end of an interval is infinite where all "
            "answers were right.",
            "small",
        )
    )
    return html.section("Sensitivity by level", *parts)


def _scaling_note(head: Condition) -> str:
    scaling = head.scaling
    if scaling is None:
        return ""
    ends = formatting.interval(scaling.critical_low, scaling.critical_high)
    gains = formatting.interval(scaling.gain_low, scaling.gain_high)
    return html.paragraph(
        f"Critical scaling s₀ = {scaling.critical:.3g} {formatting.short_unit(head.unit)} {ends}; "
        f"α₀ = {scaling.gain:.3g} {gains}; {fit_sentence(scaling.deviance, len(head.levels))}"
    )


def dprime_table(condition: Condition) -> str:
    """Return a table of d' of a condition, level by level, with hits and false alarms if there are any."""
    simulated = any(true is not None for true in condition.true_dprimes)
    with_rates = condition.task.criterion
    head = [
        unit_label(condition.unit),
        "hits, false alarms" if with_rates else "correct",
        "d′",
        "95 % interval",
    ]
    rows = []
    for level, right, total, found, true in zip(
        condition.levels,
        condition.n_correct,
        condition.n_trials,
        condition.dprimes,
        condition.true_dprimes,
        strict=True,
    ):
        answers = formatting.rates(found) if found and with_rates else f"{right:.0f} of {total:.0f}"
        row: list[object] = [
            formatting.case(level),
            answers,
            f"{found.estimate:.2f}" if found else "–",
            formatting.interval(found.low, found.high) if found else "–",
        ]
        rows.append([*row, "–" if true is None else f"{true:.2f}"] if simulated else row)
    return html.paragraph(f"Comparison: {condition.name}.") + html.table(
        [*head, "true (simulated)"] if simulated else head, rows
    )


def fit_sentence(deviance: float, n_levels: int) -> str:
    """Return a sentence with the deviance and whether the curve describes the answers well."""
    free = n_levels - _N_PARAMETERS
    if free < 1:
        return f"deviance {deviance:.1f}, with too few levels to judge it."
    rare = float(chdtri(free, 0.05))
    verdict = "describes" if deviance <= rare else "does not describe"
    return (
        f"deviance {deviance:.1f} (5 % of good fits exceed {rare:.1f}): the curve {verdict} the "
        "answers well."
    )

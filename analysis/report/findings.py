"""Sections of the report on the results; `analysis.report.provenance` has the others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtri

from analysis.data.tables import models_without_distances
from analysis.fits.fit import Fit
from analysis.observers.sdt import link_of
from analysis.plots import psychometric, ranking, style
from analysis.ranking.rank import CHANCE, Ranking
from analysis.report import formatting, how_computed, provenance
from analysis.report.page_style import STYLE
from analysis.report.results import Condition, Results
from stimuli_store.bank.reading import Bank
from stimuli_store.journal import Session
from stimuli_store.tools import html

if TYPE_CHECKING:
    import pandas as pd

_N_PARAMETERS = 3


def report_page(
    bank: Bank, sessions: Sequence[Session], results: Results, table: "pd.DataFrame"
) -> str:
    """Return the whole report of an analysis as one HTML page."""
    title = f"Threshold and model ranking: {bank.header.name} {bank.header.version}"
    return html.page(
        title,
        f"<h1>{html.text(title)}</h1>",
        f'<p class="lead">{_lead(results)}</p>',
        _notice(results),
        _cards(results),
        _threshold_section(results),
        _ranking_section(results, table),
        _dprime_section(results),
        _participants_section(results),
        provenance.stimuli_section(bank),
        provenance.timing_section(sessions, table),
        provenance.notes_section(sessions, table),
        how_computed.methods_section(results),
        provenance.bank_section(bank, sessions),
        style=STYLE,
    )


def _lead(results: Results) -> str:
    people = len(results.participants)
    plural = "s" if people != 1 else ""
    return (
        f"{results.n_trials} trials of {people} participant{plural}, bank {html.code(results.pin)}"
    )


def _notice(results: Results) -> str:
    if not results.observers:
        return ""
    makers = ", ".join(sorted({str(o.get("model")) for o in results.observers}))
    return (
        '<div class="notice"><b>Simulated.</b> Simulated observers gave the answers, from the '
        f"distances of the model {html.code(makers)}. Their true parameters are known and shown "
        "beside the estimates; they were not used in the fits.</div>"
    )


def _cards(results: Results) -> str:
    fit, unit = results.headline.fit, formatting.short_unit(results.unit)
    items = [
        (
            f"Threshold at {results.p:.0%} correct",
            _with_unit(fit.threshold, unit),
            f"95 % interval {formatting.interval(fit.low, fit.high)}",
            "",
        )
    ]
    if results.true_threshold is not None:
        where = formatting.inside(fit.low, results.true_threshold, fit.high)
        items.append(
            ("True threshold (simulated)", _with_unit(results.true_threshold, unit), where, "true")
        )
    if results.ranking is not None:
        best = results.ranking.rows[0]
        note = f"{best.bits:.3f} held-out bits per trial above chance"
        items.append(("Model that agrees best", best.label, note, ""))
    return html.cards(items)


def _with_unit(value: float, unit: str) -> str:
    return f"{formatting.level(value)} {unit}" if 0 < value < np.inf else formatting.level(value)


def _threshold_section(results: Results) -> str:
    head, fit = results.headline, results.headline.fit
    along = _along(head.levels)
    made = psychometric.psychometric_plot(
        psychometric.Points(levels=head.levels, n_correct=head.n_correct, n_trials=head.n_trials),
        (along, fit.function(along)),
        _marker(head, results.p),
        unit=results.unit,
        guess=fit.function.guess,
    )
    parts = [
        html.paragraph(f"Comparison: {head.name}. {fit.status.value.capitalize()}."),
        html.picture(style.to_png(made), f"Proportion correct by level, {head.name}", 720),
        _conditions_table("Comparison", (head, *results.others)),
        _deviance_note(head),
    ]
    return html.section("Observed answers, fitted curve, threshold", *parts)


def _deviance_note(head: Condition) -> str:
    fit, curve = head.fit, head.fit.function
    unit = "octaves" if curve.axis == "log" else "units of the level"
    return html.paragraph(
        f"Fitted {formatting.sigmoid(curve.sigmoid)} function: width {curve.width:.2f} {unit}, lapse "
        f"rate {curve.lapse:.3f}; {_judged(fit.deviance, fit.n_levels)} {_widened(fit)}The "
        "interval describes these participants and these images.",
        "small",
    )


def _widened(fit: Fit) -> str:
    if fit.dispersion == 1:
        return ""
    return (
        "The interval is widened because the answers vary more than chance explains "
        f"(heterogeneity factor {fit.dispersion:.2f}). "
    )


def _judged(deviance: float, n_levels: int) -> str:
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


def _conditions_table(first: str, conditions: Sequence[Condition]) -> str:
    simulated = any(c.true_threshold is not None for c in conditions)
    head = [first, "task, rule", "trials", "correct", "threshold", "95 % interval"]
    rows = []
    for c in conditions:
        row: list[object] = [
            c.name,
            f"{formatting.task(c.task)}, {c.rule}",
            f"{c.n_trials.sum():.0f}",
            f"{c.n_correct.sum() / c.n_trials.sum():.1%}",
            formatting.level(c.fit.threshold),
            formatting.interval(c.fit.low, c.fit.high),
        ]
        if simulated:
            row.append(formatting.level(c.true_threshold))
        rows.append(row)
    return html.table([*head, "true (simulated)"] if simulated else head, rows)


def _along(levels: np.ndarray) -> np.ndarray:
    if levels.min() > 0:
        return np.geomspace(levels.min() / 1.25, levels.max() * 1.25, 200)
    margin = 0.06 * float(np.ptp(levels))
    return np.linspace(levels.min() - margin, levels.max() + margin, 200)


def _marker(condition: Condition, p: float) -> psychometric.Marker:
    fit = condition.fit
    return psychometric.Marker(
        p=p, threshold=fit.threshold, low=fit.low, high=fit.high, true=condition.true_threshold
    )


def _ranking_section(results: Results, table: "pd.DataFrame") -> str:
    title = "Which model agrees with the answers"
    left_out = models_without_distances(table)
    note = (
        html.paragraph(
            f"Not ranked, because the bank has no distances for some pairs: {', '.join(left_out)}."
        )
        if left_out
        else ""
    )
    found = results.ranking
    if found is None:
        return html.section(title, html.paragraph("The bank stores no distances to rank."), note)
    bits = np.array([row.bits for row in found.rows])
    best = bits[0]
    ends = (
        np.array([best + row.difference_low for row in found.rows]),
        np.array([best + row.difference_high for row in found.rows]),
    )
    made = ranking.ranking_plot([row.label for row in found.rows], bits, ends)
    return html.section(
        title,
        html.picture(style.to_png(made), "Held-out bits per trial above chance, by model", 720),
        _ranking_table(results, found),
        html.paragraph(
            f"{found.scheme.capitalize()}. {found.n_participants} participants, {found.n_images} "
            f"images, {found.n_trials} answers; {found.spread}. Lines in the picture show the "
            "interval of each model's difference from the best.",
            "small",
        ),
        note,
    )


def _ranking_table(results: Results, found: Ranking) -> str:
    makers = {str(observer.get("model")) for observer in results.observers}
    head = [
        "model",
        "bits, held out",
        "bits, in sample",
        "difference from the best [95 %]",
        "g",
        "exponent p",
        "lapse",
    ]
    rows = []
    for place, row in enumerate(found.rows):
        gap = formatting.interval(row.difference_low, row.difference_high)
        fit = row.fit
        rows.append(
            [
                f"{row.label} (simulated the answers)" if row.label in makers else row.label,
                f"{row.bits:.4f}",
                "–" if row.label == CHANCE else f"{row.bits_in_sample:.4f}",
                "best" if place == 0 else f"{row.difference:.4f} {gap}",
                f"{fit.gain:.3g}" if fit else "–",
                f"{fit.exponent:.2f}" if fit else "–",
                f"{fit.lapse:.3f}" if fit else "–",
            ]
        )
    return html.table(head, rows)


def _dprime_section(results: Results) -> str:
    head, scaling = results.headline, results.headline.scaling
    along = _along(head.levels)
    made = psychometric.dprime_plot(
        head.levels,
        np.array([d.estimate for d in head.dprimes]),
        (np.array([d.low for d in head.dprimes]), np.array([d.high for d in head.dprimes])),
        curve=(along, scaling.dprime(along)) if scaling else None,
        unit=results.unit,
    )
    rows = [
        [
            f"{level:g}",
            f"{d.n_correct} of {d.n_trials}",
            f"{d.estimate:.2f}",
            formatting.interval(d.low, d.high),
        ]
        for level, d in zip(head.levels, head.dprimes, strict=True)
    ]
    parts = [html.picture(style.to_png(made), "d′ by level with the critical-scaling curve", 720)]
    if scaling is not None:
        ends = formatting.interval(scaling.critical_low, scaling.critical_high)
        gains = formatting.interval(scaling.gain_low, scaling.gain_high)
        parts.append(
            html.paragraph(
                f"Critical scaling s₀ = {scaling.critical:.3g} "
                f"{formatting.short_unit(results.unit)} {ends}; α₀ = {scaling.gain:.3g} {gains}; "
                f"{_judged(scaling.deviance, len(head.levels))}"
            )
        )
    parts.append(
        html.table([style.unit_label(results.unit), "correct", "d′", "95 % interval"], rows)
    )
    link = link_of(head.task, head.rule)
    parts.append(
        html.paragraph(
            f"{head.name}; {formatting.task(link.task)} with the {link.rule} rule. The upper end of "
            "an interval is infinite where all answers were right.",
            "small",
        )
    )
    return html.section("Sensitivity by level", *parts)


def _participants_section(results: Results) -> str:
    people = results.by_participant
    markers = [_marker(condition, results.p) for condition in people]
    made = psychometric.intervals_plot(
        [condition.name for condition in people],
        markers,
        unit=results.unit,
        log_axis=bool(results.headline.levels.min() > 0),
    )
    return html.section(
        "Participants",
        html.picture(style.to_png(made), "Thresholds by participant", 720),
        _conditions_table("participant", people),
    )

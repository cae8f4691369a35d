"""Sections of the report on the results; `analysis.report.provenance` has the others."""

from collections.abc import Sequence

import numpy as np

from analysis.data.answers import Answers
from analysis.data.cell_counts import models_without_evidence
from analysis.fits.fit import Fit
from analysis.plots import style
from analysis.plots.fits import plot_fit
from analysis.plots.ranking import plot_ranking
from analysis.plots.thresholds import plot_thresholds
from analysis.ranking.records import Ranking
from analysis.report import formatting, how_computed, provenance, sensitivity
from analysis.report.conditions import Condition
from analysis.report.page_style import STYLE
from analysis.report.results import Results
from stimuli_store.bank.reading import Bank
from stimuli_store.journal import Session
from stimuli_store.tools import html


def report_page(bank: Bank, sessions: Sequence[Session], results: Results, answers: Answers) -> str:
    """Return the whole report of an analysis as one HTML page."""
    title = f"Threshold and model ranking: {bank.header.name} {bank.header.version}"
    return html.page(
        title,
        f"<h1>{html.text(title)}</h1>",
        f'<p class="lead">{_lead(results)}</p>',
        _notice(results),
        _cards(results),
        _threshold_section(results),
        _ranking_section(results, answers),
        sensitivity.dprime_section(results),
        _participants_section(results),
        _checks_section(results),
        provenance.stimuli_section(bank),
        provenance.timing_section(sessions, answers),
        provenance.notes_section(sessions, answers),
        how_computed.methods_section(results),
        provenance.bank_section(bank, sessions),
        style=STYLE,
    )


def _lead(results: Results) -> str:
    people = len(results.participants)
    plural = "s" if people != 1 else ""
    return (
        f"{results.n_trials} trials of {people} participant{plural}, task {html.code(results.task.name)}, "
        f"bank {html.code(results.pin)}"
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
    items = []
    head, unit = results.headline, formatting.short_unit(results.unit)
    if head.fit is not None:
        fit = head.fit
        note = f"95 % interval {formatting.interval(fit.low, fit.high)}"
        items = [
            (f"Threshold at {results.p:.0%} correct", _with_unit(fit.threshold, unit), note, "")
        ]
        if results.true_threshold is not None:
            where = formatting.inside(fit.low, results.true_threshold, fit.high)
            value = _with_unit(results.true_threshold, unit)
            items.append(("True threshold (simulated)", value, where, "true"))
    else:
        best = max(range(len(head.levels)), key=lambda i: head.n_trials[i])
        found, true = head.dprimes[best], head.true_dprimes[best]
        at = formatting.with_unit(head.levels[best], head.unit)
        note = f"{head.name}, level {at}; 95 % interval " + (
            formatting.interval(found.low, found.high) if found else "–"
        )
        items = [("d′", f"{found.estimate:.2f}" if found else "–", note, "")]
        if found is not None and true is not None:
            where = formatting.inside(found.low, true, found.high)
            items.append(("True d′ (simulated)", f"{true:.2f}", where, "true"))
    if results.ranking is not None:
        models = results.ranking.best
        title = "Model that agrees best" if len(models) == 1 else "Models that agree best"
        items.append((title, ", ".join(models), results.ranking.headline, ""))
    return html.cards(items)


def _with_unit(value: float, unit: str) -> str:
    return f"{formatting.level(value)} {unit}" if 0 < value < np.inf else formatting.level(value)


def _threshold_section(results: Results) -> str:
    head, fit = results.headline, results.headline.fit
    title = "Observed answers, fitted curve, threshold"
    if fit is None:
        return html.section(title, _conditions_table("Comparison", (head, *results.others)))
    made = plot_fit(fit, unit=results.unit, true=head.true_threshold)
    parts = [
        html.paragraph(f"Comparison: {head.name}. {fit.status.value.capitalize()}."),
        html.picture(style.to_png(made), f"Proportion correct by level, {head.name}", 720),
        _conditions_table("Comparison", (head, *results.others)),
        _deviance_note(fit),
    ]
    return html.section(title, *parts)


def _deviance_note(fit: Fit) -> str:
    curve = fit.function
    unit = "octaves" if curve.axis == "log" else "units of the level"
    return html.paragraph(
        f"Fitted {formatting.sigmoid(curve.sigmoid)} function: width {curve.width:.2f} {unit}, lapse "
        f"rate {curve.lapse:.3f}; {sensitivity.fit_sentence(fit.deviance, fit.n_levels)} {_widened(fit)}The "
        "interval describes these participants and these images.",
        "small",
    )


def _widened(fit: Fit) -> str:
    if fit.dispersion == 1:
        return ""
    return (
        "The interval is widened because the answers vary more than chance explains "
        f"(the drop of the profile is multiplied by {fit.dispersion:.2f}). "
    )


def _conditions_table(first: str, conditions: Sequence[Condition]) -> str:
    simulated = any(c.true_threshold is not None for c in conditions)
    head = [first, "task, rule", "trials", "correct", "threshold", "95 % interval"]
    rows = []
    for c in conditions:
        row: list[object] = [
            c.name,
            f"{c.task.name}, {c.rule}",
            f"{c.n_trials.sum():.0f}",
            f"{c.n_correct.sum() / c.n_trials.sum():.1%}",
            _with_unit(c.fit.threshold, formatting.short_unit(c.unit)) if c.fit else "only d′",
            formatting.interval(c.fit.low, c.fit.high) if c.fit else "–",
        ]
        if simulated:
            row.append(formatting.level(c.true_threshold))
        rows.append(row)
    return html.table([*head, "true (simulated)"] if simulated else head, rows)


def _ranking_section(results: Results, answers: Answers) -> str:
    title = "Which model agrees with the answers"
    left_out = models_without_evidence(answers)
    note = (
        html.paragraph(
            f"Not ranked, because the bank has no predictions for some pairs: {', '.join(left_out)}."
        )
        if left_out
        else ""
    )
    found = results.ranking
    if found is None:
        why = "The bank stores no predictions to rank."
        return html.section(title, html.paragraph(why), note)
    made = plot_ranking(found)
    return html.section(
        title,
        html.paragraph(
            f"{'Best model' if len(found.best) == 1 else 'Best models'}: {found.sentence}."
        ),
        html.picture(style.to_png(made), f"{found.measure.capitalize()}, by model", 720),
        _ranking_table(results, found),
        html.paragraph(
            f"{found.scheme.capitalize()}. {found.sizes}; {found.spread}. Lines in the picture are "
            "95 % intervals of the bits; beside it stand the differences from the best model.",
            "small",
        ),
        *(html.paragraph(f"{sentence.capitalize()}.", "small") for sentence in found.notes),
        note,
    )


def _ranking_table(results: Results, found: Ranking) -> str:
    makers = {str(observer.get("model")) for observer in results.observers}
    head = [
        "model",
        "bits, held out" if found.held_out else "bits",
        "bits, in sample",
        "difference from the best [95 %]",
        "g",
        "exponent p",
        "lapse",
    ]
    rows = []
    for place, row in enumerate((*found.rows, *found.baselines)):
        gap = formatting.interval(row.difference_low, row.difference_high)
        fit = row.fit
        rows.append(
            [
                f"{row.label} (simulated the answers)" if row.label in makers else row.label,
                f"{row.bits:.4f}",
                "–" if row.bits_in_sample is None else f"{row.bits_in_sample:.4f}",
                "most bits" if place == 0 else f"{row.difference:.4f} {gap}",
                f"{fit.gain:.3g}" if fit else "–",
                f"{fit.exponent:.2f}" if fit else "–",
                f"{fit.lapse:.3f}" if fit else "–",
            ]
        )
    return html.table(head, rows)


def _checks_section(results: Results) -> str:
    """Return the checks of the answers, those that need a look first."""
    checks = sorted(results.diagnostics, key=lambda check: not check.alarming)
    rows = [(f"{c.name}: look at this" if c.alarming else c.name, c.sentence) for c in checks]
    return html.section("Checks of the answers", html.table([], rows))


def _participants_section(results: Results) -> str:
    people = results.by_participant
    if results.headline.fit is None:
        tables = [sensitivity.dprime_table(condition) for condition in people]
        return html.section("Participants", *tables)
    fits = {c.name: c.fit for c in people if c.fit is not None}
    true = {c.name: c.true_threshold for c in people if c.true_threshold is not None}
    made = plot_thresholds(fits, unit=results.unit, true=true) if fits else None
    picture = html.picture(style.to_png(made), "Thresholds by participant", 720) if made else ""
    return html.section("Participants", picture, _conditions_table("participant", people))

"""Section of the report on thresholds: a curve for each condition, then participants and images."""

from collections.abc import Sequence

from analysis.fits.fit import Fit
from analysis.fits.fit_status import FitStatus
from analysis.plots import style
from analysis.plots.fits import plot_fit
from analysis.plots.thresholds import plot_thresholds
from analysis.report import formatting
from analysis.report.conditions import MISFIT_DRAWS, Condition, lowest_of, undetermined
from analysis.report.contrasted import contrasts_table
from analysis.report.results import Results
from analysis.report.statements import caution_notes, interval_words
from stimuli_store.tools import html
from stimuli_store.tools.shown import p_value

_MOST_CURVES = 8  # conditions that are drawn
_MOST_SMALL = 12  # small curves of participants or images
_MOST_ROWS = 40  # rows of a table or of a plot of thresholds
_COLUMNS = 4


def threshold_section(results: Results) -> str:
    """Return the section on thresholds as HTML; of conditions without a fit there is the table only."""
    conditions = results.conditions
    fitted = [c for c in conditions if c.fit is not None]
    parts = [_table("Condition", conditions, with_task=True)]
    if results.contrasts is not None:
        parts.append(f"<h3>Thresholds compared</h3>{contrasts_table(results.contrasts)}")
    if results.no_contrasts:
        said = f"thresholds are not compared: {results.no_contrasts}"
        parts.append(html.paragraph(formatting.sentence(said)))
    if fitted:
        parts.append(_of_condition(fitted[0], several=len(conditions) > 1))
    parts += [
        html.folded(f"Curves of {c.name}", _of_condition(c, several=True))
        for c in fitted[1:_MOST_CURVES]
    ]
    if len(fitted) > _MOST_CURVES:
        more = formatting.tally(len(fitted) - _MOST_CURVES, "condition")
        parts.append(html.paragraph(f"{more} more in results.json.", "small"))
    return html.section("Answers, curves, thresholds", *parts)


def _of_condition(condition: Condition, *, several: bool) -> str:
    fit = condition.fit
    assert fit is not None
    made = plot_fit(
        fit, unit=condition.unit, true=condition.true_threshold, population=condition.population
    )
    alarms = [
        f'<p class="alarm">{html.text(formatting.sentence(said))}</p>'
        for said in _alarms(condition)
    ]
    parts = [
        f"<h3>{html.text(condition.name)}</h3>" if several else "",
        *alarms,
        html.picture(style.to_png(made), f"Proportion correct by level, {condition.name}", 720),
        html.paragraph(_fit_sentence(condition, fit), "small"),
        _parts("Participants", condition.by_participant),
        _parts("Images", condition.by_image),
    ]
    return "".join(parts)


def _alarms(condition: Condition) -> list[str]:
    fit = condition.fit
    assert fit is not None
    said = [fit.status.value] if fit.status is FitStatus.EXTRAPOLATED else []
    if undetermined(fit):
        said = [f"not determined: {undetermined(fit)}"]
    return [*said, *(note.text for note in caution_notes(condition))]


def _fit_sentence(condition: Condition, fit: Fit) -> str:
    curve = fit.function
    unit = "octaves" if curve.axis == "log" else f"{formatting.short_unit(condition.unit)}".strip()
    said = (
        f"Fitted {formatting.sigmoid(curve.sigmoid)} function: width {curve.width:.3g} {unit}".rstrip()
        + f", lapse rate {curve.lapse:.3f}. Deviance {fit.deviance:.1f}"
    )
    if condition.misfit is not None:
        said += f", goodness of fit by simulation {p_value(condition.misfit, MISFIT_DRAWS)}"
    said += ". "
    if condition.estimate is not None:
        ends = formatting.bounds(fit.low, fit.high, condition.unit, lowest=lowest_of(fit))
        said += (
            f"The curve itself passes {formatting.percent(fit.p)} at "
            f"{formatting.estimated(fit.threshold, condition.unit)}, with a 95 % interval {ends} that speaks "
            f"for {condition.these}."
        )
    if fit.dispersion > 1:
        said += (
            " It is widened because the answers vary more than chance explains "
            f"(the drop of the profile is multiplied by {fit.dispersion:.2f})."
        )
    return said


def _parts(title: str, parts: Sequence[Condition]) -> str:
    """Return thresholds of participants or images: a picture of all, small curves, a table."""
    fits = {c.name: c.fit for c in parts if c.fit is not None and c.estimate is not None}
    table = _table(title[:-1], parts[:_MOST_ROWS], with_task=False)
    if not fits:
        return f"<h3>{title}</h3>{table}" if parts else ""
    shown = dict(list(fits.items())[:_MOST_ROWS])
    true = {
        c.name: c.true_threshold for c in parts if c.true_threshold is not None and c.name in shown
    }
    made = plot_thresholds(shown, unit=parts[0].unit, true=true)
    found = [
        f"<h3>{title}</h3>",
        html.picture(style.to_png(made), f"Thresholds, {title.lower()}", 720),
        html.folded(
            f"Curves and numbers, {title.lower()}",
            _small_curves(parts) + table,
        ),
    ]
    lacking = [c.name for c in parts if c.name not in fits]
    if lacking:
        found.insert(2, html.paragraph(f"Not determined: {_some(lacking)}.", "small"))
    if len(parts) > _MOST_ROWS:
        found.append(
            html.paragraph(
                f"The first {_MOST_ROWS} of {len(parts)}; all are in results.json.", "small"
            )
        )
    return "".join(found)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_SMALL} more" if len(names) > _MOST_SMALL else ""
    return ", ".join(names[:_MOST_SMALL]) + more


def _small_curves(parts: Sequence[Condition]) -> str:
    chosen = [c for c in parts if c.fit is not None][:_MOST_SMALL]
    n_rows = -(-len(chosen) // _COLUMNS)
    made = style.figure(8.6, 2.2 * n_rows)
    grid = made.subplots(n_rows, _COLUMNS, squeeze=False, sharey=True)
    for place, axes in enumerate(grid.ravel()):
        if place >= len(chosen):
            axes.set_axis_off()
            continue
        one = chosen[place]
        assert one.fit is not None
        plot_fit(one.fit, style.quiet(axes), unit=one.unit)
        axes.set_title(one.name, fontsize=style.SMALL, color=style.INK)
        if place % _COLUMNS:
            axes.set_ylabel("")
        if place + _COLUMNS < len(chosen):
            axes.set_xlabel("")
    return html.picture(style.to_png(made), "Curves", 900)


def _table(first: str, conditions: Sequence[Condition], *, with_task: bool) -> str:
    """Return a table of conditions: answers, threshold or the reason why there is none, interval."""
    simulated = any(c.true_threshold is not None for c in conditions)
    head = [first, *(["task, rule"] if with_task else [])]
    head += ["trials", "correct", "threshold", "95 % interval"]
    head += ["for whom"] if with_task else []
    head += ["true (simulated)"] if simulated else []
    rows = []
    for c in conditions:
        row: list[object] = [
            c.name,
            *([f"{c.task.name}, {c.rule}" if c.task else "–"] if with_task else []),
            f"{c.n_trials.sum():.0f}",
            "–" if c.preferences else formatting.percent(c.n_correct.sum() / c.n_trials.sum()),
            _threshold(c),
            interval_words(c),
            *([c.for_whom if c.estimate else "–"] if with_task else []),
        ]
        if simulated:
            true = c.true_threshold
            row.append("–" if true is None else formatting.estimated(true, c.unit))
        rows.append(row)
    return html.table(head, rows)


def _threshold(condition: Condition) -> str:
    if condition.preferences:
        return "no answer is right"
    if condition.fit is None:
        return "only d′"
    if condition.estimate is None:
        return f"not determined: {undetermined(condition.fit)}"
    return formatting.estimated(condition.estimate.value, condition.unit)

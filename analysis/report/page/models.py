"""Section of the report on models: the ranking with its tied set, ceilings and baselines, pairs, parts."""

from collections.abc import Sequence

from analysis.plots import style
from analysis.plots.ranking import plot_ranking
from analysis.ranking.records import CeilingShare, GroupScore, ModelScore, Ranking
from analysis.report import formatting
from analysis.report.results import Results
from stimuli_store.tools import html
from stimuli_store.tools.shown import p_value

_MOST_ROWS = 40
_MOST_MODELS = 8
_DIGITS = 3


def model_section(results: Results) -> str:
    """Return the section on models as HTML: a ranking for each decision rule; "" if there is no model."""
    title = "Which model agrees with the answers"
    if not results.rankings and not results.not_ranked:
        return ""
    if not results.rankings:
        return html.section(
            title, html.paragraph(formatting.sentence(f"no model is ranked: {results.not_ranked}"))
        )
    makers = {str(observer.get("model")) for observer in results.observers}
    several = len(results.rankings) > 1
    parts = [
        (f"<h3>Rule {html.text(rule)}</h3>" if several else "") + _ranking(found, makers)
        for rule, found in results.rankings.items()
    ]
    return html.section(title, *parts)


def _ranking(found: Ranking, makers: set[str]) -> str:
    label = "Best models" if len(found.best) > 1 else "Best model"
    label = "The only model" if len(found.rows) == 1 else label
    made = plot_ranking(found)
    parts = [
        html.paragraph(f"{label}: {found.sentence}."),
        html.picture(style.to_png(made), f"{found.measure.capitalize()}, by model", 720),
        _scores(found, makers),
        html.paragraph(
            f"{formatting.sentence(found.scheme)} {found.sizes}; {found.spread}. Lines in the picture are "
            "95 % intervals of the bits; beside it stand the differences from the best model.",
            "small",
        ),
        _ceiling(found),
        *(html.paragraph(note, "small") for note in found.notes),
        html.folded("Pairs of models", _pairs(found)) if found.pairs else "",
        _by_part("image", found.by_image, found),
        _by_part("participant", found.by_participant, found),
    ]
    return "".join(parts)


def _scores(found: Ranking, makers: set[str]) -> str:
    shares = any(row.of_lower for row in found.rows)
    head = [
        "model",
        "bits, held out" if found.held_out else "bits, in sample",
        "95 % interval",
        "difference from the best",
        *(["share of the lower, upper ceiling"] if shares else []),
        "g, exponent, lapse rate",
    ]
    rows = []
    for place, row in enumerate((*found.rows, *found.baselines)):
        fit = row.fit
        cells: list[object] = [
            _called(row, makers),
            formatting.number(row.bits, _DIGITS),
            formatting.bounds(row.low, row.high, decimals=_DIGITS),
            "most bits" if place == 0 else _difference(row, found),
        ]
        cells += [_share(row.of_lower, row.of_upper)] if shares else []
        said = f"{fit.gain:.3g}, {fit.exponent:.2f}, {fit.lapse:.3f}" if fit else row.note
        rows.append([*cells, said])
    return html.table(head, rows)


def _called(row: ModelScore, makers: set[str]) -> str:
    return f"{row.label} (simulated the answers)" if row.label in makers else row.label


def _difference(row: ModelScore, found: Ranking) -> str:
    ends = formatting.bounds(row.difference_low, row.difference_high, decimals=_DIGITS)
    tied = ", not told apart" if row in found.rows and row.label in found.best else ""
    return f"{formatting.number(row.difference, _DIGITS)} ({ends}){tied}"


def _share(lower: CeilingShare | None, upper: CeilingShare | None) -> str:
    if lower is None or upper is None:
        return "–"
    return ", ".join(formatting.percent(round(share.value, 2)) for share in (lower, upper))


def _ceiling(found: Ranking) -> str:
    ceiling = found.ceiling
    if ceiling is None:
        return ""
    lower = formatting.bounds(ceiling.lower_low, ceiling.lower_high, decimals=_DIGITS)
    upper = formatting.bounds(ceiling.upper_low, ceiling.upper_high, decimals=_DIGITS)
    return html.paragraph(
        f"Noise ceiling: {ceiling.lower:.3f} bits per trial ({lower}) if a participant is predicted from the "
        f"others, {ceiling.upper:.3f} ({upper}) if from everybody. No model can do much better."
    )


def _pairs(found: Ranking) -> str:
    rows = [
        [
            f"{pair.first} – {pair.second}",
            formatting.number(pair.difference, _DIGITS),
            formatting.bounds(pair.low, pair.high, decimals=_DIGITS),
            p_value(pair.p_holm),
            "the same predictions" if pair.same else "yes" if pair.told_apart else "no",
        ]
        for pair in found.pairs
    ]
    head = [
        "pair",
        "difference in bits",
        "95 % interval",
        "p after Holm's correction",
        "told apart",
    ]
    return html.table(head, rows)


def _by_part(noun: str, scores: Sequence[GroupScore], found: Ranking) -> str:
    """Return bits per trial of the leading models, for each image or participant."""
    if len(scores) < 2:
        return ""
    labels = [row.label for row in found.rows[:_MOST_MODELS]]
    rows = [
        [
            s.name,
            f"{s.n_trials:.0f}",
            *(formatting.number(s.bits[label], _DIGITS) for label in labels),
        ]
        for s in scores[:_MOST_ROWS]
    ]
    return html.folded(f"Bits by {noun}", html.table([noun, "trials", *labels], rows))

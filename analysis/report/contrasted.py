"""Contrasts of thresholds between the values of one column, within participants where that can be."""

from collections.abc import Sequence
from dataclasses import replace

from analysis.data.answers import Answers
from analysis.fits.conditions.contrast_record import Contrasts
from analysis.fits.conditions.contrasts import contrasts
from analysis.fits.groups import fit
from analysis.infer.population import FEWEST
from analysis.report import formatting
from stimuli_store.errors import InputError
from stimuli_store.tools import html
from stimuli_store.tools.shown import p_value

#: Sign between two conditions whose thresholds are compared, by the scale.
SIGNS = {"ratio": "/", "difference": "−"}
_PERSON = "participant"


def contrasts_of(answers: Answers, by: Sequence[str], p: float) -> tuple[Contrasts | None, str]:
    """Return contrasts of all pairs of a column's values, and why there are none, if so.

    Parameters
    ----------
    answers
        Answers of people, or of simulated observers, to one task.
    by
        The column; with none or several there are no contrasts, and no reason is given.
    p
        Proportion correct that defines the thresholds.
    """
    if len(by) != 1 or answers.table[answers.column(by[0])].nunique() < 2:
        return None, ""
    try:
        if answers.tasks and answers.task.criterion:
            return None, "a task with a criterion has no thresholds"
        known = answers.exclude("no level", answers.table.level.isna().to_numpy())
        try:
            return contrasts(fit(known, by=[_PERSON, by[0]], p=p), by[0]), ""
        except InputError:  # too few participants have a threshold in both conditions
            found = contrasts(fit(known, by=by[0], p=p), by[0])
            return replace(found, caution=_caution(known, by[0])), ""
    except InputError as error:
        return None, str(error)


def _caution(answers: Answers, by: str) -> str:
    """Return why conditions that are compared by pooled answers say nothing about other people."""
    rows = answers.kept
    within = rows.groupby(_PERSON, observed=True)[answers.column(by)].nunique() > 1
    why = (
        f"fewer than {FEWEST} have a bounded threshold in both conditions of a pair"
        if within.any()
        else f"nobody answered in two conditions, and a comparison within people needs {FEWEST} who did"
    )
    return f"nothing is said about other people: {why}"


def contrasts_table(found: Contrasts) -> str:
    """Return contrasts as an HTML table, with the names of what had no value."""
    head = ["pair", found.rows[0].scale, "95 % interval", "p", "p after Holm's correction"]
    rows = [
        [
            f"{row.first} {SIGNS[row.scale]} {row.second}",
            formatting.number(row.estimate.value),
            formatting.bounds(row.estimate.low, row.estimate.high),
            p_value(row.p_value),
            p_value(row.p_holm),
            row.n or "–",
            row.for_whom,
        ]
        for row in found.rows
    ]
    notes = "".join(html.paragraph(formatting.sentence(note), "small") for note in found.notes)
    return html.table([*head, "participants", "for whom"], rows) + notes

"""The page of the report: its head, and its sections in order."""

from collections.abc import Sequence
from pathlib import Path

from analysis.data.answers import Answers
from analysis.report import formatting
from analysis.report.headlines import (
    answers_line,
    assumptions_of,
    sorts_line,
    statements_of,
)
from analysis.report.page.data import checks_section, data_section
from analysis.report.page.methods import methods_section
from analysis.report.page.models import model_section
from analysis.report.page.provenance import provenance_section
from analysis.report.page.sensitivity import dprime_section
from analysis.report.page.stimuli import stimuli_section
from analysis.report.page.style_sheet import STYLE
from analysis.report.page.thresholds import threshold_section
from analysis.report.page.timing import timing_section
from analysis.report.results import Results
from analysis.report.statements import Statement
from stimuli_store.bank.reading import Bank
from stimuli_store.journal import Session
from stimuli_store.tools import html


def report_page(
    results: Results, answers: Answers, *, bank: Bank | None, sessions: Sequence[Session]
) -> str:
    """Return the whole report of an analysis as one HTML page.

    Without a bank or sessions, the sections on them are not there.
    """
    title = _title(results, bank)
    return html.page(
        title,
        f"<h1>{html.text(title)}</h1>",
        f'<p class="lead">{html.text(answers_line(results))}; {html.code(results.pin or results.source)}</p>',
        _notices(results),
        html.cards(_card(s) for s in statements_of(results) if s.kind != "alarm"),
        threshold_section(results),
        model_section(results),
        dprime_section(results),
        checks_section(results),
        data_section(results, answers, sessions),
        stimuli_section(bank) if bank else "",
        timing_section(sessions, answers),
        methods_section(results),
        provenance_section(results, answers, bank=bank, sessions=sessions),
        style=STYLE,
    )


def _title(results: Results, bank: Bank | None) -> str:
    found = ["Thresholds"] if any(c.fit for c in results.conditions) else ["Sensitivity"]
    found += ["model ranking"] if results.rankings else []
    about = f"{bank.header.name} {bank.header.version}" if bank else Path(results.source).name
    return f"{' and '.join(found)}: {about}"


def _card(statement: Statement) -> tuple[str, str, list[tuple[str, str]], str]:
    notes = [(note.text, "alarm" if note.alarming else "") for note in statement.notes]
    return statement.label, statement.value, notes, statement.kind


def _notices(results: Results) -> str:
    """Return what must be known before the results: simulated answers, alarms, assumptions."""
    made = []
    if sorts_line(results):
        makers = ", ".join(sorted({str(o["model"]) for o in results.observers if "model" in o}))
        truth = (
            " Their true parameters are known and shown beside the estimates; they were not used in the fits."
            if any(any(t is not None for t in c.true_dprimes) for c in results.conditions)
            else ""
        )
        by = f" The observers use the distances of the model {html.code(makers)}." if makers else ""
        made.append(
            f"<b>Simulated.</b> {html.text(formatting.sentence(sorts_line(results)))}{by}{truth}"
        )
    made += [
        f"<b>Assumed.</b> {html.text(formatting.sentence(said))}"
        for said in assumptions_of(results)
    ]
    made += [
        f"<b>Look at this: {html.text(s.value)}.</b> {html.text(note.text)}"
        for s in statements_of(results)
        if s.kind == "alarm"
        for note in s.notes
    ]
    return "".join(f'<div class="notice">{said}</div>' for said in made)

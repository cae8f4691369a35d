"""Sections of the report on the data: checks of the answers, trials left out, sessions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.data.answers import Answers
from analysis.report import formatting
from analysis.report.results import Results, Sort
from stimuli_store.journal import Session
from stimuli_store.tools import html


def checks_section(results: Results) -> str:
    """Return the checks of the answers as HTML, those that need a look first."""
    checks = sorted(results.diagnostics, key=lambda check: not check.alarming)
    rows = [(f"{c.name}: look at this" if c.alarming else c.name, c.sentence) for c in checks]
    return html.section("Checks of the answers", html.table([], rows))


def data_section(results: Results, answers: Answers, sessions: Sequence[Session]) -> str:
    """Return the data section as HTML: trials, reasons why some are left out, flags, and sessions."""
    table = answers.table
    total = float(table.n_trials.sum())
    kept = float(table.n_trials[table.excluded == ""].sum())
    reasons = [
        [r.reason, formatting.share(r.trials, len(table))] for r in answers.exclusions.itertuples()
    ]
    rows: list[list[object]] = [
        ["trials", f"{total:.0f}"],
        ["analysed", formatting.share(kept, total)],
        ["of people", _sort(results.people)],
        ["of simulated observers", _sort(results.simulated)],
    ]
    if "flags" in table:
        flags = Counter(
            flag for text in table["flags"].astype(str) for flag in text.split(";") if flag
        )
        rows.append(["flagged", ", ".join(f"{k}: {n}" for k, n in sorted(flags.items())) or "none"])
    if sessions:
        rows.append(["unfinished sessions", sum(s.ended != "completed" for s in sessions)])
    left_out = (
        html.table(["left out, by reason", "trials"], reasons)
        + html.paragraph("A trial may have several reasons.", "small")
        if reasons
        else html.paragraph("No trial is left out.")
    )
    return html.section("Data", html.table([], rows), left_out, _sessions(sessions))


def _sort(sort: Sort) -> str:
    if not sort.n_trials:
        return "none"
    sessions = formatting.tally(sort.n_sessions, "session")
    return f"{formatting.tally(sort.n_trials, 'trial')} in {sessions}"


def _sessions(sessions: Sequence[Session]) -> str:
    if not sessions:
        return ""
    head = ["participant", "session", "run", "trials", "of", "ended", "observer", "created"]
    people = [
        [
            s.header.participant,
            s.header.session,
            s.header.run,
            len(s.records),
            s.header.n_trials,
            s.ended or "unfinished",
            "person" if s.header.observer is None else _observer(s.header.observer),
            s.header.created[:16].replace("T", " "),
        ]
        for s in sessions
    ]
    return html.table(head, people)


def _observer(description: Mapping[str, Any]) -> str:
    values = (f"{key} {formatting.described(value)}" for key, value in description.items())
    return "simulated: " + ", ".join(values)

"""Section of the report on the origin of the results: source, settings, bank, software."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.data.answers import Answers
from analysis.report.results import Results
from stimuli_store.bank.reading import Bank
from stimuli_store.journal import Session
from stimuli_store.tools import html
from stimuli_store.tools.environment import environment, package_version


def provenance_section(
    results: Results, answers: Answers, *, bank: Bank | None, sessions: Sequence[Session]
) -> str:
    """Return the origin of the results as HTML: source, settings, bank, and the software of every step."""
    versions = {**environment(), **_versions("scipy", "pandas", "matplotlib")}
    rows: list[list[object]] = [
        ["answers", answers.source],
        ["proportion correct of the threshold", f"{results.p:g}"],
        ["seed of resampling", results.seed],
        *(_bank_rows(bank) if bank else []),
    ]
    if answers.columns:
        rows.insert(1, ["columns", _columns(answers)])
    if sessions:
        designs = sorted({s.header.design_sha256 for s in sessions})
        rows.append(["designs (SHA-256)", ", ".join(designs)])
        software = {_pairs(s.header.software) for s in sessions}
        rows += [["shown with", entry] for entry in sorted(software)]
    rows.append(["analysed with", _pairs(versions)])
    return html.section("Origin and software", html.table([], rows))


def _versions(*names: str) -> dict[str, str]:
    return {name: package_version(name) or "unknown" for name in names}


def _columns(answers: Answers) -> str:
    return ", ".join(
        f"{own} as {became}" for own, became in answers.columns.items() if own != became
    )


def _bank_rows(bank: Bank) -> list[list[object]]:
    header = bank.header
    rows: list[list[object]] = [
        ["bank", bank.pin],
        ["version id (SHA-256 of the manifest)", bank.version_id],
        ["licence", header.license],
        ["creators", ", ".join(header.creators) or "–"],
        ["pixels", f"{header.colour.space}, {header.colour.transfer} transfer"],
        ["models with stored distances", ", ".join(bank.model_labels) or "none"],
        ["parent bank", _pairs(header.parent) if header.parent else "–"],
    ]
    environments = {
        _pairs(r.batch.environment): r.batch.environment for r in bank.records if r.batch
    }
    return rows + [["made with", _pairs(made)] for made in environments.values()]


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())

"""Sections of the report on the origin of the results: stimuli, timing, data, bank."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.data.answers import Answers
from analysis.data.presented import on_screen, seen_phases
from analysis.data.tables import meant
from analysis.plots import style
from analysis.plots.stimuli import Tile, display_stimuli
from analysis.plots.timing import plot_response_times, plot_timing
from analysis.report import formatting
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import BankError
from stimuli_store.journal import Session
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.tools import html

_MOST_TARGETS = 6
_MOST_COLUMNS = 9


#: Figures that stand under a picture, by kind, each with its short name.
_SHOWN = {
    "metamer": {"relative_distance": "distance"},
    "mad": {"metric_1": "metric 1", "metric_2": "metric 2"},
    "eigendistortion": {"response": "response"},
    "geodesic": {"step": "step"},
    "optimized": {"objective": "response"},
    "noise": {"rms": "rms"},
    "external": {"pixel_rms": "rms"},
}


def stimuli_section(bank: Bank) -> str:
    """Return the stimuli section as HTML: pictures of targets and stimuli, and all certificates."""
    rows = [
        [_tile(bank, target, target.name), *(_tile(bank, m, _at(m)) for m in members)]
        for target, members in _by_target(bank)
    ]
    parts = [
        html.paragraph(
            "Frames as the screen shows them: the target, then members of its sets, kind by kind."
        )
    ]
    if rows:
        made = display_stimuli(rows)
        parts.append(
            html.picture(style.to_png(made, 110), "Targets and their stimuli by level", 930)
        )
    count = sum(record.kind != "reference" for record in bank.records)
    parts += [
        _frames_note(bank),
        html.folded(f"Certificates of {count} stimuli", _certificates(bank)),
    ]
    return html.section("Stimuli and certificates", *parts)


def _by_target(bank: Bank) -> list[tuple[StimulusRecord, list[StimulusRecord]]]:
    """Return rows of pictures for the report: a target, and members of its sets of one kind."""
    found = []
    for sha, target in list(bank.references.items())[:_MOST_TARGETS]:
        kinds: dict[str, list[list[StimulusRecord]]] = {}
        for members in bank.sets.values():
            shown = [m for m in members if m.target == sha and m.certificate.frame_sha256]
            if shown:
                kinds.setdefault(shown[0].kind, []).append(shown)
        for sets in kinds.values():
            # Several sets differ in their level; the members of a single one in other things.
            picked = [members[0] for members in sets] if len(sets) > 1 else sets[0]
            picked = sorted(picked, key=_place) if len(sets) > 1 else picked
            step = max(1, math.ceil(len(picked) / _MOST_COLUMNS))
            found.append((target, picked[::step]))
    return found


def _place(record: StimulusRecord) -> tuple[float, str]:
    value = record.level.value if record.level else ""
    return (math.inf, value) if isinstance(value, str) else (value, "")


def _tile(bank: Bank, record: StimulusRecord, heading: str) -> Tile:
    figures = record.certificate.figures
    named = _SHOWN.get(record.kind, {})
    notes = [f"{short} {figures[name]:.2g}" for name, short in named.items() if name in figures]
    note = _with_labels(record, "\n".join(notes))
    return Tile(pixels=bank.frame(record.sha256).pixels, heading=heading, note=note or record.kind)


def _with_labels(record: StimulusRecord, text: str) -> str:
    """Return text with the labels of a record's models in place of the parts that they play."""
    for part, model in record.models.items():
        text = text.replace(part.replace("_", " "), model.label).replace(part, model.label)
    return text.replace("_", " ")


def _at(record: StimulusRecord) -> str:
    if record.role != record.kind and record.kind != "eigendistortion":
        return _with_labels(record, record.role)
    if record.level is None:
        return record.name
    if record.kind == "eigendistortion":
        return f"{record.role} {record.level.value:g}"
    value = record.level.value
    shown = value if isinstance(value, str) else f"{value:g}"
    return f"{shown} {formatting.short_unit(record.level.unit)}"


def _frames_note(bank: Bank) -> str:
    shown = [record for record in bank.records if record.certificate.frame_sha256]
    good = sum(_frame_is_certified(bank, record.sha256) for record in shown)
    return html.paragraph(
        "For this report every frame was computed again from the stored pixels: "
        f"{good} of {len(shown)} frames have the certified hash.",
        "small",
    )


def _frame_is_certified(bank: Bank, sha: str) -> bool:
    try:
        bank.frame(sha)
    except BankError:
        return False
    return True


def _certificates(bank: Bank) -> str:
    head = [
        "stimulus",
        "kind",
        "measured on the frame",
        "clipped",
        "status",
    ]
    rows = [
        [
            record.name,
            record.kind,
            ", ".join(
                f"{name.replace('_', ' ')} {value:.3g}"
                for name, value in record.certificate.figures.items()
            ),
            f"{record.certificate.clipped_fraction:.2%}",
            record.certificate.status,
        ]
        for record in bank.records
        if record.kind != "reference"
    ]
    note = html.paragraph(
        "Each distance is between the 8-bit frames of the stimulus and of its target, under the model "
        "that the stimulus was made for. The relative distance is divided by the root mean square of "
        "the model's output to the target.",
        "small",
    )
    return html.table(head, rows) + note


def timing_section(sessions: Sequence[Session], answers: Answers) -> str:
    """Return the timing section as HTML: the booth, and the frames shown compared with the plan.

    Phases are counted over the sessions on a screen; if there are none, over all sessions.
    """
    shown = [session for session in sessions if on_screen(session)] or sessions
    extra = np.array(
        [
            phase.n_frames - phase.planned_frames
            for session in shown
            for record in session.records
            for phase in seen_phases(record)
            if phase.planned_frames is not None
        ]
    )
    made = style.figure(6.8, 2.7)
    left, right = map(style.quiet, style.axes_in_row(made, [1, 1]))
    plot_timing(extra, left)
    plot_response_times(answers.table.rt_s, right)
    parts = [_screen_note(sessions), _booth_table(sessions)]
    parts += [html.picture(style.to_png(made), "Frames shown minus planned; response times", 760)]
    parts += [_phase_table(shown), _verified_note(answers)]
    return html.section("Timing", *parts)


def _screen_note(sessions: Sequence[Session]) -> str:
    shown = [s for s in sessions if on_screen(s)]
    loose = [s for s in shown if any(b.get("synchronised") is not True for b in s.booths)]
    lines = []
    if len(shown) < len(sessions):
        lines.append(
            f"{len(sessions) - len(shown)} of {len(sessions)} sessions had no screen: their "
            "times are nominal, not measured."
        )
    if loose:
        lines.append(
            f"In {len(loose)} of {len(shown)} sessions on a screen, flips were not always synchronised to "
            "the refresh (or the journal does not say so): there the frame counts do not prove durations."
        )
    return f'<div class="notice">{html.text(" ".join(lines))}</div>' if lines else ""


def _booth_table(sessions: Sequence[Session]) -> str:
    booths = [_flat(booth) for session in sessions for booth in session.booths]
    keys = list(dict.fromkeys(key for booth in booths for key in booth))
    groups: Counter[tuple[str, ...]] = Counter(
        tuple(_booth_value(booth.get(key)) for key in keys) for booth in booths
    )
    if not keys:
        return html.paragraph("The journals do not describe the booth.")
    rows = [
        [key.replace("_", " "), *(values[i] for values in groups)] for i, key in enumerate(keys)
    ]
    heads = [f"{count} sitting{'s' if count > 1 else ''}" for count in groups.values()]
    return html.table(["booth", *heads], rows)


def _flat(booth: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in booth.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key} "))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _booth_value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " × ".join(_booth_value(v) for v in value)
    return str(value)


def _phase_table(sessions: Sequence[Session]) -> str:
    seen: dict[str, list[tuple[int, int, int]]] = {}
    for session in sessions:
        for record in session.records:
            for phase in record.timing[:-1]:
                if phase.planned_frames is None:
                    continue
                row = (phase.planned_frames, phase.n_frames, len(phase.dropped))
                seen.setdefault(phase.name, []).append(row)
    if not seen:
        return html.paragraph("The journals hold no measured timing.")
    rows = []
    for name, counts in seen.items():
        planned, realised, dropped = np.array(counts).T
        rows.append(
            [
                name,
                len(counts),
                _range(planned),
                f"{realised.mean():.2f}",
                _range(realised),
                formatting.share(float((planned != realised).sum()), len(counts)),
                int(dropped.sum()),
            ]
        )
    head = [
        "phase",
        "shown",
        "frames planned",
        "mean shown",
        "range",
        "not as planned",
        "late frames",
    ]
    return html.table(head, rows)


def _range(values: np.ndarray) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low}" if low == high else f"{low}–{high}"


def _verified_note(answers: Answers) -> str:
    checked = answers.table.frames_verified.dropna()
    if not len(checked):
        return html.paragraph(
            "No frame was shown on a screen, so no frame on a screen was verified.", "small"
        )
    good = int(sum(bool(value) for value in checked))
    return html.paragraph(
        f"Frames verified: in {formatting.share(good, len(checked))} trials on a screen, every "
        "frame shown has the hash certified in the bank.",
        "small",
    )


def notes_section(sessions: Sequence[Session], answers: Answers) -> str:
    """Return the data section as HTML: trials, reasons why some are left out, flags, and sessions."""
    table = answers.table
    n_meant = int(meant(answers).sum())
    flags = Counter(flag for text in table["flags"] for flag in text.split(";") if flag)
    unfinished = [s for s in sessions if s.ended != "completed"]
    rows: list[list[object]] = [
        ["trials", n_meant],
        *[[f"left out: {r.reason}", r.trials] for r in answers.exclusions.itertuples()],
        ["fitted", formatting.share(len(answers.kept), n_meant)],
        ["flagged", ", ".join(f"{k}: {n}" for k, n in sorted(flags.items())) or "none"],
        ["unfinished sessions", len(unfinished)],
        ["simulated trials", formatting.share(float(table.simulated.sum()), len(table))],
    ]
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
            s.header.created,
        ]
        for s in sessions
    ]
    return html.section("Data", html.table([], rows), html.table(head, people))


def _observer(description: Mapping[str, Any]) -> str:
    values = (f"{key} {_booth_value(value)}" for key, value in description.items())
    return "simulated: " + ", ".join(values)


def bank_section(bank: Bank, sessions: Sequence[Session]) -> str:
    """Return the bank section as HTML: the bank's identity and the software of stimuli and sessions."""
    header = bank.header
    rows: list[list[str]] = [
        ["bank", bank.pin],
        ["version id (SHA-256 of the manifest)", bank.version_id],
        ["licence", header.license],
        ["creators", ", ".join(header.creators) or "–"],
        ["pixels", f"{header.colour.space}, {header.colour.transfer} transfer"],
        ["models with stored distances", ", ".join(bank.model_labels) or "none"],
        ["parent bank", _pairs(header.parent) if header.parent else "–"],
        ["designs (SHA-256)", ", ".join(sorted({s.header.design_sha256 for s in sessions}))],
    ]
    environments = {
        _pairs(r.batch.environment): r.batch.environment for r in bank.records if r.batch
    }
    rows += [["made with", _pairs(environment)] for environment in environments.values()]
    software = {_pairs(s.header.software) for s in sessions}
    rows += [["shown with", entry] for entry in sorted(software)]
    return html.section("Bank and software", html.table([], rows))


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())

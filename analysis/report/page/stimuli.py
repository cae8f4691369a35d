"""Section of the report on stimuli: pictures of targets and their stimuli, and certificates."""

import math

from analysis.plots import style
from analysis.plots.stimuli import Tile, display_stimuli
from analysis.report import formatting
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import BankError
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
            "Frames as the screen shows them, reduced: the target, then members of its sets, kind by kind."
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
    return formatting.with_unit(
        value if isinstance(value, str) else float(value), record.level.unit
    )


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
            formatting.percent(record.certificate.clipped_fraction),
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

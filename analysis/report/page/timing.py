"""Section of the report on timing: the booth, frames shown compared with the plan, response times."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.data.answers import Answers
from analysis.data.presented import on_screen, seen_phases
from analysis.plots import style
from analysis.plots.timing import plot_response_times, plot_timing
from analysis.report import formatting
from stimuli_store.journal import Session
from stimuli_store.tools import html


def timing_section(sessions: Sequence[Session], answers: Answers) -> str:
    """Return the timing section as HTML: the booth, and the frames shown compared with the plan.

    Phases are counted over the sessions on a screen; if there are none, over all sessions. Of a table there
    are only response times, or nothing.
    """
    if not sessions:
        return _response_times(answers)
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


def _response_times(answers: Answers) -> str:
    times = answers.table.rt_s
    if not times.notna().any():
        return ""
    axes = plot_response_times(times)
    middle = html.paragraph(f"The median response time is {times.median():.3g} s.")
    return html.section(
        "Response times", html.picture(style.to_png(axes), "Response times", 380), middle
    )


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
        tuple(formatting.described(booth.get(key)) for key in keys) for booth in booths
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

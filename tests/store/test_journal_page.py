"""``docs/formats/stimjournal-1.md`` says what is true: its example, its checksums, its tables of records."""

import hashlib
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from stimuli_store.errors import InputError, JournalError
from stimuli_store.journal import Journal, read_session
from stimuli_store.records.events import Gaze
from stimuli_store.records.trials import KeyPress, Perturbation, PhaseTiming, Trial
from stimuli_store.session_events import TYPES
from stimuli_store.tasks.types import Cell, Phase, PhaseSpec, Role, Show, Task
from tests.store.test_journal import write_raw

PAGE = (Path(__file__).parents[2] / "docs" / "formats" / "stimjournal-1.md").read_text("utf-8")
EXAMPLE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0].encode()
#: Records that stand inside others, and where the page has their keys.
INSIDE = {
    Role: "SessionHeader",
    Show: "SessionHeader",
    PhaseSpec: "SessionHeader",
    Cell: "SessionHeader",
    Task: "SessionHeader",
    Phase: "Trial",
    Perturbation: "Trial",
    **{record: record.__name__ for record in (*TYPES.values(), Trial, PhaseTiming, KeyPress)},
}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The example in a file."""
    path = tmp_path / "sub-S01_ses-01_task-look_run-1_beh.jsonl"
    path.write_bytes(EXAMPLE)
    return path


def test_the_example_is_a_journal(journal: Path) -> None:
    session = read_session(journal)
    (record,) = session.records
    during, beside = session.gaze
    assert (session.header.participant, session.header.n_trials, session.ended) == (
        "S01",
        2,
        "escape",
    )
    assert (record.response, record.correct, record.rt_s) == ("yes", True, 0.4321)
    assert record.presses[0].t_s - record.timing[1].onset_s == pytest.approx(record.rt_s)
    assert session.broken_off == ((1, 0),)
    assert (during.x_px, during.valid) == ((3.5, 3.25, None), (True, True, False))
    assert (during.index, during.attempt, beside.index) == (0, 0, None)
    assert beside.file == "sub-S01_ses-01_task-look_run-1_gaze.tsv.gz"


def test_the_checksums_are_those_that_the_page_describes() -> None:
    before = "0" * 16
    for number, line in enumerate(EXAMPLE.decode().splitlines()):
        row = json.loads(line)
        stated = row.pop("sum")
        text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        before = hashlib.sha256((before + text).encode()).hexdigest()[:16]
        assert (row["n"], stated) == (number, before)


def test_a_torn_last_line_is_what_the_page_says(journal: Path) -> None:
    *whole, last = EXAMPLE.splitlines(keepends=True)
    journal.write_bytes(b"".join(whole) + last[:-1])  # only the newline is missing
    assert (len(read_session(journal).gaze), read_session(journal).uncounted_bytes) == (2, 0)
    journal.write_bytes(b"".join(whole) + last[:-2])
    found = read_session(journal)
    assert (len(found.gaze), found.uncounted_bytes) == (1, len(last) - 2)
    with Journal(journal) as opened:
        opened.append("end", {"reason": "completed"})
    assert journal.with_name(journal.name + ".torn").read_bytes() == last[:-2] + b"\n"
    assert read_session(journal).ended == "completed"
    journal.write_bytes(b"".join(whole) + last[:-2] + b"\n")
    with pytest.raises(JournalError, match=f"damaged at line {len(whole) + 1}"):
        read_session(journal)


def test_every_event_and_every_key_stands_on_the_page() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    events = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \| .* \|$", PAGE, re.MULTILINE))
    assert events == {name: record.__name__ for name, record in TYPES.items()}
    for record, place in INSIDE.items():
        missing = [f.name for f in fields(record) if not re.search(rf"\b{f.name}\b", rows[place])]
        assert not missing, f"{record.__name__}: {missing}"


def test_gaze_is_written_and_read(journal: Path) -> None:
    samples = Gaze(eye="left", t_s=(9.0,), x_px=(0.5,), y_px=(-0.5,), valid=(True,))
    with Journal(journal) as opened:
        opened.append("gaze", samples)
        assert opened.session.gaze[-1] == samples
    assert read_session(journal).gaze[-1] == samples


SAMPLES = {
    "eye": "left",
    "t_s": [1.0, 2.0],
    "x_px": [0.0, 1.0],
    "y_px": [0, 1],
    "valid": [True, True],
}
FILE = {"eye": "left", "file": "a.tsv", "sha256": "0" * 64}
BAD_GAZE = {
    "no samples": ({"eye": "left"}, "give either samples .* or the file"),
    "samples and a file": ({**SAMPLES, **FILE}, "give either samples .* or the file"),
    "another eye": (
        {**SAMPLES, "eye": "third"},
        "eye must be one of left, right, both; not 'third'",
    ),
    "lengths": ({**SAMPLES, "x_px": [0.0]}, "they have 2, 1, 2 and 2"),
    "no position": ({**SAMPLES, "y_px": [None, 0.0]}, "a valid sample needs its position"),
    "order": ({**SAMPLES, "t_s": [2.0, 2.0]}, "later than the one before"),
    "endless": ({**SAMPLES, "x_px": [float("inf"), 0.0]}, "must be finite|cannot be written"),
    "type": ({**SAMPLES, "valid": [1, 0]}, "must have type bool; not 1"),
    "half a trial": ({**SAMPLES, "index": 0}, "named by its index and its attempt together"),
    "no hash": ({"eye": "left", "file": "a.tsv"}, "named with the SHA-256"),
    "a path": ({**FILE, "file": "../a.tsv"}, "in the folder of the journal, and named without it"),
    "hash": ({**FILE, "sha256": "0" * 63}, "must be 64 hexadecimal digits"),
    "unknown key": ({**SAMPLES, "pupil": [3.0]}, "unknown key in a journal's gaze 'pupil'"),
}


@pytest.mark.parametrize("case", BAD_GAZE)
def test_gaze_that_makes_no_sense_is_not_written(journal: Path, case: str) -> None:
    body, sentence = BAD_GAZE[case]
    with Journal(journal) as opened, pytest.raises(ValueError, match=sentence):
        opened.append("gaze", body)
    assert journal.read_bytes() == EXAMPLE


def test_gaze_during_a_trial_that_was_not_begun_is_refused(journal: Path) -> None:
    body = {**SAMPLES, "index": 1, "attempt": 1}
    sentence = "gaze is during trial 1, attempt 1, before its begin"
    with Journal(journal) as opened, pytest.raises(InputError, match=sentence):
        opened.append("gaze", body)
    assert journal.read_bytes() == EXAMPLE
    events = [(event.event, event.body) for event in read_session(journal).events]
    write_raw(journal, [*events, ("gaze", body)])
    with pytest.raises(JournalError, match=sentence):
        read_session(journal)

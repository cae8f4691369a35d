"""The journal: what was appended stays, a torn line costs nothing, an altered one is found."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stimuli_store.errors import InputError, JournalError
from stimuli_store.journal import Journal, has_begun, read_session, session_of
from stimuli_store.journal_lines import MAX_EVENT_BYTES, chained, read_lines
from stimuli_store.records.canonical import canonical_json
from stimuli_store.records.convert import to_json
from stimuli_store.records.events import Began, End, Page, Resumed
from stimuli_store.records.trials import SessionHeader, TrialRecord
from stimuli_store.tasks import task_named
from tests.store.test_records import RECORD

ROOT = Path(__file__).parents[2]
HEADER = SessionHeader(
    participant="S01",
    session=1,
    task=task_named("yes-no"),
    design={"design": {"repeats": 4}},
    design_sha256="d" * 64,
    pin="tiny@1.0.0#" + "0" * 16,
    seed=1,
    n_trials=3,
    booth={"adapter": "simulated"},
    software={"stimsynth": "0"},
    created="2026-01-01T00:00:00Z",
)
AT = "2026-01-01T00:00:01+01:00"


def record(index: int, attempt: int = 0) -> TrialRecord:
    return replace(RECORD, trial=replace(RECORD.trial, index=index, attempt=attempt))


def began(index: int, attempt: int = 0) -> Began:
    return Began(index=index, attempt=attempt, at=AT)


def write(path: Path, trials: int) -> Path:
    with Journal(path) as journal:
        journal.append("header", HEADER)
        for index in range(trials):
            journal.append("began", began(index))
            journal.append("trial", record(index))
    return path


def write_raw(path: Path, events: list[tuple[str, Any]], **row_changes: Any) -> Path:
    """Write events without any check, with checksums that are right."""
    total, lines = "0" * 16, b""
    for number, (event, body) in enumerate(events):
        row = {"event": event, "n": number, "body": to_json(body), **row_changes}
        total = chained(total, row)
        lines += canonical_json({**row, "sum": total}) + b"\n"
    path.write_bytes(lines)
    return path


def test_a_session_comes_back(tmp_path: Path) -> None:
    path = write(tmp_path / "data" / "a.jsonl", 2)
    session = read_session(path)
    assert session.header == HEADER
    assert session.records == (record(0), record(1))
    assert (session.ended, session.uncounted_bytes, session.broken_off) == (None, 0, ())
    page = Page(which="rest", from_s=1.0, until_s=2.5, at=AT)
    resumed = Resumed(done=2, booth={"adapter": "x"}, software={}, created=AT)
    with Journal(path) as journal:
        journal.append("resumed", resumed)
        journal.append("page", page)
        journal.append("trial", record(2))
        journal.append("end", End(reason="completed", at=AT))
        held = journal.session
    session = read_session(path)
    assert session == held
    assert len(session.records) == 3
    assert (session.ended, session.pages, session.sittings) == ("completed", (page,), (resumed,))
    assert session.booths == ({"adapter": "simulated"}, {"adapter": "x"})


def test_a_trial_that_was_begun_and_not_finished_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 1)
    with Journal(path) as journal:
        journal.append("began", began(1))
        journal.append("began", began(1, 1))
        journal.append("display_mismatch", record(1, 1))
        journal.append("began", began(1, 2))
        journal.append("trial", record(1, 2))
        journal.append("began", began(2))
    session = read_session(path)
    assert session.broken_off == ((1, 0), (1, 1), (2, 0))
    assert [r.trial.index for r in session.records] == [0, 1]


@pytest.mark.parametrize("cut", [2, 5, 100, 400])
def test_a_torn_last_line_costs_only_itself(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "a.jsonl", 2)
    os.truncate(path, path.stat().st_size - cut)
    torn = read_session(path)
    assert (len(torn.records), torn.broken_off) == (1, ((1, 0),))
    assert torn.uncounted_bytes > 1
    with Journal(path) as journal:
        journal.append("began", began(1, 1))
        journal.append("trial", record(1, 1))
    assert len(read_session(path).records) == 2
    assert read_session(path).uncounted_bytes == 0
    assert (tmp_path / "a.jsonl.torn").stat().st_size > 1


@pytest.mark.parametrize("line", [0, 2, 6])
def test_an_altered_line_is_found(tmp_path: Path, line: int) -> None:
    path = write(tmp_path / "a.jsonl", 3)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"0.4321", b"0.4322").replace(b'"S01"', b'"S02"')
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=f"damaged at line {line + 1}"):
        read_session(path)


def test_a_removed_line_is_found_and_nothing_is_changed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    before = path.read_bytes()
    with pytest.raises(JournalError, match="damaged at line 2"):
        Journal(path)
    assert path.read_bytes() == before


def test_two_writers_cannot_share_a_journal(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 1)
    with Journal(path), pytest.raises(JournalError, match="another running session"):
        Journal(path)
    with Journal(path) as again:
        assert len(again.events) == 3


def test_a_missing_or_headless_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot read"):
        read_session(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(JournalError, match="not a header"):
        read_session(tmp_path / "empty.jsonl")


CHILD = """
import sys
from pathlib import Path
from stimuli_store.journal import Journal
from tests.store.test_journal import HEADER, record
with Journal(Path(sys.argv[1])) as journal:
    journal.append("header", HEADER)
    for index in range(10**9):
        journal.append("trial", record(index))
        sys.stdout.write("x"); sys.stdout.flush()
"""


@pytest.mark.parametrize("delay_s", [0.005, 0.02, 0.06])
def test_kill_9_loses_no_trial_that_was_acknowledged(tmp_path: Path, delay_s: float) -> None:
    path = tmp_path / "a.jsonl"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.read(1)
    time.sleep(delay_s)
    child.send_signal(signal.SIGKILL)
    acknowledged = 1 + len(child.stdout.read())
    child.wait()
    child.stdout.close()
    with Journal(path):
        pass
    assert len(read_session(path).records) >= acknowledged


def test_a_whole_line_that_only_lost_its_newline_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 2)
    whole = path.read_bytes()
    os.truncate(path, len(whole) - 1)
    session = read_session(path)
    assert (len(session.records), session.uncounted_bytes) == (2, 0)
    with Journal(path) as journal:
        journal.append("trial", record(2))
    assert path.read_bytes().startswith(whole)
    assert len(read_session(path).records) == 3
    assert not path.with_name("a.jsonl.torn").exists()


def test_a_journal_without_a_whole_line_has_not_begun(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert not has_begun(path)
    path.write_bytes(b'{"event":"head')
    assert not has_begun(path)
    write(path, 0)
    assert has_begun(path)


ORDER = {
    "a trial twice": ([record(0), record(0)], "trial 0 stands there as attempt 0, after 1 before"),
    "a trial left out": ([record(1)], "trial 1 is out of order"),
    "an attempt too far": ([record(0), record(0, 2)], "trial 0 stands there as attempt 2, after 1"),
    "begun twice": ([began(0), began(0)], "trial 0 stands there as attempt 0, after 1"),
    "another than was begun": ([began(0), record(1)], "trial 1 follows the begin of trial 0"),
}


@pytest.mark.parametrize("case", ORDER)
def test_trials_twice_or_out_of_order_are_refused(tmp_path: Path, case: str) -> None:
    bodies, sentence = ORDER[case]
    names = {Began: "began", TrialRecord: "trial"}
    events = [("header", HEADER), *((names[type(body)], body) for body in bodies)]
    path = write_raw(tmp_path / "a.jsonl", events)
    with pytest.raises(JournalError, match=sentence):
        read_session(path)


STRICT = {
    "later format": ([("header", replace(HEADER, format="stimjournal/2"))], "stimjournal/2; this"),
    "unknown event": ([("header", HEADER), ("gift", {})], "the event 'gift' in line 2"),
    "two headers": ([("header", HEADER), ("header", HEADER)], "the event 'header' in line 2"),
    "unknown key": ([("header", HEADER), ("end", {"reasons": "x"})], "line 2: unknown key"),
    "wrong type": (
        [("header", HEADER), ("began", {"index": "0", "attempt": 0, "at": ""})],
        "index must have type int",
    ),
    "no header": ([("end", {"reason": "x"})], "first line is not a header"),
}


@pytest.mark.parametrize("case", STRICT)
def test_a_journal_is_read_strictly(tmp_path: Path, case: str) -> None:
    events, sentence = STRICT[case]
    with pytest.raises(JournalError, match=sentence):
        read_session(write_raw(tmp_path / "a.jsonl", events))


def test_a_key_that_comes_twice_and_other_spellings_are_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 0)
    line = path.read_bytes().rstrip(b"\n")
    for other in (line[:-1] + b',"n":0}', b" " + line, json.dumps(json.loads(line)).encode()):
        path.write_bytes(other + b"\n")
        with pytest.raises(JournalError, match="damaged at line 1"):
            read_session(path)


def test_a_line_has_at_most_a_mebibyte(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", 0)
    with Journal(path) as journal, pytest.raises(InputError, match="does not fit into a line"):
        journal.append("end", End(reason="x" * MAX_EVENT_BYTES, at=AT))
    path.write_bytes(path.read_bytes() + b"x" * (MAX_EVENT_BYTES + 5) + b"\n")
    with pytest.raises(JournalError, match="damaged at line 2"):
        read_session(path)


def test_nothing_is_appended_after_a_write_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.jsonl", 1)
    real = os.write

    def full(descriptor: int, data: Any) -> int:
        real(descriptor, bytes(data)[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(path) as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.append("trial", record(1))
        monkeypatch.undo()
        assert not journal.sound
        with pytest.raises(JournalError, match=r"a write to .* failed"):
            journal.append("end", End(reason="error"))
    assert (len(read_session(path).records), read_session(path).uncounted_bytes) == (1, 20)


@pytest.mark.parametrize("body", [{"reason": 3}, {"why": "x"}])
def test_a_body_that_could_not_be_read_is_not_written(tmp_path: Path, body: dict[str, Any]) -> None:
    path = write(tmp_path / "a.jsonl", 0)
    before = path.read_bytes()
    with Journal(path) as journal, pytest.raises(InputError):
        journal.append("end", body)
    assert path.read_bytes() == before


@pytest.mark.long
def test_every_flipped_bit_is_refused_or_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Journal(path) as journal:
        journal.append("header", HEADER)
        journal.append("began", began(0))
        journal.append("trial", record(0))
        journal.append("end", End(reason="completed", at=AT))
    whole, wanted = path.read_bytes(), read_session(path)
    read = []
    for bit in range(8 * len(whole)):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        try:
            lines = read_lines(io.BytesIO(data), path)
        except JournalError:
            continue
        found = session_of(lines.events, path, uncounted_bytes=lines.uncounted)
        read.append(bit)
        assert found.uncounted_bytes
        assert (found.records, found.header) == (wanted.records, wanted.header)
    last_newline = 8 * (len(whole) - 1)
    assert read == list(range(last_newline, last_newline + 8))

"""The journal: what was appended stays, a torn line costs nothing, an altered one is found."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stimuli_store.errors import JournalError
from stimuli_store.journal import Journal, read_session
from stimuli_store.records.trials import SessionHeader
from tests.store.test_records import RECORD

ROOT = Path(__file__).parents[2]
HEADER = SessionHeader(
    participant="S01",
    session=1,
    task="abx",
    design_sha256="d" * 64,
    pin="tiny@1.0.0#" + "0" * 16,
    seed=1,
    n_trials=3,
    booth={"adapter": "simulated"},
    software={"stimsynth": "0"},
    created="2026-01-01T00:00:00Z",
)


def write(path: Path, trials: int) -> Path:
    with Journal(path) as journal:
        journal.append("header", HEADER)
        for _ in range(trials):
            journal.append("trial", RECORD)
    return path


def test_a_session_comes_back(tmp_path: Path) -> None:
    path = write(tmp_path / "data" / "a.jsonl", 2)
    session = read_session(path)
    assert session.header == HEADER
    assert session.records == (RECORD, RECORD)
    assert session.ended is None
    with Journal(path) as journal:
        journal.append("trial", RECORD)
        journal.append("end", {"reason": "completed"})
    assert len(read_session(path).records) == 3
    assert read_session(path).ended == "completed"


@pytest.mark.parametrize("cut", [1, 5, 100, 400])
def test_a_torn_last_line_costs_only_itself(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "a.jsonl", 2)
    os.truncate(path, path.stat().st_size - cut)
    assert len(read_session(path).records) == 1
    with Journal(path) as journal:
        journal.append("trial", RECORD)
    assert len(read_session(path).records) == 2
    assert (tmp_path / "a.jsonl.torn").stat().st_size > 1


@pytest.mark.parametrize("line", [0, 1, 3])
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
        assert len(again.events) == 2


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
from tests.store.test_journal import HEADER, RECORD
with Journal(Path(sys.argv[1])) as journal:
    journal.append("header", HEADER)
    while True:
        journal.append("trial", RECORD)
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

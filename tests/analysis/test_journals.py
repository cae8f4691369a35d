"""Folders of journals, with what other programs leave in them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.cli import register
from analysis.data.journals import find_journals, read_sessions
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import JournalError
from stimuli_store.tasks import TASKS
from tests.analysis.builders import (
    analysed,
    header,
    observer_for,
    record_of,
    session_trials,
    write_journal,
)
from tests.helpers import tiny_bank


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture
def journal(bank: Bank, tmp_path: Path) -> Path:
    trials = session_trials(bank, 1, np.random.default_rng(0))
    records = [record_of(bank, t, "AB"[i % 2], 0.5) for i, t in enumerate(trials)]
    folder = tmp_path / "data"
    folder.mkdir()
    return write_journal(folder / "sub-a_ses-01_task-abx.jsonl", header(bank, "a", 24), records)


def whole(journal: Path) -> bytes:
    return journal.read_bytes()


PASSED_OVER: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "AppleDouble": (
        "._sub-a_ses-01_task-abx.jsonl",
        lambda journal: b"\0\5\x16\7\0\2\0\0Mac OS X        \0\2\n\0\0",
        "it is hidden",
    ),
    "hidden copy": (".sub-a_ses-01_task-abx.jsonl", whole, "it is hidden"),
    "hidden folder": (".stversions/sub-a_ses-01_task-abx.jsonl", whole, "it is hidden"),
    "other program": ("chat.jsonl", lambda journal: b'{"role": "user"}\n', "another program"),
    "binary": ("model.jsonl", lambda journal: b"\x80\x81\n\x82", "another program"),
    "not begun": ("sub-b_ses-01_task-abx.jsonl", lambda journal: b"", "had not begun"),
    "torn header": ("sub-b_ses-01_task-abx.jsonl", lambda j: whole(j)[:40], "had not begun"),
}


@pytest.mark.parametrize("name", PASSED_OVER)
def test_what_is_no_journal_is_passed_over_with_a_word(
    bank: Bank, journal: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place, content, reason = PASSED_OVER[name]
    other = journal.parent / place
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(content(journal))
    assert find_journals(journal.parent) == (journal,)
    told: list[str] = []
    (session,) = read_sessions(journal.parent, tell=told.append)
    assert session.header.participant == "a"
    assert [sentence.startswith(f"{other} is passed over: ") for sentence in told] == [True]
    assert reason in told[0]
    with pytest.warns(UserWarning, match=reason):
        read_sessions(journal.parent)


DAMAGED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "first line": ("sub-b_ses-01_task-abx.jsonl", lambda text: b"x" + text[1:]),
    "first line of one that was renamed": ("b.jsonl", lambda text: b"x" + text[1:]),
    "all of it": ("sub-b_ses-01_task-abx.jsonl", lambda text: bytes(len(text)) + b"\n"),
    "later line": ("b.jsonl", lambda text: text[:-40] + b"x" + text[-39:]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_journal_is_not_passed_over(journal: Path, name: str) -> None:
    place, spoil = DAMAGED[name]
    (journal.parent / place).write_bytes(spoil(whole(journal)))
    with pytest.raises(JournalError, match=f"{place} is damaged"):
        read_sessions(journal.parent)


def test_a_file_that_is_named_is_read_whatever_its_name(journal: Path) -> None:
    hidden = journal.rename(journal.with_name(".a.jsonl"))
    assert len(read_sessions(hidden)) == 1
    with pytest.raises(JournalError, match="holds no session journal"):
        read_sessions(journal.parent)


@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
def test_the_command_says_what_it_passed_over(
    bank: Bank, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    (journal.parent / "._x.jsonl").write_bytes(b"\0\5\x16\7\n")
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    out = journal.parent / "report"
    words = ["analyse", str(journal.parent), "--bank", str(bank.path), "--out", str(out)]
    args = parser.parse_args(words)
    assert args.run(args) == 0
    assert "._x.jsonl is passed over: it is hidden" in capsys.readouterr().err


def test_a_conflicted_copy_is_refused_by_name(journal: Path) -> None:
    copy = journal.with_name(journal.stem + " (conflicted copy).jsonl")
    copy.write_bytes(whole(journal))
    with pytest.raises(JournalError, match=r"conflicted copy\).jsonl.* both hold session 1"):
        read_sessions(journal.parent)


def simulated(bank: Bank, path: Path, participant: str, run: int) -> Path:
    """The journal of a run, whose number is the seed of its order and the gain of its observer."""
    rng = np.random.default_rng(run)
    trials = session_trials(bank, 2, rng)
    observer = replace(observer_for(bank, trials), gain=float(run))
    given = [(t, observer.respond(t, rng)) for t in trials]
    head = header(bank, participant, len(trials), run=run, observer=observer.describe())
    return write_journal(path, head, [record_of(bank, t, a.response, a.rt_s) for t, a in given])


@pytest.mark.long
def test_runs_of_a_session_are_read_together_and_kept_apart(bank: Bank, tmp_path: Path) -> None:
    """Runs of one participant have the thresholds of runs of two, whose trials cannot be mixed up."""
    paths = {
        people: [simulated(bank, tmp_path / f"{people}{i}.jsonl", people[i], i + 1) for i in (0, 1)]
        for people in ("aa", "ab")
    }
    one, two = (analysed(bank, read_sessions(found)) for found in paths.values())
    assert one.true_threshold == two.true_threshold
    assert one.threshold == two.threshold
    assert one.headline.true_dprimes == two.headline.true_dprimes
    assert one.people.n_sessions + one.simulated.n_sessions == 2
    assert one.participants == ("a",)


def test_tasks_of_a_session_are_both_read(bank: Bank, tmp_path: Path) -> None:
    for task in (TASKS["abx"], TASKS["2ifc"]):
        trials = session_trials(bank, 1, np.random.default_rng(0), task)
        records = [record_of(bank, t, task.answers[0], 0.5) for t in trials]
        head = header(bank, "a", len(trials), task=task)
        write_journal(tmp_path / f"sub-a_task-{task.name}.jsonl", head, records)
    sessions = read_sessions(tmp_path)
    assert [session.header.task.name for session in sessions] == ["2ifc", "abx"]
    copy = tmp_path / "sub-b.jsonl"
    copy.write_bytes(whole(tmp_path / "sub-a_task-abx.jsonl"))
    with pytest.raises(JournalError, match=r"hold session 1 of participant a, task abx, run 1;"):
        read_sessions(tmp_path)

"""A file given in another's place is called by what it is: a table, a journal, a bank, a TOML file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import read_design
from stimsynth.banks.plan import read_plan
from stimsynth.cli import main
from stimuli_store import open_bank, read_session
from stimuli_store.errors import StimsynthError
from tests.analysis.builders import header, record_of, session_trials, write_journal
from tests.helpers import tiny_bank


def read_trials(path: Path) -> Any:
    from analysis import read_trials

    return read_trials(path)


def read_sessions(path: Path) -> Any:
    from analysis import read_sessions

    return read_sessions(path)


FILES = {
    "trials.csv": "a table",
    "trials.tsv": "a table",
    "trials.jsonl": "a table",
    "a.jsonl": "a session journal",
    "a.csv": "a session journal",
    "bank.h5": "a bank",
    "roles.toml": "a TOML file",
}
READERS: dict[Callable[[Path], Any], set[str]] = {
    read_session: {"a session journal"},
    read_sessions: {"a session journal"},
    read_trials: {"a table"},
    open_bank: {"a bank"},
    read_plan: {"a TOML file"},
    read_design: {"a TOML file"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("given")
    bank = tiny_bank(folder)
    shutil.copy(bank.path, folder / "bank.h5")
    trials = session_trials(bank, 1, np.random.default_rng(0))
    records = [record_of(bank, trial, trial.answer, 0.5) for trial in trials]
    journal = write_journal(folder / "a.jsonl", header(bank, "a", len(trials)), records)
    shutil.copy(journal, folder / "a.csv")
    for name, mark in {"trials.csv": ",", "trials.tsv": "\t", "trials.jsonl": ";"}.items():
        rows = [["participant", "level", "correct"], ["a", "1", "1"], ["b", "2", "0"]]
        (folder / name).write_text("\n".join(mark.join(row) for row in rows))
    (folder / "roles.toml").write_text('level = "size, in degrees"\n')
    return folder


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("read", READERS)
def test_each_reader_calls_the_file_by_what_it_is(
    read: Callable[[Path], Any], name: str, folder: Path
) -> None:
    if FILES[name] in READERS[read]:
        return
    with pytest.raises(StimsynthError) as caught:
        read(folder / name)
    sentence = str(caught.value)
    assert f"{folder / name} is {FILES[name]}, no" in sentence
    assert sentence.count("\n") == 0
    if read in (read_session, read_sessions) and FILES[name] == "a table":
        assert "read it with read_trials" in sentence


#: Command lines with a file that does not belong, and what is said of it.
COMMANDS = {
    "analyse trials.csv --bank bank.h5": "trials.csv is a table of trials, not a session journal",
    "analyze a.jsonl": "a.jsonl holds session journals, which need the bank they were run with",
    "analyse a.csv": "a.csv holds session journals, which need the bank they were run with",
    "analyse a.jsonl --bank trials.csv": "trials.csv is a table, no HDF5 file",
    "analyse trials.csv --roles a.jsonl": "a.jsonl is a session journal, not a TOML file",
    "analyse bank.h5": "bank.h5 is a bank, not a table",
    "analyse trials.jsonl --bank bank.h5": "trials.jsonl is a table, not a session journal",
    "bank check a.jsonl": "a.jsonl is a session journal, no HDF5 file",
    "run trials.csv --participant S01": "trials.csv is a table, not a TOML file",
    "build bank.h5": "bank.h5 is a bank, not a TOML file",
}


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_does_too(
    line: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    words = line.split()
    assert main([*words, *(["--out", "out"] if words[0].startswith("analy") else [])]) > 0
    assert COMMANDS[line] in capsys.readouterr().err

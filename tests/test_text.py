"""Text in and out: files of any editor, and terminals that cannot show all of it."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.design import read_design
from stimsynth.banks.plan import read_plan
from stimsynth.cli import main
from stimuli_store.bank.reading import Bank
from stimuli_store.errors import InputError
from tests.analysis.builders import header, record_of, session_trials, write_journal
from tests.experiments.helpers import write_design
from tests.helpers import tiny_bank
from tests.synth.test_plan_and_build import write_plan


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return tiny_bank(tmp_path_factory.mktemp("bank ∞"))


def plan(folder: Path, bank: Bank) -> Path:
    return write_plan(folder)


def design(folder: Path, bank: Bank) -> Path:
    return write_design(folder / "d.toml", bank)


READERS: dict[str, tuple[Callable, Callable[[Path], Any]]] = {
    "plan": (plan, read_plan),
    "design": (design, read_design),
}
EDITORS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "UTF-16, big ends first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "UTF-16, Windows line ends": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "line ends of an old Mac": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("editor", EDITORS)
@pytest.mark.parametrize("kind", READERS)
def test_files_of_any_editor_say_the_same(
    tmp_path: Path, bank: Bank, kind: str, editor: str
) -> None:
    make, read = READERS[kind]
    path = make(tmp_path, bank)
    before = read(path)
    text = "# geprüft: α ≤ 5 %\n" + path.read_text(encoding="utf-8")
    path.write_bytes(EDITORS[editor](text))
    assert read(path) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("# geprüft".encode("cp1252"), "not UTF-8; save it as UTF-8"),
        (b'path = "C:\\Users\\me"', r"write \\\\ or / for a backslash"),
        (b"\xff\xfe[", "not UTF-8"),
        (b"PK\3\4", "is not valid TOML"),
        ("a = 1".encode("utf-16-be"), "UTF-16 without a byte order mark.*; save it as UTF-8"),
        ("a = 1".encode("utf-16-le"), "UTF-16 without a byte order mark.*; save it as UTF-8"),
    ],
)
@pytest.mark.parametrize("kind", READERS)
def test_what_is_no_text_is_said(tmp_path: Path, kind: str, content: bytes, sentence: str) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(InputError, match=rf"x\.toml is not valid TOML.*{sentence}|{sentence}"):
        READERS[kind][1](tmp_path / "x.toml")


def all_right(folder: Path, bank: Bank) -> Path:
    """A journal with nothing but right answers: its interval has no lower end that is more than 0."""
    trials = session_trials(bank, 1, np.random.default_rng(0))
    records = [record_of(bank, t, t.answer, 0.5) for t in trials]
    return write_journal(folder / "a.jsonl", header(bank, "a", len(trials)), records)


COMMANDS: dict[str, tuple[Callable[[Path, Bank], list[object]], int]] = {
    "help": (lambda folder, bank: ["--help"], 0),
    **{
        f"help of {name}": (lambda folder, bank, name=name: [name, "--help"], 0)
        for name in ("demo", "build", "bank", "run", "analyse", "doctor")
    },
    "doctor": (lambda folder, bank: ["doctor"], 0),
    "bank ls": (lambda folder, bank: ["bank", "ls", bank.path.parent], 0),
    "bank check": (lambda folder, bank: ["bank", "check", bank.path], 0),
    "bank info": (lambda folder, bank: ["bank", "info", bank.path, "--json"], 0),
    "no bank": (lambda folder, bank: ["bank", "check", "∞.h5"], 3),
    "no plan": (lambda folder, bank: ["build", "∞.toml"], 2),
    "no design": (lambda folder, bank: ["run", "∞.toml", "--participant", "S01"], 2),
    "no data": (lambda folder, bank: ["analyse", "∞", "--bank", bank.path, "--out", folder], 4),
    "usage": (lambda folder, bank: ["bank", "∞"], 2),
    "analyse": (
        lambda folder, bank: ["analyse", all_right(folder, bank), "--bank", bank.path, "--out", folder / "∞"],
        0,
    ),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_fails_for_want_of_a_character(
    tmp_path: Path, bank: Bank, name: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, wanted = COMMANDS[name]
    monkeypatch.setattr("analysis.plots.style.to_png", lambda *_: b"")  # only words are read here
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in "oe"]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    try:
        code: object = main([str(word) for word in words(tmp_path, bank)])
    except SystemExit as end:
        code = end.code
    written = b""
    for stream in streams:
        stream.flush()
        written += stream.buffer.getvalue()  # type: ignore[attr-defined]
    assert code == wanted
    assert written
    if name in ("bank check", "no bank", "analyse"):
        assert rb"\u221e" in written

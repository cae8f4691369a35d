"""The command line as a whole: errors of the system are sentences too."""

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stimsynth.cli import main, make_parser
from stimuli_store.tools.terminal import write_lines
from tests import fresh
from tests.helpers import tiny_bank
from tests.synth.test_plan_and_build import FEW, write_plan

ROOT = Path(__file__).parents[1]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    errors = capsys.readouterr().err
    assert errors.startswith("stimsynth: ")
    assert errors.count("\n") == 1
    return errors


def every_help(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield parser.format_help()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for made in action.choices.values():
                yield from every_help(made)


def test_help_fits_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    every = list(every_help(make_parser()))
    assert len(every) > 15
    assert not [line for text in every for line in text.splitlines() if len(line) > 80]


def test_lines_for_a_terminal_are_broken_below_their_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "look at     " + "five of the words " * 8
    write_lines([line])
    assert capsys.readouterr().out == f"{line}\n"  # a file and a pipe get the whole line
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    write_lines([line])
    first, *further = capsys.readouterr().out.splitlines()
    assert further
    assert max(map(len, (first, *further))) <= 60
    assert all(part.startswith(" " * 12) and part[12] != " " for part in further)
    assert " ".join([first[12:], *map(str.strip, further)]).split() == line[12:].split()


def test_a_file_where_a_folder_should_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = write_plan(tmp_path)
    (tmp_path / "taken").write_text("")
    assert main(["build", str(plan), "--out", str(tmp_path / "taken")]) == 1
    assert "error of the operating system" in said(capsys)


@pytest.mark.long
def test_a_full_disk_is_a_sentence_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: writes past it fail in the same way."""
    plan = write_plan(tmp_path, FEW)
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, 16 * 1024))\n"
        "from stimsynth.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    limited = fresh.run(["-c", code, "build", plan], cwd=ROOT)
    assert limited.returncode == 1, limited.stderr
    assert re.fullmatch(
        r"stimsynth: error of the operating system \(File too large\).*\n", limited.stderr
    )
    assert not list(tmp_path.glob("*.h5*"))
    kept = {job: job.stat().st_mtime_ns for job in (tmp_path / "jobs").glob("*.h5")}
    assert main(["build", str(plan)]) == 0
    assert all(job.stat().st_mtime_ns == stamp for job, stamp in kept.items())


def test_flipped_bits_in_headers_are_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third byte of the file's first kilobyte, one bit each: sound, or refused with a sentence."""
    parser = make_parser()  # most of the time of a command goes into making it
    monkeypatch.setattr("stimsynth.cli.make_parser", lambda: parser)
    path = tiny_bank(tmp_path, levels=(4.0,)).path
    whole = path.read_bytes()
    copy = tmp_path / "copy.h5"
    codes = set()
    for place in range(0, 1024, 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        copy.write_bytes(damaged)
        code = main(["bank", "check", str(copy)])
        codes.add(code)
        if code:
            said(capsys)
        else:
            capsys.readouterr()
    assert 3 in codes
    assert codes <= {0, 3}


def test_a_folder_is_listed_though_one_bank_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = tiny_bank(tmp_path)
    (tmp_path / "bad.h5").write_bytes(bank.path.read_bytes()[:900])
    (tmp_path / f"._{bank.path.name}").write_bytes(b"\0\5\x16\7")
    assert main(["bank", "ls", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "bad.h5" in out
    assert out.count("unreadable") == 1
    assert bank.pin in out


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="there are no such pipes")
def test_a_closed_pipe_ends_the_command_quietly_and_not_a_process_that_calls_it(
    tmp_path: Path,
) -> None:
    """A movie that ffmpeg refused ended the worker in which `main` had run before."""
    before = signal.getsignal(signal.SIGPIPE)
    assert main(["bank", "ls", str(tmp_path)]) == 0
    with pytest.raises(SystemExit):
        main(["--help"])
    assert signal.getsignal(signal.SIGPIPE) is before
    command = f"{sys.executable} -m stimsynth --help | true; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stderr == ""
    assert int(result.stdout) in (0, 128 + signal.SIGPIPE)


def test_the_version_is_told() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "stimsynth", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ},
    )
    assert re.fullmatch(r"stimsynth \d+\.\d+\.\d+\n", result.stdout)


@pytest.mark.parametrize("words", [[], ["bank"]])
def test_a_command_alone_prints_its_help(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    alone = capsys.readouterr()
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    assert alone.out == capsys.readouterr().out
    assert alone.err == ""


def _options(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command with each of its long options."""
    for action in parser._actions:
        yield from ((words, name) for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield from _options(command, (*words, name))


PARSER = make_parser()
OPTIONS = list(_options(PARSER))


def test_the_table_of_options_has_every_package() -> None:
    commands = {words for words, _ in OPTIONS}
    assert {
        (),
        ("analyse",),
        ("power",),
        ("run",),
        ("build",),
        ("bank",),
        ("bank", "ls"),
    } <= commands
    assert len(OPTIONS) > 60


@pytest.mark.parametrize(
    ("words", "option"), OPTIONS, ids=[" ".join((*words, name)) for words, name in OPTIONS]
)
def test_a_misspelt_option_is_told_with_the_nearest_one(
    words: tuple[str, ...], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before what it leaves missing, wherever it stands, with a value or without, with a dash too few."""
    doubled = option + option[-1]
    given = [(doubled, "1"), (f"{doubled}=1",)]
    if words not in [(), ("bank",)]:  # else the name of a command would come first
        given.append(("x", "y", doubled))
    if not option.startswith("--h"):  # -h has a meaning
        given.append((option[1:], "1"))
    for rest in given:
        with pytest.raises(SystemExit, match="2"):
            PARSER.parse_args([*words, *rest])
        *usage, told = capsys.readouterr().err.splitlines()
        assert usage[0].startswith("usage: ")
        assert re.search(f"unknown option '--?[a-z0-9-]+'; did you mean '{option}'\\?", told)


@pytest.mark.parametrize("words", [["--out", "x", "--", "--taks"], ["--ou=x"]])
def test_shortened_options_and_words_after_two_dashes_are_taken(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyse", *words]) == 2
    assert re.search("does not exist|nothing to analyse", said(capsys))


@pytest.mark.parametrize("spelling", ["analyse", "analyze"])
def test_both_spellings_work(spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([spelling, "nothing.csv", "--out", "x"]) == 2
    assert "nothing.csv does not exist" in said(capsys)


@pytest.mark.parametrize("words", [["--help"], ["bank", "--help"], []])
def test_help_loads_nothing_large(words: list[str]) -> None:
    code = f"""
import sys
from stimsynth.cli import main
try:
    main({words!r})
except SystemExit:
    pass
print("loaded", {{"torch", "psychopy", "pandas", "matplotlib", "h5py", "numpy"}} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("loaded set()\n"), done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rnu"], "unknown command 'rnu'; did you mean 'run'?"),
        (["bank", "chekc"], "unknown action 'chekc'; did you mean 'check'?"),
        (
            ["run", "x.toml", "--participant", "S01", "--booth", "simulatd"],
            "unknown value of --booth 'simulatd'; did you mean 'simulated'?",
        ),
        (["bank", "contact-sheet", "x.h5"], "arguments are required: OUT.png\n"),
    ],
)
def test_misspelt_words_get_the_nearest_and_missing_ones_are_named(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert sentence in capsys.readouterr().err


def test_a_plan_and_a_design_that_are_exchanged_are_called_what_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, design = tmp_path / "plan.toml", tmp_path / "design.toml"
    plan.write_text('[bank]\nname = "b"\n[targets]\n[[sets]]\nkind = "metamer"\n')
    design.write_text('[bank]\npath = "b.h5"\n[task]\nname = "abx"\n[design]\nseed = 1\n')
    assert main(["run", str(plan), "--participant", "S01"]) == 2
    assert f"{plan} is a plan, and a design is asked for; `stimsynth build`" in said(capsys)
    assert main(["build", str(design)]) == 2
    assert f"{design} is a design, and a plan is asked for; `stimsynth run`" in said(capsys)

"""`stimsynth run` as it is typed."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import cli
from stimuli_store.errors import DisplayError, InputError, MissingExtra, PinMismatch
from stimuli_store.journal import read_session
from tests.experiments.helpers import write_design
from tests.helpers import tiny_bank

ROOT = Path(__file__).parents[2]
SCRIPT = "import sys; from tests.experiments.test_cli import typed; sys.exit(typed(sys.argv[1:]))"
SHORT = """[task]
name = "abx"
ms = { iti = 50, A = 50, gap_ab = 50, B = 50, gap_bx = 50, X = 50, respond = 1000 }
[screen]
size = [200, 160]
"""


def typed(words: list[str]) -> int:
    parser = argparse.ArgumentParser()
    cli.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["run", *words])
    return args.run(args)


@pytest.fixture
def folder(tmp_path):
    """A folder with a bank and a design of 32 trials."""
    bank = tiny_bank(tmp_path, levels=(4.0, 32.0))
    write_design(tmp_path / "design.toml", bank, SHORT)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--gain", "2"], "describe a simulated observer"),
        (["--lapse", "0"], "describe a simulated observer"),
        (["--simulate", "right", "--gain", "inf"], "a gain of at least 0"),
        (
            ["--simulate", "right", "--mean-correct", "1"],
            r"another mean \(--mean-correct\), or .*--gain",
        ),
        (["--simulate", "right", "--lapse", "nan"], "--lapse is a rate from 0 to 1; not nan"),
        (["--simulate", "right", "--gain", "1", "--mean-correct", "0.7"], "give one of them"),
    ],
)
def test_an_observer_that_makes_no_sense_is_refused(folder, words, sentence):
    with pytest.raises(InputError, match=sentence):
        typed([str(folder / "design.toml"), "--participant", "S01", *words])
    assert not (folder / "data").exists()


@pytest.mark.parametrize("extra", ['[keys]\nA = "lefft"\nB = "b"', '[keys]\nA = "a"\nB = ""'])
def test_a_key_that_no_keyboard_has_is_refused(folder, extra):
    design = folder / "design.toml"
    design.write_text(design.read_text() + extra)
    with pytest.raises(InputError, match="unknown key"):
        typed([str(design), "--participant", "S01", "--simulate", "right"])


def test_a_simulated_session_from_start_to_end(folder, capsys):
    command = [str(folder / "design.toml"), "--participant", "S01", "--simulate", "right"]
    assert typed([*command, "--max-trials", "10"]) == 0
    out = capsys.readouterr()
    path = folder / "data" / "sub-S01_ses-01_task-abx_run-1_beh.jsonl"
    assert out.out == (
        f"session 1 of S01 is paused; the same command continues it: 10 of 32 trials, in {path}\n"
    )
    assert out.err == ""  # no progress bar where nobody watches
    assert typed(command) == 0
    assert f"is completed: 32 of 32 trials, in {path}" in capsys.readouterr().out
    before = path.read_bytes()
    assert typed(command) == 0
    assert "was completed before; no trial is left" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_the_true_observer_is_in_the_header_and_calibrated(folder):
    from analysis.observers.evidence import evidence_of
    from analysis.observers.simulated.model_observer import observer_from_description
    from stimuli_store.bank.reading import open_bank

    command = [str(folder / "design.toml"), "--participant", "S01", "--simulate", "right"]
    typed([*command, "--mean-correct", "0.7", "--lapse", "0.05", "--data", str(folder / "here")])
    session = read_session(folder / "here" / "sub-S01_ses-01_task-abx_run-1_beh.jsonl")
    truth = session.header.observer
    assert (truth["model"], truth["lapse"], truth["task"], truth["rule"]) == (
        "right",
        0.05,
        "abx",
        "independent",
    )
    evidence = evidence_of(open_bank(folder / "tiny-1.0.0.h5"), "right")
    observer = observer_from_description(truth, evidence, session.header.task)
    p = [observer.p_correct(record.trial) for record in session.records]
    assert sum(p) / len(p) == pytest.approx(0.7, abs=1e-6)


def test_gain_given_is_gain_used(folder):
    command = [str(folder / "design.toml"), "--participant", "S02", "--session", "3"]
    typed([*command, "--simulate", "wrong", "--gain", "1.5"])
    session = read_session(folder / "data" / "sub-S02_ses-03_task-abx_run-1_beh.jsonl")
    assert (session.header.observer["gain"], session.header.observer["model"]) == (1.5, "wrong")
    assert session.header.session == 3


@pytest.mark.parametrize(
    ("words", "error", "sentence"),
    [
        (["--participant", "a/b"], InputError, "'\\+'; 'a/b' was given"),
        (["--participant", "S-01"], InputError, "BIDS allows"),
        (
            ["--participant", "S01", "--run", "0"],
            InputError,
            "runs are numbered from 1 to 99; 0 was",
        ),
        (["--participant", "S01", "--session", "0"], InputError, "numbered from 1 to 99; 0 was"),
        (["--participant", "S01", "--simulate", "rigth"], InputError, "did you mean 'right'"),
        (["--participant", "S01", "--booth", "simulated"], InputError, "--simulate MODEL"),
    ],
)
def test_bad_words_are_refused_before_anything_is_made(folder, words, error, sentence):
    with pytest.raises(error, match=sentence):
        typed([str(folder / "design.toml"), *words])
    assert not (folder / "data").exists()


def test_a_wrong_pin_is_refused(folder):
    path = folder / "design.toml"
    text = path.read_text()
    start = text.index("#") + 1
    path.write_text(text[:start] + "0" * 16 + text[start + 16 :])
    with pytest.raises(PinMismatch, match=r"but the pin asks for tiny@1\.0\.0#0000000000000000"):
        typed([str(path), "--participant", "S01", "--simulate", "right"])


def test_what_the_bank_cannot_give_names_the_file_of_the_design(folder):
    path = folder / "design.toml"
    path.write_text(path.read_text().replace("[design]", "[design]\nlevels = [5.0]"))
    with pytest.raises(InputError, match=r"design\.toml: .*level"):
        typed([str(path), "--participant", "S01", "--simulate", "right"])


def test_no_display_is_said_in_one_sentence(folder, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    if sys.platform != "linux":
        pytest.skip("only X needs DISPLAY")
    with pytest.raises(DisplayError, match="this machine has no display"):
        typed([str(folder / "design.toml"), "--participant", "S01"])
    assert not (folder / "data").exists()


def test_no_psychopy_says_what_to_install(folder, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    for name in [n for n in sys.modules if n.split(".")[0] in ("psychopy", "pyglet")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyglet", None)
    monkeypatch.setitem(sys.modules, "psychopy", None)
    with pytest.raises(MissingExtra, match=r'pip install -e "\.\[booth\]"'):
        typed([str(folder / "design.toml"), "--participant", "S01"])


@pytest.mark.long
def test_help_and_simulation_never_load_psychopy_or_torch(folder):
    code = (
        "import sys; from tests.experiments.test_cli import typed\n"
        f"typed([{str(folder / 'design.toml')!r}, '--participant', 'S01', '--simulate', 'right'])\n"
        "heavy = {'psychopy', 'pyglet', 'torch', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def in_window(folder, *words: str) -> list[str]:
    return [
        *(sys.executable, "-c", SCRIPT, str(folder / "design.toml"), "--participant", "S01"),
        *("--booth", "psychopy", "--virtual-display", "--simulate", "right", *words),
    ]


@pytest.mark.window
def test_a_windowed_session_says_one_line_and_nothing_else(display, folder):
    command = in_window(folder, "--max-trials", "2")
    environment = {k: v for k, v in os.environ.items() if k != "DISPLAY"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    path = folder / "data" / "sub-S01_ses-01_task-abx_run-1_beh.jsonl"
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"session 1 of S01 is paused; the same command continues it: 2 of 32 trials, in {path}"
    ]
    booth = read_session(path).header.booth
    assert (booth["adapter"], booth["synchronised"]) == ("psychopy", False)


@pytest.mark.window
def test_a_signal_ends_a_windowed_session_and_its_server(display, folder):
    from tests.experiments.test_session import wait_for_trials

    path = folder / "data" / "sub-S01_ses-01_task-abx_run-1_beh.jsonl"
    session = subprocess.Popen(in_window(folder), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with session:
        wait_for_trials(path, 1, session)
        session.send_signal(signal.SIGTERM)
        out, _ = session.communicate(timeout=20)
    assert session.returncode == 128 + signal.SIGTERM
    assert "was ended by SIGTERM; the same command continues it" in out
    assert read_session(path).ended == "SIGTERM"


@pytest.mark.parametrize("home", ["none", "empty", "not there", "a file"])
def test_an_account_without_a_home_is_given_a_folder(monkeypatch, tmp_path, home):
    from experiments.booth import load

    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    (tmp_path / "file").touch()
    values = {"empty": "", "not there": str(tmp_path / "no"), "a file": str(tmp_path / "file")}
    monkeypatch.delenv(load._HOME, raising=False)
    if home in values:
        monkeypatch.setenv(load._HOME, values[home])
    monkeypatch.setattr(load.Path, "home", unknown)
    folder = Path(load._home())
    assert folder.is_dir()
    (folder / "preferences").touch()

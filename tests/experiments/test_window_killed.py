"""Sessions in a real window, killed at random moments (slow): nothing is lost or counted twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from experiments.session_plan import journal_path
from stimuli_store.bank.reading import Bank
from stimuli_store.journal import read_session
from tests.experiments.helpers import write_design

pytestmark = [pytest.mark.window, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
KILLS = 10
SESSION = """
import sys
from pathlib import Path
from experiments.booth.psychopy_booth import open_booth
from experiments.design import read_design
from experiments.session import run_session
from stimuli_store.bank.reading import open_bank
from tests.experiments.helpers import Given

class Right:
    def respond(self, trial, rng):
        return Given(trial.answer, 0.1)

    def describe(self):
        return {"model": "right"}

design = read_design(sys.argv[1])
booth = open_booth(design.screen, allow_unsynced=True, simulated=True)
bank = open_bank(sys.argv[2])
run_session(design, bank, booth, "S01", 1, data_dir=Path(sys.argv[3]), observer=Right())
"""
DESIGNS = {
    "abx": "ms = { iti = 200, A = 50, gap_ab = 50, B = 50, gap_bx = 50, X = 50, respond = 300 }",
    "ring-oddity": "ms = { iti = 200, pictures = 200, respond = 300 }",
}


def n_finished(path: Path) -> int:
    return path.read_bytes().count(b'"event":"trial"') if path.exists() else 0


@pytest.mark.usefixtures("display")
@pytest.mark.parametrize("task", DESIGNS)
def test_a_window_killed_at_random_moments_loses_no_trial(
    bank: Bank, tmp_path: Path, task: str
) -> None:
    extra = f'[task]\nname = "{task}"\n{DESIGNS[task]}\n[screen]\nsize = [300, 240]\n'
    repeats = {"abx": "4", "ring-oddity": "6"}[task]
    design = write_design(tmp_path / "design.toml", bank, extra, repeats=repeats)
    words = [sys.executable, "-c", SESSION, str(design), str(bank.path)]
    path = journal_path(tmp_path / "killed", "S01", 1, task)
    rng = np.random.default_rng(3)
    for _ in range(KILLS):
        before = n_finished(path)
        child = subprocess.Popen([*words, str(tmp_path / "killed")], cwd=ROOT)
        while n_finished(path) == before:
            assert child.poll() is None, "the session ended before it could be killed"
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, 0.8)))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert len(read_session(path).records) > before
    for folder in ("killed", "whole"):
        subprocess.run([*words, str(tmp_path / folder)], cwd=ROOT, check=True)
    killed, whole = (
        read_session(journal_path(tmp_path / name, "S01", 1, task)) for name in ("killed", "whole")
    )
    assert killed.ended == whole.ended == "completed"
    assert len(killed.records) == whole.header.n_trials
    for one, two in zip(killed.records, whole.records, strict=True):
        assert (one.trial.index, one.trial.intervals) == (two.trial.index, two.trial.intervals)
        assert (one.response, one.frame_sha256) == (two.response, two.frame_sha256)
        assert one.correct
    began = [(e.body["index"], e.body["attempt"]) for e in killed.events if e.event == "began"]
    finished = [(r.trial.index, r.trial.attempt) for r in killed.records]
    assert sorted(began) == sorted([*finished, *killed.broken_off])

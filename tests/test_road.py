"""The whole road without a screen: photograph, bank, sessions, threshold, winner."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stimsynth.cli import main
from stimsynth.commands import demo
from stimuli_store.bank.reading import open_bank
from stimuli_store.journal import read_session

pytestmark = pytest.mark.road

ROOT = Path(__file__).parents[1]
METAMERS, MAD, DISTORTIONS = demo.STUDIES
EXTERNAL = """
[[sets]]
kind = "external"
files = "others/*.png"
license = "CC0-1.0"
target = "camera"
"""
#: What the demo does not show of its bank.
OTHERS = [
    demo.Study(
        what="oddity on metamers",
        kind="metamer",
        observer="pooling10",
        mean_correct=0.7,
        trials='[task]\nname = "oddity"\n[design]\ncomparisons = ["reference-member"]\nrepeats = 12\n'
        'kinds = ["metamer"]',
    ),
    demo.Study(
        what="pair on amplitudes of eigendistortions",
        kind="eigendistortion",
        observer="pooling28",
        mean_correct=0.75,
        trials='[task]\nname = "pair"\n[design]\ncomparisons = ["reference-distortion"]\nrepeats = 40\n'
        "amplitudes = [0.125, 0.2, 0.25, 0.35, 0.5, 0.75, 1]",
    ),
    demo.Study(
        what="spatial pair on external pictures",
        kind="external",
        observer="mse",
        mean_correct=0.75,
        trials='[task]\nname = "pair-with-reference"\n[design]\ncomparisons = ["reference-member"]\n'
        'repeats = 200\nkinds = ["external"]',
    ),
]


@pytest.fixture(scope="module")
def bank_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's bank, from the demo's plan, with smaller images and a picture of somebody else."""
    folder = tmp_path_factory.mktemp("road")
    (folder / "others").mkdir()
    theirs = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(theirs).save(folder / "others" / "theirs.png")
    plan = folder / "plan.toml"
    plan.write_text(demo.PLAN.format(size=64) + EXTERNAL)
    assert main(["build", str(plan)]) == 0
    return folder / "demo-1.0.0.h5"


def written(study: demo.Study, bank_path: Path, folder: Path, seed: int) -> Path:
    """Write the design of one of the demo's experiments into a folder."""
    folder.mkdir(exist_ok=True)
    design = folder / f"{study.kind}.toml"
    pin = open_bank(bank_path).pin
    design.write_text(demo.DESIGN.format(**vars(study), bank=bank_path, pin=pin, seed=seed))
    return design


def walk(
    study: demo.Study,
    bank_path: Path,
    folder: Path,
    seed: int,
    people: Sequence[str] = demo.PARTICIPANTS,
) -> dict[str, Any]:
    """Run the sessions and the analysis of one experiment with a seed; return results.json."""
    design = written(study, bank_path, folder, seed)
    for participant in people:
        arguments = ["--participant", participant, "--simulate", study.observer]
        arguments += ["--mean-correct", str(study.mean_correct)]
        assert main(["run", str(design), *arguments]) == 0
    data, out = str(folder / "data"), str(folder / "report")
    assert main(["analyse", data, "--bank", str(bank_path), "--out", out]) == 0
    return json.loads((folder / "report" / "results.json").read_text())


@pytest.mark.parametrize("seed", [1, 2])
def test_the_road_finds_the_observers_model_and_threshold(
    bank_path: Path, tmp_path: Path, seed: int
) -> None:
    results = walk(METAMERS, bank_path, tmp_path, seed)
    low, high = results["interval"]
    assert METAMERS.observer in results["best_models"]
    assert low <= results["true_threshold"] <= high
    assert low <= results["threshold"] <= high
    assert high / low < 2
    report = (tmp_path / "report" / "report.html").read_text()
    assert "data:image/png;base64," in report
    assert not re.search(r"""<script|(src|href)=["']?(http|//)|url\((?!data)""", report)


def test_a_mad_set_in_a_forced_choice_gives_dprime(bank_path: Path, tmp_path: Path) -> None:
    results = walk(MAD, bank_path, tmp_path, 1)
    (condition,) = results["conditions"]
    (low, high), (true,) = condition["dprime_interval"][0], condition["true_dprime"]
    assert MAD.observer in results["best_models"]
    assert sum(condition["n_trials"]) > 200
    assert low <= true <= high


def test_eigendistortions_in_oddity_give_a_threshold(bank_path: Path, tmp_path: Path) -> None:
    results = walk(DISTORTIONS, bank_path, tmp_path, 1)
    (condition,) = results["conditions"]
    low, high = results["interval"]
    assert condition["guess"] == pytest.approx(1 / 3)
    assert low <= results["true_threshold"] <= high


@pytest.mark.parametrize("study", OTHERS, ids=lambda study: study.what)
def test_other_tasks_on_the_same_bank_find_the_truth(
    bank_path: Path, tmp_path: Path, study: demo.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    results = walk(study, bank_path, tmp_path, 1, people=["S01"])
    (condition,) = results["conditions"]
    guess = "0.333" if "oddity" in study.what else "0.5"
    assert f"guess rate {guess}" in capsys.readouterr().out
    assert results["n_trials"] >= 200
    if results["threshold"] is None:
        ((low, high),), (true,) = condition["dprime_interval"], condition["true_dprime"]
    else:
        (low, high), true = results["interval"], results["true_threshold"]
    assert low <= true <= high


def test_sessions_are_the_same_for_the_same_seed(bank_path: Path, tmp_path: Path) -> None:
    answers = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        design = written(METAMERS, bank_path, folder, 5)
        command = ["run", str(design), "--participant", "S01", "--simulate", METAMERS.observer]
        assert main([*command, "--max-trials", "60"]) == 0
        answers.append(read_session(next((folder / "data").glob("*.jsonl"))).records)
    assert answers[0] == answers[1]


UNHURRIED = """
import sys, time
from experiments.simulated import SimulatedBooth
show = SimulatedBooth.show
SimulatedBooth.show = lambda *given: (time.sleep(0.01), show(*given))[1]
from stimsynth.cli import main
main(sys.argv[1:])
"""


def test_a_session_killed_and_continued_ends_as_one_that_was_not(
    bank_path: Path, tmp_path: Path
) -> None:
    design = written(METAMERS, bank_path, tmp_path, 3)
    command = ["run", str(design), "--participant", "S01", "--simulate", METAMERS.observer]
    killed, whole = (["--data", str(tmp_path / name)] for name in ("killed", "whole"))
    child = subprocess.Popen(
        [sys.executable, "-c", UNHURRIED, *command, *killed], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    journal = tmp_path / "killed" / "sub-S01_ses-01_task-abx_run-1_beh.jsonl"
    while not journal.exists() or journal.stat().st_size < 40_000:
        assert child.poll() is None, "the session ended before it could be killed"
        time.sleep(0.002)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    before = read_session(journal)
    assert 0 < len(before.records) < before.header.n_trials
    assert main([*command, *killed]) == 0
    assert main([*command, *whole]) == 0
    resumed = read_session(journal)
    assert resumed.records[: len(before.records)] == before.records
    other = read_session(tmp_path / "whole" / journal.name)
    # The trial that was on the screen when the process was killed, if there was one, is a second attempt.
    assert sum(record.trial.attempt for record in resumed.records) <= 1
    for one, two in zip(resumed.records, other.records, strict=True):
        assert replace(one.trial, attempt=0) == two.trial
        assert one.response == two.response
        assert one.rt_s == pytest.approx(two.rt_s, abs=1e-9)  # clocks began at other times
    assert resumed.ended == "completed"

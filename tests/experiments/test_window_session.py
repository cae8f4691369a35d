"""Whole sessions in a real PsychoPy window: the same as simulated ones, stopped, continued, refused."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from experiments.screen import Screen
from experiments.session import run_session
from experiments.simulated import SimulatedBooth
from stimuli_store.errors import DisplayError
from tests.experiments.helpers import Coin, design_for, without_times, write_design
from tests.helpers import tiny_bank

pytestmark = pytest.mark.window


@pytest.fixture
def open_simulated(virtual):
    """Open a booth in which a simulated participant presses the keys."""
    from experiments.booth.psychopy_booth import open_booth

    booths = []

    def open_it(screen: Screen):
        booths.append(open_booth(screen, simulated=True))
        return booths[-1]

    yield open_it
    for booth in booths:
        booth.close()


@pytest.mark.parametrize("task", ["abx", "2ifc", "ring-oddity", "split-screen"])
def test_a_session_in_a_window_is_the_simulated_one(bank, open_simulated, tmp_path, task):
    design = design_for(bank, task=task, levels=(4.0,), targets=("leaf",))
    booth = open_simulated(design.screen)
    real = run_session(design, bank, booth, "S01", 1, data_dir=tmp_path / "real", observer=Coin())
    booth = SimulatedBooth(booth.size, 60.0)
    simulated = run_session(
        design, bank, booth, "S01", 1, data_dir=tmp_path / "simulated", observer=Coin()
    )
    assert real.ended == simulated.ended == "completed"
    assert real.header.booth["simulated_keys"] is True
    stamped = [replace(r, rt_s=None) for r in without_times(real.records)]
    assert stamped == [replace(r, rt_s=None) for r in without_times(simulated.records)]
    for a, b in zip(real.records, simulated.records, strict=True):
        assert [t.n_frames for t in a.timing] == [t.n_frames for t in b.timing]
        assert a.frame_sha256 == {
            name: bank.by_id[sha].certificate.frame_sha256
            for name, sha in a.trial.intervals.items()
        }
        if b.rt_s is not None:
            assert -1e-9 <= a.rt_s - b.rt_s <= 1 / 60 + 1e-9  # stamped when polled
    ends = [t.onset_s + t.n_frames / 60 for t in (r.timing[-1] for r in real.records)]
    begins = [r.timing[0].onset_s for r in real.records]
    for end, begin in zip(ends, begins[1:], strict=False):
        assert begin == pytest.approx(end)  # between trials nothing lies outside a phase


def test_one_wrong_pixel_stops_the_session(bank, open_simulated, tmp_path, monkeypatch):
    design = design_for(bank)
    booth = open_simulated(design.screen)
    upload = booth._stage.upload

    def damaged(pixels):
        pixels = pixels.copy()
        pixels[70, 90] ^= 1
        return upload(pixels)

    monkeypatch.setattr(booth._stage, "upload", damaged)
    with pytest.raises(DisplayError, match=r"trial 0: .* in interval A, B, X"):
        run_session(design, bank, booth, "S01", 1, data_dir=tmp_path, observer=Coin())


def test_escape_keeps_finished_trials_and_the_rest_follows(bank, virtual, open_simulated, tmp_path):
    design = design_for(bank, levels=(4.0,), targets=("leaf",))
    booth = open_simulated(design.screen)
    show, shown = booth.show, []

    def leaving(phases, listening):
        shown.append(len(shown))
        if len(shown) == 3:
            listening = replace(listening, script=("escape", 0.1))
        return show(phases, listening)

    booth.show = leaving
    settings = {"data_dir": tmp_path, "observer": Coin()}
    first = run_session(design, bank, booth, "S01", 1, **settings)
    assert (first.ended, len(first.records)) == ("escape", 2)
    second = run_session(design, bank, booth, "S01", 1, **settings)
    assert second.ended == "completed"
    assert len(shown) == len(second.records) + 1
    assert "seen_before" in second.records[2].flags


def test_what_does_not_fit_is_refused_before_anything_is_written(bank, open_simulated, tmp_path):
    design = design_for(bank, screen=Screen(size=(40, 30)))
    booth = open_simulated(design.screen)
    with pytest.raises(DisplayError, match=r"32 x 32 pixels does not fit .* window of 40 x 30"):
        run_session(design, bank, booth, "S01", 1, data_dir=tmp_path / "data", observer=Coin())
    assert not (tmp_path / "data").exists()


def test_a_session_in_a_window_needs_no_home(display, tmp_path):
    design = write_design(tmp_path / "d.toml", tiny_bank(tmp_path), "[screen]\nsize = [200, 160]")
    words = ["run", design, "--participant", "S01", "--simulate", "right", "--booth", "psychopy"]
    words += ["--allow-unsynced", "--max-trials", 1]
    homeless = {k: v for k, v in os.environ.items() if k not in ("HOME", "USERPROFILE")}
    done = subprocess.run(
        [sys.executable, "-m", "stimsynth", *map(str, words)],
        env=homeless,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "1 of" in done.stdout

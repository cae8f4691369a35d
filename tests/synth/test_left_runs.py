"""Progress files that a killed process left: they open, are listed, and are continued, in every class."""

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from stimsynth import Identity, Metamer, examine_saved_synthesis, images
from stimsynth.engine.run import Status
from stimsynth.methods.base.snapshots import SnapshotFile
from stimuli_store.disk.stack import Stack
from stimuli_store.errors import ArchiveError, InputError
from tests import fresh
from tests.synth.test_saved import ADAM_FREE, CASES, OPTIMIZED


def left_behind(made: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> Path:
    """Return the file of iterates as it is when a process is killed after 5 of 9 steps."""
    note, left = SnapshotFile.note, folder / "left.h5"

    def killed(file: SnapshotFile, history: Any) -> None:
        note(file, history)
        if history.rows == 6:
            shutil.copyfile(file.path, left)

    with monkeypatch.context() as patched:
        patched.setattr(SnapshotFile, "note", killed)
        made.synthesize(9, store_progress=2, progress_file=folder / "way.h5", **given)
    return left


@pytest.mark.parametrize("name", OPTIMIZED)
@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam], ids=["default", "adam"])
def test_a_run_goes_on_from_the_last_iterate_that_was_written(
    tmp_path: Path,
    name: str,
    optimizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    free = ADAM_FREE.get(name, {}) if optimizer or name == "OptimizedImage" else {}
    whole, later = CASES[name].make(**free), CASES[name].make(**free)
    left = left_behind(whole, tmp_path, monkeypatch, optimizer=optimizer)
    capsys.readouterr()
    examine_saved_synthesis(left)
    said = capsys.readouterr().out
    assert said.startswith(f"{name}, made with stimsynth ")
    assert said.endswith("iterates: 3, from 0 to 4\n")
    assert f"origins.seed: {whole.seed}\n" in said
    later.load(left)
    kept = whole.run.snapshots
    assert torch.equal(later.losses, whole.losses[:5])
    assert set(later.status) == {Status.INTERRUPTED}
    assert list(later.run.snapshots) == [0, 2, 4]
    torch.testing.assert_close(later._resumable.points.detach(), kept[4], rtol=0, atol=0)
    assert len(later.quality()) == len(later.status)
    later.save(tmp_path / "looked_at.h5")
    later.synthesize(4, optimizer=optimizer)
    assert list(later.run.snapshots) == [0, 2, 4, 6, 8]
    assert torch.equal(later.losses[:5], whole.losses[:5])
    assert len(later.losses) == 9
    assert bool((later.losses[-1] <= later.losses[4]).all())
    torch.testing.assert_close(later.run.snapshots[8], later._resumable.points.detach())
    assert Stack(left).numbers() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("name", OPTIMIZED)
def test_a_closed_file_and_one_that_was_looked_at_go_on_alike(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (CASES[name].make(**ADAM_FREE.get(name, {})) for _ in range(3))
    left = left_behind(third, tmp_path, monkeypatch)
    first.load(left)
    first.save(tmp_path / "s.h5")
    shutil.copyfile(left, tmp_path / "copy.h5")
    second.load(tmp_path / "s.h5")
    assert torch.equal(second.losses, first.losses)
    first.synthesize(3)
    shutil.copyfile(tmp_path / "copy.h5", left)
    second.synthesize(3)
    assert torch.equal(second.losses, first.losses)


def test_scales_go_on_counting_from_where_the_run_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES["MetamerCTF"]
    later = case.make()
    later.load(left_behind(case.make(), tmp_path, monkeypatch))
    assert later.scales_timing[later.scales[0]] == [0]
    later.synthesize(7, change_scale_criterion=None, ctf_iters_to_check=3)
    first, second, *_ = later.scales_finished
    assert (later.scales_timing[first], later.scales_timing[second]) == ([4, 7], [7, 10])


def test_a_file_of_another_synthesis_is_refused_before_anything_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES["Metamer"]
    left = left_behind(case.make(), tmp_path, monkeypatch)
    other = case.make(image=case.others["image"])
    with pytest.raises(InputError, match="image differs"):
        other.load(left)
    assert other.run is None
    with pytest.raises(ArchiveError, match="holds a Metamer"):
        CASES["MADCompetition"].make().load(left)


def test_what_is_written_elsewhere_still_is_looked_at_but_not_continued(tmp_path: Path) -> None:
    script = (
        "import sys, torch\n"
        "from stimsynth import Identity, Metamer, images\n"
        "m = Metamer(images.load('camera', size=32), Identity(), seed=6)\n"
        "m.synthesize(10**6, torch.optim.Adam, optimizer_kwargs={'lr': 1e-5}, store_progress=1,\n"
        "             stop_iters_to_check=10**6, progress_file=sys.argv[1])\n"
    )
    path = tmp_path / "way.h5"
    looking, later = (Metamer(images.load("camera", size=32), Identity()) for _ in range(2))
    child = fresh.Fresh(["-c", script, path])
    try:
        while not path.exists() or path.stat().st_size < 60 * 32 * 32 * 4:
            assert not child.ended()
            time.sleep(0.01)
        looking.load(path)
        with pytest.raises(ArchiveError, match="open in another program"):
            looking.synthesize(1)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    later.load(path)
    assert later.seed == looking.seed == 6
    steps = later.run.n_steps
    assert steps >= looking.run.n_steps > 10
    later.synthesize(5)
    assert len(later.losses) == len(later.saved_metamer) == steps + 6
    assert later.losses[-1] < 0.1 * later.losses[0]

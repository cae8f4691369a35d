"""Runs that were refused, broken off, moved or killed: nothing is half done, and nothing is lost."""

from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stimsynth import Gaussian, Metamer, images, remove_grad
from stimsynth.methods.base.saving import LoadWarning
from stimsynth.methods.base.snapshots import SnapshotFile
from stimuli_store.disk.archive import Stack
from stimuli_store.errors import InputError
from tests.helpers import left_by_a_killed_writer


def picture() -> Tensor:
    return images.load("camera", size=16).double()


def metamer() -> Metamer:
    return Metamer(picture(), remove_grad(Gaussian(5, 1.0).double()), seed=2)


class Failing(nn.Module):
    """A model whose calls after some number of them fail."""

    left = 10**9

    def forward(self, x: Tensor) -> Tensor:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("out of memory, say")
        return 2 * x


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"store_progress": -1}, "True, False"),
        ({"store_progress": 1, "progress_file": "no/such/folder/f"}, "there is no folder"),
        ({"stop_criterion": "a"}, "stop_criterion"),
        ({"optimizer": torch.optim.Adam, "optimizer_kwargs": {"no": 1}}, "Adam cannot be made"),
        (
            {
                "optimizer": torch.optim.Adam,
                "scheduler": torch.optim.lr_scheduler.StepLR,
            },
            "StepLR cannot be made",
        ),
    ],
)
def test_a_first_call_that_was_refused_does_not_count(
    given: dict[str, Any], match: str, tmp_path: Path
) -> None:
    run = metamer()
    with pytest.raises(InputError, match=match):
        run.synthesize(2, **given)
    run.synthesize(3, torch.optim.SGD, store_progress=1, progress_file=tmp_path / "way.h5")
    assert isinstance(run.optimizer, torch.optim.SGD)
    assert len(run.saved_metamer) == 4


@pytest.mark.parametrize("calls", range(1, 7))
def test_iterates_are_whole_after_a_call_that_failed(calls: int, tmp_path: Path) -> None:
    model = Failing()
    run = Metamer(picture(), model)
    model.left = calls
    with pytest.raises(RuntimeError, match="memory"):
        run.synthesize(9, torch.optim.Adam, store_progress=1, progress_file=tmp_path / "way.h5")
    began, model.left = run.run is not None, 10**9
    if began:
        run.synthesize(3)
    else:
        assert not (tmp_path / "way.h5").exists()
        run.synthesize(3, torch.optim.Adam, store_progress=1, progress_file=tmp_path / "way.h5")
    assert len(run.saved_metamer) == len(run.losses)
    assert torch.equal(run.saved_metamer[-1], run.metamer.detach())
    run.save(tmp_path / "m.h5")
    other = Metamer(picture(), model)
    other.load(tmp_path / "m.h5")
    assert torch.equal(other.saved_metamer, run.saved_metamer)


def test_an_entry_that_the_history_has_not_is_written_again(tmp_path: Path) -> None:
    """As after a second Ctrl-C between the two."""
    kept = SnapshotFile(tmp_path / "way.h5")
    for number in range(4):
        kept[number] = torch.full((2,), float(number))
    kept[3] = torch.full((2,), 30.0)
    kept[4] = torch.full((2,), 40.0)
    kept.close()
    assert list(kept) == [0, 1, 2, 3, 4]
    assert [float(kept[n][0]) for n in kept] == [0, 1, 2, 30, 40]
    kept.check()


def test_looking_at_an_earlier_file_loses_no_iterates(tmp_path: Path) -> None:
    first, early, late = metamer(), metamer(), metamer()
    first.synthesize(4, store_progress=1, progress_file=tmp_path / "way.h5")
    first.save(tmp_path / "early.h5")
    first.synthesize(4)
    first.save(tmp_path / "late.h5")
    early.load(tmp_path / "early.h5")
    assert len(early.saved_metamer) == 5
    late.load(tmp_path / "late.h5")
    assert torch.equal(late.saved_metamer, first.saved_metamer)
    early.synthesize(1)  # which writes over what came after it
    with pytest.raises(InputError, match="no longer holds the iterates"):
        late.synthesize(1)


def test_files_that_moved_together_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second, lost = metamer(), metamer(), metamer()
    first.synthesize(4, store_progress=1, progress_file="way.h5")
    first.save("m.h5")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert len(first.saved_metamer) == 5
    (tmp_path / "way.h5").rename(elsewhere / "way.h5")
    with pytest.warns(LoadWarning, match="all is loaded but the iterates"):
        lost.load(tmp_path / "m.h5")
    assert torch.equal(lost.metamer, first.metamer)
    with pytest.raises(InputError, match="give the place where it lies now"):
        lost.synthesize(1)
    lost.synthesize(1, progress_file="way.h5")
    assert len(lost.saved_metamer) == 6
    (tmp_path / "m.h5").rename(elsewhere / "m.h5")
    second.load("m.h5")
    assert len(second.saved_metamer) == 5
    with pytest.raises(InputError, match="would be lost"):
        second.save("way.h5")


class OwnSGD(torch.optim.SGD):
    """One that a file cannot name."""


def test_a_run_that_waits_for_its_optimizer_can_be_saved_and_moved(tmp_path: Path) -> None:
    optimizer = partial(OwnSGD, lr=0.5, momentum=0.9)
    whole, first, second, third = metamer(), metamer(), metamer(), metamer()
    whole.synthesize(6, optimizer)
    first.synthesize(3, optimizer, store_progress=1, progress_file=tmp_path / "way.h5")
    first.save(tmp_path / "a.h5")
    second.load(tmp_path / "a.h5")
    assert len(second.saved_metamer) == 4
    second.save(tmp_path / "b.h5")
    third.load(tmp_path / "b.h5")
    third.to(torch.float32)
    third.to(torch.float64)
    assert third.metamer.dtype == torch.float64
    second.synthesize(3, optimizer)
    assert torch.equal(second.metamer, whole.metamer)
    third.synthesize(3, optimizer)
    torch.testing.assert_close(third.metamer, whole.metamer, rtol=1e-4, atol=1e-5)


def test_what_a_killed_process_was_writing_is_cleared_away(tmp_path: Path) -> None:
    for name in ("m.h5", "way.h5"):
        assert left_by_a_killed_writer(tmp_path / name).exists()
    run = metamer()
    run.synthesize(1, store_progress=1, progress_file=tmp_path / "way.h5")
    run.save(tmp_path / "m.h5")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.h5", "way.h5"]


def test_a_file_whose_closing_was_broken_off_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path / "way.h5")
    stack.append(0, np.zeros(3))
    close = h5py.File.close

    def broken_off(file: h5py.File) -> None:
        close(file)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(h5py.File, "close", broken_off)
        stack.close()
    assert stack.numbers() == [0]
    stack.append(1, np.ones(3))
    assert stack.numbers() == [0, 1]

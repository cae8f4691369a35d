"""Runs that were refused, broken off, moved or killed: nothing is half done, and nothing is lost."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from stimsynth import Gaussian, Metamer, remove_grad
from stimsynth.engine.loop import State
from stimsynth.engine.run import Status
from stimsynth.methods.base.saving import LoadWarning
from stimsynth.methods.base.snapshots import SnapshotFile
from stimuli_store.disk.stack import Stack
from stimuli_store.errors import InputError
from tests.helpers import left_by_a_killed_writer
from tests.synth.every_synthesis import (
    CASES,
    OPTIMIZERS,
    Pooled,
    Trap,
    eigendistortion,
    fail,
    picture,
    points,
)


def metamer() -> Metamer:
    return Metamer(picture(), remove_grad(Gaussian(5, 1.0).double()), seed=2)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"store_progress": -1}, "True or False"),
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
        (
            {
                "optimizer": torch.optim.Adam,
                "scheduler": lambda _: SimpleNamespace(step=lambda: None),
            },
            r"has no state_dict\(\)",
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


ROWS = [
    (case, optimizer)
    for case, row in CASES.items()
    for optimizer in (["default"] if row.own else OPTIMIZERS)
]


@pytest.mark.parametrize(("case", "optimizer"), ROWS, ids=[": ".join(row) for row in ROWS])
def test_a_step_that_was_broken_off_is_forgotten_whole(case: str, optimizer: str) -> None:
    """After an error of the function at any call, the continued run has the same steps and the same end."""
    given, options = OPTIMIZERS[optimizer], CASES[case].options
    whole, _ = CASES[case].begin()
    whole.synthesize(6, **given, **options, store_progress=1)
    broken, trap = CASES[case].begin()
    broken.synthesize(1, **given, **options)
    failures = 0
    for calls in (1, 2, 3, 5, 8):
        before = broken.run.n_steps
        trap.set(calls, fail)
        try:
            broken.synthesize(6 - before, **options)
        except RuntimeError:
            failures += 1
        now = broken.run.n_steps
        torch.testing.assert_close(broken.losses, whole.losses[: now + 1], rtol=1e-6, atol=1e-12)
        torch.testing.assert_close(points(broken), whole.run.snapshots[now], rtol=1e-6, atol=1e-9)
    trap.set(10**9, fail)
    broken.synthesize(6 - broken.run.n_steps, **options)
    assert failures > 1
    torch.testing.assert_close(broken.losses, whole.losses, rtol=1e-6, atol=1e-12)
    torch.testing.assert_close(points(broken), points(whole), rtol=1e-6, atol=1e-9)
    rate = [found.optimizer.param_groups[0]["lr"] for found in (broken, whole) if given]
    assert len(set(rate)) <= 1


@pytest.mark.parametrize(("case", "optimizer"), ROWS, ids=[": ".join(row) for row in ROWS])
def test_every_state_shows_all_that_is_looked_at(case: str, optimizer: str) -> None:
    found, _ = CASES[case].begin()
    found.synthesize(1, **OPTIMIZERS[optimizer], **CASES[case].options)
    for name in State.__annotations__:
        assert hasattr(found.run.state, name), name


@pytest.mark.parametrize("calls", [1, 2, 7, 12])
def test_a_search_of_eigenvectors_that_was_broken_off_goes_on(calls: int) -> None:
    (whole, _, options), (broken, trap, _) = eigendistortion(), eigendistortion()
    whole.synthesize(**options, max_iter=30)
    trap.set(calls, fail)
    with pytest.raises(RuntimeError, match="memory"):
        broken.synthesize(**options, max_iter=30)
    broken.synthesize(**options, max_iter=31 - calls)
    assert broken.n_products == whole.n_products == (30,)
    torch.testing.assert_close(broken.eigenvalues, whole.eigenvalues)


def test_an_error_keeps_how_items_had_ended() -> None:
    """The second item is at its goal from the start; the first goes on until the model fails."""
    trap = Trap(nn.Identity())
    starts = torch.cat([picture(), 0 * picture()])
    run = Metamer(picture("grass"), trap, initial_image=torch.cat([starts[:1], picture("grass")]))
    run.synthesize(1, torch.optim.Adam, stop_iters_to_check=1)
    assert run.status[1] is Status.CONVERGED
    trap.set(2, fail)
    with pytest.raises(RuntimeError, match="memory"):
        run.synthesize(9, stop_iters_to_check=1)
    assert run.status == (Status.INTERRUPTED, Status.CONVERGED)


@pytest.mark.parametrize("calls", range(1, 7))
def test_iterates_are_whole_after_a_call_that_failed(calls: int, tmp_path: Path) -> None:
    trap = Trap(Pooled())
    run = Metamer(picture(), trap)
    trap.set(calls, fail)
    with pytest.raises(RuntimeError, match="memory"):
        run.synthesize(9, torch.optim.Adam, store_progress=1, progress_file=tmp_path / "way.h5")
    if run.run is not None:
        run.synthesize(3)
    else:
        assert not (tmp_path / "way.h5").exists()
        run.synthesize(3, torch.optim.Adam, store_progress=1, progress_file=tmp_path / "way.h5")
    assert len(run.saved_metamer) == len(run.losses)
    assert torch.equal(run.saved_metamer[-1], run.metamer.detach())
    run.save(tmp_path / "m.h5")
    other = Metamer(picture(), trap)
    other.load(tmp_path / "m.h5")
    assert torch.equal(other.saved_metamer, run.saved_metamer)


def test_an_iterate_that_found_no_room_on_the_disk_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, run = metamer(), metamer()
    whole.synthesize(6, store_progress=1)
    append = Stack.append

    def full(stack: Stack, number: int, values: np.ndarray) -> None:
        if number == 3:
            raise OSError("no space left on device")
        append(stack, number, values)

    with monkeypatch.context() as patched, pytest.raises(OSError, match="no space"):
        patched.setattr(Stack, "append", full)
        run.synthesize(6, store_progress=1, progress_file=tmp_path / "way.h5")
    run.synthesize(6 - run.run.n_steps)
    torch.testing.assert_close(run.saved_metamer, whole.saved_metamer)


def test_an_entry_that_the_history_has_not_is_written_again(tmp_path: Path) -> None:
    """The iterate was written and the row of the history was not, as after a second Ctrl-C between them."""
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
    with pytest.raises(InputError, match="does not hold the iterates"):
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
    with pytest.warns(LoadWarning, match="everything is loaded except the iterates"):
        lost.load(tmp_path / "m.h5")
    assert torch.equal(lost.metamer, first.metamer)
    with pytest.raises(InputError, match="give its new path"):
        lost.synthesize(1)
    lost.synthesize(1, progress_file="way.h5")
    assert len(lost.saved_metamer) == 6
    (tmp_path / "m.h5").rename(elsewhere / "m.h5")
    second.load("m.h5")
    assert len(second.saved_metamer) == 5
    with pytest.raises(InputError, match="would be overwritten"):
        second.save("way.h5")


class OwnSGD(torch.optim.SGD):
    """An optimizer class that a file cannot name."""


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

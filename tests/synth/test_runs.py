"""What every iterative synthesis does around its steps: keep, save, load, move, stream, stop."""

import copy
import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    Eigendistortion,
    Gaussian,
    MADCompetition,
    Metamer,
    OptimizedImage,
    images,
    remove_grad,
    validate,
)
from stimsynth.engine.run import Status
from stimsynth.losses import l2_norm, mse
from stimsynth.methods.base.saving import LoadWarning, examine_saved_synthesis
from stimsynth.methods.base.synthesis import OptimizedSynthesis
from stimsynth.methods.eigen import solvers
from stimsynth.metrics import ssim
from stimuli_store.disk.stack import Stack
from stimuli_store.errors import ArchiveError, InputError
from tests import fresh
from tests.helpers import whole
from tests.synth.every_synthesis import press_ctrl_c, python_handles_ctrl_c

ADAM = partial(torch.optim.Adam, lr=0.02, amsgrad=True)
HALVE = partial(torch.optim.lr_scheduler.StepLR, step_size=5, gamma=0.5)


def picture(name: str = "camera") -> Tensor:
    return images.load(name, size=32).double()


def blur(std: float = 1.5) -> nn.Module:
    return remove_grad(Gaussian(7, std).double())


def metamer(**kwargs: object) -> Metamer:
    return Metamer(picture(), blur(), seed=2, **kwargs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "optimizer",
    [None, torch.optim.Adam, partial(torch.optim.SGD, lr=1.0, momentum=0.9)],
    ids=["lbfgs", "adam", "sgd"],
)
def test_a_loaded_run_goes_on_bit_for_bit(tmp_path: Path, optimizer: object) -> None:
    whole, first, second = metamer(), metamer(), metamer()
    whole.synthesize(20, optimizer=optimizer, store_progress=3)
    first.synthesize(9, optimizer=optimizer, store_progress=3)
    first.save(tmp_path / "m.pt")
    assert second.load(tmp_path / "m.pt") is None
    assert torch.equal(second.metamer, first.metamer)
    assert torch.equal(second.saved_metamer, first.saved_metamer)
    second.synthesize(11)
    assert torch.equal(second.metamer, whole.metamer)
    assert torch.equal(second.losses, whole.losses)
    assert torch.equal(second.saved_metamer, whole.saved_metamer)


def test_a_scheduler_is_handed_in_again_and_continues(tmp_path: Path) -> None:
    whole, first, second = metamer(), metamer(), metamer()
    whole.synthesize(12, optimizer=ADAM, scheduler=HALVE)
    first.synthesize(7, optimizer=ADAM, scheduler=HALVE)
    first.save(tmp_path / "m.h5")
    second.load(tmp_path / "m.h5")
    assert torch.equal(second.losses, first.losses)
    with pytest.raises(InputError, match="give optimizer and scheduler as on the first call"):
        second.synthesize(5)
    second.synthesize(5, optimizer=ADAM, scheduler=HALVE)
    assert torch.equal(second.metamer, whole.metamer)
    assert second.optimizer.param_groups[0]["lr"] == pytest.approx(0.02 / 4)


def test_an_unstarted_object_can_be_saved(tmp_path: Path) -> None:
    first, second = Metamer(picture(), blur(), seed=5), metamer()
    first.save(tmp_path / "m.h5")
    second.load(tmp_path / "m.h5")
    assert torch.equal(second.metamer, first.metamer)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (lambda: Metamer(picture("grass"), blur()), "image differs"),
        (lambda: Metamer(picture(), blur(2.0)), "target_representation differs"),
        (lambda: Metamer(picture(), blur(), l2_norm), "loss_function"),
        (lambda: metamer(range_penalty_lambda=0.2), "range_penalty_lambda was 0.1 and is 0.2"),
        (lambda: metamer(allowed_range=(0, 2)), "allowed_range was 1.0 and is 2.0"),
        (lambda: metamer(penalties=[lambda x: x.mean()]), "penalties"),
        (
            lambda: Metamer(picture().float(), remove_grad(Gaussian(7, 1.5))),
            "torch.float64 on cpu, this object torch.float32",
        ),
    ],
)
def test_a_file_of_another_synthesis_is_refused(
    tmp_path: Path, other: object, sentence: str
) -> None:
    metamer().save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=sentence):
        other().load(tmp_path / "m.h5")  # type: ignore[operator]


def test_a_loss_without_a_name_is_told_by_its_value(tmp_path: Path) -> None:
    """A file holds no code of a lambda, but its values on a fixed probe, which are compared."""

    def with_loss(power: float) -> Metamer:
        return metamer(loss_function=lambda a, b: (a - b).abs().pow(power).mean())

    run, same = with_loss(1.5), with_loss(1.5)
    run.synthesize(5)
    run.save(tmp_path / "m.h5")
    same.load(tmp_path / "m.h5")
    assert torch.equal(same.metamer, run.metamer)
    with pytest.raises(InputError, match="loss_function was"):
        with_loss(1.6).load(tmp_path / "m.h5")


def test_what_every_synthesis_shares_is_abstract() -> None:
    """A method of one's own defines three methods (docs/extending.md, which runs as a test)."""
    assert OptimizedSynthesis.__abstractmethods__ == {"synthesize", "quality", "_move"}
    with pytest.raises(TypeError, match="abstract"):
        OptimizedSynthesis(metamer()._resumable, 0.1, (0, 1))  # type: ignore[abstract]


class Renamed(Metamer):
    pass


class Lifted:
    def objective_function(self, *_: object) -> float:
        return 0.0


class Replaced(Renamed):
    def objective_function(self, *_: object) -> Tensor:  # type: ignore[override]
        return super().objective_function() + self.metamer.mean()


class Mixed(Lifted, Metamer):  # type: ignore[misc]
    pass


class OwnImage(OptimizedImage):
    def objective_function(self, image: Tensor | None = None) -> Tensor:
        return -super().objective_function(image)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Replaced(picture(), blur()),
        lambda: Mixed(picture(), blur()),
        lambda: OwnImage(picture(), torch.mean),
    ],
)
def test_an_objective_function_that_would_change_nothing_is_refused(make: Any) -> None:
    with pytest.raises(TypeError, match="does not set it; change the model"):
        make()


def test_a_subclass_that_adds_to_a_synthesis_is_welcome() -> None:
    found = Renamed(picture(), blur())
    found.synthesize(2)
    assert len(found.losses) == 3


def test_differences_can_be_let_pass(tmp_path: Path) -> None:
    metamer().save(tmp_path / "m.h5")
    almost = Metamer(picture() + 1e-6, blur())
    with pytest.raises(InputError, match="image differs by up to 1e-06"):
        almost.load(tmp_path / "m.h5")
    with (
        pytest.warns(LoadWarning, match="image differs"),
        pytest.warns(LoadWarning, match="target_representation differs"),
    ):
        almost.load(tmp_path / "m.h5", raise_on_checks=False)
    Metamer(picture() + 1e-6, blur()).load(tmp_path / "m.h5", tensor_equality_atol=1e-5)


def test_only_a_new_object_loads(tmp_path: Path) -> None:
    first = metamer()
    first.synthesize(1)
    first.save(tmp_path / "m.h5")
    with pytest.raises(InputError, match="load needs a new object"):
        first.load(tmp_path / "m.h5")


def test_what_is_no_file_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="not there"):
        metamer().load(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no archive")
    with pytest.raises(ArchiveError, match="is no HDF5 file"):
        metamer().load(tmp_path / "text.h5")
    with pytest.raises(InputError, match="no folder"):
        metamer().save(tmp_path / "none" / "m.h5")


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    run = metamer()
    run.synthesize(2)
    run.save(tmp_path / "m.h5")
    run.synthesize(2)
    run.save(tmp_path / "m.h5")
    assert [p.name for p in tmp_path.iterdir()] == ["m.h5"]
    loaded = metamer()
    loaded.load(tmp_path / "m.h5")
    assert len(loaded.losses) == 5


def test_files_can_be_examined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = metamer()
    run.synthesize(3)
    run.save(tmp_path / "m.h5")
    examine_saved_synthesis(tmp_path / "m.h5")
    said = capsys.readouterr().out
    assert said.startswith("Metamer, made with stimsynth ")
    assert f"torch {torch.__version__}" in said
    assert "settings.image: float64 (1, 1, 32, 32)" in said
    assert "content.run.history.objective: float64 (4, 1)" in said


@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam], ids=["lbfgs", "adam"])
def test_a_run_goes_on_in_another_precision(optimizer: object) -> None:
    run = Metamer(picture().float(), remove_grad(Gaussian(7, 1.5)), seed=1)
    run.synthesize(10, optimizer=optimizer, store_progress=5)
    before = run.metamer.detach().clone()
    run.to(torch.float64)
    assert run.metamer.dtype == run.losses.dtype == run.target_representation.dtype == torch.float64
    assert run.saved_metamer.dtype == torch.float32
    torch.testing.assert_close(run.metamer.float(), before)
    run.synthesize(20)
    assert run.losses[-1] < 0.9 * run.losses[10]
    assert not torch.equal(run.metamer.float(), before)
    assert next(iter(run.model.state_dict().values())).dtype == torch.float64


def test_an_optimizer_built_before_a_move_still_moves_the_image() -> None:
    run = Metamer(picture().float(), remove_grad(Gaussian(7, 1.5)), seed=1)
    optimizer = torch.optim.Adam([run.metamer], lr=0.02)
    run.to(torch.float64)
    run.synthesize(10, optimizer=optimizer)
    assert run.losses[-1] < run.losses[0]
    run.to(torch.float32)
    run.synthesize(10)
    assert run.losses[-1] < run.losses[10]


def test_only_floating_types_are_taken() -> None:
    with pytest.raises(InputError, match="floating-point"):
        metamer().to(torch.int64)
    with pytest.raises(InputError, match="a device of this machine"):
        metamer().to("elsewhere")


def test_iterates_go_to_a_file(tmp_path: Path) -> None:
    in_memory, in_file, later = metamer(), metamer(), metamer()
    in_memory.synthesize(12, store_progress=4)
    in_file.synthesize(6, store_progress=4, progress_file=tmp_path / "way.h5")
    in_file.synthesize(2)
    in_file.save(tmp_path / "m.h5")
    assert (tmp_path / "m.h5").stat().st_size < 2.5e6
    later.load(tmp_path / "m.h5")
    later.synthesize(4)
    assert torch.equal(later.saved_metamer, in_memory.saved_metamer)
    with pytest.raises(InputError, match="iterates 0, 4, 8, … of another run"):
        metamer().synthesize(1, store_progress=1, progress_file=tmp_path / "way.h5")


def test_a_file_for_iterates_needs_iterates(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="store_progress=1"):
        metamer().synthesize(1, progress_file=tmp_path / "way.h5")


@pytest.mark.long
def test_a_killed_run_leaves_its_iterates_readable(tmp_path: Path) -> None:
    script = (
        "import sys, torch\n"
        "from stimsynth import Identity, Metamer, images\n"
        "m = Metamer(images.load('camera', size=64), Identity())\n"
        "m.synthesize(10**6, torch.optim.Adam, optimizer_kwargs={'lr': 1e-5}, store_progress=1,\n"
        "             stop_iters_to_check=10**6, progress_file=sys.argv[1])\n"
    )
    path = tmp_path / "way.h5"
    child = fresh.Fresh(["-c", script, path])
    while not path.exists() or path.stat().st_size < 30 * 64 * 64 * 4:
        assert not child.ended()
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    numbers = Stack(path).numbers()
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 10
    last = Stack(path).read(len(numbers) - 1)
    assert np.abs(last - images.load("camera", size=64).numpy()).max() < 1
    Stack(path).append(len(numbers), last)
    np.testing.assert_array_equal(Stack(path).read(len(numbers)), last)


def test_storage_can_be_set_until_synthesis_begins() -> None:
    run = metamer()
    run.store_progress = True
    assert run.store_progress == 1
    run.store_progress = 2
    run.synthesize(4)
    assert len(run.saved_metamer) == 3
    with pytest.raises(InputError, match="store_progress was 2"):
        run.store_progress = 3
    with pytest.raises(InputError, match="if not True or False, must be a whole number of 0"):
        metamer().store_progress = -1


@pytest.mark.long
@pytest.mark.parametrize("n_steps", [600, whole(10_000)])
def test_memory_does_not_grow_with_steps(n_steps: int) -> None:
    """Steps of a small problem hold a row of five numbers each, and no image besides the last."""
    import gc

    def tensors() -> tuple[int, int]:
        gc.collect()
        every = [x for x in gc.get_objects() if issubclass(type(x), Tensor)]
        alive = [x for x in every if x.layout is torch.strided]  # sparse ones are other tests' own
        return len(alive), sum(x.untyped_storage().nbytes() for x in alive)

    sgd = partial(torch.optim.SGD, lr=1e-6)
    run = Metamer(picture()[..., :8, :8], nn.Identity(), seed=1)
    run.synthesize(10, optimizer=sgd, stop_iters_to_check=10**6)
    few, before = tensors()
    run.synthesize(n_steps, stop_iters_to_check=10**6)
    many, after = tensors()
    assert len(run.losses) == n_steps + 11
    assert many - few <= 5
    # Five columns of 8 bytes; a buffer that doubles may be half empty, and each column's view counts it.
    assert after - before <= 6 * 2 * 5 * 8 * len(run.losses)


class BreaksOff(nn.Module):
    """A model that raises at its n-th call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.last = 0, 10**9

    def forward(self, image: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > self.last:
            raise KeyError("no more")
        return image[..., ::2] * 0.5


def test_what_was_done_before_a_model_raised_is_kept(tmp_path: Path) -> None:
    model, image = BreaksOff(), images.load("camera", size=16)
    found = Metamer(image, model)
    found.synthesize(3, torch.optim.Adam, store_progress=1, progress_file=tmp_path / "way.h5")
    model.last = model.calls + 4
    with pytest.raises(KeyError, match="no more"):
        found.synthesize(20)
    rows = len(found.losses)
    assert 4 < rows < 10
    model.last = 10**9
    torch.testing.assert_close(found.objective_function().detach(), found.losses[-1])
    found.synthesize(2)
    kept = found.saved_metamer
    assert len(found.losses) == rows + 2 == len(kept)
    torch.testing.assert_close(kept[-1], found.metamer)
    for row, points in zip(found.losses, kept, strict=True):
        torch.testing.assert_close(mse(model(points), model(image)), row[0])


def test_inference_mode_is_refused_in_one_sentence() -> None:
    found = Metamer(images.load("camera", size=16), BreaksOff())
    with (
        torch.inference_mode(),
        pytest.raises(InputError, match=r"outside of torch\.inference_mode"),
    ):
        found.synthesize(1)


@pytest.mark.parametrize("wrong", [None, 1, (0,), (0, 1, 2), "ab"])
def test_a_range_of_pixels_is_two_numbers(wrong: Any) -> None:
    with pytest.raises(InputError, match="allowed_range must be two numbers"):
        validate.validate_allowed_range(wrong)


@pytest.mark.parametrize("wrong", [1.5, "1", True, 2**64])
def test_a_seed_is_a_whole_number(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"a seed.* must be (a whole number|at most)"):
        Metamer(images.load("camera", size=16), BreaksOff(), seed=wrong)


def test_a_competition_goes_on_from_a_file_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def competition() -> MADCompetition:
        # float32: what rounding makes of the metric is above the tolerance of the method
        return MADCompetition(
            images.load("camera", size=32), lambda x, y: 1 - ssim(x, y), mse, "max"
        )

    one, two = competition(), competition()
    one.synthesize(6)
    one.save(tmp_path / "mad.h5")
    two.load(tmp_path / "mad.h5")
    for each in (one, two):
        each.synthesize(4)
    assert torch.equal(one.mad_image, two.mad_image)


def test_eigendistortions_can_be_copied() -> None:
    one = Eigendistortion(images.load("camera", size=16), remove_grad(Gaussian(5)))
    one.synthesize(max_iter=10)
    two = copy.deepcopy(one)
    for each in (one, two):
        each.synthesize(max_iter=10)
    assert torch.equal(one.eigendistortions, two.eigendistortions)


def test_ctrl_c_ends_the_power_method_at_both_ends() -> None:
    spent: list[int] = []

    def operator(vectors: Tensor, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        spent.append(len(spent))
        if len(spent) == 5:
            press_ctrl_c()
        products = vectors * torch.linspace(1, 2, vectors.shape[1]).to(vectors)
        return products, (products * vectors).sum(1).double()

    options = {
        "k": 1,
        "max_iter": 1000,
        "criterion": 0.0,
        "tolerance": 0.0,
        "seed": 0,
        "surplus": 0,
    }
    with python_handles_ctrl_c():
        found = solvers.power_iteration(operator, torch.zeros(20).double(), **options)  # type: ignore[arg-type]
    assert found.outcome is Status.INTERRUPTED
    assert len(spent) < 15


def test_every_damaged_byte_of_a_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "metamer.h5"
    whole = metamer()
    whole.synthesize(2)
    whole.save(path)
    good = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(30):
        bad = bytearray(good)
        for place in generator.integers(0, len(bad), 40):
            bad[place] ^= 255
        path.write_bytes(bytes(bad))
        fresh = metamer()
        with pytest.raises(ArchiveError):
            fresh.load(path)
        assert torch.equal(fresh.metamer.detach(), metamer().metamer.detach())


def test_a_folder_is_no_file_to_save_to(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a folder"):
        metamer().save(tmp_path)
    assert not list(tmp_path.iterdir())

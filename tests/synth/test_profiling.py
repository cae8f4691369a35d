"""Where a model's time goes."""

import time

import pytest
import torch
from torch import Tensor, nn

from stimsynth import Gaussian, images, remove_grad
from stimsynth.profiling import Profile, profile
from stimuli_store.errors import InputError


class Slow(nn.Module):
    """A model whose forward pass sleeps, so that its shortest time is known."""

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(0.005)
        return 2 * x


def test_times_are_at_least_what_is_known() -> None:
    before = time.perf_counter()
    found = profile(Slow(), torch.rand(1, 1, 8, 8), repeats=2)
    whole_s = time.perf_counter() - before
    assert 0.005 <= found.forward_s < whole_s
    assert 0.005 <= found.gradient_s < whole_s


def test_the_operation_that_takes_the_time_is_found() -> None:
    class Matrix(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x @ x @ x @ x @ x

    found = profile(Matrix(), torch.rand(1, 1, 512, 512))
    first, share = next(iter(found.operations.items()))
    assert "bmm" in first or "mm" in first
    assert share > 0.5
    assert list(found.operations.values()) == sorted(found.operations.values(), reverse=True)


def test_it_prints_itself() -> None:
    shown = str(Profile(forward_s=0.5, gradient_s=2.0, operations={"fft": 0.999, "add": 0.001}))
    assert shown.splitlines() == [
        "output 500.00 ms, output and gradient 2000.00 ms (0.5 evaluations a second)",
        "  99.9 %  fft",
        "   0.1 %  add",
    ]


def test_models_are_left_as_they_were() -> None:
    model, image = remove_grad(Gaussian(7)), images.load("camera", size=32)
    profile(model, image)
    assert not image.requires_grad
    assert all(p.grad is None for p in model.parameters())
    with pytest.raises(InputError, match="remove_grad"):
        profile(Gaussian(7), image)


@pytest.mark.parametrize("repeats", [0, 1.5, "five"])
def test_repeats_are_counted(repeats: object) -> None:
    with pytest.raises(InputError, match="repeats must be a whole number of 1 or more"):
        profile(remove_grad(Gaussian(7)), torch.rand(1, 1, 32, 32), repeats=repeats)  # type: ignore[arg-type]

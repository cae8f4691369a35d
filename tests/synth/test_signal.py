"""Range, crop, noise and extremes: known answers, invariances, sentences for bad input."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.metrics import mse
from stimsynth.transforms.signal import add_noise, center_crop, maximum, minimum, rescale
from stimuli_store.errors import InputError
from tests.synth.signals import close, few, seeds, signal


@few
@given(seeds, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0.1, 100), st.floats(-50, 50))
def test_rescale_reaches_its_ends_whatever_the_unit_was(
    seed: int, a: float, b: float, scale: float, shift: float
) -> None:
    x = signal(4, 5, seed=seed)
    y = rescale(x, a, b)
    assert y.flatten()[x.argmin()].item() == a
    assert y.flatten()[x.argmax()].item() == b
    close(rescale(scale * x + shift, a, b), y, atol=1e-9)


def test_rescale_by_hand_and_of_equal_values() -> None:
    thirds = torch.arange(4, dtype=torch.float64) / 3
    close(rescale(torch.tensor([2, 4, 6, 8], dtype=torch.float64)), thirds)
    x = torch.full((2, 3), 0.7, requires_grad=True)
    y = rescale(x, -1, 1)
    assert y.tolist() == [[-1.0] * 3] * 2
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("size", [(6, 6), (6, 7), (7, 8)])
@pytest.mark.parametrize("side", [1, 2, 3, 6])
def test_a_crop_has_the_centre_in_its_centre(size: tuple[int, int], side: int) -> None:
    x = torch.arange(size[0] * size[1]).view(1, *size)
    cropped = center_crop(x, side)
    assert cropped.shape == (1, side, side)
    assert cropped[0, side // 2, side // 2] == x[0, size[0] // 2, size[1] // 2]
    assert cropped[0, -1, 0] - cropped[0, 0, 0] == (side - 1) * size[1]


@pytest.mark.parametrize("side", [0, 8, -1, 2.5, True])
def test_a_crop_that_cannot_be_gets_a_sentence(side: Any) -> None:
    with pytest.raises(InputError, match=r"output_size must be a whole|cannot be cropped"):
        center_crop(torch.zeros(7, 9), side)


@few
@given(st.lists(st.floats(0, 100), min_size=1, max_size=3), st.integers(1, 3), seeds)
def test_noise_has_its_error_exactly(errors: list[float], channels: int, seed: int) -> None:
    image = signal(1, channels, 5, 4, seed=seed)
    noisy = add_noise(image, errors, generator=torch.Generator().manual_seed(seed))
    wanted = torch.tensor(errors, dtype=torch.float64)[:, None].expand(-1, channels)
    torch.testing.assert_close(mse(image, noisy), wanted, rtol=1e-11, atol=1e-12)
    close((noisy - image).mean(dim=(-2, -1)), torch.zeros(len(errors), channels).double(), 1e-12)


def test_noise_comes_from_its_generator_and_is_normal() -> None:
    image = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    one, two, other = (
        add_noise(image, 4.0, generator=torch.Generator().manual_seed(s)) for s in (3, 3, 4)
    )
    assert one.dtype == image.dtype
    assert bool((one == two).all())
    assert bool((one != other).any())
    assert bool((one[0] - image[0] != one[1] - image[1]).any())
    within = ((one - image).abs() < 2).float().mean().item()  # one standard deviation
    assert within == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.02)


@pytest.mark.parametrize(
    ("image", "error", "sentence"),
    [
        (torch.zeros(2, 1, 4, 4), [1.0, 2.0, 3.0], "each of 2 images; 3 were given"),
        (torch.zeros(1, 1, 4, 4), -1.0, "0 or more"),
        (torch.zeros(1, 4, 4), 1.0, "add_noise takes a real floating-point"),
        (torch.zeros(1, 1, 1, 1), 1.0, "more than one pixel"),
    ],
)
def test_noise_that_cannot_be_gets_a_sentence(image: Tensor, error: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        add_noise(image, error)


@pytest.mark.parametrize("dim", [None, 0, -1, [0, 2], (1,), [-1, 0, 1]])
@pytest.mark.parametrize("keepdim", [False, True])
def test_extremes_are_numpys(dim: Any, keepdim: bool) -> None:
    x = signal(3, 4, 5)
    axes = tuple(dim) if isinstance(dim, list) else dim
    for function, peer in ((maximum, np.max), (minimum, np.min)):
        expected = np.asarray(peer(x.numpy(), axis=axes, keepdims=keepdim))
        close(function(x, dim, keepdim), torch.from_numpy(expected), 0)
    with pytest.raises(InputError, match="each once"):
        maximum(x, [0, -3])

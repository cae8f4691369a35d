"""Soft steps, tables, disks and padding, each against its definition."""

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from stimsynth.models import OnOff
from stimsynth.transforms.masks import interpolate1d, make_disk, raised_cosine
from stimsynth.transforms.padding import same_padding
from stimsynth.validate import remove_grad
from stimuli_store.errors import InputError
from tests.synth.signals import close, few, seeds, signal


def test_a_raised_cosine_runs_between_its_values() -> None:
    x, y = raised_cosine(width=0.5, position=2, values=(3, -1))
    assert x[1] == pytest.approx(1.75)
    assert x[-2] == pytest.approx(2.25)
    assert y[0] == y[1] == 3
    assert y[-1] == y[-2] == pytest.approx(-1)
    expected = 3 - 4 * np.cos(np.pi * (x - 2) / (2 * 0.5) - np.pi / 4) ** 2
    np.testing.assert_allclose(y[1:-1], expected[1:-1], atol=1e-12)
    with pytest.raises(InputError, match="positive; not 0"):
        raised_cosine(width=0)


@few
@given(
    st.lists(st.integers(-4, 4), min_size=1, max_size=6),
    st.lists(st.floats(-6, 6) | st.integers(-5, 5).map(float), min_size=1, max_size=8),
    seeds,
)
def test_interpolation_is_numpys(positions: list[int], wanted: list[float], seed: int) -> None:
    """Jumps (positions that occur twice) and places beyond the ends included."""
    x = np.sort(np.asarray(positions, dtype=float))
    y = signal(len(x), seed=seed).numpy()
    found = interpolate1d(torch.tensor(wanted, dtype=torch.float64), y, x)
    np.testing.assert_allclose(found.numpy(), np.interp(wanted, x, y), atol=1e-12)


def test_interpolation_keeps_type_and_shape_and_has_slopes() -> None:
    x, y = torch.tensor([0.0, 1.0, 3.0]), torch.tensor([0.0, 2.0, 0.0])
    at = torch.tensor([[0.5, 2.0], [-1.0, 5.0]], requires_grad=True)
    found = interpolate1d(at, y, x)
    assert found.dtype == torch.float32
    assert found.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    (slope,) = torch.autograd.grad(found.sum(), at)
    assert slope.tolist() == [[2.0, -1.0], [0.0, 0.0]]
    assert interpolate1d(torch.tensor([1, 3]), y, x).tolist() == [2.0, 0.0]
    with pytest.raises(InputError, match="ascend"):
        interpolate1d(at, y, x.flip(0))
    with pytest.raises(InputError, match="as many values"):
        interpolate1d(at, y[:2], x)


@pytest.mark.parametrize("size", [(16, 16), (15, 22)])
def test_a_disk_is_its_profile(size: tuple[int, int]) -> None:
    disk = make_disk(size, outer_radius=6.5, inner_radius=3, dtype=torch.float64)
    for row in range(size[0]):
        for column in range(size[1]):
            r = math.hypot(row - (size[0] - 1) / 2, column - (size[1] - 1) / 2)
            soft = math.cos(math.pi / 2 * (r - 3) / 3.5) ** 2
            expected = 1.0 if r <= 3 else 0.0 if r >= 6.5 else soft
            assert disk[row, column].item() == pytest.approx(expected, abs=1e-12)


def test_a_disk_has_defaults_and_a_hard_edge() -> None:
    close(make_disk(9), make_disk((9, 9), outer_radius=4, inner_radius=2), 0)
    hard = make_disk(5, outer_radius=2, inner_radius=2)
    assert hard.sum().item() == 13
    for wrong in ({"outer_radius": 2, "inner_radius": 3}, {"inner_radius": -1}):
        with pytest.raises(InputError, match="0 <= inner <= outer"):
            make_disk(9, **wrong)
    with pytest.raises(InputError, match="img_size"):
        make_disk((3, 3, 3))


def test_front_ends_are_masked_with_the_disk() -> None:
    image = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    plain, masked = (
        remove_grad(OnOff((7, 7), pretrained=False, apply_mask=mask))(image)
        for mask in (False, True)
    )
    close(masked, plain * make_disk(40), 0)


@pytest.mark.parametrize("kernel", [(3, 3), (1, 4), (5, 2)])
@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
@pytest.mark.parametrize("dilation", [1, (2, 1)])
def test_same_padding_keeps_the_size(kernel: Any, stride: Any, dilation: Any) -> None:
    image = signal(1, 1, 13, 12)
    padded = same_padding(image, kernel, stride, dilation, pad_mode="constant")
    weight = torch.ones(1, 1, *kernel).double()
    found = F.conv2d(padded, weight, stride=stride, dilation=dilation)
    steps = (stride, stride) if isinstance(stride, int) else stride
    assert found.shape[-2:] == (math.ceil(13 / steps[0]), math.ceil(12 / steps[1]))


@pytest.mark.parametrize("shape", [(6, 7), (2, 6, 7), (2, 3, 1, 6, 7)])
def test_same_padding_goes_round_and_takes_any_batch(shape: tuple[int, ...]) -> None:
    image = signal(*shape)
    padded = same_padding(image, (3, 4))
    assert padded.shape[:-2] == shape[:-2]
    rows, columns = np.arange(-1, 7) % 6, np.arange(-1, 9) % 7
    close(padded, image[..., rows, :][..., columns], 0)


def test_padding_too_far_gets_a_sentence() -> None:
    image = signal(1, 1, 4, 4)
    for call, sentence in (
        (lambda: same_padding(image, 9, pad_mode="reflect"), "cannot be padded by 4 rows"),
        (lambda: same_padding(image, 11), "in mode 'circular'"),
        (lambda: same_padding(image, 3, stride=0), "stride must be a whole number of 1"),
        (lambda: same_padding(image, 3, pad_mode="mirror"), "pad_mode must be one of"),
    ):
        with pytest.raises(InputError, match=sentence):
            call()
    assert same_padding(image, 9, pad_mode="replicate").shape == (1, 1, 12, 12)

"""Filtering by banded matrices is the direct sum, for every size, type and derivative."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.transforms.separable import filter_valid


def direct(images: Tensor, kernel: Tensor) -> Tensor:
    flat = images.reshape(-1, 1, *images.shape[-2:])
    square = torch.outer(kernel, kernel)[None, None]
    return F.conv2d(flat, square).reshape(
        *images.shape[:-2], *(n - len(kernel) + 1 for n in images.shape[-2:])
    )


@settings(max_examples=40)
@given(
    height=st.integers(11, 70),
    width=st.integers(11, 70),
    taps=st.integers(1, 11),
    count=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_it_is_the_direct_sum(height: int, width: int, taps: int, count: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(2, count, height, width, generator=generator, dtype=torch.float64)
    kernel = torch.randn(taps, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(filter_valid(images, kernel), direct(images, kernel))


def test_its_derivatives_are_those_of_the_direct_sum() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 20, 37, generator=generator, dtype=torch.float64, requires_grad=True)
    kernel = torch.randn(5, generator=generator, dtype=torch.float64)  # not symmetric
    weights = torch.randn(2, 16, 33, generator=generator, dtype=torch.float64)
    found, expected = (
        torch.autograd.grad((f(images, kernel) ** 2 * weights).sum(), images)[0]
        for f in (filter_valid, direct)
    )
    torch.testing.assert_close(found, expected)
    assert torch.autograd.gradgradcheck(lambda x: filter_valid(x, kernel) ** 2, images[:1, :6, :7])
    tangent = torch.randn(images.shape, generator=generator, dtype=torch.float64)
    plain = images.detach()
    _, pushed = torch.func.jvp(lambda x: filter_valid(x, kernel), (plain,), (tangent,))
    torch.testing.assert_close(pushed, direct(tangent, kernel))
    mapped = torch.func.vmap(lambda x: filter_valid(x, kernel))(plain)
    torch.testing.assert_close(mapped, direct(plain, kernel))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_type_stays(dtype: torch.dtype) -> None:
    found = filter_valid(torch.ones(16, 40, dtype=dtype), torch.ones(3, dtype=dtype))
    assert found.dtype == dtype
    assert bool((found == 9).all())


@pytest.mark.parametrize("height", [26, 27, 32, 42, 43, 48])
def test_what_is_not_finite_stays_with_its_image(height: int) -> None:
    images = torch.ones(3, height, height + 5, dtype=torch.float64)
    images[1] = torch.inf
    found = filter_valid(images, torch.full((11,), 1 / 11, dtype=torch.float64))
    torch.testing.assert_close(found[[0, 2]], torch.ones_like(found[[0, 2]]))
    assert not bool(torch.isfinite(found[1]).any())

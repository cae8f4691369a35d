"""Moments: closed forms of distributions, scipy's numbers, shapes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.transforms.statistics import kurtosis, skew, variance
from stimuli_store.errors import InputError

DIMS: list[Any] = [None, 0, -1, [1, 3], (0, 2), [0, 1, 2, 3]]


def sample(seed: int = 0) -> Tensor:
    return torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed)).double().exp()


def by_scipy(function: Callable[..., Any], x: Tensor, dim: Any, keepdim: bool) -> Tensor:
    axes = tuple(range(x.dim())) if dim is None else dim
    axes = (axes,) if isinstance(axes, int) else tuple(a % x.dim() for a in axes)
    moved = np.moveaxis(x.numpy(), axes, range(-len(axes), 0))
    value = np.asarray(function(moved.reshape(*moved.shape[: x.dim() - len(axes)], -1), axis=-1))
    return torch.from_numpy(
        np.expand_dims(value, tuple(a % x.dim() for a in axes)) if keepdim else value
    )


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("keepdim", [False, True])
def test_moments_are_scipys(dim: Any, keepdim: bool) -> None:
    x = sample()
    for ours, peer in (
        (variance, np.var),
        (skew, scipy.stats.skew),
        (kurtosis, lambda a, axis: scipy.stats.kurtosis(a, axis=axis, fisher=False)),
    ):
        expected = by_scipy(peer, x, dim, keepdim)
        found = ours(x, dim=dim, keepdim=keepdim)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(
        variance(x, dim=dim, keepdim=keepdim), torch.var(x, dim, correction=0, keepdim=keepdim)
    )


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("known_keepdim", [False, True])
def test_known_moments_can_be_handed_in(dim: Any, keepdim: bool, known_keepdim: bool) -> None:
    """Also where the sides are equal, so that a mistaken broadcast would not show as an error."""
    x = torch.randn(3, 3, 3, 3, generator=torch.Generator().manual_seed(1)).double()
    mean = x.mean(dim=dim if dim is not None else (0, 1, 2, 3), keepdim=known_keepdim)
    var = variance(x, mean, dim, known_keepdim)
    torch.testing.assert_close(var, variance(x, dim=dim, keepdim=known_keepdim))
    for function in (skew, kurtosis):
        expected = function(x, dim=dim, keepdim=keepdim)
        torch.testing.assert_close(function(x, mean, var, dim, keepdim), expected)
        torch.testing.assert_close(function(x, mean=mean, dim=dim, keepdim=keepdim), expected)


def test_other_centres_and_scales_are_used() -> None:
    x = torch.tensor([1.0, 3.0])
    assert variance(x, mean=1.0).item() == 2.0
    assert skew(x, mean=0.0, var=4.0).item() == pytest.approx((1 + 27) / 2 / 8)
    assert kurtosis(x, mean=torch.tensor(0.0), var=2.0).item() == pytest.approx((1 + 81) / 2 / 4)


def test_distributions_have_their_moments() -> None:
    """Evenly spaced quantiles stand for the distributions."""
    p = (np.arange(200_000) + 0.5) / 200_000
    for name, wanted_skew, wanted_kurtosis in (
        ("uniform", 0, 1.8),
        ("norm", 0, 3),
        ("laplace", 0, 6),
        ("expon", 2, 9),
    ):
        x = torch.from_numpy(getattr(scipy.stats, name).ppf(p))
        assert skew(x).item() == pytest.approx(wanted_skew, abs=5e-3)
        assert kurtosis(x).item() == pytest.approx(wanted_kurtosis, abs=5e-2)


@settings(max_examples=25)
@given(st.floats(0.01, 100), st.floats(-10, 10), st.booleans(), st.integers(0, 2**31))
def test_shape_does_not_depend_on_place_and_scale(
    scale: float, shift: float, mirrored: bool, seed: int
) -> None:
    x = sample(seed)
    sign = -1 if mirrored else 1
    y = sign * scale * x + shift
    torch.testing.assert_close(variance(y), scale**2 * variance(x), rtol=1e-7, atol=0)
    torch.testing.assert_close(skew(y), sign * skew(x), rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(kurtosis(y), kurtosis(x), rtol=1e-6, atol=0)


def test_equal_values_have_a_variance_and_no_shape() -> None:
    x = torch.full((4,), 0.25)
    assert variance(x).item() == 0
    assert bool(skew(x).isnan())
    assert bool(kurtosis(x).isnan())


def test_derivatives_are_right_and_vectorize() -> None:
    x = sample()[0, 0].requires_grad_(True)
    for function in (variance, skew, kurtosis):
        assert torch.autograd.gradcheck(lambda x, f=function: f(x, dim=1), x)
        torch.testing.assert_close(torch.func.vmap(function)(x), function(x, dim=1))


def test_dimensions_that_are_not_there_get_a_sentence() -> None:
    with pytest.raises(InputError, match="each once; not 4"):
        variance(sample(), dim=4)

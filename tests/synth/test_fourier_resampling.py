"""Expanding, shrinking and autocorrelation: interpolation, projection and sums written out."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.transforms.fourier_resampling import autocorrelation, expand, shrink
from stimuli_store.errors import InputError
from tests.synth.signals import close, few, seeds, sides, signal


@few
@given(sides, sides, st.integers(2, 4), st.booleans(), seeds)
def test_expand_keeps_its_samples_and_shrink_goes_back(
    height: int, width: int, factor: int, complex_valued: bool, seed: int
) -> None:
    x = signal(2, height, width, seed=seed, complex_valued=complex_valued)
    large = expand(x, factor)
    assert large.shape == (2, factor * height, factor * width)
    assert large.dtype == x.dtype
    close(large[..., ::factor, ::factor], x)
    close(shrink(large, factor), x)
    close(large.mean(dim=(-2, -1)), x.mean(dim=(-2, -1)))


@pytest.mark.parametrize("complex_valued", [False, True])
@pytest.mark.parametrize(
    ("size", "factor"), [((4, 8), 1.5), ((6, 4), 2.5), ((10, 20), 1.1), ((5, 10), 1.2)]
)
def test_expand_takes_fractions_that_make_whole_sides(
    size: tuple[int, int], factor: float, complex_valued: bool
) -> None:
    """The samples that both grids have are kept: every p-th of the large one is every q-th of the small."""
    x = signal(*size, complex_valued=complex_valued)
    large = expand(x, factor)
    p, q = (
        round(factor * 10) // math.gcd(round(factor * 10), 10),
        10 // math.gcd(round(factor * 10), 10),
    )
    close(large[::p, ::p], x[::q, ::q])
    close(shrink(large, factor), x)


@pytest.mark.parametrize(("height", "width"), [(6, 8), (5, 7), (6, 7), (5, 8)])
def test_expand_is_the_trigonometric_interpolation(height: int, width: int) -> None:
    """Written out as a sum over interpolation kernels (Dirichlet's), one for every sample."""

    def kernel(t: np.ndarray, n: int) -> np.ndarray:
        whole = np.isclose(np.sin(np.pi * t), 0)
        down = np.where(whole, 1.0, n * (np.tan if n % 2 == 0 else np.sin)(np.pi * t / n))
        return np.where(whole, np.isclose((t / n) % 1, 0).astype(float), np.sin(np.pi * t) / down)

    x = signal(height, width)
    rows, columns = (
        kernel(np.arange(3 * n)[:, None] / 3 - np.arange(n)[None], n) for n in (height, width)
    )
    close(expand(x, 3), torch.from_numpy(rows @ x.numpy() @ columns.T))


@few
@given(st.sampled_from([(8, 12), (12, 10), (6, 18)]), st.booleans(), seeds)
def test_shrink_goes_back_from_the_nearest_expandable_signal(
    size: tuple[int, int], complex_valued: bool, seed: int
) -> None:
    """x minus what shrink and expand keep of it is orthogonal to everything expand can make."""
    x = signal(*size, seed=seed, complex_valued=complex_valued)
    rest = x - expand(shrink(x, 2), 2)
    other = expand(signal(size[0] // 2, size[1] // 2, seed=seed + 1), 2)
    assert abs(torch.vdot(other.flatten().to(rest), rest.flatten())) < 1e-11


def test_shrink_is_sampling_where_nothing_is_too_fine() -> None:
    row = torch.cos(2 * torch.pi * 3 * torch.arange(16).double() / 16 + 0.4)
    x = torch.outer(row, row.roll(5))
    close(shrink(x, 2), x[::2, ::2])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: expand(x, 1), "above 1, at most 2,147,483,647; not 1"),
        (lambda x: expand(x, 1.3), "expand by 1.3 would turn 6x7 samples into 7.8x9.1"),
        (lambda x: shrink(x, 2), "shrink by 2 would turn 6x7 samples into 3x3.5"),
        (lambda x: shrink(x, math.nan), "a finite number; not nan"),
        (lambda x: expand(x, math.inf), "a finite number; not inf"),
        (lambda x: expand(x, 1 + 1e-12), "must be whole numbers"),
        (lambda x: shrink(x, 42), "give another factor"),
        (lambda x: expand(x[0], 2), "takes a floating-point or complex tensor"),
        (lambda x: autocorrelation(x.long()), "takes a floating-point or complex tensor"),
    ],
)
def test_sizes_that_cannot_be_get_a_sentence(
    call: Callable[[Tensor], Tensor], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        call(signal(6, 7))


@few
@given(sides, sides, st.booleans(), seeds)
def test_autocorrelation_is_the_direct_sum(
    height: int, width: int, complex_valued: bool, seed: int
) -> None:
    x = signal(height, width, seed=seed, complex_valued=complex_valued)
    found = autocorrelation(x)
    for row, column in ((0, 0), (1, 0), (0, 1), (2, 3)):
        shifted = x.roll((-row, -column), dims=(0, 1))
        at = found[(height // 2 + row) % height, (width // 2 + column) % width]
        close(at, (x.conj() * shifted).mean())


@few
@given(sides, sides, seeds)
def test_autocorrelation_is_even_with_its_peak_in_the_middle(
    height: int, width: int, seed: int
) -> None:
    x = signal(2, height, width, seed=seed)
    x = x - x.mean(dim=(-2, -1), keepdim=True)
    found = autocorrelation(x)
    middle = found[:, height // 2, width // 2]
    close(
        middle, x.var(dim=(-2, -1), correction=0) if height * width > 1 else torch.zeros(2).double()
    )
    assert bool((found.abs().amax(dim=(-2, -1)) <= middle + 1e-12).all())
    origin_first = torch.fft.ifftshift(found, dim=(-2, -1))
    close(origin_first.flip((-2, -1)).roll((1, 1), dims=(-2, -1)), origin_first)


@pytest.mark.parametrize("complex_valued", [False, True])
def test_derivatives_are_right_and_vectorize(complex_valued: bool) -> None:
    x = signal(3, 4, 6, complex_valued=complex_valued).requires_grad_(True)
    for function in (lambda x: expand(x, 1.5), lambda x: shrink(x, 2), autocorrelation):
        assert torch.autograd.gradcheck(function, x, check_forward_ad=True, fast_mode=True)
        close(torch.func.vmap(function)(x), function(x))

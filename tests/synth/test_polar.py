"""Phases: kept, multiplied, taken apart and put together, with finite slopes at zero."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.transforms.polar import modulate_phase, polar_to_rectangular, rectangular_to_polar
from stimuli_store.errors import InputError
from tests.synth.signals import close, few, seeds, signal


@few
@given(st.sampled_from([2.0, 1.0, 0.5, 3, -1]), seeds)
def test_a_phase_is_multiplied_and_a_modulus_kept(factor: float, seed: int) -> None:
    z = signal(5, 6, seed=seed, complex_valued=True)
    expected = z.abs() * torch.exp(1j * factor * z.angle())
    close(modulate_phase(z, factor), expected)


def test_polar_coordinates_go_there_and_back() -> None:
    z = signal(3, 4, complex_valued=True)
    amplitude, phase = rectangular_to_polar(z)
    close(amplitude, z.abs())
    close(phase, z.angle())
    close(polar_to_rectangular(amplitude, phase), z)


@pytest.mark.parametrize("value", [0j, 1e-30 + 1e-30j, 1e-42j, -1e-20 + 0j, 3 - 4j])
@pytest.mark.parametrize(
    "function",
    [
        modulate_phase,
        lambda z: modulate_phase(z, 1.5),
        lambda z: rectangular_to_polar(z)[0],
        lambda z: rectangular_to_polar(z)[1] * 1e-10,
    ],
)
def test_slopes_are_finite_at_zero_and_near_it(
    function: Callable[[Tensor], Tensor], value: complex
) -> None:
    z = torch.tensor([value], dtype=torch.complex64, requires_grad=True)
    y = function(z)
    (gradient,) = torch.autograd.grad(y.abs().sum(), z)
    _, slope = torch.func.jvp(function, (z.detach(),), (torch.ones_like(z),))
    for result in (y, gradient, slope):
        assert bool(torch.isfinite(result.abs()).all())
    if value == 0:
        assert y.abs().item() == 0
        assert gradient.abs().item() == 0


@pytest.mark.parametrize("factor", [2.0, 0.7])
def test_slopes_of_phases_are_right_and_vectorize(factor: float) -> None:
    z = signal(2, 3, seed=4, complex_valued=True).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda z: modulate_phase(z, factor), z)
    assert torch.autograd.gradcheck(lambda z: rectangular_to_polar(z), z)
    vectorized = torch.func.vmap(lambda row: modulate_phase(row, factor))(z)
    close(vectorized, modulate_phase(z, factor))
    amplitude, phase = rectangular_to_polar(z)
    close(torch.func.vmap(polar_to_rectangular)(amplitude, phase), z)


def test_phases_of_what_has_none_get_a_sentence() -> None:
    for function in (rectangular_to_polar, modulate_phase):
        with pytest.raises(InputError, match=r"takes a complex tensor .*float64"):
            function(signal(3))
    with pytest.raises(InputError, match="smallest given is -2"):
        polar_to_rectangular(torch.tensor([1.0, -2.0]), torch.zeros(2))

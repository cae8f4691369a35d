"""Gain control: it can be undone, follows its formula, leaves residuals alone and has finite slopes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.transforms.gain_control import (
    local_gain_control,
    local_gain_control_dict,
    local_gain_release,
    local_gain_release_dict,
    polar_to_rectangular_dict,
    rectangular_to_polar_dict,
)
from stimsynth.transforms.resampling import blur_downsample, upsample_blur
from stimuli_store.errors import InputError


def bands(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double()


@settings(max_examples=25)
@given(
    st.sampled_from([(), (2,), (4,)]),
    st.integers(4, 11),
    st.integers(4, 11),
    st.sampled_from([1e-8, 0.1]),
    st.integers(0, 2**31),
)
def test_what_was_controlled_can_be_released(
    orientations: tuple[int, ...], height: int, width: int, epsilon: float, seed: int
) -> None:
    x = bands(2, 3, *orientations, height, width, seed=seed)
    norm, direction = local_gain_control(x, epsilon)
    assert norm.shape == (2, 3, *orientations, (height + 1) // 2, (width + 1) // 2)
    assert direction.shape == x.shape
    assert bool((norm > 0).all())
    released = local_gain_release(norm, direction, epsilon)
    torch.testing.assert_close(released, x, rtol=1e-12, atol=1e-13)


def test_energy_and_direction_by_their_formula() -> None:
    x = bands(1, 2, 12, 9)
    norm, direction = local_gain_control(x, epsilon=0.2)
    torch.testing.assert_close(norm.square(), blur_downsample(x.square()))
    torch.testing.assert_close(direction * (upsample_blur(norm, (0, 1)) + 0.2), x)


@settings(max_examples=25)
@given(st.floats(0.01, 100), st.integers(0, 2**31))
def test_contrast_is_in_the_energy_alone(contrast: float, seed: int) -> None:
    x = bands(1, 1, 10, 10, seed=seed)
    norm, direction = local_gain_control(x, epsilon=0)
    scaled_norm, scaled_direction = local_gain_control(-contrast * x, epsilon=0)
    torch.testing.assert_close(scaled_norm, contrast * norm)
    torch.testing.assert_close(scaled_direction, -direction)


def test_orientations_are_treated_one_by_one() -> None:
    x = bands(2, 3, 4, 8, 8)
    norm, direction = local_gain_control(x)
    for o in range(4):
        alone = local_gain_control(x[:, :, o])
        torch.testing.assert_close(norm[:, :, o], alone[0])
        torch.testing.assert_close(direction[:, :, o], alone[1])


def test_complex_bands_have_real_energy() -> None:
    x = torch.complex(bands(1, 1, 8, 8), bands(1, 1, 8, 8, seed=1))
    norm, direction = local_gain_control(x)
    assert not norm.is_complex()
    torch.testing.assert_close(norm, local_gain_control(x.abs())[0])
    torch.testing.assert_close(local_gain_release(norm, direction), x)


@pytest.mark.parametrize("value", [0.0, 1e-30, 1.0])
def test_slopes_are_finite_even_at_zero(value: float) -> None:
    x = torch.zeros(1, 1, 8, 8)
    x[..., :4] = value
    x.requires_grad_(True)
    norm, direction = local_gain_control(x)
    for result in (norm, direction):
        (gradient,) = torch.autograd.grad(result.sum(), x, retain_graph=True)
        assert bool(torch.isfinite(gradient).all())
    _, slopes = torch.func.jvp(local_gain_control, (x.detach(),), (torch.ones_like(x),))
    assert all(bool(torch.isfinite(slope).all()) for slope in slopes)


def test_derivatives_are_right_and_vectorize() -> None:
    x = bands(2, 1, 6, 6).requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda x: local_gain_control(x, 0.1), x[:1].detach().requires_grad_()
    )
    norm, direction = torch.func.vmap(lambda item: local_gain_control(item[None]))(x)
    torch.testing.assert_close(norm[:, 0], local_gain_control(x)[0])
    torch.testing.assert_close(direction[:, 0], local_gain_control(x)[1])


def pyramid(complex_valued: bool, stacked: bool) -> dict:
    """A dictionary as pyramids make it: a key for each band, or for each scale with orientations stacked."""
    keys = [0, 1] if stacked else [(0, 0), (0, 1), (1, 0)]
    shape = (1, 2, 3, 8, 7) if stacked else (1, 2, 8, 7)
    made = {}
    for seed, key in enumerate(keys):
        band = bands(*shape, seed=seed)
        made[key] = torch.complex(band, bands(*shape, seed=seed + 50)) if complex_valued else band
    residuals = {f"residual_{n}": bands(1, 2, 8, 7, seed=9) for n in ("highpass", "lowpass")}
    return {"residual_highpass": residuals["residual_highpass"], **made, **residuals}


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("complex_valued", [False, True])
@pytest.mark.parametrize("residuals", [False, True])
def test_pyramids_go_there_and_back(stacked: bool, complex_valued: bool, residuals: bool) -> None:
    coeffs = pyramid(complex_valued, stacked)
    split = rectangular_to_polar_dict if complex_valued else local_gain_control_dict
    join = polar_to_rectangular_dict if complex_valued else local_gain_release_dict
    energy, state = split(coeffs, residuals=residuals)
    assert set(state) == {key for key in coeffs if not isinstance(key, str)}
    assert set(energy) == (set(coeffs) if residuals else set(state))
    back = join(energy, state)
    assert set(back) == set(energy)
    for key, band in back.items():
        torch.testing.assert_close(band, coeffs[key])
    without = join(energy, state, residuals=False)
    assert set(without) == set(state)
    if residuals:
        assert energy["residual_lowpass"] is coeffs["residual_lowpass"]
        assert list(back) == list(coeffs)


def test_defaults_for_residuals_are_those_of_the_two_kinds() -> None:
    assert "residual_lowpass" in local_gain_control_dict(pyramid(False, False))[0]
    assert "residual_lowpass" not in rectangular_to_polar_dict(pyramid(True, False))[0]


def test_bad_input_gets_a_sentence() -> None:
    with pytest.raises(
        InputError, match="local_gain_control takes a floating-point or complex tensor"
    ):
        local_gain_control(bands(3, 8, 8))
    norm, direction = local_gain_control(bands(1, 1, 8, 8))
    with pytest.raises(InputError, match=r"must have shape \(1, 1, 4, 4\); not \(1, 1, 3, 4\)"):
        local_gain_release(norm[..., :3, :], direction)
    with pytest.raises(InputError, match="have the same bands"):
        local_gain_release_dict({0: norm, 1: norm}, {0: direction})

"""Losses (scalars for synthesis) and the metrics that share their ideas."""

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from stimsynth import Gaussian, images, losses, metrics, remove_grad
from stimsynth.losses import (
    l2_norm,
    mse,
    penalize_range,
    penalize_roughness,
    relative_MSE,
    relative_sse,
)
from stimsynth.methods.metamer import Metamer
from stimsynth.metrics import model_distance
from stimsynth.transforms.signal import add_noise
from stimuli_store.errors import InputError

ALL = [mse, l2_norm, relative_sse, relative_MSE]


def pair(*shape: int, seed: int = 0, complex_valued: bool = False) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.complex128 if complex_valued else torch.float64
    one, two = torch.randn((2, *shape), generator=generator, dtype=dtype)
    return one, two


@settings(max_examples=25)
@given(st.booleans(), st.integers(0, 2**31))
def test_losses_are_norms_of_the_difference(complex_valued: bool, seed: int) -> None:
    synth, ref = pair(2, 3, 4, seed=seed, complex_valued=complex_valued)
    distance = torch.linalg.norm((synth - ref).flatten())
    torch.testing.assert_close(l2_norm(synth, ref), distance)
    torch.testing.assert_close(mse(synth, ref), distance**2 / 24)
    own = torch.linalg.norm(ref.flatten())
    torch.testing.assert_close(relative_sse(synth, ref), (distance / own) ** 2)
    torch.testing.assert_close(relative_MSE(synth, ref), relative_sse(synth, ref))


def test_the_relative_loss_is_relative_to_the_reference() -> None:
    synth, ref = pair(3, 4)
    torch.testing.assert_close(relative_sse(5 * synth, 5 * ref), relative_sse(synth, ref))
    assert relative_sse(torch.zeros_like(ref), ref).item() == pytest.approx(1)


def test_losses_take_what_they_do_not_need() -> None:
    synth, ref = pair(2, 5)
    for loss in ALL:
        assert loss(synth, ref, synth_img=synth, anything="else") == loss(synth, ref)
    assert penalize_range(synth, (0, 1), model=None) == penalize_range(synth)


def test_losses_of_equal_tensors_are_zero_with_slope_zero() -> None:
    ref, _ = pair(3, 3)
    for loss in ALL:
        x = ref.clone().requires_grad_(True)
        value = loss(x, ref)
        (gradient,) = torch.autograd.grad(value, x)
        assert value.item() == 0
        assert bool((gradient == 0).all())


@settings(max_examples=25)
@given(st.floats(-2, 0), st.floats(0.1, 2), st.integers(0, 2**31))
def test_the_range_penalty_is_the_squared_way_back(low: float, high: float, seed: int) -> None:
    x, _ = pair(4, 5, seed=seed)
    way_back = (x - x.clamp(low, high)).square().sum()
    torch.testing.assert_close(penalize_range(x, (low, high)), way_back)
    assert penalize_range(x.clamp(low, high), (low, high)).item() == 0


def test_the_range_penalty_by_hand() -> None:
    assert penalize_range(torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0, 2.0, -1.0])).item() == 4


def test_the_loss_and_the_metric_are_two() -> None:
    """One name, two duties: a metamer's default loss is the scalar."""
    one, two = pair(2, 3, 5, 6)
    assert losses.mse(one, two).shape == ()
    assert metrics.mse(one, two).shape == (2, 3)
    torch.testing.assert_close(metrics.mse(one, two).mean(), losses.mse(one, two))
    assert inspect.signature(Metamer).parameters["loss_function"].default is losses.mse


# Metrics


def test_the_metric_is_a_value_per_image_and_channel() -> None:
    one, two = pair(2, 3, 5, 6)
    found = metrics.mse(one, 300 * two)  # any range, and no warning
    for b in range(2):
        for c in range(3):
            expected = sum(
                (one[b, c, i, j] - 300 * two[b, c, i, j]) ** 2 for i in range(5) for j in range(6)
            )
            torch.testing.assert_close(found[b, c], expected / 30)
    torch.testing.assert_close(metrics.mse(one[:1], two)[1], metrics.mse(one[:1], two[1:])[0])
    assert metrics.mse(one[:, :1], two).shape == (2, 3)


def test_noise_is_measured_as_it_was_ordered() -> None:
    image, _ = pair(1, 1, 16, 16)
    noisy = add_noise(image, [2, 4, 8])
    torch.testing.assert_close(
        metrics.mse(image, noisy), torch.tensor([[2.0], [4.0], [8.0]]).double()
    )


def test_images_that_do_not_compare_get_a_sentence() -> None:
    one, two = pair(2, 1, 5, 6)
    with pytest.raises(InputError, match="the same height, width"):
        metrics.mse(one, two[..., :4])
    with pytest.raises(InputError, match="takes a real floating-point tensor of shape"):
        metrics.mse(one.long(), two.long())
    with pytest.raises(InputError, match="equal or 1"):
        metrics.mse(one, torch.cat([two, two]))


class Spectrum(nn.Module):
    """A model with complex output."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.fft2(x, norm="ortho")


def test_a_model_measures_the_rms_difference_of_its_outputs() -> None:
    one, two = pair(3, 1, 8, 9)
    model = remove_grad(Gaussian(5, std=1.0).double())
    expected = [(model(one) - model(two))[b].square().mean().sqrt() for b in range(3)]
    torch.testing.assert_close(model_distance(model)(one, two), torch.stack(expected))
    broadcast = model_distance(model)(one[:1], two)
    torch.testing.assert_close(broadcast[2:], model_distance(model)(one[:1], two[2:]))


def test_a_unitary_model_measures_pixels() -> None:
    one, two = pair(2, 1, 8, 8)
    torch.testing.assert_close(
        model_distance(Spectrum())(one, two), metrics.mse(one, two).flatten().sqrt()
    )


@pytest.mark.parametrize("model", [Spectrum(), lambda x: x.square()])
def test_a_models_distance_is_a_metric(model: nn.Module) -> None:
    distance = model_distance(model)
    a, b = pair(2, 1, 6, 6, seed=1)
    c, _ = pair(2, 1, 6, 6, seed=2)
    torch.testing.assert_close(distance(a, b), distance(b, a))
    assert bool((distance(a, c) <= distance(a, b) + distance(b, c)).all())
    x = a.clone().requires_grad_(True)
    value = distance(x, a)
    (gradient,) = torch.autograd.grad(value.sum(), x)
    assert bool((value == 0).all())
    assert bool((gradient == 0).all())


def test_outputs_that_do_not_compare_get_a_sentence() -> None:
    one, _ = pair(2, 1, 8, 8)
    with pytest.raises(InputError, match="must be callable"):
        model_distance("ssim")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"a distance takes a torch tensor .*; not list"):
        model_distance(lambda x: x)(one, one.tolist())
    with pytest.raises(InputError, match="the same shape, with the batch"):
        model_distance(lambda x: x)(one, one[..., :4])
    with pytest.raises(InputError, match="the same shape, with the batch"):
        model_distance(lambda x: x.mean(dim=0))(one, one)
    with pytest.raises(InputError, match="equal or 1; not 2 and 3"):
        model_distance(lambda x: x)(one, torch.cat([one, one])[:3])


def test_the_furthest_channel_counts_most() -> None:
    synth, ref = pair(1, 4, 3, 3)
    distances = (synth - ref).flatten(2).norm(dim=2)[0]
    for sharpness in (0.3, 1.0, 7.0):
        by_hand = torch.log(torch.exp(sharpness * distances).mean()) / sharpness
        torch.testing.assert_close(losses.channel_logsumexp(sharpness)(synth, ref), by_hand)
    x = synth.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(losses.channel_logsumexp(50.0)(x, ref), x)
    share = gradient.flatten(2).norm(dim=2)[0]
    assert share.argmax() == distances.argmax()
    assert share.max() > 0.9
    torch.testing.assert_close(share.sum(), torch.ones((), dtype=torch.float64))


def test_it_is_zero_with_slope_zero_for_equal_outputs_and_huge_ones_do_not_overflow() -> None:
    ref, _ = pair(1, 3, 5)
    x = ref.clone().requires_grad_(True)
    value = losses.channel_logsumexp(2.0)(x, ref)
    (gradient,) = torch.autograd.grad(value, x)
    assert value.item() == pytest.approx(0, abs=1e-15)
    assert bool((gradient == 0).all())
    huge = losses.channel_logsumexp(1.0)(1e6 * ref, -1e6 * ref)
    assert huge.item() == pytest.approx(2e6 * ref.flatten(2).norm(dim=2).max().item(), rel=1e-5)
    with pytest.raises(InputError, match="sharpness must be positive; not 0"):
        losses.channel_logsumexp(0)


def test_channels_of_unlike_size_are_matched_at_the_same_rate() -> None:
    """Two channels, one a thousandth of the other: the mean square forgets the small one until the end."""

    class Unlike(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, 1e-3 * x.roll(3, -1).square()], dim=1)

    target = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(1)).double()
    metamer = Metamer(target, Unlike(), losses.channel_logsumexp(1e4))
    metamer.synthesize(60)
    assert metamer.losses[-1] < 1e-3 * metamer.losses[0]


def test_a_random_loss_is_refused() -> None:
    image = images.load("camera", size=16)
    noisy = lambda x, y: (x - y).square().mean() * (1 + torch.rand(()))  # noqa: E731
    with pytest.raises(InputError, match="the loss is random"):
        Metamer(image, remove_grad(Gaussian(3)), loss_function=noisy)


def test_roughness_is_the_mean_squared_step_to_a_neighbour() -> None:
    x = pair(2, 3, 4, seed=5)[0]
    steps = [x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1]]
    by_hand = sum((s**2).sum() for s in steps) / (2 * 2 * 4 + 2 * 3 * 3)
    torch.testing.assert_close(penalize_roughness(x, anything="else"), by_hand)
    assert penalize_roughness(torch.full((1, 1), 3.0)).item() == 0

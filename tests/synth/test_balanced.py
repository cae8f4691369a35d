"""Outputs brought to one magnitude, over a set of images or by a target."""

import pytest
import torch
from torch import Tensor, nn

from stimsynth import Metamer, MetamerCTF, PortillaSimoncelli, images
from stimsynth.losses import mse
from stimsynth.models import (
    Balanced,
    balanced_by_sensitivity,
    balanced_by_target,
    balanced_over_images,
)
from stimuli_store.errors import InputError


class TwoSizes(nn.Module):
    """Means of squares of pixels in the left half, and in the right half a thousand times smaller."""

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=-1)
        return torch.stack([left.mean((1, 2, 3)), 1e-3 * right.mean((1, 2, 3))], dim=1)[:, None]


def photographs(size: int = 64) -> Tensor:
    return torch.cat([images.load(n, size=size) for n in ("grass", "gravel", "brick", "camera")])


def test_over_images_outputs_are_z_scores() -> None:
    several = photographs().double()
    model = TwoSizes()
    scores = balanced_over_images(model, several)(several)
    outputs = model(several)
    by_hand = (outputs - outputs.mean(0)) / outputs.std(0)
    # The second varies by a thousandth of the first: more is the floor for it.
    torch.testing.assert_close(scores[..., 0], by_hand[..., 0])
    floor = 1e-2 * outputs.std(0).square().mean().sqrt()
    small = (outputs - outputs.mean(0))[..., 1] / floor
    torch.testing.assert_close(scores[..., 1], small)
    lower = balanced_over_images(model, several, floor=1e-6)(several)
    torch.testing.assert_close(lower, by_hand)


def test_by_target_errors_are_relative() -> None:
    target = photographs()[:1].double()
    model = balanced_by_target(TwoSizes(), target, floor=1e-6)
    torch.testing.assert_close(model(target), torch.ones(1, 1, 2).double())
    torch.testing.assert_close(model(1.5 * target), torch.full((1, 1, 2), 1.5).double())


def test_what_is_small_is_met_as_well_as_what_is_large() -> None:
    target = photographs()[:1].double()
    start = torch.full_like(target, 0.9)

    def worst(model: nn.Module) -> float:
        met = Metamer(target, model, initial_image=start)
        met.synthesize(2)
        outputs, goals = TwoSizes()(met.metamer), TwoSizes()(target)
        return ((outputs - goals) / goals).abs().max().item()

    balanced = worst(balanced_by_target(TwoSizes(), target, floor=1e-6))
    assert balanced < 0.1 * worst(TwoSizes())


@pytest.mark.parametrize("over", [True, False])
def test_texture_statistics_keep_their_scales(over: bool) -> None:
    several = photographs()
    texture = PortillaSimoncelli((64, 64), n_scales=2)
    balanced = balanced_over_images if over else balanced_by_target
    model = balanced(texture, several if over else several[:1])
    whole = model(several)
    assert whole.shape == texture(several).shape
    for scales in ([0], ["pixel_statistics", "residual_lowpass"]):
        part = model(several, scales=scales)
        torch.testing.assert_close(part, model.remove_scales(whole, scales), atol=1e-4, rtol=1e-4)
    met = MetamerCTF(several[:1], model)
    met.synthesize(8, change_scale_criterion=None, ctf_iters_to_check=2)
    assert met.scales_finished == ("pixel_statistics", "residual_lowpass", 1)
    assert met.losses[2] < met.losses[0]


def test_a_balanced_model_moves_and_saves_as_any_module() -> None:
    target = photographs()[:1]
    model = balanced_by_target(PortillaSimoncelli((64, 64), n_scales=2), target)
    moved = model.double()(target.double())
    assert moved.dtype == torch.float64
    assert {"shift", "scale"} <= set(model.state_dict())
    met = Metamer(target.double(), model)
    met.synthesize(2)
    met.to(torch.float32)
    met.synthesize(2)
    assert met.metamer.dtype == torch.float32


def test_complex_outputs_keep_their_phase() -> None:
    class Spectrum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.rfft2(x, norm="ortho")

    target = photographs(32)[:1].double()
    model = balanced_by_target(Spectrum(), target, floor=1e-9)
    torch.testing.assert_close(model(target).abs(), torch.ones(1, 1, 32, 17).double())
    torch.testing.assert_close(model(target).angle(), Spectrum()(target).angle())
    several = photographs(32).double()
    scores = balanced_over_images(Spectrum(), several, floor=1e-9)(several)
    torch.testing.assert_close(scores.abs().square().sum(0), torch.full((1, 32, 17), 3.0).double())


def test_outputs_that_are_all_zero_are_left_alone() -> None:
    blank = torch.zeros(1, 1, 8, 8)
    torch.testing.assert_close(balanced_by_target(nn.Identity(), blank)(blank + 0.5), blank + 0.5)


class Weighed(nn.Module):
    """The spectrum of an image, and again a hundred times as large: complex, with a known Jacobian."""

    def forward(self, image: Tensor) -> Tensor:
        spectrum = torch.fft.fft2(image, norm="ortho")
        return torch.cat([spectrum, 100 * spectrum], dim=1)


@pytest.mark.long
def test_sensitivities_are_norms_of_the_jacobian_s_rows() -> None:
    """Every row of an orthonormal transform has norm 1, real and imaginary parts together."""
    image = images.load("grass", size=8)
    even = balanced_by_sensitivity(Weighed(), image, power=1.0, n_probes=4000)
    expected = torch.tensor([1.0, 100.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
    torch.testing.assert_close(even.scale, expected, rtol=0.1, atol=0)
    half = balanced_by_sensitivity(Weighed(), image, power=0.5, n_probes=4000)
    torch.testing.assert_close(half.scale, even.scale.sqrt())


class Root(nn.Module):
    """A model with an infinite slope at black."""

    def forward(self, image: Tensor) -> Tensor:
        return image.sqrt()


def test_an_infinite_slope_does_not_make_every_image_a_metamer() -> None:
    black = photographs()[:1].clone()
    black[..., 0, 0] = 0
    with pytest.raises(InputError, match="derivative is NaN or infinite"):
        balanced_by_sensitivity(Root(), black)


def test_bad_input_gets_a_sentence() -> None:
    one = photographs()[:1]
    with pytest.raises(InputError, match="two images or more, not 1"):
        balanced_over_images(TwoSizes(), one)
    with pytest.raises(InputError, match="one image at a time"):
        balanced_by_target(TwoSizes(), photographs())
    with pytest.raises(InputError, match="floor must be a positive fraction"):
        balanced_by_target(TwoSizes(), one, floor=0)
    with pytest.raises(InputError, match="remove_grad"):
        balanced_by_target(nn.Conv2d(1, 1, 3), one)
    with pytest.raises(InputError, match="n_probes must be a whole number"):
        balanced_by_sensitivity(TwoSizes(), one, n_probes=0)
    with pytest.raises(InputError, match="power must be a finite number of 0 or more"):
        balanced_by_sensitivity(TwoSizes(), one, power=float("nan"))
    with pytest.raises(InputError, match="Identity has no method remove_scales"):
        Balanced(nn.Identity(), one, one)(one, scales=[0])


def test_the_loss_of_a_z_scored_model_is_a_mean_squared_z_score() -> None:
    several = photographs().double()
    model = balanced_over_images(TwoSizes(), several, floor=1e-6)
    z = (TwoSizes()(several[:1]) - TwoSizes()(several[1:2])) / TwoSizes()(several).std(0)
    torch.testing.assert_close(mse(model(several[:1]), model(several[1:2])), z.square().mean())


def test_by_sensitivity_scales_are_row_norms_of_the_jacobian() -> None:
    rows = torch.tensor(
        [[1.0, 2.0, 2.0, 0.0], [30.0, 40.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    ).double()

    class Linear(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x.flatten(1) @ rows.T)[:, None]

    image = torch.full((1, 1, 2, 2), 0.5).double()
    scale = balanced_by_sensitivity(Linear(), image, power=1.0, n_probes=4000).scale.flatten()
    norms = rows.norm(dim=1)  # 3, 50 and 0: the last gets the floor
    torch.testing.assert_close(scale[:2], norms[:2], rtol=0.05, atol=0)
    assert scale[2].item() == pytest.approx(1e-3 * norms.square().mean().sqrt().item(), rel=0.05)
    half = balanced_by_sensitivity(Linear(), image, power=0.5, n_probes=4000).scale.flatten()
    torch.testing.assert_close(half, scale.sqrt())


@pytest.mark.long
def test_by_sensitivity_textures_are_matched_in_a_fraction_of_the_steps() -> None:
    texture = images.load("brick", size=64)
    model = PortillaSimoncelli((64, 64), n_scales=3)

    def left(given: nn.Module, steps: int) -> float:
        met = Metamer(texture, given, seed=0)
        met.synthesize(steps)
        return (model(met.metamer) - model(texture)).norm().item()

    assert left(balanced_by_sensitivity(model, texture), 40) < 0.6 * left(model, 120)


def test_by_sensitivity_asks_for_one_image_and_probes() -> None:
    with pytest.raises(InputError, match="batch of 1"):
        balanced_by_sensitivity(nn.Identity(), photographs())
    with pytest.raises(InputError, match="n_probes"):
        balanced_by_sensitivity(nn.Identity(), photographs()[:1], n_probes=0)

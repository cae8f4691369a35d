"""Images on the grid of a screen: known answers, and metamers that survive eight bits."""

from functools import cache
from typing import Literal

import pytest
import torch
from torch import Tensor

from stimsynth import (
    Eigendistortion,
    Gaussian,
    LuminanceGainControl,
    MADCompetition,
    Metamer,
    PortillaSimoncelli,
    images,
    metrics,
    remove_grad,
)
from stimsynth.engine.problem import Problem
from stimsynth.engine.quantized.descent import LevelGrid, descend_to_grid
from stimsynth.engine.quantized.hold import hold_on_grid
from stimuli_store.errors import InputError
from stimuli_store.frames import quantize

GRID = LevelGrid(low=0.0, high=1.0, levels=256)


def test_levels_are_those_of_the_frame() -> None:
    """The grid and the frame that the booth shows round to the same levels, halves included."""
    x = torch.cat([torch.linspace(-0.2, 1.2, 4001), (torch.arange(255) + 0.5) / 255]).view(
        1, 1, 1, -1
    )
    assert GRID.numbers(x).numpy().astype("uint8").tobytes() == quantize(x.numpy()).pixels.tobytes()
    assert torch.equal(GRID.nearest(GRID.nearest(x)), GRID.nearest(x))


def sums(weights: Tensor, goal: Tensor) -> Problem:
    """Weighted sums of points that have to come to `goal`: one linear equation for each row."""

    def terms(points: Tensor, items: Tensor) -> dict[str, Tensor]:
        return {"f": ((points @ weights.T - goal[items]) ** 2).sum(1)}

    return Problem(terms=terms, weights={"f": 1.0})


def test_a_sum_that_can_be_met_is_met() -> None:
    """Rounding 256 values of 100.4 levels misses their sum by 102 levels; the grid can meet it exactly."""
    points = torch.full((2, 256), (100 + 0.4) / 255, dtype=torch.float64)
    goal = torch.tensor([[256 * 100 + 102.0], [256 * 100 + 77.0]], dtype=torch.float64) / 255
    problem = sums(torch.ones(1, 256, dtype=torch.float64), goal)
    found = descend_to_grid(problem, points, GRID)
    assert torch.equal(GRID.nearest(found), found)
    torch.testing.assert_close(found.sum(1, keepdim=True), goal, rtol=1e-12, atol=1e-12)


def test_every_item_gets_closer_than_by_rounding() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(20, 64, generator=generator, dtype=torch.float64)
    points = torch.rand(5, 64, generator=generator, dtype=torch.float64)
    problem = sums(weights, points @ weights.T)
    items = torch.arange(5)
    rounded = problem.terms(GRID.nearest(points), items)["f"]
    refined = problem.terms(descend_to_grid(problem, points, GRID), items)["f"]
    assert bool((refined < 0.5 * rounded).all())


@pytest.mark.parametrize("bits", [4, 8])
def test_bounds_are_kept_and_levels_are_exact(bits: int) -> None:
    grid = LevelGrid(low=-1.0, high=3.0, levels=2**bits)
    points = torch.linspace(-1, 3, 100, dtype=torch.float64)[None]
    problem = sums(torch.ones(1, 100).double(), points.sum(1, keepdim=True) + 1)
    found = descend_to_grid(problem, points, grid)
    numbers = (found + 1) / grid.step
    torch.testing.assert_close(numbers, numbers.round(), rtol=0, atol=1e-9)
    assert found.min() >= -1
    assert found.max() <= 3


@pytest.mark.long
@pytest.mark.parametrize(
    "model",
    [
        remove_grad(Gaussian(7, 2.0)),
        remove_grad(LuminanceGainControl(15)),
        PortillaSimoncelli((32, 32), n_scales=2, n_orientations=2, spatial_corr_width=5),
    ],
    ids=["Gaussian", "LuminanceGainControl", "PortillaSimoncelli"],
)
def test_eight_bits_cost_a_metamer_little(model: torch.nn.Module) -> None:
    metamer = Metamer(images.load("camera", size=32), model, seed=1)
    metamer.synthesize(60)
    shown = metamer.on_grid(seed=3)
    (figures,) = shown.figures
    assert figures["refined"] <= 2 * figures["float"]
    assert figures["refined"] < figures["rounded"]
    frame = quantize(shown.images[0, 0].numpy())
    assert frame.clipped_fraction == 0
    assert (frame.pixels == shown.levels[0, 0]).all()
    # The same distance, from the frame alone.
    again = torch.from_numpy(frame.pixels / 255.0)[None, None]
    exact = model.double()
    gap = exact(again) - exact(images.load("camera", size=32).double())
    model.float()
    assert figures["refined"] == pytest.approx(gap.square().mean().sqrt().item(), rel=1e-5)


def test_a_screen_has_whole_bits() -> None:
    metamer = Metamer(images.load("camera", size=16), remove_grad(Gaussian(5)))
    with pytest.raises(InputError, match="bits must be a whole number"):
        metamer.on_grid(bits=0)


@pytest.mark.long
@pytest.mark.parametrize("minmax", ["min", "max"])
@pytest.mark.parametrize("pushed", ["ssim", "mse"])
def test_the_held_metric_is_held_on_the_screen(minmax: Literal["min", "max"], pushed: str) -> None:
    def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
        return 1 - metrics.ssim(x, y)

    pair = (dissimilarity, metrics.mse) if pushed == "ssim" else (metrics.mse, dissimilarity)
    image = images.load("camera", size=64)
    mad = MADCompetition(image, *pair, minmax, initial_noise=0.05, seed=1)
    mad.synthesize(40)
    shown = mad.on_grid()
    (figures,) = shown.figures
    # From the two frames alone, by the metric itself.
    frames = [
        torch.from_numpy(quantize(x[0, 0].numpy()).pixels / 255.0)[None, None]
        for x in (image, shown.images)
    ]
    held = pair[1](*frames).item()
    assert held == pytest.approx(figures["reference metric, float"], rel=1e-3)
    assert held == pytest.approx(figures["reference metric, refined"], rel=1e-9)
    pushed_now = pair[0](*frames).item()
    start = pair[0](image.double(), mad.initial_image.double()).item()
    assert pushed_now < 0.9 * start if minmax == "min" else pushed_now > 1.1 * start


@pytest.mark.long
@pytest.mark.parametrize("minmax", ["min", "max"])
@pytest.mark.parametrize("noise", [0.002, 0.005])
def test_a_small_held_metric_is_held_on_the_screen(
    minmax: Literal["min", "max"], noise: float
) -> None:
    """It is met as closely as three pixels of middling effect, moved by one level each, can change it.

    With noise of a level or half of it, rounding alone moves the dissimilarity by up to a quarter.
    """

    def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
        return 1 - metrics.ssim(x, y)

    def of_a_level(reference: Tensor, shown: Tensor) -> float:
        """Return the median change of the dissimilarity by one level in one of 128 pixels."""
        changed = shown.double().repeat(128, 1, 1, 1)
        pixels = torch.arange(128)
        changed.view(128, -1)[pixels, pixels * 32 + 7] += 1 / 255
        before, after = (
            dissimilarity(reference.double().expand_as(x), x) for x in (shown.double(), changed)
        )
        return float((after - before).abs().median())

    image = images.load("camera", size=64).repeat(2, 1, 1, 1)
    mad = MADCompetition(image, metrics.mse, dissimilarity, minmax, initial_noise=noise, seed=6)
    mad.synthesize(15)
    on_screen = mad.on_grid()
    for item, figures in enumerate(on_screen.figures):
        floor = of_a_level(image[:1], on_screen.images[item : item + 1])
        miss = figures["reference metric, refined"] - figures["reference metric, float"]
        assert abs(miss) <= 3 * floor
        assert floor < 2e-3 * figures["reference metric, float"]  # a fine scale at all


def test_what_curves_is_held_too() -> None:
    """Σ(x - 100)² of 400 values, where its slope is near 0 and predicts little, is met on the grid to 1."""
    grid = LevelGrid(low=0.0, high=255.0, levels=256)
    points = torch.full((3, 400), 100.0, dtype=torch.float64)
    points[1, :7] += 0.4
    points[2, ::2] += 3.3
    target = torch.tensor([5.3, 77.0, 1234.4], dtype=torch.float64)
    found = hold_on_grid(lambda x: (x - 100).square().sum(1), points, target, grid)
    assert torch.equal(grid.nearest(found), found)
    assert bool((((found - 100).square().sum(1) - target).abs() < 1).all())


class Tied(torch.nn.Module):
    """A blur by a kernel that no change of precision reaches."""

    kernel = torch.full((1, 1, 3, 3), 1 / 9)

    def forward(self, image: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(image, self.kernel)


def test_models_tied_to_a_precision_are_measured_in_that() -> None:
    image = images.load("camera", size=16)
    metamer = Metamer(image, Tied())
    metamer.synthesize(20)
    shown = metamer.on_grid()
    gap = Tied()(shown.images) - Tied()(image)
    assert shown.figures[0]["refined"] == pytest.approx(gap.square().mean().sqrt().item(), rel=1e-4)
    eig = Eigendistortion(image, Tied())
    eig.synthesize()
    assert eig.on_grid(1.0).figures[0]["amplitude, refined"] == pytest.approx(1, rel=0.02)


@pytest.mark.long
def test_distances_are_those_to_the_target_that_was_given() -> None:
    """With an image and another target, what is measured is the distance to the target."""
    image, model = images.load("camera", size=32), remove_grad(Gaussian(7, 2.0))
    goal = model(image.flip(-1))
    metamer = Metamer(image, model, target_representation=goal)
    metamer.synthesize(40)
    shown = metamer.on_grid()
    gap = (model(shown.images) - goal).square().mean().sqrt().item()
    assert shown.figures[0]["refined"] == pytest.approx(gap, rel=1e-3)
    assert shown.figures[0]["refined"] <= 2 * shown.figures[0]["float"]


def test_what_a_screen_cannot_show_gets_a_sentence() -> None:
    image = images.load("camera", size=16)
    eig = Eigendistortion(255 * image, remove_grad(Gaussian(5)))
    eig.synthesize()
    with pytest.raises(InputError, match="outside the allowed range"):
        eig.on_grid(1.0)
    with pytest.raises(InputError, match="a finite number"):
        eig.on_grid(float("nan"), allowed_range=(0, 255))
    with pytest.raises(InputError, match="outside the allowed range"):
        MADCompetition(255 * image, metrics.mse, lambda x, y: (x - y).abs().mean(), "max")
    with pytest.raises(InputError, match="is complex"):
        Metamer(image + 0j, torch.nn.Identity()).on_grid()


@cache
def distorted() -> Eigendistortion:
    """Two distortions, for amplitudes of which each is put on the grid alone."""
    eig = Eigendistortion(images.load("camera", size=64), remove_grad(LuminanceGainControl(15)))
    eig.synthesize()
    return eig


@pytest.mark.parametrize("alpha", [0.1, 1.0, 3.0])
def test_distortions_keep_their_amplitude(alpha: float) -> None:
    """At 0.1 on 64 × 64 pixels a distortion is some 0.4 levels high: rounding alone wipes most of it out."""
    image, eig = images.load("camera", size=64), distorted()
    shown = eig.on_grid(alpha, seed=5)
    base = quantize(image[0, 0].numpy()).pixels / 255.0
    for frame, unit, figures in zip(shown.levels, eig.eigendistortions, shown.figures, strict=True):
        change = frame[0] / 255.0 - base
        amplitude = (change * unit[0].double().numpy()).sum()
        assert amplitude == pytest.approx(alpha, rel=0.02)
        assert amplitude == pytest.approx(figures["amplitude, refined"], rel=1e-5)
    again = eig.on_grid(alpha, seed=5)
    assert torch.equal(again.images, shown.images)


def test_an_amplitude_that_black_pixels_do_not_allow_is_not_claimed() -> None:
    image = torch.zeros(1, 1, 16, 16)
    eig = Eigendistortion(image, remove_grad(Gaussian(5)))
    eig.synthesize()
    for frame, unit, figures in zip(
        eig.on_grid(9.0).levels, eig.eigendistortions, eig.on_grid(9.0).figures, strict=True
    ):
        room = unit.clamp_min(0).sum().item()  # black pixels can only become brighter, by 1 at most
        amplitude = (frame[0] / 255.0 * unit[0].double().numpy()).sum()
        assert figures["amplitude, refined"] == pytest.approx(amplitude, rel=1e-5)
        assert amplitude <= room + 1e-9
        assert amplitude == pytest.approx(9.0, rel=0.02) or room < 9


def test_distortions_come_after_synthesis() -> None:
    eig = Eigendistortion(images.load("camera", size=16), remove_grad(Gaussian(5)))
    with pytest.raises(InputError, match="call synthesize first"):
        eig.on_grid(1.0)

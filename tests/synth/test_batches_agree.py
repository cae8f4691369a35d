"""A batch and single runs agree as far as rounding lets them (decision 18).

Single runs begin a unit in the last place beside the batch: what another processor's rounding could bring
about stays inside the limits too.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stimsynth.engine.lbfgs import LBFGS
from stimsynth.images import load
from stimsynth.methods.coarse_to_fine import MetamerCTF
from stimsynth.methods.eigendistortion import Eigendistortion
from stimsynth.methods.geodesic import Geodesic
from stimsynth.methods.mad import MADCompetition
from stimsynth.methods.metamer import Metamer
from stimsynth.metrics import model_distance, ms_ssim, mse, nlpd, ssim
from stimsynth.models import (
    Gaussian,
    Linear,
    LuminanceContrastGainControl,
    LuminanceGainControl,
    OnOff,
    PortillaSimoncelli,
    UniformPooling,
)
from stimsynth.transforms.pyramids.steerable import SteerablePyramidFreq
from stimsynth.validate import remove_grad
from tests.synth.test_models import FACTORIES

# Adam knows no bounds.
pytestmark = pytest.mark.filterwarnings("ignore:Image range falls outside")
PHOTOGRAPHS = ("camera", "gravel")
Make = Callable[[Tensor, Tensor], Any]


def uniform(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def photographs(size: int) -> Tensor:
    return torch.cat([load(name, size=size) for name in PHOTOGRAPHS]).double()


def beside(points: Tensor) -> Tensor:
    """Return points with every value inside (0, 1) moved by a unit in its last place, up or down."""
    sign = torch.randint(0, 2, points.shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    moved = points * (1 + sign.to(points.dtype) * torch.finfo(points.dtype).eps)
    return torch.where((points > 0) & (points < 1), moved, points)


def fixed(model: nn.Module, dtype: torch.dtype = torch.float64) -> nn.Module:
    return remove_grad(model.to(dtype)).eval()


# -- models and metrics ----------------------------------------------------------------------------


def value_and_slope(function: Callable[[Tensor], Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
    """Return outputs, and the gradient of a sum of them with fixed weights."""
    images = images.clone().requires_grad_(True)
    outputs = function(images)
    (slope,) = torch.autograd.grad((outputs * uniform(*outputs.shape[1:])).real.sum(), images)
    return outputs.detach(), slope


METRICS: dict[str, Callable[[Tensor], Tensor]] = {
    "mse": lambda x: mse(x[..., :36], x[..., -36:]),
    "ssim": lambda x: ssim(x[..., :36], x[..., -36:]),
    "ssim, weighted": lambda x: ssim(x[..., :36], x[..., -36:], weighted=True),
    "ms_ssim": lambda x: ms_ssim(x[..., :36], x[..., -36:], power_factors=[0.5, 0.5]),
    "nlpd": lambda x: nlpd(x[..., :36], x[..., -36:]),
    "model_distance": lambda x: model_distance(fixed(Linear()))(x[..., :36], x[..., -36:]),
    "pyramid": lambda x: SteerablePyramidFreq((39, 41), 2, is_complex=True).double()(x)[1],
}


@pytest.mark.parametrize("name", [*FACTORIES, *METRICS])
def test_values_and_slopes_of_a_batch_are_those_of_its_images(name: str) -> None:
    is_model = name in FACTORIES
    function = fixed(FACTORIES[name]()) if is_model else METRICS[name]
    images = photographs(64)[..., :32, :32] if is_model else photographs(64)[..., :39, :41]
    together = value_and_slope(function, images)
    for item in range(len(images)):
        alone = value_and_slope(function, images[item : item + 1])
        for one, all_of_them in zip(alone, together, strict=True):
            scale = float(one.abs().max())
            torch.testing.assert_close(one[0], all_of_them[item], rtol=0, atol=1e-11 * scale)


# -- twenty steps ----------------------------------------------------------------------------------


def metamer(model: nn.Module, optimizer: type | None = None) -> Make:
    return lambda targets, starts: run_of(
        Metamer(targets, fixed(model, targets.dtype), initial_image=starts),
        optimizer=optimizer,
        stop_criterion=0,
    )


def coarse_to_fine(model: nn.Module) -> Make:
    return lambda targets, starts: run_of(
        MetamerCTF(targets, fixed(model, targets.dtype), initial_image=starts),
        change_scale_criterion=0.1,
        ctf_iters_to_check=3,
    )


def competition(metric: Callable[..., Tensor], minmax: Any, weight: float | None = None) -> Make:
    return lambda targets, starts: run_of(
        MADCompetition(
            targets,
            metric,
            mse,
            minmax,
            metric_tradeoff_lambda=weight,
            initial_image=targets + 0.2 * (starts - 0.5) * (targets - targets**2),
        )
    )


def run_of(synthesis: Any, **how: Any) -> Callable[[int], Any]:
    """Return a function that takes steps and returns the synthesis."""

    def run(steps: int) -> Any:
        synthesis.synthesize(steps, **how)
        return synthesis

    return run


def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
    return 1 - ssim(x, y).mean()


def texture(size: int = 32) -> PortillaSimoncelli:
    return PortillaSimoncelli((size, size), 2, 2, 3)


def on_off() -> OnOff:
    return OnOff(31, pretrained=True, cache_filt=True)


ADAM = torch.optim.Adam
TWENTY_STEPS: dict[str, tuple[Make, tuple[int, int]]] = {
    "blur": (metamer(Gaussian(9)), (32, 32)),
    "blur, Adam": (metamer(Gaussian(9), ADAM), (32, 32)),
    "gain control, odd sides": (metamer(LuminanceGainControl(31)), (47, 35)),
    "gain control, Adam": (metamer(LuminanceGainControl(31), ADAM), (32, 32)),
    "on and off": (metamer(on_off()), (32, 32)),
    "on and off, odd sides": (metamer(on_off()), (35, 50)),
    "on and off, Adam": (metamer(on_off(), ADAM), (32, 32)),
    "pooling": (metamer(UniformPooling(8.0, n_scales=2)), (32, 32)),
    "texture": (metamer(texture()), (32, 32)),
    "texture, Adam": (metamer(texture(), ADAM), (32, 32)),
    "coarse to fine": (coarse_to_fine(texture()), (32, 32)),
    "competition, held, least": (competition(dissimilarity, "min"), (32, 32)),
    "competition, held, most": (competition(dissimilarity, "max"), (32, 32)),
    "competition, weighted": (competition(dissimilarity, "max", weight=1.0), (32, 32)),
    "competition of a linear model": (
        competition(model_distance(fixed(Linear())), "max"),
        (32, 32),
    ),
    "competition of textures": (competition(model_distance(fixed(texture())), "max"), (32, 32)),
}


@pytest.mark.long
@pytest.mark.parametrize("name", TWENTY_STEPS)
def test_losses_after_twenty_steps(name: str) -> None:
    make, (height, width) = TWENTY_STEPS[name]
    targets = photographs(64)[..., :height, :width]
    starts = uniform(*targets.shape)
    together = make(targets, starts)(20).losses
    near = beside(starts)
    for item in range(len(targets)):
        one = slice(item, item + 1)
        alone = make(targets[one], near[one])(20).losses
        assert len(alone) == len(together)
        # What the square of rounding leaves of a loss is as good as none.
        none = 1e-24 * float(alone[0].abs().max())
        torch.testing.assert_close(alone[:, 0], together[:, item], rtol=1e-9, atol=none)


@pytest.mark.parametrize("optimizer", [None, LBFGS(bounds=(0, 1))], ids=["adam", "lbfgs"])
def test_geodesics_of_several_starts(optimizer: LBFGS | None) -> None:
    ends = photographs(32)[0:1], photographs(32)[1:2]
    model = fixed(LuminanceGainControl(9))
    make = partial(Geodesic, *ends, model, n_steps=4, initial_sequence="bridge", seed=3)
    together = make(n_starts=3)
    together.synthesize(20, optimizer=optimizer)
    for count in (1, 2):
        fewer = make(n_starts=count)
        fewer.synthesize(20, optimizer=optimizer)
        torch.testing.assert_close(fewer.losses, together.losses[:, :count], rtol=1e-9, atol=0)


def test_eigendistortions() -> None:
    model, images = fixed(LuminanceGainControl(9)), photographs(16)
    together, alone = (
        Eigendistortion(chosen, model, seed=5) for chosen in (images, beside(images[:1]))
    )
    together.synthesize(k=2)
    alone.synthesize(k=2)
    expected = together.eigenvalues[0]
    torch.testing.assert_close(alone.eigenvalues[:1], expected[:1], rtol=1e-9, atol=0)
    # The search for the smallest ends when they change by little of the largest.
    largest = float(expected[0])
    torch.testing.assert_close(alone.eigenvalues, expected, rtol=0, atol=1e-6 * largest)


# -- the ends of runs, over twenty starts ----------------------------------------------------------

ENDS: dict[str, Make] = {
    "gain control": metamer(LuminanceContrastGainControl(9)),
    "blur": metamer(Gaussian(5)),
    "blur, Adam": metamer(Gaussian(5), ADAM),
    "on and off, Adam": metamer(on_off(), ADAM),
    "texture, Adam": metamer(texture(16), ADAM),
    "competition, held": competition(dissimilarity, "min"),
    "competition, weighted": competition(dissimilarity, "max", weight=1.0),
    "competition of a model": competition(model_distance(LuminanceGainControl(9)), "max"),
}


def see_ends_agree(name: str, dtype: torch.dtype, steps: int) -> None:
    target = load("camera", size=64)[..., 20:36, 10:26].to(dtype)
    starts = uniform(20, 1, 16, 16).to(dtype)
    together = ENDS[name](target.expand(20, -1, -1, -1).clone(), starts)(steps).losses[-1]
    alone = [ENDS[name](target, start[None])(steps).losses[-1] for start in beside(starts)]
    ratios = torch.cat(alone) / together
    assert 0.9 <= float(ratios.median()) <= 1.1
    assert float(ratios.min()) >= 0.5
    assert float(ratios.max()) <= 2


@pytest.mark.long
def test_ends_of_metamers_over_twenty_starts() -> None:
    """In float32, where rounding shows within thirty steps; all of `ENDS` in both types are slow."""
    see_ends_agree("blur", torch.float32, 30)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ENDS)
def test_ends_over_twenty_starts(name: str, dtype: torch.dtype) -> None:
    see_ends_agree(name, dtype, 200)

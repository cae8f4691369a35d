"""What a batch gives is, bit for bit and in single precision, what each image alone gives.

Anything less would not do: a last bit that differs grows along a run until losses differ in the third digit.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter

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
    Identity,
    Linear,
    LuminanceGainControl,
    OnOff,
    PortillaSimoncelli,
)
from stimsynth.numerics.fourier import irfft2
from stimsynth.numerics.reductions import centred, inner, plane_means, plane_sums
from stimsynth.numerics.sliding import slide
from stimsynth.numerics.softplus import softplus
from stimsynth.numerics.sums import combined, dots, norms, products
from stimsynth.transforms.pyramids.steerable import SteerablePyramidFreq
from stimsynth.validate import remove_grad
from tests.synth.test_models import FACTORIES

# Convolutions of networks are computed in another way for other numbers of images, and round otherwise; where
# threads share the sums over windows, so do their gradients.
LAST_PLACE = ("FoveatedPooling, texture", "features", "features, in colour and resized")
# From where on several threads share a sum.
LARGE = 192
Slopes = tuple[Tensor, Tensor]


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Two threads, whatever else runs beside."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def photographs(size: int = 32) -> Tensor:
    return torch.cat([load(name, size=size) for name in ("camera", "grass", "gravel")])


def value_and_slope(function: Callable[[Tensor], Tensor], images: Tensor) -> Slopes:
    """Return outputs, and the gradient of a sum of them with fixed weights."""
    images = images.clone().requires_grad_(True)
    outputs = function(images)
    weights = numbers(*outputs.shape[1:]).to(outputs)
    (slope,) = torch.autograd.grad((outputs * weights).real.sum(), images)
    return outputs.detach(), slope


def see_same_bits(function: Callable[[Tensor], Tensor], images: Tensor) -> None:
    together = value_and_slope(function, images)
    for item in range(len(images)):
        alone = value_and_slope(function, images[item : item + 1])
        for one, all_of_them in zip(alone, together, strict=True):
            assert torch.equal(one[0], all_of_them[item])


# -- sums ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("n", [7, 1000, 2867, LARGE**2])
def test_sums_of_the_engine(n: int) -> None:
    a, b = numbers(3, 4, n), numbers(3, 2, n, seed=1)
    weights, many = numbers(3, 2, 4, seed=2), numbers(3, 20, n, seed=3)
    for item in range(3):
        one = slice(item, item + 1)
        assert torch.equal(norms(a[one]), norms(a)[one])
        assert torch.equal(dots(a[one, 0], b[one, 0]), dots(a[:, 0], b[:, 0])[one])
        assert torch.equal(products(a[one], b[one]), products(a, b)[one])
        assert torch.equal(combined(weights[one], a[one]), combined(weights, a)[one])
        of_all, own = numbers(3, 1, 20, seed=4), many[one].clone()
        assert torch.equal(combined(of_all[one], own), combined(of_all, many)[one])
    torch.testing.assert_close(norms(a), a.flatten(1).double().norm(dim=1).float())
    exact = torch.einsum("ikn,iln->ikl", a.double(), b.double())
    torch.testing.assert_close(products(a, b).double(), exact, rtol=0, atol=1e-4 * n**0.5)
    exact = torch.einsum("ikm,imn->ikn", weights.double(), a.double())
    torch.testing.assert_close(combined(weights, a).double(), exact, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("size", [(5, 8), (61, 47), (LARGE, LARGE)])
@pytest.mark.parametrize(
    "function",
    [
        plane_sums,
        plane_means,
        lambda x: centred(x)[0],
        lambda x: inner(x.flatten(1), x.flatten(1).flip(1)),
        lambda x: irfft2((1 + 2j) * torch.fft.rfft2(x), (x.shape[-2], x.shape[-1])),
    ],
    ids=["sums", "means", "centred", "inner", "irfft2"],
)
def test_sums_over_planes(function: Callable[[Tensor], Tensor], size: tuple[int, int]) -> None:
    see_same_bits(function, numbers(3, *size))


def test_no_planes_at_all() -> None:
    nothing = torch.zeros(0, 1, 4, 4)
    assert inner(nothing.flatten(1), nothing.flatten(1)).shape == (0,)
    assert norms(nothing).shape == (0,)
    assert products(nothing[:, 0], nothing[:, 0]).shape == (0, 4, 4)


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("size", [(6, 8), (5, 7)])
def test_planes_go_back_as_torch_takes_them(norm: str | None, size: tuple[int, int]) -> None:
    back = partial(irfft2, s=size, norm=norm)
    half = torch.fft.rfft2(numbers(2, *size).double()) + 0.1j  # not quite those of real planes
    torch.testing.assert_close(back(half), torch.fft.irfft2(half, s=size, norm=norm))
    half.requires_grad_(True)
    assert torch.autograd.gradcheck(back, half, check_forward_ad=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(back, half)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("size", [(1, 1), (7, 7), (50, 35), (LARGE, LARGE + 1)])
def test_values_one_by_one(size: tuple[int, int]) -> None:
    """Whether a value is among the last of its tensor, which leave a processor's vectors unfilled."""
    see_same_bits(softplus, 5 * numbers(3, 1, *size))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_softplus_is_that_of_torch(dtype: torch.dtype) -> None:
    x = torch.cat([torch.linspace(-40, 19.9, 101), torch.tensor([0.0, -2000.0, 2000.0])]).to(dtype)
    torch.testing.assert_close(softplus(x), nn.functional.softplus(x))
    ends = torch.tensor([-torch.inf, torch.inf, torch.nan], dtype=dtype)
    torch.testing.assert_close(softplus(ends), nn.functional.softplus(ends), equal_nan=True)
    for function in (softplus, nn.functional.softplus):
        slopes = [torch.func.vmap(torch.func.grad(function))(x)]
        slopes.append(torch.func.jvp(function, (x,), (torch.ones_like(x),))[1])
        torch.testing.assert_close(slopes[0], torch.sigmoid(x))
        torch.testing.assert_close(slopes[1], torch.sigmoid(x))


def test_derivatives_of_the_softplus() -> None:
    x = torch.tensor([-30.0, -1.0, 0.0, 0.5, 19.0]).double().requires_grad_(True)
    assert torch.autograd.gradcheck(softplus, x, check_forward_ad=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(softplus, x, check_fwd_over_rev=True)
    slope = torch.sigmoid(x.detach())
    ones = torch.ones_like(slope)

    def along(x: Tensor) -> Tensor:
        return torch.func.jvp(softplus, (x,), (ones,))[1]

    curvature = torch.func.jvp(along, (x.detach(),), (ones,))[1]
    torch.testing.assert_close(curvature, slope * (1 - slope))


# -- models and metrics ----------------------------------------------------------------------------


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    "function",
    [
        lambda x: slide(x, numbers(2, 1, 3, 3)),
        lambda x: slide(x, numbers(2, 1, 3, 3), stride=2),
        remove_grad(PortillaSimoncelli((32, 32), 2, 2, 3)),
        lambda x: ms_ssim(x[:, :, ::2], x[:, :, 1::2], power_factors=[0.5, 0.5]),
        lambda x: nlpd(x[..., :33], x[..., -33:].flip(-1)),
    ],
    ids=["kernels", "kernels, every other place", "texture", "ms_ssim", "nlpd"],
)
def test_many_small_images(function: Callable[[Tensor], Tensor]) -> None:
    """As many as fill a processor's vectors, whose last ones do not."""
    sides = (32, 32) if isinstance(function, nn.Module) else (66, 40)
    images = torch.rand(21, 1, *sides, generator=torch.Generator().manual_seed(0))
    see_same_bits(function, images)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("name", FACTORIES)
def test_every_model(name: str) -> None:
    model, images = remove_grad(FACTORIES[name]()).eval(), photographs()
    if name not in LAST_PLACE:
        return see_same_bits(model, images)
    together = value_and_slope(model, images)
    for item in range(len(images)):
        for one, all_of_them in zip(
            value_and_slope(model, images[item : item + 1]), together, strict=True
        ):
            torch.testing.assert_close(one[0], all_of_them[item], rtol=1e-5, atol=1e-6)
    return None


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    "function",
    [
        remove_grad(LuminanceGainControl(31)),
        remove_grad(Gaussian(15)),
        remove_grad(PortillaSimoncelli((LARGE, LARGE), n_scales=3, n_orientations=2)),
        lambda x: SteerablePyramidFreq((LARGE, LARGE), 2, is_complex=True)(x)[1],
        partial(mse, photographs(LARGE)[:1]),
        partial(ssim, photographs(LARGE)[:1]),
        partial(ssim, photographs(LARGE)[:1], weighted=True),
        partial(ms_ssim, photographs(LARGE)[:1]),
        partial(nlpd, photographs(LARGE)[:1]),
        partial(model_distance(Identity()), photographs(LARGE)[:1]),
    ],
    ids=[
        "gain",
        "blur",
        "texture",
        "pyramid",
        "mse",
        "ssim",
        "weighted",
        "ms_ssim",
        "nlpd",
        "model",
    ],
)
def test_images_so_large_that_threads_share_them(function: Callable[[Tensor], Tensor]) -> None:
    see_same_bits(function, (photographs(LARGE) + 0.05 * numbers(3, 1, LARGE, LARGE)).clamp(0, 1))


# -- whole runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [None, torch.optim.Adam], ids=["lbfgs", "adam"])
@pytest.mark.parametrize(
    "model",
    [
        Gaussian(9),
        OnOff(31, pretrained=True, cache_filt=True),
        PortillaSimoncelli((64, 64), 2, 2, 5),
    ],
    ids=["blur", "on_off", "texture"],
)
def test_metamers(model: nn.Module, optimizer: type | None) -> None:
    model, targets = remove_grad(model).eval(), photographs(64)
    starts = torch.rand(targets.shape, generator=torch.Generator().manual_seed(0))
    together = Metamer(targets, model, initial_image=starts)
    together.synthesize(20, optimizer=optimizer, stop_criterion=1e-3)
    for item in range(3):
        one = slice(item, item + 1)
        alone = Metamer(targets[one], model, initial_image=starts[one])
        alone.synthesize(20, optimizer=optimizer, stop_criterion=1e-3)
        assert alone.run.status[0] is together.run.status[item]
        assert torch.equal(alone.metamer, together.metamer[one])
        steps = len(alone.losses)
        assert torch.equal(alone.losses[:, 0], together.losses[:steps, item])
        assert bool((together.losses[steps:, item] == alone.losses[-1, 0]).all())  # it waited


@pytest.mark.parametrize("size", [(35, 50), (61, 47)])
@pytest.mark.parametrize("front_end", [LuminanceGainControl, OnOff])
def test_metamers_of_other_sizes(
    front_end: Callable[..., nn.Module], size: tuple[int, int]
) -> None:
    model = remove_grad(front_end(31, pretrained=True, cache_filt=True))
    targets = photographs(64)[..., : size[0], : size[1]]
    starts = torch.rand(targets.shape, generator=torch.Generator().manual_seed(0))
    together = Metamer(targets, model, initial_image=starts)
    together.synthesize(15, stop_criterion=0)
    for item in range(3):
        one = slice(item, item + 1)
        alone = Metamer(targets[one], model, initial_image=starts[one])
        alone.synthesize(15, stop_criterion=0)
        assert torch.equal(alone.metamer, together.metamer[one])
        assert torch.equal(alone.losses[:, 0], together.losses[:, item])


def test_coarse_to_fine_metamers() -> None:
    model = remove_grad(PortillaSimoncelli((64, 64), 2, 2, 5))
    targets, starts = photographs(64), photographs(64).flip(0)
    together = MetamerCTF(targets, model, initial_image=starts)
    together.synthesize(20, change_scale_criterion=0.1, ctf_iters_to_check=3)
    for item in range(3):
        one = slice(item, item + 1)
        alone = MetamerCTF(targets[one], model, initial_image=starts[one])
        alone.synthesize(20, change_scale_criterion=0.1, ctf_iters_to_check=3)
        assert torch.equal(alone.metamer, together.metamer[one])


@pytest.mark.filterwarnings("ignore:Image range falls outside")  # Adam knows no bounds
@pytest.mark.parametrize("weight", [None, 1.0], ids=["held", "weighted"])
def test_mad_competitions(weight: float | None) -> None:
    def dissimilarity(x: Tensor, y: Tensor) -> Tensor:
        return 1 - ssim(x, y).mean()

    images = photographs(64)
    make = partial(MADCompetition, metric_tradeoff_lambda=weight, minmax="max")
    together = make(images, dissimilarity, mse, seed=5)
    together.synthesize(6)
    for item in range(3):
        one = itemgetter(slice(item, item + 1))
        alone = make(one(images), dissimilarity, mse, initial_image=one(together.initial_image))
        alone.synthesize(6)
        assert torch.equal(alone.mad_image[0], together.mad_image[item])
        assert torch.equal(alone.losses[:, 0], together.losses[:, item])


@pytest.mark.parametrize("model", [Linear(), PortillaSimoncelli((64, 64), 2, 2, 5)])
def test_mad_competitions_of_models(model: nn.Module) -> None:
    images = photographs(64)
    make = partial(MADCompetition, minmax="max")
    together = make(images, model_distance(remove_grad(model)), mse, seed=5)
    together.synthesize(6)
    for item in range(3):
        one = itemgetter(slice(item, item + 1))
        start = one(together.initial_image)
        alone = make(one(images), together.optimized_metric, mse, initial_image=start)
        alone.synthesize(6)
        assert torch.equal(alone.mad_image[0], together.mad_image[item])


@pytest.mark.parametrize("optimizer", [None, LBFGS(bounds=(0, 1))], ids=["adam", "lbfgs"])
def test_geodesics(optimizer: LBFGS | None) -> None:
    ends = photographs()[0:1], photographs()[1:2]
    model = remove_grad(LuminanceGainControl(9)).eval()
    make = partial(Geodesic, *ends, model, n_steps=4, initial_sequence="bridge")
    together = make(seed=3, n_starts=3)
    together.synthesize(20, optimizer=optimizer)
    for count in (1, 2):
        fewer = make(seed=3, n_starts=count)
        fewer.synthesize(20, optimizer=optimizer)
        assert torch.equal(fewer.losses, together.losses[:, :count])


def test_eigendistortions() -> None:
    model, images = remove_grad(LuminanceGainControl(9)).eval(), photographs()
    together = Eigendistortion(images, model, seed=5)
    together.synthesize(k=2)
    for count in (1, 2):
        fewer = Eigendistortion(images[:count], model, seed=5)
        fewer.synthesize(k=2)
        assert fewer.n_products == together.n_products[:count]
        assert torch.equal(fewer.eigenvalues.view(count, -1), together.eigenvalues[:count])

"""Every model under torch's own transformations: derivatives, maps, types, copies, compilers."""

import copy
import pickle
import shutil
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.func import jvp, vjp, vmap

from stimsynth.images import load
from stimsynth.models import CenterSurround, LuminanceGainControl
from stimsynth.models.pooling import band_masks, windows
from stimsynth.transforms.log_polar import window_averages
from stimsynth.validate import remove_grad
from tests.helpers import whole
from tests.synth.test_models import FACTORIES

every = pytest.mark.parametrize("name", FACTORIES)
# A compiler takes seconds for a model: where speed counts, one of each kind stands for the others.
COMPILED = ("Gaussian", "LuminanceGainControl", "UniformPooling", "features")
COMPILER = shutil.which("g++") or shutil.which("c++") or shutil.which("clang++")
# What torch's compiler says of itself: that it looks through caches and at gradients, leaves complex
# numbers to the uncompiled code, and uses TorchScript.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf Tensor"),
    pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated"),
]


def model_of(name: str) -> nn.Module:
    return remove_grad(FACTORIES[name]().double())


def photographs() -> Tensor:
    """Return photographs whose pixels all differ: the minimum of equal pixels has no derivative."""
    images = torch.cat([load(n, size=32) for n in ("camera", "grass")]).double()
    return images + 1e-3 * noise(*images.shape, seed=9).abs()


def noise(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@every
def test_the_backward_derivative_is_the_adjoint_of_the_forward_one(name: str) -> None:
    """<J t, u> = <t, Jᵀ u> for any t and u."""
    model, images = model_of(name), photographs()
    tangent = noise(*images.shape, seed=0)
    value, forward = jvp(model, (images,), (tangent,))
    same, pull = vjp(model, images)
    torch.testing.assert_close(same, value)
    cotangent = noise(*value.shape, seed=1)
    (backward,) = pull(cotangent)
    torch.testing.assert_close((forward * cotangent).sum(), (tangent * backward).sum())


@every
def test_derivatives_in_many_directions_are_those_in_each(name: str) -> None:
    """As eigendistortions and geodesics take them: vmap over jvp, and over vjp."""
    model, image = model_of(name), photographs()[:1]
    tangents = noise(3, *image.shape, seed=0)
    _, pull = vjp(model, image)

    def along(tangent: Tensor) -> Tensor:
        return jvp(model, (image,), (tangent,))[1]

    forward = vmap(along)(tangents)
    torch.testing.assert_close(forward, torch.stack([along(t) for t in tangents]))
    backward = vmap(pull)(forward)[0]
    torch.testing.assert_close(backward, torch.stack([pull(f)[0] for f in forward]))


@every
def test_forward_inside_forward_is_forward_over_backward(name: str) -> None:
    """<u, D²f[s, t]> = <s, D(Jᵀ u)[t]> for any s, t and u."""
    model, image = model_of(name), photographs()[:1]
    s, t = noise(*image.shape, seed=0), noise(*image.shape, seed=1)
    twice = jvp(lambda x: jvp(model, (x,), (s,))[1], (image,), (t,))[1]
    weights = noise(*twice.shape, seed=2)
    mixed = jvp(lambda x: vjp(model, x)[1](weights)[0], (image,), (t,))[1]
    torch.testing.assert_close((twice * weights).sum(), (mixed * s).sum(), rtol=1e-7, atol=1e-9)


@every
def test_what_a_derivative_of_a_derivative_leaves_behind_serves_later(name: str) -> None:
    """Constants first computed inside torch.func transforms can be used after these have ended."""
    for cached in (windows, band_masks, window_averages.__wrapped__):  # type: ignore[attr-defined]
        cached.cache_clear()
    model, image = model_of(name), photographs()[:1]
    weights = torch.ones(())

    def slope(x: Tensor) -> Tensor:
        value, pull = vjp(model, x)
        return pull(weights.to(value).expand_as(value))[0]

    nested = jvp(slope, (image,), (image,))[1]
    again = jvp(slope, (image,), (image,))[1]
    torch.testing.assert_close(again, nested)
    step = 1e-6
    difference = (slope(image * (1 + step)) - slope(image * (1 - step))) / (2 * step)
    scale = float(difference.abs().max()) + 1e-6
    torch.testing.assert_close(nested / scale, difference / scale, rtol=0, atol=1e-4)


@every
def test_single_precision_is_double_precision_rounded(name: str) -> None:
    """Also that nothing of float32 is left in a model that is cast to float64 and back."""
    model, images = model_of(name), photographs()
    exact = model(images)
    assert exact.dtype == torch.float64
    single = remove_grad(FACTORIES[name]())
    before = single(images.float())
    assert before.dtype == torch.float32
    torch.testing.assert_close(before.double(), exact, rtol=1e-3, atol=1e-4)
    single.to(torch.float64)
    torch.testing.assert_close(single(images), exact, rtol=1e-12, atol=1e-12)
    single.to(torch.float32)
    torch.testing.assert_close(single(images.float()), before, rtol=1e-5, atol=1e-6)


@every
def test_copies_compute_the_same(name: str) -> None:
    model, images = model_of(name), photographs()
    expected = model(images)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(copied(images), expected, rtol=0, atol=0)
    made = remove_grad(FACTORIES[name]().double())
    made.load_state_dict(model.state_dict())
    torch.testing.assert_close(made(images), expected, rtol=0, atol=0)


# -- torch.compile ---------------------------------------------------------------------------------


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    """Forget what was compiled, and what a compiler may have left in caches."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def see_compiled(name: str, backend: str, *batches: int) -> None:
    """Check that a compiled model has the value and gradient of the model, for batches of these sizes."""
    model = model_of(name)
    compiled = torch.compile(model, backend=backend)
    for images in (photographs()[:batch] for batch in batches):
        (value, slope), (expected, right) = (
            value_and_gradient(m, images.clone().requires_grad_(True)) for m in (compiled, model)
        )
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(slope, right, rtol=1e-8, atol=1e-10)


def value_and_gradient(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    output = model(images)
    (gradient,) = torch.autograd.grad((output**2).sum(), images)
    return output.detach(), gradient


@pytest.mark.long
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("name", COMPILED)
def test_compiled_models_compute_the_same(name: str) -> None:
    see_compiled(name, "aot_eager", 2)


@pytest.mark.long
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("make", [LuminanceGainControl, whole(CenterSurround)])
def test_a_compiled_model_follows_its_parameters_and_type(make: type[nn.Module]) -> None:
    """Kept filters are computed again when parameters or type change, also in a compiled model."""
    model = remove_grad(make(9, cache_filt=True))
    compiled = torch.compile(model, backend="eager")
    image = photographs()[:1].float()
    first = compiled(image)
    model.load_state_dict({key: 1.7 * value for key, value in model.state_dict().items()})
    fresh = remove_grad(make(9))
    fresh.load_state_dict(model.state_dict())
    torch.testing.assert_close(compiled(image), fresh(image))
    assert float((compiled(image) - first).abs().max()) > 1e-3
    model.double()
    torch.testing.assert_close(compiled(image.double()), fresh.double()(image.double()))


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@every
def test_models_seen_by_the_tracer_alone_compute_the_same(name: str) -> None:
    see_compiled(name, "eager", 2, 1)


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("name", [name for name in FACTORIES if name not in COMPILED])
def test_all_other_models_compute_the_same(name: str) -> None:
    see_compiled(name, "aot_eager", 2, 1)


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="torch's default compiler needs a C++ compiler")
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.parametrize("name", ["Linear", "UniformPooling", "LuminanceGainControl", "features"])
def test_models_in_machine_code_compute_the_same(name: str) -> None:
    see_compiled(name, "inductor", 2, 1)

"""Layers of a network as models: the hook's value, nothing after it run, a pure function."""

import io
import pickle
from collections.abc import Callable
from types import MethodType
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth.banks.models import weights_sha256
from stimsynth.images import load
from stimsynth.methods.metamer import Metamer
from stimsynth.models.network_layers import features
from stimsynth.numerics.attention import differentiable_attention
from stimuli_store.errors import InputError


class Block(nn.Module):
    """A residual block as in ResNet, with rectifiers that write in place and one used twice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x
        return self.relu(out)


class Bomb(nn.Module):
    """Fails when it is run."""

    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError("a layer after the one asked for was run")


class Small(nn.Module):
    """Stem, two blocks, classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU(inplace=True))
        self.layer1 = nn.Sequential(Block(6), Block(6))
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer1(self.stem(x))
        return self.head(x.mean(dim=(2, 3)))


class Branching(Small):
    """Cannot be traced: what is run depends on values."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if float(x.detach().mean()) >= 0:
            x = self.layer1(x)
        return self.head(x.mean(dim=(2, 3)))


class Recurrent(nn.Module):
    """Returns more than a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x[:, 0])[0]


LAYERS = (
    "stem",
    "stem.0",
    "layer1.0",
    "layer1.0.relu",
    "layer1.0.bn1",
    "layer1.1.conv2",
    "layer1.1.bn2",
    "head",
)


def network(kind: type[Small]) -> Small:
    """A small network whose batch norms have seen something, so that they are no identities."""
    torch.manual_seed(0)
    made = kind().double().train()
    with torch.no_grad():
        made(torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(1)).double())
    return made


def images(channels: int = 3) -> Tensor:
    return torch.rand(2, channels, 16, 16, generator=torch.Generator().manual_seed(2)).double()


def hooked(module: nn.Module, layer: str, x: Tensor) -> Tensor:
    """Return a copy of the first output of a layer, as a plain forward hook sees it."""
    caught: list[Tensor] = []
    part = module.get_submodule(layer)
    handle = part.register_forward_hook(lambda _m, _a, out: caught.append(out.clone()))
    module.eval()(x.clone())
    handle.remove()
    return caught[0]


@pytest.mark.parametrize("kind", [Small, Branching])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_what_a_hook_sees_and_so_is_its_gradient(kind: type[Small], layer: str) -> None:
    plain = network(kind)
    model = features(plain, layer)
    assert model.cut == (kind is Small)
    gradients = []
    for function in (model, lambda x: hooked(plain, layer, x)):
        x = images().requires_grad_(True)
        output = function(x)
        gradients.append(torch.autograd.grad((output**2).sum(), x)[0])
        if function is not model:
            torch.testing.assert_close(model(x).flatten(), output.flatten(), rtol=0, atol=0)
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)
    assert bool(gradients[0].abs().max() > 0)


@pytest.mark.parametrize("kind", [Small, Branching])
def test_later_layers_are_not_run(kind: type[Small]) -> None:
    plain = network(kind)
    plain.layer1[1] = Bomb()
    assert features(plain, "layer1.0")(images()).shape == (2, 6, 8, 8)
    with pytest.raises(AssertionError, match="was run"):
        features(plain, "layer1.1")(images())


@pytest.mark.parametrize("kind", [Small, Branching])
def test_neither_network_nor_image_is_changed_and_nothing_can_learn(kind: type[Small]) -> None:
    plain = network(kind)
    plain.stem = nn.Sequential(nn.ReLU(inplace=True), *plain.stem)  # writes over the image
    before, x = weights_sha256(plain), images() - 0.5
    same = x.clone()
    model = features(plain, "layer1.1.conv1")
    first, again = model(x), model(x)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    torch.testing.assert_close(x, same, rtol=0, atol=0)
    assert weights_sha256(plain) == before
    assert plain.training
    assert all(p.requires_grad for p in plain.parameters())
    assert not any(p.requires_grad for p in model.parameters())
    assert not any(part._forward_hooks for part in model.modules())


def test_a_cut_network_keeps_only_what_it_runs() -> None:
    kept = {name for name, _ in features(network(Small), "layer1.0.conv2").named_parameters()}
    assert kept
    assert not any("head" in name or "layer1.1" in name for name in kept)


def test_functional_transforms_agree_with_differences() -> None:
    x = images(1)
    model = features(
        network(Small), "layer1.1", channels=3, mean=(0.4, 0.5, 0.6), std=0.25, size=(24, 20)
    )
    mapped = torch.func.vmap(lambda image: model(image[None])[0])(x)
    torch.testing.assert_close(mapped, model(x))
    tangent = torch.randn(x.shape, generator=torch.Generator().manual_seed(3)).double()
    _, forward = torch.func.jvp(model, (x,), (tangent,))
    step = 1e-7
    difference = (model(x + step * tangent) - model(x - step * tangent)) / (2 * step)
    torch.testing.assert_close(forward, difference, atol=1e-6, rtol=1e-5)
    output, pull = torch.func.vjp(model, x)
    weight = torch.randn(output.shape, generator=torch.Generator().manual_seed(4)).double()
    torch.testing.assert_close((pull(weight)[0] * tangent).sum(), (weight * forward).sum())


def test_forward_mode_goes_through_a_network_that_is_not_cut() -> None:
    x = images()
    tangent = torch.randn(x.shape, generator=torch.Generator().manual_seed(3)).double()
    found, expected = (
        torch.func.jvp(features(network(kind), "layer1.0"), (x,), (tangent,))
        for kind in (Branching, Small)
    )
    torch.testing.assert_close(found, expected)


def test_preprocessing_is_what_it_says() -> None:
    first = nn.Sequential(nn.Identity()).double()
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    x = images(1)
    found = features(first, "0", channels=3, mean=mean, std=std)(x)
    for channel in range(3):
        expected = (x[:, 0] - mean[channel]) / std[channel]
        torch.testing.assert_close(found[:, channel], expected)
    colour = images(3)
    torch.testing.assert_close(features(first, "0", channels=3)(colour), colour, rtol=0, atol=0)
    ordered = features(first, "0", mean=0.5, preprocess=lambda v: 2 * v)(x)
    torch.testing.assert_close(ordered, 2 * (x - 0.5))


def test_resizing_keeps_a_ramp_and_does_not_alias() -> None:
    first = nn.Sequential(nn.Identity()).double()
    columns = torch.arange(32).double()
    ramp = features(first, "0", size=16)(columns.expand(1, 1, 32, 32))
    inner = ramp[0, 0, 4:-4, 2:-2]
    expected = (2 * torch.arange(16).double() + 0.5)[2:-2].expand_as(inner)
    torch.testing.assert_close(inner, expected)
    fine = features(first, "0", size=16)(((-1) ** columns).expand(1, 1, 32, 32))
    assert float(fine[..., 2:-2].abs().max()) < 1e-12


def test_a_vector_becomes_one_channel() -> None:
    assert features(network(Small), "head")(images()).shape == (2, 1, 5)


def test_a_metamer_of_a_layer() -> None:
    model = features(network(Small).float(), "stem.0", channels=3, mean=0.5, std=0.25)
    metamer = Metamer(load("camera", size=16), model, seed=0)
    metamer.synthesize(max_iter=60)
    assert float(metamer.losses[-1]) < 1e-4 * float(metamer.losses[0])


# -- what a trace would lose -----------------------------------------------------------------------


class Written(nn.Module):
    """A module of one layer that calls a given function before it, and another one after it."""

    def __init__(
        self,
        before: Callable[[nn.Module, Tensor], Tensor],
        after: Callable[[Tensor], Tensor] = lambda x: x,
    ) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3, bias=False)
        self.gain = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("shift", torch.tensor(0.5))
        self.register_buffer("mix", torch.rand(3, 3, 1, 1))
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.layer(self.before(self, x)))


def without_gradient(_self: nn.Module, x: Tensor) -> Tensor:
    with torch.no_grad():
        weight = x.mean((2, 3), keepdim=True)
    return x * weight


def in_half_precision(self: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return F.conv2d(x, self.mix).to(x.dtype)


def in_full_precision(self: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        return F.conv2d(x, self.mix)


def with_constant(_self: nn.Module, x: Tensor) -> Tensor:
    return x + torch.linspace(0, 1, 3).reshape(3, 1, 1)


def doubled_input(_module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (2 * given[0], *given[1:])


def doubled_gradient(
    _module: nn.Module, into: tuple[Tensor, ...], _out: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    return tuple(2 * g for g in into)


def root_hook() -> nn.Module:
    made = Written(lambda _, x: x)
    made.register_forward_pre_hook(doubled_input)
    return made


def inner_gradient_hook() -> nn.Module:
    made = nn.Sequential()
    made.layer = Written(lambda _, x: x**2)
    made.last = nn.ReLU()
    made.layer.register_full_backward_hook(doubled_gradient)
    return made


def own_forward() -> nn.Module:
    made = Written(lambda _, x: x)
    made.forward = MethodType(lambda self, x: self.layer(3 * x), made)
    return made


class OwnCall(Written):
    def __call__(self, x: Tensor) -> Tensor:
        return super().__call__(3 * x)


UNFAITHFUL = {
    "a pre-hook of the network": (root_hook, "layer"),
    "a gradient hook of a part": (inner_gradient_hook, "last"),
    "a forward of its own": (own_forward, "layer"),
    "a call of its own": (lambda: OwnCall(lambda _, x: x), "layer"),
    "no_grad": (lambda: Written(without_gradient), "layer"),
    "autocast on": (lambda: Written(in_half_precision), "layer"),
    "autocast off": (lambda: Written(in_full_precision), "layer"),
    "a constant": (lambda: Written(with_constant), "layer"),
}


@pytest.mark.parametrize("case", UNFAITHFUL)
def test_what_a_trace_would_lose_is_run_with_a_hook(case: str) -> None:
    make, layer = UNFAITHFUL[case]
    torch.manual_seed(0)
    plain = make()
    model = features(plain, layer)
    assert not model.cut
    results = []
    for function in (model, lambda x: hooked(plain, layer, x)):
        x = images().float().requires_grad_(True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=case == "autocast off"):
            output = function(x)
        (gradient,) = torch.autograd.grad(output.float().square().sum(), x)
        results.append((output.detach().float(), gradient))
    torch.testing.assert_close(*results, rtol=1e-6, atol=1e-6)


def test_random_numbers_of_a_network_stay_random_and_leave_no_trace() -> None:
    for draw in (lambda x: x + torch.randn(1), lambda x: x * float(torch.rand(()))):
        plain = Written(lambda _, x, draw=draw: draw(x))
        torch.manual_seed(5)
        model = features(plain, "layer")
        drawn = torch.rand(3)
        torch.manual_seed(5)
        torch.testing.assert_close(drawn, torch.rand(3), rtol=0, atol=0)
        assert float((model(images().float()) - model(images().float())).detach().abs().max()) > 0


@pytest.mark.parametrize("grad", [True, False])
def test_a_cut_is_kept_where_the_trace_is_faithful(grad: bool) -> None:
    def at_the_end(x: Tensor) -> Tensor:
        with torch.no_grad():
            return x + torch.ones(1)

    made = Written(lambda self, x: self.gain * x + self.shift, at_the_end)
    made.layer.register_forward_pre_hook(doubled_input)
    with torch.set_grad_enabled(grad), torch.autocast("cpu", dtype=torch.bfloat16):
        model = features(made, "layer")
    assert model.cut
    x = images().float()
    torch.testing.assert_close(model(x), hooked(made, "layer", x).detach())


@pytest.mark.parametrize("kind", [Small, Branching])
def test_a_shared_layer_has_several_names(kind: type[Small]) -> None:
    plain = network(kind)
    plain.again = plain.layer1[0].conv2
    model = features(plain, "again")
    assert model.cut == (kind is Small)
    expected = hooked(plain, "layer1.0.conv2", images())
    torch.testing.assert_close(model(images()), expected.detach(), rtol=0, atol=0)


@pytest.mark.parametrize("kind", [Small, Branching])
@pytest.mark.parametrize("module", [pickle, torch])
def test_a_model_is_pickled_with_its_preprocessing(kind: type[Small], module: Any) -> None:
    model = features(
        network(kind), "layer1.0", channels=3, mean=(0.4, 0.5, 0.6), std=0.25, size=(24, 20)
    )
    kept = io.BytesIO()
    module.dump(model, kept) if module is pickle else torch.save(model, kept)
    kept.seek(0)
    again = pickle.load(kept) if module is pickle else torch.load(kept, weights_only=False)
    assert again.cut == model.cut
    torch.testing.assert_close(again(images(1)), model(images(1)), rtol=0, atol=0)


def test_forward_mode_goes_through_attention_as_the_notes_say() -> None:
    torch.manual_seed(0)
    part = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(part, 1, enable_nested_tensor=False)
    model = features(nn.Sequential(nn.Flatten(1, 2), encoder).double(), "1")
    x, tangent = images(1)[..., :8], images(1)[..., 8:]
    with pytest.raises(NotImplementedError, match="forward AD"):
        torch.func.jvp(model, (x,), (tangent,))
    with differentiable_attention():
        _, forward = torch.func.jvp(model, (x,), (tangent,))
        step = 1e-6
        difference = (model(x + step * tangent) - model(x - step * tangent)) / (2 * step)
    assert torch.backends.mha.get_fastpath_enabled()
    torch.testing.assert_close(forward, difference, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: features(network(Small), "layer1.0.conv"), "did you mean 'layer1.0.conv[12]'"),
        (lambda: features(network(Small), "hed"), "did you mean 'head'"),
        (lambda: features(Recurrent(), "lstm")(torch.rand(1, 1, 8, 8)), "returns tuple"),
        (lambda: features(network(Small), "stem", channels=3)(images(2)), "1 or 3 channels"),
        (lambda: features(network(Small), "stem", std=0.0), "std must be positive"),
        (
            lambda: features(network(Small), "stem", mean=(0.1, 0.2))(images()),
            "one number or 3",
        ),
        (
            lambda: features(network(Branching), "layer1.0")(images() * float("nan")),
            "is not reached",
        ),
        (
            lambda: features(nn.Sequential(nn.Flatten(0)), "0")(images()),
            r"returns shape \(1536,\)",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()

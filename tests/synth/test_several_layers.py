"""Several layers of a network as one model: each is what it is alone, and has its name."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stimsynth import Metamer, features, images
from stimsynth.losses import groupwise_relative_l2_norm_factory
from stimsynth.plots import plot_representation, plot_representation_error
from stimuli_store.errors import InputError

PREPARED: Any = {"channels": 3, "mean": (0.4, 0.5, 0.6), "std": 0.25}


class Net(nn.Module):
    """Convolutions with a rectifier that overwrites its input, and a vector at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Sequential(nn.Conv2d(4, 5, 3, stride=2), nn.Tanh())
        self.head = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.relu(self.first(x))).mean(dim=(2, 3)))


class Branching(Net):
    """Cannot be traced: what is run depends on values."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if float(x.detach().mean()) < 1e9 else 2 * x)


LAYERS = {
    "in order": ("first", "second", "head"),
    "out of order": ("head", "first"),
    "overwritten": ("first", "relu"),
    "one inside another": ("second", "second.0"),
    "one": ("second.1",),
}


def network(kind: type[Net] = Net) -> Net:
    torch.manual_seed(0)
    return kind().double().eval()


def batch() -> Tensor:
    return torch.rand(2, 1, 12, 10, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("kind", [Net, Branching])
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_each_layer_is_what_it_is_alone(kind: type[Net], layers: tuple[str, ...]) -> None:
    net, x = network(kind), batch()
    model = features(net, layers, image_shape=x.shape, **PREPARED)
    assert model.cut == (kind is Net and "second.0" not in layers)
    parts = model.convert_to_dict(model(x))
    assert tuple(parts) == layers
    for layer, values in parts.items():
        torch.testing.assert_close(values, features(net, layer, **PREPARED)(x), rtol=0, atol=0)
    assert torch.equal(model.convert_to_tensor(parts), model(x))


@pytest.mark.parametrize("kind", [Net, Branching])
def test_slopes_pass_through_all_layers(kind: type[Net]) -> None:
    model = features(network(kind), ["first", "head"], image_shape=(1, 12, 10), **PREPARED)
    x = batch().requires_grad_()
    assert torch.autograd.gradcheck(lambda image: model(image[:1])[..., ::40], x)


def test_a_metamer_of_two_layers_weighs_them_alike_and_is_plotted() -> None:
    target = images.load("camera", size=16).double()
    model = features(network(), ["first", "head"], image_shape=target.shape, **PREPARED)
    loss = groupwise_relative_l2_norm_factory(model, target)
    met = Metamer(target, model, loss, seed=0)
    met.synthesize(max_iter=60)
    assert met.losses[-1] < 1e-2 * met.losses[0]
    titles = [*(f"first, channel {number}" for number in range(4)), "head"]
    for axes in (plot_representation(model, met.target_representation), plot_error(met)):
        for ax, title in zip(axes, titles, strict=True):
            assert " ".join(ax.get_title().split()).startswith(title)
        assert axes[0].images[0].get_array().shape == (14, 14)


def plot_error(met: Metamer) -> Any:
    return plot_representation_error(met)


WRONG: dict[str, tuple[Any, str]] = {
    "no shape": (lambda: features(network(), ["first"]), "image_shape"),
    "two sides": (lambda: features(network(), ["first"], image_shape=(8, 8)), "image_shape"),
    "twice": (lambda: features(network(), ["first"] * 2, image_shape=(3, 8, 8)), "once each"),
    "none": (lambda: features(network(), [], image_shape=(3, 8, 8)), "at least one"),
    "misspelt": (
        lambda: features(network(), ["fist"], image_shape=(3, 8, 8)),
        "did you mean 'first'",
    ),
    "another size": (
        lambda: _two().convert_to_dict(_two()(torch.rand(1, 3, 9, 9).double())),
        r"shape \(batch, 1, 146\); not \(1, 1, 198\)",
    ),
    "other layers": (lambda: _two().convert_to_tensor({"first": batch()}), "the layers are"),
}


def _two() -> Any:
    return features(network(), ["first", "head"], image_shape=(3, 8, 8))


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_said(name: str) -> None:
    make, words = WRONG[name]
    with pytest.raises(InputError, match=words):
        make()

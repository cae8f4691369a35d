"""The tutorial on eigendistortions: a linear model of known answers, then layers of a network."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

import stimsynth as ss
from stimsynth.transforms import center_crop
from tests.synth.tutorials.looks import share_of_brightest

N, M = 25, 10  # dimensions of input and output


class LinearModel(nn.Module):
    """The simplest model: its Jacobian is its weight matrix."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.M = nn.Linear(n, m, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.M(x)


def mdl_linear() -> LinearModel:
    model = LinearModel(N, M)
    ss.remove_grad(model)
    return model


@cache
def exact() -> ss.Eigendistortion:
    eig_jac = ss.Eigendistortion(torch.ones((1, 1, 1, N)), mdl_linear())
    eig_jac.synthesize(method="exact")
    return eig_jac


def test_the_sizes_are_said() -> None:
    assert str(exact()).startswith("Eigendistortion -- Input dim: 25 | Output dim: 10")


def test_the_jacobian_is_the_weight_matrix() -> None:
    assert exact().jacobian.allclose(mdl_linear().M.weight.data)  # type: ignore[union-attr]


def test_all_eigendistortions_are_had() -> None:
    assert exact().eigendistortions.shape == (N, 1, 1, N)
    assert bool((exact().eigenvalues.diff() <= 1e-6).all())
    assert exact().eigenvalues[M:].abs().max() < 1e-6


@pytest.mark.parametrize("method", ["power", "lanczos"])
def test_the_first_is_the_same_and_the_last_lies_among_those_of_eigenvalue_zero(
    method: str,
) -> None:
    eig_pow = ss.Eigendistortion(torch.ones((1, 1, 1, N)), mdl_linear())
    eig_pow.synthesize(method=method, max_iter=1000)  # type: ignore[arg-type]
    eigdist_pow = eig_pow.eigendistortions.squeeze()
    eigdist_jac = exact().eigendistortions.squeeze()
    assert eig_pow.eigenindex.tolist() == [0, 24]
    assert eigdist_pow[0].allclose(eigdist_jac[0], atol=1e-3)
    assert not eigdist_pow[-1].allclose(eigdist_jac[-1], atol=1e-3)
    ind_zero = exact().eigenvalues.isclose(torch.zeros(1), atol=1e-4)
    projection = eigdist_jac @ eigdist_pow[-1]
    assert int(ind_zero.sum()) == N - M
    assert projection[~ind_zero].abs().max() < 5e-3
    assert projection[ind_zero].norm().item() == pytest.approx(1, abs=1e-3)
    # So it changes nothing of what the model says.
    seen = mdl_linear()(eig_pow.image + 10 * eig_pow.eigendistortions[-1:])
    torch.testing.assert_close(seen, mdl_linear()(eig_pow.image), atol=2e-2, rtol=0)


def test_the_jacobian_of_a_linear_model_is_the_same_everywhere() -> None:
    x1 = torch.randn((1, 1, 1, N), generator=torch.Generator().manual_seed(1))
    eig_jac2 = ss.Eigendistortion(x1, model=mdl_linear())
    eig_jac2.synthesize(method="exact")
    assert eig_jac2.jacobian.allclose(mdl_linear().M.weight.data)  # type: ignore[union-attr]


class Network(nn.Module):
    """The first layers of a residual network of 18, with a quarter of their channels unless told."""

    def __init__(self, widths: tuple[int, int] = (16, 32)) -> None:
        super().__init__()
        first, second = widths
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.features = nn.Sequential(
                nn.Conv2d(3, first, 7, stride=2, padding=3, bias=False),
                nn.BatchNorm2d(first),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(3, stride=2, padding=1),
                nn.Conv2d(first, first, 3, padding=1, bias=False),
                nn.ReLU(inplace=True),
                nn.Conv2d(first, second, 3, stride=2, padding=1, bias=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)


class NthLayer(nn.Module):
    """The tutorial's wrapper that returns the output of one layer."""

    def __init__(self, model: nn.Module, layer: int | None = None) -> None:
        super().__init__()
        features = list(model.features)  # type: ignore[arg-type]
        self.features = nn.ModuleList(features).eval()
        self.layer = len(self.features) if layer is None else layer

    def forward(self, x: Tensor) -> Tensor:
        for ii, mdl in enumerate(self.features):
            x = mdl(x)
            if ii == self.layer:
                break
        return x


def colours() -> Tensor:
    return center_crop(ss.images.get("astronaut", as_gray=False), 64)


def grey_as_colour() -> Tensor:
    return torch.repeat_interleave(ss.images.load("camera", size=64), 3, dim=1)


@pytest.mark.parametrize("image", [colours, grey_as_colour])
@pytest.mark.parametrize(("layer", "size_out"), [(3, 16 * 16 * 16), (6, 32 * 8 * 8)])
def test_layers_of_a_network(image: object, layer: int, size_out: int) -> None:
    model = ss.remove_grad(NthLayer(Network(), layer=layer))
    eig = ss.Eigendistortion(image(), model)  # type: ignore[operator]
    eig.synthesize(max_iter=400)
    assert f"Input dim: {3 * 64 * 64} | Output dim: {size_out}" in repr(eig)
    assert bool((eig.residuals < 1e-4).all())
    most, least = eig.eigendistortions
    # The one is in one place, the other is spread over the image.
    assert share_of_brightest(most) > 2 * share_of_brightest(least)
    assert share_of_brightest(least) < 0.3


def test_a_layer_can_be_had_by_its_name() -> None:
    ours = ss.features(Network().eval(), "features.3")
    theirs = ss.remove_grad(NthLayer(Network(), layer=3))
    torch.testing.assert_close(ours(colours()), theirs(colours()))


@pytest.mark.parametrize("rank", [0, -1])
def test_distortions_are_shown_on_the_image(rank: int) -> None:
    pytest.importorskip("matplotlib")
    from stimsynth.plots import display_eigendistortion

    eig = ss.Eigendistortion(colours(), ss.remove_grad(NthLayer(Network(), layer=3)))
    eig.synthesize(max_iter=400)
    axes = display_eigendistortion(eig, rank, as_rgb=True, zoom=3, title="distorted")
    assert axes.get_title() == "distorted"
    shown = torch.as_tensor(axes.images[0].get_array().data).permute(2, 0, 1)
    expected = (eig.image[0] + 5 * eig.eigendistortions[rank]).clamp(0, 1)
    torch.testing.assert_close(shown, expected)

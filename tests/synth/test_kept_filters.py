"""Kept filters: faster, and never another result."""

import copy
import io
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from stimsynth.banks.model_identity import weights_sha256
from stimsynth.banks.models import make_model
from stimsynth.models import (
    CenterSurround,
    Gaussian,
    LinearNonlinear,
    LuminanceContrastGainControl,
    LuminanceGainControl,
    OnOff,
)
from stimsynth.transforms.convolution import PaddedGrid
from stimsynth.validate import remove_grad

MODELS = (
    Gaussian,
    CenterSurround,
    LinearNonlinear,
    LuminanceGainControl,
    LuminanceContrastGainControl,
    OnOff,
)
FRONT_ENDS = MODELS[2:]
IMAGE = torch.rand(1, 1, 20, 24, generator=torch.Generator().manual_seed(0))


def pair(kind: type[nn.Module]) -> tuple[nn.Module, nn.Module]:
    """The same model without and with kept filters."""
    plain, keeping = (remove_grad(kind(7, cache_filt=kept)) for kept in (False, True))
    return plain, keeping


@pytest.mark.parametrize("kind", MODELS)
def test_keeping_changes_no_result(kind: type[nn.Module]) -> None:
    plain, keeping = pair(kind)
    for image in (IMAGE, IMAGE, IMAGE[..., :15], IMAGE.expand(3, -1, -1, -1), IMAGE):
        assert torch.equal(keeping(image), plain(image))
    for model in (plain, keeping):
        model.double()
    assert torch.equal(keeping(IMAGE.double()), plain(IMAGE.double()))  # float64 throughout
    state = {k: v * 1.25 for k, v in plain.state_dict().items()}
    for model in (plain, keeping):
        model.load_state_dict(state)
    assert torch.equal(keeping(IMAGE.double()), plain(IMAGE.double()))
    with torch.no_grad():
        for model in (plain, keeping):
            next(model.parameters()).mul_(1.5)
    assert torch.equal(keeping(IMAGE.double()), plain(IMAGE.double()))
    assert weights_sha256(keeping) == weights_sha256(plain)


@pytest.mark.parametrize("kind", MODELS)
def test_transfer_functions_are_made_once(
    kind: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Tensor] = []
    gaussian = PaddedGrid.gaussian
    monkeypatch.setattr(
        PaddedGrid, "gaussian", lambda grid, std: made.append(std) or gaussian(grid, std)
    )
    plain, keeping = pair(kind)
    for model, times in ((plain, 3), (keeping, 1)):
        made.clear()
        model(IMAGE)
        once = len(made)
        for _ in range(2):
            model(IMAGE)
        assert len(made) == times * once > 0


Transform = Callable[[nn.Module, Tensor], Tensor]
TRANSFORMS: dict[str, Transform] = {
    "jvp": lambda model, x: torch.func.jvp(model, (x,), (x.flip(-1),))[1],
    "vjp": lambda model, x: torch.func.vjp(model, x)[1](model(x))[0],
    "vmap": lambda model, x: torch.func.vmap(lambda y: model(y[None])[0])(x),
    "vmap of jvp": lambda model, x: torch.func.vmap(lambda v: torch.func.jvp(model, (x,), (v,))[1])(
        torch.stack([x, x.flip(-1)])
    ),
    "jvp of vjp": lambda model, x: torch.func.jvp(
        lambda y: torch.func.vjp(model, y)[1](torch.ones_like(model(x)))[0], (x,), (x,)
    )[1],
    "inference mode": torch.inference_mode()(lambda model, x: model(x)),
}


@pytest.mark.parametrize("first", TRANSFORMS)
def test_what_is_kept_inside_a_transform_serves_outside_it(first: str) -> None:
    plain, keeping = pair(OnOff)
    torch.testing.assert_close(TRANSFORMS[first](keeping, IMAGE), TRANSFORMS[first](plain, IMAGE))
    for name in ("jvp", "vmap", "jvp of vjp"):
        torch.testing.assert_close(TRANSFORMS[name](keeping, IMAGE), TRANSFORMS[name](plain, IMAGE))
    gradients = []
    for model in (plain, keeping):
        x = IMAGE.clone().requires_grad_(True)
        gradients += torch.autograd.grad(model(x).square().sum(), x)
    torch.testing.assert_close(gradients[0], gradients[1])
    assert torch.equal(copy.deepcopy(keeping)(IMAGE), plain(IMAGE))
    stream = io.BytesIO()
    torch.save(keeping.center_surround, stream)
    stream.seek(0)
    again = torch.load(stream, weights_only=False)
    assert torch.equal(again(IMAGE), plain.center_surround(IMAGE))


@pytest.mark.parametrize("kind", MODELS)
def test_parameters_can_still_be_fitted(kind: type[nn.Module]) -> None:
    """Filters of parameters that learn are never kept, so that gradients reach these in every call."""
    plain, fitted = kind(7), kind(7, cache_filt=True)
    for _ in range(2):
        gradients = [
            torch.autograd.grad(m(IMAGE).square().sum(), list(m.parameters()))
            for m in (plain, fitted)
        ]
        for one, two in zip(*gradients, strict=True):
            torch.testing.assert_close(one, two)
            assert float(one.abs().sum()) > 0


@pytest.mark.parametrize("kind", FRONT_ENDS)
def test_parameters_can_be_swapped_for_a_call(kind: type[nn.Module]) -> None:
    plain, keeping = pair(kind)
    base = keeping(IMAGE)

    def with_factor(model: nn.Module, factor: Tensor) -> Tensor:
        state = {name: p * factor for name, p in model.named_parameters()}
        return torch.func.functional_call(model, state, (IMAGE,))

    factors = torch.tensor([0.9, 1.0, 1.1])
    results = [torch.func.vmap(lambda f, m=m: with_factor(m, f))(factors) for m in (plain, keeping)]
    torch.testing.assert_close(results[0], results[1])
    one = torch.ones(())
    slopes = [
        torch.func.jvp(lambda f, m=m: with_factor(m, f), (one,), (one,))[1]
        for m in (plain, keeping)
    ]
    torch.testing.assert_close(slopes[0], slopes[1])
    assert torch.equal(keeping(IMAGE), base)


@pytest.mark.parametrize("kind", [Gaussian, CenterSurround])
def test_a_kept_kernel_is_the_same_tensor_until_parameters_change(kind: type[nn.Module]) -> None:
    plain, keeping = kind(7), kind(7, cache_filt=True)
    first = keeping.filt
    assert keeping.filt is first is keeping._filt
    assert plain.filt is not plain.filt
    assert plain._filt is None
    torch.testing.assert_close(first, plain.filt.detach())
    keeping.load_state_dict({k: v * 1.5 for k, v in plain.state_dict().items()})
    assert not torch.equal(keeping.filt, first)


@pytest.mark.parametrize("kind", FRONT_ENDS)
def test_published_parameters_without_kept_filters_are_warned_of(kind: type[nn.Module]) -> None:
    sentence = (
        "pretrained is True but cache_filt is False. Set cache_filt to True for efficiency unless you "
        "are fine-tuning."
    )
    with pytest.warns(UserWarning) as caught:
        kind(31, pretrained=True)
    assert [str(w.message) for w in caught] == [sentence]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(31, pretrained=True, cache_filt=True)
        kind(31)


@pytest.mark.parametrize("kind", FRONT_ENDS)
def test_named_models_keep_their_filters_and_their_names(kind: type[nn.Module]) -> None:
    params = {"kernel_size": 31, "pretrained": True}
    model = make_model(kind.__name__, params)
    assert model.center_surround.cache_filt is True
    assert params == {"kernel_size": 31, "pretrained": True}
    with pytest.warns(UserWarning, match="cache_filt is False"):
        plain = make_model(kind.__name__, {**params, "cache_filt": False})
    assert weights_sha256(plain) == weights_sha256(model)

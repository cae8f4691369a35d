"""Front ends with published parameters against plenoptic, outputs and gradients."""

from typing import Any

import pytest
import torch

from stimsynth import models
from stimsynth.images import load
from stimsynth.validate import remove_grad

pytestmark = pytest.mark.filterwarnings("ignore")  # what the peer warns of is its own
NAMES = ("LinearNonlinear", "LuminanceGainControl", "LuminanceContrastGainControl", "OnOff")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pad_mode", ["reflect", "circular"])
def test_a_front_end_is_plenoptics(name: str, pad_mode: str) -> None:
    peer: Any = pytest.importorskip("plenoptic").models
    image = load("coffee", size=96).double().requires_grad_(True)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # the peer makes its kernels in the default type
    try:
        theirs = getattr(peer, name)((31, 31), pad_mode=pad_mode, pretrained=True).double()
        ours = remove_grad(
            getattr(models, name)(
                (31, 31), pad_mode=pad_mode, pretrained=True, cache_filt=True
            ).double()
        )
        expected, found = theirs(image), ours(image)
    finally:
        torch.set_default_dtype(before)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-12)
    gradients = [torch.autograd.grad((y**2).sum(), image)[0] for y in (expected, found)]
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-6, atol=1e-9)


def test_the_mask_of_onoff_is_plenoptics() -> None:
    peer: Any = pytest.importorskip("plenoptic").models
    image = load("coffee", size=48)[..., :40]
    options = {"pretrained": True, "cache_filt": True, "apply_mask": True}
    expected, found = (m.OnOff((31, 31), **options)(image) for m in (peer, models))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    outside = torch.hypot(
        *torch.meshgrid(torch.arange(48) - 23.5, torch.arange(40) - 19.5, indexing="ij")
    )
    assert bool((found[..., outside > 19.5] == 0).all())


def test_the_low_pass_channel_of_linear_is_plenoptics() -> None:
    """The other channel is not: there the peer divides by a rounding error (decision 11)."""
    peer: Any = pytest.importorskip("plenoptic").models
    image = load("coffee", size=96)
    theirs, ours = peer.Linear((5, 5)), models.Linear((5, 5))
    torch.testing.assert_close(ours(image)[:, :1], theirs(image)[:, :1])


@pytest.mark.parametrize("name", NAMES)
def test_a_peers_parameters_load(name: str) -> None:
    peer: Any = pytest.importorskip("plenoptic").models
    theirs, ours = getattr(peer, name)((31, 31)), getattr(models, name)((31, 31))
    ours.load_state_dict(theirs.state_dict())
    image = load("coffee", size=64)
    torch.testing.assert_close(ours(image), theirs(image), rtol=1e-4, atol=1e-5)

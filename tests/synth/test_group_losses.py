"""Losses of groups of statistics, against their formulas."""

import copy
import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stimsynth import Metamer, PortillaSimoncelli, images
from stimsynth.losses import (
    groupwise_relative_l2_norm_factory,
    l2_norm,
    portilla_simoncelli_loss_factory,
)
from stimuli_store.errors import InputError

IMAGE = torch.full((1, 1, 2, 2), 0.5).double()
OUTPUT = torch.tensor([[[3.0, 4.0, 0.0, 0.5]]]).double()


class Grouped(nn.Module):
    """An output of three groups, whatever the image: of norm 5, 0 and 0.5."""

    def forward(self, x: Tensor) -> Tensor:
        return OUTPUT.expand(len(x), 1, 4)

    def convert_to_dict(self, y: Tensor) -> dict[str, Tensor]:
        return {"far": y[..., :2], "none": y[..., 2:3], "near": y[..., 3:]}

    def convert_to_tensor(self, groups: Mapping[str, Tensor]) -> Tensor:
        return torch.cat([groups[name] for name in ("far", "none", "near")], dim=-1)


FACTORS: dict[str, tuple[Any, float]] = {
    # difference (5, 0), 2, 1: squares relative to the group's norm 1, 4, 4
    "none given": (None, math.sqrt(1 + 4 + 4)),
    "one group out": ({"near": 0}, math.sqrt(1 + 4)),
    "one group doubled": ({"far": 2.0}, math.sqrt(4 + 4 + 4)),
    "one entry out": ({"far": torch.tensor([0.0, 1.0])}, math.sqrt(4 + 4)),
}


@pytest.mark.parametrize("name", FACTORS)
def test_groups_count_alike(name: str) -> None:
    given, wanted = FACTORS[name]
    loss = groupwise_relative_l2_norm_factory(Grouped(), IMAGE, given)
    other = OUTPUT + torch.tensor([5.0, 0.0, 2.0, 1.0])
    assert float(loss(other, OUTPUT)) == pytest.approx(wanted)
    assert float(loss(OUTPUT, OUTPUT)) == 0


def texture() -> tuple[PortillaSimoncelli, Tensor, Tensor]:
    x = images.load("grass", size=32).double()
    return PortillaSimoncelli((32, 32), n_scales=2).double(), x, x.flip(-1, -2).square()


def test_texture_statistics_leave_out_extremes_and_stress_the_residual() -> None:
    """The square of the loss exceeds that of the plain norm by the reweighted groups alone."""
    model, x, y = texture()
    one, two = model(x), model(y)
    far = {name: (v - model.convert_to_dict(two)[name]).square() for name, v in groups(model, one)}
    extremes, fine = far["pixel_statistics"][..., -2:].sum(), far["var_highpass_residual"].sum()
    plain = l2_norm(one, two) ** 2
    found = portilla_simoncelli_loss_factory(model, x)(one, two) ** 2
    torch.testing.assert_close(found, plain - extremes + (100**2 - 1) * fine)
    same = {"pixel_statistics": 1.0, "var_highpass_residual": 1.0}
    found = portilla_simoncelli_loss_factory(model, x, same)(one, two) ** 2
    torch.testing.assert_close(found, plain)


def groups(model: PortillaSimoncelli, output: Tensor) -> list[tuple[str, Tensor]]:
    return list(model.convert_to_dict(output).items())


def test_every_group_of_a_texture_counts_one() -> None:
    model, x, _ = texture()
    loss = groupwise_relative_l2_norm_factory(model, x)
    output = model(x)
    assert float(loss(2 * output, output)) ** 2 == pytest.approx(len(groups(model, output)))


def test_a_loss_moves_with_its_synthesis() -> None:
    model = PortillaSimoncelli((32, 32), n_scales=2)
    x = images.load("grass", size=32)
    met = Metamer(x, model, portilla_simoncelli_loss_factory(model, x), seed=0)
    met.to(torch.float64)
    met.synthesize(max_iter=5)
    assert met.losses.dtype == torch.float64
    assert met.losses[-1] < met.losses[0]


class Lossy(Grouped):
    def convert_to_tensor(self, groups: Mapping[str, Tensor]) -> Tensor:
        return 2 * super().convert_to_tensor(groups)


WRONG: dict[str, tuple[Any, str]] = {
    "no groups": (
        lambda: groupwise_relative_l2_norm_factory(nn.Identity(), IMAGE),
        "Identity has not both",
    ),
    "no inverse": (
        lambda: groupwise_relative_l2_norm_factory(Lossy(), IMAGE),
        "convert_to_tensor of Lossy does not undo its convert_to_dict",
    ),
    "unknown group": (
        lambda: groupwise_relative_l2_norm_factory(Grouped(), IMAGE, {"fat": 1}),
        "unknown group 'fat'; did you mean 'far'",
    ),
    "unfit factor": (
        lambda: groupwise_relative_l2_norm_factory(Grouped(), IMAGE, {"far": torch.ones(3)}),
        r"'far' must broadcast to \(1, 1, 2\); its shape is \(3,\)",
    ),
    "several images": (
        lambda: groupwise_relative_l2_norm_factory(Grouped(), IMAGE.expand(2, 1, 2, 2)),
        "made for one image; not for 2",
    ),
    "no texture": (
        lambda: portilla_simoncelli_loss_factory(Grouped(), IMAGE),
        "this model has far, none, near",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_said(name: str) -> None:
    make, words = WRONG[name]
    with pytest.raises(InputError, match=words):
        make()


def test_a_copy_is_the_same_loss() -> None:
    loss = groupwise_relative_l2_norm_factory(Grouped(), IMAGE)
    other = OUTPUT + 1
    assert torch.equal(copy.deepcopy(loss)(other, OUTPUT), loss(other, OUTPUT))

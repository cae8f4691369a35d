"""What a synthesis hands out is a copy: an edit in place changes neither it nor its result."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from stimsynth import Eigendistortion, SimpleMetamer
from tests.synth.every_synthesis import CASES, Pooled, picture

MAKERS: dict[str, tuple[Callable[[], Any], Mapping[str, Any]]] = {
    **{name: (lambda case=case: case.begin()[0], case.options) for name, case in CASES.items()},
    "SimpleMetamer": (lambda: SimpleMetamer(picture(), Pooled(), seed=1), {}),
    "Eigendistortion": (
        lambda: Eigendistortion(picture(), Pooled(), seed=1),
        {"method": "exact"},
    ),
}
#: Before the first step: the leaf on which a torch optimizer is built.
LEAVES = ("metamer", "mad_image", "image", "interior")
ENGINE = ("run", "optimizer", "model", "objective_function")


def tensors(found: Any) -> dict[str, Tensor]:
    """Every tensor that a property hands out, by name."""
    properties = [
        n for n in dir(type(found)) if isinstance(getattr(type(found), n, None), property)
    ]
    handed: dict[str, Tensor] = {}
    for name in properties:
        if name[0] == "_" or name in ENGINE:
            continue
        value = getattr(found, name)
        parts = value if isinstance(value, Mapping) else {"": value}
        handed |= {
            f"{name} {part}".strip(): x for part, x in parts.items() if isinstance(x, Tensor)
        }
    return handed


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[str]:
    return [n for n in one if not torch.allclose(one[n], other[n], rtol=0, atol=0, equal_nan=True)]


def edited(found: Any) -> None:
    for name, value in tensors(found).items():
        if not (value.is_leaf and value.requires_grad):
            value.detach().fill_(7)
        else:
            assert name in LEAVES


@pytest.mark.parametrize("name", MAKERS)
def test_edits_of_what_is_handed_out_change_nothing(name: str) -> None:
    make, options = MAKERS[name]
    ends = []
    for edit in (lambda _: None, edited):
        found = make()
        edit(found)
        found.synthesize(max_iter=3, **options)
        edit(found)
        ends.append(tensors(found))
        found.quality()
    assert len(ends[0]) >= 3
    assert same(*ends) == []

"""Texture statistics against plenoptic, of which the pyramid's tables are made finer (`test_pyramids`)."""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from stimsynth.images import load
from stimsynth.models import PortillaSimoncelli

pytestmark = pytest.mark.filterwarnings("ignore")  # what the peer warns of is its own


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The peer's model, by its own source, with tables of 2^16 steps in place of 256 and 1024."""
    models = pytest.importorskip("plenoptic").models
    pyramid = importlib.import_module("plenoptic.process.steerable_pyramid_freq")
    texture = importlib.import_module("plenoptic.models.portilla_simoncelli")

    def raised_cosine(width: float, position: float, values: Any) -> tuple[Any, Any]:
        angle = np.pi * np.arange(-(2**16) - 1, 2) / 2**17
        table = values[0] + (values[1] - values[0]) * np.cos(angle) ** 2
        table[0], table[-1] = table[1], table[-2]
        return position + 2 * width / np.pi * (angle + np.pi / 4), table

    source = inspect.getsource(pyramid)
    assert source.count("lutsize = 1024") == 1
    space: dict[str, Any] = {"__name__": pyramid.__name__, "__package__": pyramid.__package__}
    exec(source.replace("lutsize = 1024", "lutsize = 2**16"), space)
    space["_raised_cosine"] = raised_cosine
    monkeypatch.setattr(texture, "SteerablePyramidFreq", space["SteerablePyramidFreq"])
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield models.PortillaSimoncelli
    torch.set_default_dtype(before)


@pytest.mark.parametrize("name", ["camera", "grass", "brick", "coffee"])
@pytest.mark.parametrize("width", [7, 9])
def test_statistics_are_plenoptics(peer: Any, name: str, width: int) -> None:
    image = load(name, size=256).double()
    theirs = peer((256, 256), spatial_corr_width=width).double()
    ours = PortillaSimoncelli((256, 256), spatial_corr_width=width).double()
    expected, found = theirs(image), ours(image)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
    assert ours.scales == theirs.scales
    arrays = theirs.convert_to_dict(expected)
    mine = ours.convert_to_dict(found)
    assert list(mine) == list(arrays)
    for key, array in arrays.items():
        torch.testing.assert_close(mine[key], array, rtol=1e-6, atol=1e-8, equal_nan=True)
    some = [0, "residual_lowpass", "pixel_statistics"]
    torch.testing.assert_close(
        ours(image, some), theirs.remove_scales(expected, some), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize(("scales", "orientations", "shape"), [(3, 5, (128, 96)), (1, 2, (64, 64))])
def test_other_sizes_are_plenoptics(
    peer: Any, scales: int, orientations: int, shape: tuple[int, int]
) -> None:
    image = load("coffee", size=128).double()[..., : shape[0], : shape[1]]
    expected = peer(shape, scales, orientations).double()(image)
    found = PortillaSimoncelli(shape, scales, orientations).double()(image)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


def test_gradients_are_plenoptics(peer: Any) -> None:
    image = load("grass", size=64).double()
    noise = torch.rand(image.shape, generator=torch.Generator().manual_seed(0))
    image = (image + 1e-3 * noise).requires_grad_(True)
    models = peer((64, 64), 3).double(), PortillaSimoncelli((64, 64), 3).double()
    gradients = [torch.autograd.grad((m(image) ** 2).sum(), image)[0] for m in models]
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-5, atol=1e-7)

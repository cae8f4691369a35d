"""The steerable pyramid against pyrtools, whose formulas it shares, and plenoptic."""

import inspect
from typing import Any

import numpy as np
import pytest
import torch

from stimsynth.images import load
from stimsynth.transforms import SteerablePyramidFreq

pytestmark = pytest.mark.filterwarnings("ignore")  # what peers warn of is theirs
KINDS = [(0, False), (1, False), (1, True), (3, False), (3, True), (8, True), (15, False)]


def largest_difference(order: int, is_complex: bool, peer: Any) -> float:
    """Return the largest difference of coefficients, relative to the largest of their level."""
    image = load("coffee", size=128).double()
    theirs = peer(image[0, 0].numpy(), height=3, order=order, is_complex=is_complex).pyr_coeffs
    ours = SteerablePyramidFreq((128, 128), 3, order, is_complex=is_complex).double()(image)
    worst = 0.0
    for key, expected in theirs.items():
        found = ours[key][0, 0] if isinstance(key, str) else ours[key[0]][0, 0, key[1]]
        error = np.abs(found.numpy() - expected).max() / np.abs(expected).max()
        worst = max(worst, float(error))
    return worst


@pytest.mark.parametrize(("order", "is_complex"), KINDS)
def test_it_is_pyrtools_up_to_the_steps_of_its_tables(order: int, is_complex: bool) -> None:
    """Pyrtools looks its functions up in tables of 256 (radius) and 1024 (angle) steps."""
    peer = pytest.importorskip("pyrtools").pyramids.SteerablePyramidFreq
    assert largest_difference(order, is_complex, peer) < 1e-6 * (5 + order)


def finer(module: Any) -> type:
    """Return pyrtools' class from its own source, with tables of 2^16 steps."""

    def rcosfn(width: float, position: float, values: Any) -> tuple[np.ndarray, np.ndarray]:
        angle = np.pi * np.arange(-(2**16) - 1, 2) / 2**17
        table = values[0] + (values[1] - values[0]) * np.cos(angle) ** 2
        table[0], table[-1] = table[1], table[-2]
        return position + 2 * width / np.pi * (angle + np.pi / 4), table

    source = inspect.getsource(module)
    assert source.count("lutsize = 1024") == 2
    space = {"__name__": module.__name__, "__package__": module.__package__}
    exec(source.replace("lutsize = 1024", "lutsize = 2**16"), space)
    space["rcosFn"] = rcosfn  # type: ignore[assignment]
    return space["SteerablePyramidFreq"]  # type: ignore[return-value]


@pytest.mark.parametrize(("order", "is_complex"), KINDS)
def test_it_is_pyrtools_where_its_tables_are_fine(order: int, is_complex: bool) -> None:
    module = pytest.importorskip("pyrtools.pyramids.SteerablePyramidFreq")
    assert largest_difference(order, is_complex, finer(module)) < 1e-8


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("downsample", [False, True])
@pytest.mark.parametrize("tight_frame", [False, True])
def test_it_is_plenoptics_up_to_the_steps_of_its_tables(
    is_complex: bool, downsample: bool, tight_frame: bool
) -> None:
    peer = pytest.importorskip("plenoptic").process.SteerablePyramidFreq
    image = load("coffee", size=128).double()
    kind = {"is_complex": is_complex, "downsample": downsample, "tight_frame": tight_frame}
    theirs = peer((128, 128), **kind).double()
    ours = SteerablePyramidFreq((128, 128), **kind).double()
    expected, found = theirs(image), ours(image)
    assert list(found) == list(expected)
    for level, band in expected.items():
        error = (found[level] - band).abs().max() / band.abs().max()
        assert float(error) < 1e-5
    part = [1, "residual_lowpass"], [0, 2]
    joined = ours.recon_pyr(found, *part) - theirs.recon_pyr(expected, *part)
    assert float(joined.abs().max()) < 1e-5


@pytest.mark.parametrize("order", [1, 2, 3])
def test_steering_is_plenoptics(order: int) -> None:
    peer = pytest.importorskip("plenoptic").process.SteerablePyramidFreq
    image = load("coffee", size=64).double()
    ours = SteerablePyramidFreq((64, 64), order=order).double()
    theirs = peer((64, 64), order=order).double()
    coefficients = ours(image)
    angles = [0.3, 1.0, 2.2]
    found, weights = ours.steer_coeffs(coefficients, angles)
    expected, their_weights = theirs.steer_coeffs(coefficients, angles)
    for scale, band in expected.items():
        torch.testing.assert_close(found[scale], band)
        torch.testing.assert_close(weights[scale], their_weights[scale].to(weights[scale]))

"""Metamers by linear algebra: colour matches and projections."""

import pytest
import torch
from torch import Tensor

from stimsynth.methods.linear_metamer import linear_metamer
from stimuli_store.errors import InputError


def cones() -> Tensor:
    """Three bell curves over 400 to 700 nm in steps of 5 nm, roughly where cones are sensitive."""
    wavelength = torch.arange(400, 701, 5, dtype=torch.float64)
    peaks = torch.tensor([[440.0], [535.0], [565.0]], dtype=torch.float64)
    return torch.exp(-((wavelength - peaks) ** 2) / (2 * 40**2))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_random_light_is_matched_with_three_primaries() -> None:
    sensitivity, light = cones(), random(61)
    primaries = torch.zeros(61, 3, dtype=torch.float64)
    primaries[[10, 27, 44], [0, 1, 2]] = 1  # monochromatic: 450, 535 and 620 nm
    match = linear_metamer(sensitivity, light, primaries=primaries)
    torch.testing.assert_close(sensitivity @ match, sensitivity @ light, rtol=1e-10, atol=1e-10)
    assert int((match != 0).sum()) == 3
    assert float((match - light).norm()) > 1


def test_without_primaries_it_is_the_projection() -> None:
    measure, target, start = random(5, 40), random(3, 40, seed=1), random(3, 40, seed=2)
    metamer = linear_metamer(measure, target, start)
    torch.testing.assert_close(metamer @ measure.T, target @ measure.T, rtol=1e-10, atol=1e-10)
    # The nearest: the change is a combination of the measurements' rows, and nothing else.
    change = (metamer - start).T
    fitted = measure.T @ torch.linalg.lstsq(measure.T, change).solution
    torch.testing.assert_close(fitted, change)
    again = linear_metamer(measure, target, metamer)
    torch.testing.assert_close(again, metamer)


def test_repeated_measurements_change_nothing() -> None:
    measure, target = random(4, 20), random(20, seed=1)
    twice = torch.cat([measure, measure])
    torch.testing.assert_close(linear_metamer(twice, target), linear_metamer(measure, target))


def test_bad_input_gets_a_sentence() -> None:
    with pytest.raises(InputError, match="no mixture of these 2 primaries"):
        linear_metamer(cones(), random(61), primaries=random(61, 2))
    with pytest.raises(InputError, match="exclude each other"):
        linear_metamer(cones(), random(61), random(61), primaries=random(61, 3))
    with pytest.raises(InputError, match=r"not \(3, 61\) and \(60,\)"):
        linear_metamer(cones(), random(60))
    with pytest.raises(InputError, match=r"shape \(61, p\)"):
        linear_metamer(cones(), random(61), primaries=random(60, 3))
    with pytest.raises(InputError, match="the same shape"):
        linear_metamer(cones(), random(61), random(60))

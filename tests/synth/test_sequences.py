"""Sequences between images: exact ends, the bridge's variance in closed form, geometry of triangles."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.transforms.sequences import (
    deviation_from_line,
    discrete_curvature,
    make_straight_line,
    sample_brownian_bridge,
    translation_sequence,
)
from stimuli_store.errors import InputError


def image(seed: int, *shape: int) -> Tensor:
    shape = shape or (1, 2, 4, 5)
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("n_steps", [1, 2, 7])
def test_a_line_is_straight_evenly_paced_and_keeps_its_ends(n_steps: int) -> None:
    start, stop = image(1), image(2)
    line = make_straight_line(start, stop, n_steps)
    assert line.shape == (n_steps + 1, 2, 4, 5)
    assert bool((line[0] == start[0]).all())
    assert bool((line[-1] == stop[0]).all())
    torch.testing.assert_close(
        line.diff(dim=0), ((stop - start) / n_steps).expand(n_steps, -1, -1, -1)
    )
    along, away = deviation_from_line(line)
    torch.testing.assert_close(along, torch.linspace(0, 1, n_steps + 1, dtype=torch.float64))
    assert away.max() < 1e-14


def test_a_bridge_keeps_its_ends_and_its_generator() -> None:
    start, stop = image(1).float(), image(2).float()
    one, two, other = (
        sample_brownian_bridge(start, stop, 9, 3.0, generator=torch.Generator().manual_seed(s))
        for s in (5, 5, 6)
    )
    assert one.dtype == torch.float32
    assert bool((one[0] == start[0]).all())
    assert bool((one[-1] == stop[0]).all())
    assert bool((one == two).all())
    assert bool((one[1:-1] != other[1:-1]).all())
    still = sample_brownian_bridge(start, stop, 9, max_norm=0)
    assert bool((still == make_straight_line(start, stop, 9)).all())


def test_a_bridge_varies_as_brownian_bridges_do() -> None:
    """The variance of each value is 4 max_norm² t (1 - t) / d, and values at s < t covary by s (1 - t)."""
    d, n_steps, max_norm = 40_000, 10, 3.0
    ends = torch.zeros(1, 1, 200, 200).double(), image(3, 1, 1, 200, 200)
    bridge = sample_brownian_bridge(
        *ends, n_steps, max_norm, generator=torch.Generator().manual_seed(0)
    )
    walk = (bridge - make_straight_line(*ends, n_steps)).flatten(1)
    t = torch.linspace(0, 1, n_steps + 1).double()
    expected = (
        4 * max_norm**2 / d * torch.minimum(t, t[:, None]) * (1 - torch.maximum(t, t[:, None]))
    )
    found = walk @ walk.T / d
    torch.testing.assert_close(found, expected, rtol=0, atol=0.03 * expected.max().item())
    assert walk[n_steps // 2].norm().item() == pytest.approx(max_norm, rel=0.02)


def test_a_bridge_is_half_way_at_half_time() -> None:
    """Ends at distance √2 and a bridge that veers off by 1: half-way along, √2/2 away."""
    shape = (1, 1, 200, 200)
    start = torch.zeros(shape).double()
    stop = torch.full(shape, math.sqrt(2) / 200).double()
    bridge = sample_brownian_bridge(start, stop, 2, generator=torch.Generator().manual_seed(1))
    along, away = deviation_from_line(bridge)
    assert along[1].item() == pytest.approx(0.5, abs=0.02)
    assert away[1].item() == pytest.approx(math.sqrt(2) / 2, rel=0.02)


@settings(max_examples=25)
@given(st.booleans(), st.integers(2, 6), st.integers(0, 2**31))
def test_distances_make_right_triangles(normalize: bool, n_frames: int, seed: int) -> None:
    path = image(seed, n_frames, 2, 3, 3)
    along, away = deviation_from_line(path, normalize)
    unit = (path[-1] - path[0]).norm() if normalize else torch.tensor(1.0)
    hypotenuse = (path - path[:1]).flatten(1).norm(dim=1) / unit
    torch.testing.assert_close(along**2 + away**2, hypotenuse**2, rtol=1e-9, atol=1e-12)
    ends = torch.tensor([0.0, 1.0 if normalize else (path[-1] - path[0]).norm().item()]).double()
    torch.testing.assert_close(along[[0, -1]], ends, rtol=1e-6, atol=1e-12)
    assert away[[0, -1]].max() < 1e-12
    farther, off = deviation_from_line(3 * path + 1, normalize)
    scale = 1 if normalize else 3
    torch.testing.assert_close(farther, scale * along, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(off, scale * away, rtol=1e-9, atol=1e-11)


def test_deviations_have_slopes() -> None:
    path = image(4, 4, 1, 2, 2).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda p: [d[1:-1] for d in deviation_from_line(p)], path)
    (gradient,) = torch.autograd.grad(sum(d.sum() for d in deviation_from_line(path)), path)
    assert bool(torch.isfinite(gradient).all())


def test_translation_moves_to_the_right() -> None:
    picture = image(5)
    moving = translation_sequence(picture, n_steps=6)
    assert moving.shape == (7, 2, 4, 5)
    assert bool((moving[0] == picture[0]).all())
    for frame in range(6):
        assert bool((moving[frame + 1, ..., 1:] == moving[frame, ..., :-1]).all())
        assert bool((moving[frame + 1, ..., 0] == moving[frame, ..., -1]).all())
    assert len(translation_sequence(picture)) == 11


def test_bad_input_gets_a_sentence() -> None:
    a, b = image(1), image(2)
    for n_steps in (0, -3):
        with pytest.raises(InputError, match="n_steps must be a whole number of 1"):
            make_straight_line(a, b, n_steps)
        with pytest.raises(InputError, match="n_steps must be a whole number of 1"):
            translation_sequence(a, n_steps)
    with pytest.raises(InputError, match="both ends of a sequence"):
        make_straight_line(a, b[..., :3], 2)
    with pytest.raises(InputError, match="both ends of a sequence"):
        translation_sequence(torch.cat([a, b]), 2)
    with pytest.raises(InputError, match="max_norm must be 0 or more"):
        sample_brownian_bridge(a, b, 2, -1)
    with pytest.raises(InputError, match="two frames or more"):
        deviation_from_line(a)
    with pytest.raises(InputError, match="no line between"):
        deviation_from_line(torch.cat([a, b, a]))


def regular_polygon(sides: int) -> Tensor:
    at = 2 * math.pi / sides * torch.arange(sides, dtype=torch.float64)
    return torch.stack([at.cos(), at.sin()], dim=1)


def path_of(steps: Tensor) -> Tensor:
    return torch.cat([torch.zeros(1, steps.shape[1], dtype=steps.dtype), steps.cumsum(dim=0)])


CURVATURES = {
    "a straight line": (make_straight_line(image(1), image(2), 5), 0.0),
    "a straight line in unequal steps": (torch.tensor([0.0, 1.0, 5.0, 5.5]).double()[:, None], 0.0),
    "there and back": (torch.tensor([0.0, 1.0, 0.0, 1.0]).double()[:, None], 180.0),
    "a square": (regular_polygon(4), 90.0),
    "a polygon of 12 sides": (regular_polygon(12), 30.0),
    "every step into a new dimension": (path_of(torch.eye(6).double()), 90.0),
}


@pytest.mark.parametrize("name", CURVATURES)
def test_the_curvature_of_known_paths(name: str) -> None:
    path, degrees = CURVATURES[name]
    found = discrete_curvature(path)
    torch.testing.assert_close(found, torch.full_like(found, degrees), rtol=0, atol=1e-6)
    larger = discrete_curvature(3 * path + 1)
    torch.testing.assert_close(larger, found, rtol=0, atol=1e-5)


def test_unrelated_frames_turn_by_120_degrees() -> None:
    """Differences of independent frames share one frame: their correlation is -1/2."""
    found = discrete_curvature(image(3, 12, 1, 100, 100))
    assert found.shape == (10,)
    torch.testing.assert_close(found.mean(), torch.tensor(120.0).double(), rtol=0, atol=1.0)


def test_a_curvature_needs_three_frames_and_steps() -> None:
    with pytest.raises(InputError, match="three frames or more"):
        discrete_curvature(image(1, 2, 3))
    with pytest.raises(InputError, match="two successive frames are equal"):
        discrete_curvature(torch.cat([image(1), image(1), image(2)]))

"""Log-polar windows: they add up to one, have the size they state, and average as a direct sum does."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from torch import Tensor

from stimsynth.transforms.averages import Averages, make_averages
from stimsynth.transforms.log_polar import WINDOW_TYPES, LogPolar, window_averages
from stimuli_store.errors import InputError


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)).double()


def eccentricity(layout: LogPolar) -> np.ndarray:
    """Degrees from fixation, pixel by pixel."""
    height, width = layout.image_shape
    row, column = layout.fixation or ((height - 1) / 2, (width - 1) / 2)
    down, right = np.mgrid[:height, :width]
    return np.hypot(down - row, right - column) / layout.ppd


def exact(layout: LogPolar, grid: tuple[int, int] | None = None) -> Averages:
    return window_averages(layout, torch.float64, grid=grid)


@settings(max_examples=25)
@given(
    height=st.integers(6, 12),
    width=st.integers(6, 12),
    scaling=st.floats(0.05, 1.5),
    row=st.floats(-0.2, 1.2),
    kind=st.sampled_from(WINDOW_TYPES),
    step=st.sampled_from([1, 2, 4]),
)
def test_windows_add_up_to_one_outside_the_fovea(
    height: int, width: int, scaling: float, row: float, kind: str, step: int
) -> None:
    layout = LogPolar(
        image_shape=(4 * height, 4 * width),
        ppd=8,
        scaling=scaling,
        fixation=(4 * row * height, 4 * width / 3),
        window_type=kind,
    )
    windows = exact(layout, (4 * height // step, 4 * width // step))
    weights = windows.weights()
    inside = torch.from_numpy(eccentricity(layout)[::step, ::step] < layout.min_ecc)
    expected = torch.where(inside, 0, torch.ones(inside.shape).double())
    torch.testing.assert_close(weights.sum(0), expected, rtol=0, atol=1e-12)
    assert float(weights.min()) >= 0
    assert set(windows.outside.tolist()) == set(inside.flatten().nonzero().flatten().tolist())
    assert bool((windows.areas >= 0.1).all())
    assert bool((windows.ids.diff() > 0).all())
    assert int(windows.ids.max()) < layout.n_rings * layout.n_angles


@pytest.mark.parametrize("kind", WINDOW_TYPES)
@pytest.mark.parametrize("scaling", [0.3, 0.5, 0.8])
def test_a_window_is_as_wide_as_its_scaling_says(kind: str, scaling: float) -> None:
    """Measured along a ray of fine pixels, and along the circle through the centre."""
    layout = LogPolar(
        image_shape=(1, 10001),
        ppd=250,
        scaling=scaling,
        min_ecc=0.5,
        fixation=(0.0, 0.0),
        window_type=kind,
    )
    weights = exact(layout).weights()[:, 0]
    centres = layout.ring_ecc
    by_ring = torch.zeros(layout.n_rings, weights.shape[1]).double()
    by_ring.index_add_(0, exact(layout).ids // layout.n_angles, weights)
    for ring in range(2, layout.n_rings - 3):
        profile = by_ring[ring].numpy()
        above = np.flatnonzero(profile >= profile.max() / 2)
        width = (above[-1] - above[0] + 1) / layout.ppd
        assert width / centres[ring] == pytest.approx(scaling, rel=0.015)
        if kind == "raised_cosine":
            assert width == pytest.approx(scaling * centres[ring], abs=0.012)
    assert layout.n_angles == round(layout.n_angles)
    assert layout.effective_aspect == pytest.approx(2, rel=1 / layout.n_angles)


@pytest.mark.long
@pytest.mark.parametrize("kind", WINDOW_TYPES)
def test_a_window_is_as_wide_along_the_circle_as_it_says(kind: str) -> None:
    layout = LogPolar(image_shape=(201, 201), ppd=25, scaling=0.7, window_type=kind)
    ring, near = 1, {"raised_cosine": 0.02, "gaussian": 0.03}[kind]
    radius = layout.ring_ecc[ring] * layout.ppd
    turns = np.linspace(0, 2 * math.pi, 20000, endpoint=False)
    rows = np.rint(100 + radius * np.sin(turns)).astype(int)
    columns = np.rint(100 + radius * np.cos(turns)).astype(int)
    windows = exact(layout)
    (place,) = (windows.ids == ring * layout.n_angles + 3).nonzero().flatten().tolist()
    profile = windows.weights()[place].numpy()[rows, columns]
    width = 2 * math.pi * np.mean(profile >= profile.max() / 2)
    assert width == pytest.approx(layout.angular_width, rel=3 * near)
    middle = np.sum(turns * profile) / np.sum(profile)
    assert middle == pytest.approx(3.5 * 2 * math.pi / layout.n_angles, rel=near)


def test_averages_are_direct_sums() -> None:
    layout = LogPolar(image_shape=(40, 56), ppd=10, scaling=0.6, fixation=(12.3, 30.0))
    windows = exact(layout)
    weights = windows.weights().numpy()
    ramp = np.add.outer(0.3 * np.arange(40), 0.1 * np.arange(56))
    expected = [np.sum(w * ramp) / np.sum(w) for w in weights]
    np.testing.assert_allclose(windows.means(torch.from_numpy(ramp)).numpy(), expected, rtol=1e-12)
    x = noise(2, 3, 40, 56)
    mean = windows.means(x)
    torch.testing.assert_close(mean[1, 2], windows.means(x[1, 2]))
    for order, moment in zip((2, 3), windows.central_moments(x, (2, 3)), strict=True):
        away = x.unsqueeze(2) - mean[..., None, None]
        by_hand = (away**order * windows.weights()).sum((-1, -2)) / windows.areas
        torch.testing.assert_close(moment, by_hand, rtol=1e-9, atol=1e-14)


def test_means_of_a_ramp_are_the_integrals_of_the_published_windows() -> None:
    """∫∫ w(r, θ) r cos θ r dr dθ / ∫∫ w r dr dθ, with w written out as flat-topped raised cosines."""

    def window(u: float) -> float:
        return math.cos(math.pi / 2 * min(max(abs(u) - 0.25, 0) / 0.5, 1)) ** 2

    def integral(function: Callable[[float], float]) -> float:
        ends = (-0.75, -0.25, 0.25, 0.75)
        return sum(quad(lambda u: window(u) * function(u), a, b)[0] for a, b in pairwise(ends))

    layout = LogPolar(image_shape=(513, 513), ppd=32, scaling=0.8, min_ecc=1.0, max_ecc=7.5)
    n, ring, gap = layout.n_angles, 1, 2 * math.asinh(0.4)
    windows = exact(layout)
    right = (torch.arange(513).double() - 256).expand(513, 513) / 32
    found = windows.means(right)[(windows.ids // n) == ring]
    radius = integral(lambda u: math.exp(3 * gap * u)) / integral(lambda u: math.exp(2 * gap * u))
    chord = integral(lambda v: math.cos(2 * math.pi / n * v)) / integral(lambda v: 1.0)
    angles = (torch.arange(n).double() + 0.5) * 2 * math.pi / n
    expected = math.exp(1.5 * gap) * radius * chord * torch.cos(angles)
    torch.testing.assert_close(found, expected, rtol=0, atol=3e-4)


@pytest.mark.parametrize("kind", WINDOW_TYPES)
def test_a_flat_image_has_its_value_in_every_window(kind: str) -> None:
    windows = exact(LogPolar(image_shape=(48, 48), ppd=8, scaling=0.3, window_type=kind))
    torch.testing.assert_close(
        windows.means(torch.full((48, 48), 0.37).double()),
        torch.full((len(windows),), 0.37).double(),
    )


def test_windows_become_fewer_as_they_grow() -> None:
    counts = [
        len(window_averages(LogPolar(image_shape=(64, 64), ppd=16, scaling=s)))
        for s in (0.2, 0.4, 0.8)
    ]
    assert all(more > 2 * fewer for more, fewer in pairwise(counts))


def test_turning_the_image_permutes_the_windows() -> None:
    layout = LogPolar(image_shape=(64, 64), ppd=16, scaling=4 * math.pi / 24)
    n = layout.n_angles
    assert n == 24
    windows = exact(layout)
    assert len(windows) == n * layout.n_rings
    x = noise(64, 64)
    turned = torch.rot90(x, -1, (0, 1))  # clockwise, the way polar angle is counted here
    before, after = (windows.means(v).unflatten(0, (-1, n)) for v in (x, turned))
    torch.testing.assert_close(after, torch.roll(before, n // 4, dims=1))


def test_a_coarser_grid_has_the_same_windows() -> None:
    layout = LogPolar(image_shape=(64, 64), ppd=8, scaling=0.7, fixation=(20.0, 40.0))
    fine, coarse = exact(layout), exact(layout, (32, 32))
    kept = torch.isin(fine.ids, coarse.ids[coarse.areas > 2])
    same = torch.isin(coarse.ids, fine.ids[kept])
    torch.testing.assert_close(
        coarse.weights()[same], fine.weights()[kept][:, ::2, ::2], rtol=0, atol=0.02
    )


def test_products_are_linear_in_every_mode_of_differentiation() -> None:
    windows = exact(LogPolar(image_shape=(32, 24), ppd=8))
    x, tangent = noise(2, 3, 32, 24), noise(2, 3, 32, 24, seed=1)
    _, forward = torch.func.jvp(windows.means, (x,), (tangent,))
    torch.testing.assert_close(forward, windows.means(tangent))
    output, pull = torch.func.vjp(windows.means, x)
    weight = noise(*output.shape, seed=2)
    torch.testing.assert_close((pull(weight)[0] * tangent).sum(), (weight * forward).sum())
    for dim in (0, 1):
        mapped = torch.func.vmap(windows.means, in_dims=dim, out_dims=dim)(x)
        torch.testing.assert_close(mapped, output)

    def energy(v: Tensor) -> Tensor:
        return (windows.means(v) ** 2).sum()

    _, twice = torch.func.jvp(torch.func.grad(energy), (x,), (tangent,))
    torch.testing.assert_close(twice, torch.func.grad(energy)(tangent))
    each = torch.func.vmap(torch.func.grad(energy))(x)
    torch.testing.assert_close(each, torch.func.grad(energy)(x))


def test_windows_made_in_inference_mode_serve_gradients_later() -> None:
    layout = LogPolar(image_shape=(31, 29), ppd=8)
    with torch.inference_mode():
        window_averages(layout)
    x = torch.rand(31, 29, requires_grad=True)
    windows = window_averages(layout)
    (variance,) = windows.central_moments(x, (2,))
    (windows.means(x).sum() + variance.sum()).backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad.sum(), torch.tensor(float(len(windows))))  # Σ dVar/dx = 0


def test_a_window_of_next_to_nothing_gives_its_share_to_the_others() -> None:
    entries = (torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]), torch.tensor([0.95, 0.05, 1.0]))
    found = make_averages(entries, (1, 2), torch.float64, "cpu")
    assert found.ids.tolist() == [0, 2]
    assert found.areas.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: LogPolar(image_shape=(32, 32), ppd=8, window_type="box"),
            "unknown window_type 'box'",
        ),
        (lambda: LogPolar(image_shape=(32, 32), ppd=0), "ppd must be a finite number above 0"),
        (
            lambda: LogPolar(image_shape=(32, 32), ppd=8, scaling=-1.0),
            "scaling must be a finite number above 0",
        ),
        (
            lambda: LogPolar(image_shape=(32, 32), ppd=8, scaling=float("nan")),
            "scaling must be a finite number above 0",
        ),
        (lambda: LogPolar(image_shape=(32, 32), ppd=8, min_ecc=9.0), "covers the whole image"),
        (lambda: LogPolar(image_shape=(32, 32), ppd=8, max_ecc=0.1), "above min_ecc"),
        (lambda: LogPolar(image_shape=(32, 32), ppd=8, scaling=99.0), "no ring of windows"),
        (
            lambda: LogPolar(image_shape=(32, 32), ppd=8, fixation=(float("inf"), 0.0)),
            "must be two finite numbers",
        ),
        (
            lambda: exact(LogPolar(image_shape=(32, 32), ppd=8)).means(torch.ones(16, 16).double()),
            "32x32 samples",
        ),
        (
            lambda: exact(
                LogPolar(image_shape=(8, 8), ppd=1, min_ecc=3.0, fixation=(1.0, 1.0)), (1, 1)
            ),
            "lie in the fovea",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()

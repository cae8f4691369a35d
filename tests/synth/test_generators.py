"""Generated images: what their formulas and statistics must be."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats
from scipy.spatial.distance import cdist
from torch import Tensor

from stimsynth.images import (
    STIMULI,
    bars,
    checkerboard,
    dead_leaves,
    grating,
    isotrigon,
    make_synthetic_stimuli,
    pink_noise,
    plaid,
    polar_angle,
    polar_radius,
    scattered_shapes,
    voronoi,
)
from stimsynth.images.noise import as_generator
from stimsynth.images.textures import _radius, _uniform
from stimuli_store.errors import InputError

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
GENERATORS: dict[str, Callable[..., Tensor]] = {
    "pink_noise": pink_noise,
    "dead_leaves": dead_leaves,
    "voronoi": voronoi,
    "isotrigon": isotrigon,
    "scattered_shapes": lambda size, **k: scattered_shapes(size, side_px=3, spacing_px=4, **k),
}
ALL: dict[str, Callable[..., Tensor]] = {
    **GENERATORS,
    "grating": lambda size, **k: grating(size, cycles_per_image=3, direction_deg=20, **k),
    "plaid": lambda size, **k: plaid(size, cycles_per_pixel=0.1, **k),
    "checkerboard": lambda size, **k: checkerboard(size, check_px=4, **k),
    "bars": lambda size, **k: bars(size, bar_px=3, period_px=8, direction_deg=45, **k),
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_images_have_their_shape_type_and_range(name: str, dtype: torch.dtype) -> None:
    image = ALL[name]((24, 33), dtype=dtype)
    assert image.shape == (1, 1, 24, 33)
    assert image.dtype == dtype
    assert 0 <= float(image.min()) < float(image.max()) <= 1
    assert ALL[name](16).dtype == torch.float32


@pytest.mark.parametrize("name", GENERATORS)
def test_a_seed_decides_and_a_generator_goes_on(name: str) -> None:
    make = GENERATORS[name]
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert torch.equal(make(32, seed=3), make(32, seed=3))
    assert not torch.equal(make(32, seed=3), make(32, seed=4))
    generator, again = (torch.Generator().manual_seed(3) for _ in range(2))
    first, second = (make(32, seed=generator) for _ in range(2))
    assert torch.equal(first, make(32, seed=again))
    assert not torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)


# -- polar coordinates -----------------------------------------------------------------------------


@settings(max_examples=25)
@given(size=SIZES, origin=st.none() | st.tuples(st.floats(-3, 9), st.floats(-3, 9)))
def test_angle_and_radius_rebuild_the_grid(
    size: tuple[int, int], origin: tuple[float, float] | None
) -> None:
    angle = polar_angle(size, origin=origin, dtype=torch.float64)
    radius = polar_radius(size, origin=origin, dtype=torch.float64)
    row, column = origin or ((size[0] + 1) / 2, (size[1] + 1) / 2)
    y, x = np.mgrid[1 : size[0] + 1, 1 : size[1] + 1]
    np.testing.assert_allclose(radius * torch.cos(angle), x - column, atol=1e-12)
    np.testing.assert_allclose(radius * torch.sin(angle), y - row, atol=1e-12)
    assert bool((angle > -np.pi).all())
    assert bool((angle <= np.pi).all())


@settings(max_examples=25)
@given(size=SIZES, phase=st.floats(-20, 20))
def test_a_phase_turns_the_angle(size: tuple[int, int], phase: float) -> None:
    plain, turned = (polar_angle(size, phase=p, dtype=torch.float64) for p in (0.0, phase))
    difference = torch.exp(1j * (plain - turned)) - np.exp(1j * phase)
    assert float(difference.abs().max()) < 1e-12
    assert bool(((turned > -np.pi) & (turned <= np.pi)).all())


def test_angles_grow_clockwise_from_the_x_axis() -> None:
    angle = polar_angle(3)
    quarter = np.pi / 2
    expected = [[-1.5, -1, -0.5], [2, 0, 0], [1.5, 1, 0.5]]
    np.testing.assert_allclose(angle, np.array(expected) * quarter, rtol=1e-6)
    counter = polar_angle(3, direction="counter-clockwise")
    np.testing.assert_allclose(counter.flip(0)[[0, 2]], angle[[0, 2]], rtol=1e-6)
    assert polar_angle(3, origin=1)[0, 0] == 0
    torch.testing.assert_close(polar_angle(5, origin=2), polar_angle(5, origin=(2.0, 2.0)))


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
def test_a_radius_is_raised_to_its_power_and_stays_finite(exponent: float) -> None:
    radius = polar_radius((3, 5), dtype=torch.float64)
    power = polar_radius((3, 5), exponent=exponent, dtype=torch.float64)
    away = radius > 0
    torch.testing.assert_close(power[away], radius[away] ** exponent)
    assert power[1, 2] == (1.0 if exponent == 0 else 0.0)
    assert radius.dtype == torch.float64
    assert polar_radius(3).dtype == torch.float32


# -- formulas --------------------------------------------------------------------------------------


def peaks(image: Tensor) -> dict[tuple[int, int], float]:
    """Return the nonzero Fourier amplitudes of an image by frequency (rows, columns), in cycles per image."""
    spectrum = torch.fft.rfft2(image[0, 0].double(), norm="forward").abs()
    spectrum[0, 0] = 0
    height = image.shape[2]
    found = (spectrum > 1e-6).nonzero().tolist()
    return {((r + height // 2) % height - height // 2, c): float(spectrum[r, c]) for r, c in found}


def test_a_grating_is_one_frequency_with_its_contrast() -> None:
    image = grating(64, cycles_per_image=5, contrast=0.4, mean=0.3, dtype=torch.float64)
    assert peaks(image) == {(0, 5): pytest.approx(0.3 * 0.4 / 2)}
    assert float(image.mean()) == pytest.approx(0.3)
    assert float(image[0, 0, 0, 32]) == pytest.approx(0.3 * 1.4)  # light in the middle
    torch.testing.assert_close(
        image, grating(64, cycles_per_pixel=5 / 64, contrast=0.4, mean=0.3).double()
    )


def test_a_direction_turns_a_grating_clockwise() -> None:
    along_rows = grating(32, cycles_per_image=4, direction_deg=90, phase_deg=30)
    torch.testing.assert_close(along_rows, grating(32, cycles_per_image=4, phase_deg=30).mT)
    oblique = grating(64, cycles_per_pixel=2**0.5 * 4 / 64, direction_deg=45, dtype=torch.float64)
    assert list(peaks(oblique)) == [(4, 4)]  # (row, column): down and to the right together


def test_phase_moves_a_grating() -> None:
    moved = grating(32, cycles_per_image=4, phase_deg=90)
    torch.testing.assert_close(
        moved, grating(32, cycles_per_image=4).roll(-2, -1), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("period", [2, 4, 6, 8, 16, 32])
def test_a_square_wave_is_half_light_half_dark(period: int) -> None:
    image = grating(96, cycles_per_pixel=1 / period, waveform="square", contrast=0.5)
    row = image[0, 0, 0]
    assert set(row.tolist()) == {0.25, 0.75}
    for start in range(0, 96 - period, period):
        cycle = row[start : start + period]
        assert int((cycle > 0.5).sum()) == period // 2
        assert int((cycle.diff() != 0).sum()) <= 2
    assert row[48] == 0.75


def test_a_plaid_is_two_frequencies() -> None:
    image = plaid(
        64, cycles_per_image=6, directions_deg=(0, 90), contrasts=(0.5, 0.25), dtype=torch.float64
    )
    found = peaks(image)
    assert found.pop((0, 6)) == pytest.approx(0.5 * 0.5 / 2)
    assert set(found) == {(6, 0), (-6, 0)}  # rows have both signs in a half spectrum
    assert found[6, 0] == pytest.approx(0.5 * 0.25 / 2)


@settings(max_examples=25)
@given(size=SIZES, check=st.integers(1, 5))
def test_a_checkerboard_alternates(size: tuple[int, int], check: int) -> None:
    board = checkerboard(size, check_px=check)[0, 0]
    rows, columns = np.indices(size)
    np.testing.assert_array_equal(board, (rows // check + columns // check) % 2)


@pytest.mark.parametrize(("bar", "period"), [(1, 4), (2, 4), (3, 8), (8, 32), (5, 5)])
def test_bars_have_their_width_and_distance(bar: int, period: int) -> None:
    row = bars((1, 8 * period), bar_px=bar, period_px=period)[0, 0, 0]
    assert set(row.tolist()) <= {0.0, 1.0}
    assert row[4 * period] == 1
    for start in range(7 * period):
        assert int(row[start : start + period].sum()) == bar


# -- random textures -------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("size", [(32, 32), (31, 24)])
def test_the_amplitude_of_noise_is_the_power_law_exactly(
    exponent: float, size: tuple[int, int]
) -> None:
    image = pink_noise(size, exponent=exponent, seed=2, dtype=torch.float64)
    assert float(image.mean()) == pytest.approx(0.5, abs=1e-12)
    assert float((image - 0.5).abs().max()) == pytest.approx(0.5, abs=1e-12)
    amplitude = np.abs(np.fft.fft2(image[0, 0].numpy()))
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1]))
    seen = frequency > 0
    flat = amplitude[seen] * frequency[seen] ** exponent
    np.testing.assert_allclose(flat, flat[0], rtol=1e-9)


def test_noise_of_one_pixel_is_grey() -> None:
    assert pink_noise(1).tolist() == [[[[0.5]]]]


def test_leaves_are_disks_of_one_grey_that_leave_nothing_bare() -> None:
    image = dead_leaves(96, min_radius_px=4, max_radius_px=30, seed=1, dtype=torch.float64)[0, 0]
    greys, counts = image.unique(return_counts=True)
    assert 0 not in greys.tolist()  # the ground
    assert 20 < len(greys) < 1000
    whole = greys[counts.argmax()]
    rows, columns = (image == whole).nonzero().T.double()
    across = max(rows.max() - rows.min(), columns.max() - columns.min())
    assert float(across) <= 60


def test_greys_of_leaves_are_uniform() -> None:
    """The grey of a pixel is that of the leaf on top, which is drawn uniformly."""
    greys = [float(dead_leaves(1, min_radius_px=2, max_radius_px=4, seed=s)) for s in range(300)]
    assert stats.kstest(greys, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 3.0])
def test_radii_follow_their_density(exponent: float) -> None:
    """Against the integral of r ** -exponent from 2 to r, by the trapezoidal rule."""
    r = np.linspace(2, 20, 20001)
    density = r**-exponent
    cumulative = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(r))])
    for which in (0.0, 0.1, 0.5, 0.9):
        expected = np.interp(which, cumulative / cumulative[-1], r)
        assert _radius(which, 2, 20, exponent) == pytest.approx(expected, rel=1e-5)


def test_a_voronoi_pixel_has_the_grey_of_the_nearest_point() -> None:
    image = voronoi((20, 30), cells=12, seed=4, dtype=torch.float64)[0, 0]
    draws = _uniform(as_generator(4, "voronoi"), (12, 3))
    pixels = np.indices((20, 30)).reshape(2, -1).T
    nearest = cdist(pixels, draws[:, :2] * (20, 30) - 0.5).argmin(axis=1)
    np.testing.assert_array_equal(image.numpy().ravel(), draws[nearest, 2])


def pieces(image: Tensor) -> list[int]:
    """Return the areas of connected black regions, also of those that go on across a border."""
    black = np.tile(image[0, 0].numpy() == 0, (3, 3))
    labels, _ = ndimage.label(black, np.ones((3, 3)))
    middle = np.unique(labels[image.shape[2] : -image.shape[2], image.shape[3] : -image.shape[3]])
    return [int((labels == label).sum()) for label in middle if label]


def test_squares_are_one_in_each_cell_and_do_not_touch() -> None:
    image = scattered_shapes((96, 64), side_px=10, spacing_px=32, seed=3)
    assert pieces(image) == [100] * 6


@pytest.mark.parametrize(
    ("shape", "area"),
    [("disk", np.pi / 4), ("bar", 1 / 4), ("plus", 2 / 4 - 1 / 16)],
)
@pytest.mark.parametrize("direction", [0.0, 30.0, None])
def test_shapes_have_their_area_whatever_their_direction(
    shape: str, area: float, direction: float | None
) -> None:
    image = scattered_shapes(
        128,
        shape=shape,  # type: ignore[arg-type]
        side_px=40,
        spacing_px=64,
        direction_deg=direction,
    )
    assert float((image == 0).sum()) / 4 == pytest.approx(area * 40**2, rel=0.05)


def test_bars_lie_along_their_direction() -> None:
    image = scattered_shapes(64, shape="bar", side_px=40, spacing_px=64, direction_deg=60)
    rows, columns = np.nonzero(image[0, 0].numpy() == 0)
    _, axes = np.linalg.eigh(np.cov(np.stack([columns, rows])))
    assert np.degrees(np.arctan2(*axes[::-1, 1])) % 180 == pytest.approx(60, abs=2)
    turned = scattered_shapes(64, shape="bar", side_px=16, direction_deg=None, seed=1)
    assert not torch.equal(turned, scattered_shapes(64, shape="bar", side_px=16, seed=1))


@pytest.mark.parametrize("product", [1, -1])
def test_the_textures_of_julesz_have_no_statistics_below_the_fourth_order(product: int) -> None:
    """Products of two and three pixels average to 0; of the four around a corner it is always the same."""
    many = torch.stack([2 * isotrigon(12, product=product, seed=s)[0, 0] - 1 for s in range(2000)])
    four = many[:, 1:, 1:] * many[:, 1:, :-1] * many[:, :-1, 1:] * many[:, :-1, :-1]
    assert bool((four == product).all())
    corner = many[:, 3:6, 3:6].reshape(2000, 9)
    triples = torch.einsum("ni,nj,nk->ijk", corner, corner, corner) / 2000
    pairs = corner.T @ corner / 2000 - torch.eye(9)
    indices = torch.arange(9)
    distinct = (indices[:, None, None] < indices[:, None]) & (indices[:, None] < indices)
    bound = 5 / 2000**0.5
    assert triples[distinct].abs().max() < bound
    assert pairs.abs().max() < bound
    assert corner.mean(0).abs().max() < bound


# -- the eleven ------------------------------------------------------------------------------------


def test_the_eleven_stimuli_are_what_they_are_called() -> None:
    stimuli = make_synthetic_stimuli(64)
    assert stimuli.shape == (11, 1, 64, 64)
    assert stimuli.dtype == torch.float32
    assert stimuli.requires_grad and stimuli.is_leaf
    by_name = dict(zip(STIMULI, stimuli.detach()[:, 0], strict=True))
    assert all(float(x.min()) == 0 and float(x.max()) == 1 for x in by_name.values())
    assert by_name["impulse"].sum() == 1 and by_name["impulse"][32, 32] == 1
    assert torch.equal(by_name["step_edge"][0], (torch.arange(64) >= 32).float())
    torch.testing.assert_close(by_name["ramp"][:, 5], torch.linspace(0, 1, 64))
    tall, wide = (by_name["bar"].sum(d).max() for d in (0, 1))
    assert tall > 4 * wide > 0
    assert by_name["curv_edge"][-1, -1] == 1 and by_name["curv_edge"][0, 0] == 0
    for name in ("sine_grating", "square_grating"):
        x = by_name[name]
        assert float(x[:8, :8].std()) < 0.05 < float(x[24:40, 24:40].std())
    assert torch.equal(by_name["sine_grating"].argmax(), torch.tensor(32 * 64 + 32))
    upper, lower = by_name["polar_angle"][:32], by_name["polar_angle"][32:]
    assert upper.max() < 0.5 < lower.min()
    ring = 32 + 20 * torch.stack([torch.sin(t := torch.arange(720) * torch.pi / 360), torch.cos(t)])
    around = by_name["angular_sine"][tuple(ring.round().long())]
    assert int(((around > 0.5).int().diff() == 1).sum()) == 6
    plate = by_name["zone_plate"]
    torch.testing.assert_close(plate, plate.mT)
    assert float(plate[31:33, 31:33].min()) > 0.99


def test_the_eleven_need_no_gradient_and_take_a_seed() -> None:
    first, again, other = (
        make_synthetic_stimuli(32, requires_grad=False, seed=s) for s in (1, 1, 2)
    )
    assert not first.requires_grad
    assert torch.equal(first, again)
    assert torch.equal(first[:10], other[:10]) and not torch.equal(first[10], other[10])


@pytest.mark.parametrize("size", [8, 9, 16, 101])
def test_the_eleven_come_in_any_size(size: int) -> None:
    stimuli = make_synthetic_stimuli(size, requires_grad=False)
    assert bool(torch.isfinite(stimuli).all())
    assert torch.equal(stimuli.amax((1, 2, 3)), torch.ones(11))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: polar_angle(0), "size must be a whole number of 1"),
        (lambda: polar_radius((3, 4, 5)), "size, if not one number, must be 2 whole numbers"),  # type: ignore[arg-type]
        (lambda: polar_angle(3, direction="left"), "clockwise"),  # type: ignore[arg-type]
        (lambda: grating(8), "either cycles_per_image or cycles_per_pixel"),
        (lambda: grating(8, cycles_per_image=1, cycles_per_pixel=0.1), "either"),
        (lambda: grating(8, cycles_per_image=5), "0.5 cycles per pixel"),
        (lambda: grating(8, cycles_per_image=1, contrast=1.5), "contrast must lie in"),
        (lambda: grating(8, cycles_per_image=1, mean=0.8), "at most 1"),
        (lambda: grating(8, cycles_per_image=1, waveform="saw"), "'square'"),  # type: ignore[arg-type]
        (lambda: plaid(8, cycles_per_image=1, contrasts=(0.8, 0.8)), "contrast 1.6"),
        (lambda: checkerboard(8, check_px=0), "1 or more"),
        (lambda: bars(8, bar_px=9, period_px=8), "bar_px <= period_px"),
        (lambda: pink_noise(8, seed=1.5), "torch.Generator"),  # type: ignore[arg-type]
        (lambda: dead_leaves(8, min_radius_px=5, max_radius_px=4), "min_radius_px"),
        (lambda: voronoi(8, cells=0), "cells must be a whole number of 1"),
        (lambda: scattered_shapes(8, shape="squre"), "square"),  # type: ignore[arg-type]
        (lambda: scattered_shapes(8, side_px=9, spacing_px=8), "side_px <= spacing_px"),
        (lambda: isotrigon(8, product=0), "1 or -1; not 0"),  # type: ignore[arg-type]
        (lambda: make_synthetic_stimuli(4), "size must be a whole number of 8"),
    ],
)
def test_bad_arguments_get_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()

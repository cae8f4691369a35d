"""The steerable pyramid: exact on every size, faithful to its formulas, and steerable."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.images import load
from stimsynth.transforms import SteerablePyramidFreq, split_orientations, stack_orientations
from stimsynth.transforms.pyramids.masks import frequencies, high_pass, low_pass, oriented
from stimuli_store.errors import InputError


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def energy(coefficients: dict) -> float:  # type: ignore[type-arg]
    return sum(float(c.abs().square().sum()) for c in coefficients.values())


KINDS = [
    {"is_complex": c, "downsample": d, "tight_frame": t}
    for c, d, t in itertools.product((False, True), repeat=3)
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", [(64, 64), (63, 65), (50, 37), (24, 100)])
@pytest.mark.parametrize("order", [1, 4])
def test_joining_gives_the_image_back(kind: dict[str, bool], shape: tuple, order: int) -> None:  # type: ignore[type-arg]
    image = noise(2, 2, *shape)
    pyramid = SteerablePyramidFreq(shape, order=order, **kind).double()
    coefficients = pyramid(image)
    assert float((pyramid.recon_pyr(coefficients) - image).abs().max()) < 1e-12
    if pyramid.tight_frame:
        assert energy(coefficients) == pytest.approx(float((image**2).sum()), rel=1e-10)


@settings(max_examples=40)
@given(
    height=st.integers(16, 70),
    width=st.integers(16, 70),
    order=st.integers(0, 15),
    twidth=st.floats(0.3, 3.0),
    seed=st.integers(0, 99),
)
def test_a_real_tight_frame_keeps_energy(
    height: int, width: int, order: int, twidth: float, seed: int
) -> None:
    image = noise(1, 1, height, width, seed=seed)
    pyramid = SteerablePyramidFreq((height, width), "auto", order, twidth, tight_frame=True)
    coefficients = pyramid(image)
    assert energy(coefficients) == pytest.approx(float((image**2).sum()), rel=1e-10)
    assert float((pyramid.recon_pyr(coefficients) - image).abs().max()) < 1e-12


@settings(max_examples=20)
@given(down=st.integers(-7, 7), right=st.integers(-7, 7), is_complex=st.booleans())
def test_bands_move_with_the_image(down: int, right: int, is_complex: bool) -> None:
    image = noise(1, 1, 33, 40)
    pyramid = SteerablePyramidFreq((33, 40), 2, is_complex=is_complex, downsample=False).double()
    moved = pyramid(image.roll((down, right), (-2, -1)))
    for level, band in pyramid(image).items():
        torch.testing.assert_close(moved[level], band.roll((down, right), (-2, -1)))


def test_a_band_is_the_filter_of_its_formula() -> None:
    """The transfer function written out by hand, by numpy alone, on a full spectrum."""
    image = noise(1, 1, 32, 48)
    order, scale, orientation = 2, 1, 1
    v, u = np.meshgrid(2 * np.fft.fftfreq(32), 2 * np.fft.fftfreq(48), indexing="ij")
    with np.errstate(divide="ignore"):
        r = np.log2(np.hypot(u, v))
    theta = np.arctan2(v, u) - np.pi * orientation / (order + 1)

    def low(x: np.ndarray) -> np.ndarray:
        return np.where(x >= 0, 0, np.where(x <= -1, 1, np.sin(-np.pi / 2 * np.clip(x, -1, 0))))

    def high(x: np.ndarray) -> np.ndarray:
        return np.sqrt(1 - low(x) ** 2)

    c = 2 ** (2 * order) * math.factorial(order) ** 2 / (order + 1) / math.factorial(2 * order)
    angular = np.sqrt(c) * np.cos(theta) ** order
    transfer = (-1j) ** order * low(r) * low(r + 1) * high(r + 2) * angular
    band = np.fft.ifft2(transfer * np.fft.fft2(image[0, 0].numpy()))
    expected = 2 * band.real  # no samples were dropped: twice the value keeps the energy
    found = SteerablePyramidFreq((32, 48), 2, order, downsample=False).double()(image)
    np.testing.assert_allclose(found[scale][0, 0, orientation], expected, atol=1e-13)


def test_masks_tile_the_plane() -> None:
    grid = frequencies((33, 40), half=False)
    for width in (0.5, 1.0, 2.0):
        total = high_pass(grid.log_radius, width) ** 2 + low_pass(grid.log_radius, width) ** 2
        torch.testing.assert_close(total, torch.ones_like(total), atol=1e-15, rtol=0)
    away = torch.hypot(grid.rows, grid.columns) > 0
    for order in (1, 3, 15):
        total = (oriented(grid, order, one_sided=False) ** 2).sum(dim=0)
        torch.testing.assert_close(total[away], torch.ones_like(total[away]))


def test_complex_bands_are_analytic_and_their_real_parts_are_the_real_pyramids() -> None:
    image = noise(1, 1, 65, 64)
    real = SteerablePyramidFreq((65, 64), downsample=False).double()(image)
    pairs = SteerablePyramidFreq((65, 64), downsample=False, is_complex=True).double()(image)
    for scale in (0, 1, 2):
        torch.testing.assert_close(pairs[scale].real, real[scale])
        # A quadrature pair has nothing on one side of the origin: along the band's own axis, u < 0.
        spectrum = torch.fft.fft2(pairs[scale])
        horizontal, vertical = spectrum[:, :, 0, :, 33:], spectrum[:, :, 2, 33:, :]
        assert float(horizontal.abs().max()) < 1e-9
        assert float(vertical.abs().max()) < 1e-9


def test_energy_of_bands_does_not_depend_on_downsampling() -> None:
    image = load("camera", size=64).double()
    for tight in (False, True):
        kept = SteerablePyramidFreq((64, 64), downsample=False, tight_frame=tight).double()(image)
        small = SteerablePyramidFreq((64, 64), tight_frame=tight).double()(image)
        for level in kept:
            energies = [float(c[level].square().sum()) for c in (kept, small)]
            assert energies[0] == pytest.approx(energies[1], rel=1e-10)


def test_an_impulse_in_one_band_makes_the_filter_of_that_band() -> None:
    pyramid = SteerablePyramidFreq((64, 64), 2, order=1).double()
    coefficients = {key: torch.zeros_like(c) for key, c in pyramid(noise(1, 1, 64, 64)).items()}
    coefficients[0][0, 0, 0, 32, 32] = 1
    kernel = pyramid.recon_pyr(coefficients)[0, 0]
    # The first orientation of order 1 is a derivative along x: odd in x, even in y.
    mirrored = kernel.flip(1).roll(1, 1)
    torch.testing.assert_close(mirrored, -kernel, atol=1e-12, rtol=0)
    torch.testing.assert_close(kernel.flip(0).roll(1, 0), kernel, atol=1e-12, rtol=0)
    assert float(kernel.abs().max()) > 0.1


def test_parts_of_an_image_add_up() -> None:
    image = noise(1, 2, 40, 40)
    pyramid = SteerablePyramidFreq((40, 40), is_complex=True).double()
    coefficients = pyramid(image)
    by_level = sum(pyramid.recon_pyr(coefficients, levels=[level]) for level in pyramid.scales)
    torch.testing.assert_close(by_level, image, atol=1e-12, rtol=0)
    ends = ["residual_lowpass", "residual_highpass"]
    by_band = sum(
        pyramid.recon_pyr(coefficients, list(range(pyramid.num_scales)), [b]) for b in range(4)
    )
    torch.testing.assert_close(
        by_band + pyramid.recon_pyr(coefficients, ends), image, atol=1e-12, rtol=0
    )
    some = pyramid(image, scales=[1, "residual_lowpass"])
    assert list(some) == [1, "residual_lowpass"]
    torch.testing.assert_close(some[1], coefficients[1], atol=0, rtol=0)
    one_part = pyramid.recon_pyr(some, levels=[1])
    torch.testing.assert_close(one_part, pyramid.recon_pyr(coefficients, levels=[1]))


@pytest.mark.parametrize("split_complex", [False, True])
@pytest.mark.parametrize("is_complex", [False, True])
def test_one_tensor_and_back(split_complex: bool, is_complex: bool) -> None:
    pyramid = SteerablePyramidFreq((32, 32), is_complex=is_complex, downsample=False)
    coefficients = pyramid(noise(2, 2, 32, 32).float())
    tensor, info = pyramid.convert_pyr_to_tensor(coefficients, split_complex)
    bands = 3 * 4 * (2 if is_complex and split_complex else 1) + 2
    assert tensor.shape == (2, 2 * bands, 32, 32)
    assert tensor.is_complex() == (is_complex and not split_complex)
    # Channels come one after the other, each from the high-pass to the low-pass residual.
    torch.testing.assert_close(tensor[:, bands].real, coefficients["residual_highpass"][:, 1])
    torch.testing.assert_close(tensor[:, -1].real, coefficients["residual_lowpass"][:, 1])
    back = pyramid.convert_tensor_to_pyr(tensor, *info)
    assert list(back) == list(coefficients)
    assert all(torch.equal(back[key], coefficients[key]) for key in coefficients)


def test_views_by_orientation_are_undone() -> None:
    pyramid = SteerablePyramidFreq((32, 32))
    coefficients = pyramid(noise(1, 1, 32, 32).float())
    bands = split_orientations(coefficients)
    assert list(bands)[:3] == ["residual_highpass", (0, 0), (0, 1)]
    assert bands[1, 2].data_ptr() == coefficients[1][:, :, 2].data_ptr()
    again = stack_orientations(bands)
    assert all(torch.equal(again[key], coefficients[key]) for key in coefficients)
    torch.testing.assert_close(pyramid.recon_pyr(bands), pyramid.recon_pyr(coefficients))


@settings(max_examples=20)
@given(order=st.integers(0, 6), turn=st.floats(-4, 4))
def test_steering_makes_the_band_of_the_turned_filter(order: int, turn: float) -> None:
    """The steered band is the one whose angular function is centred on the new angle, by formula."""
    image = noise(1, 1, 32, 32)
    pyramid = SteerablePyramidFreq((32, 32), 1, order).double()
    coefficients = pyramid(image)
    own = [math.pi * b / (order + 1) for b in range(order + 1)]
    steered, weights = pyramid.steer_coeffs(coefficients, [*own, turn])
    torch.testing.assert_close(steered[0][:, :, :-1], coefficients[0], atol=1e-12, rtol=0)
    assert weights[0].shape == (order + 1, order + 2)
    v, u = np.meshgrid(2 * np.fft.fftfreq(32), 2 * np.fft.fftfreq(32), indexing="ij")
    grid = frequencies((32, 32), half=False)
    radial = low_pass(grid.log_radius, 1) * high_pass(grid.log_radius + 1, 1)
    count = order + 1
    scale = 2.0**order * math.factorial(order) / math.sqrt(count * math.factorial(2 * order))
    angular = scale * np.cos(np.arctan2(v, u) - turn) ** order
    transfer = (-1j) ** order * radial.numpy() * angular
    # At an even number of samples the Nyquist lines carry nothing, so the band is real.
    expected = np.fft.ifft2(transfer * np.fft.fft2(image[0, 0].numpy())).real
    np.testing.assert_allclose(steered[0][0, 0, -1], expected, atol=1e-12)


def test_it_learns_nothing_and_lets_gradients_through() -> None:
    """A convolutional layer on top of the pyramid learns; the pyramid itself has no parameters."""
    pyramid = SteerablePyramidFreq((16, 16), downsample=False, is_complex=True)
    assert not list(pyramid.parameters())
    image = noise(1, 1, 16, 16).requires_grad_(True)
    coefficients = pyramid(image)
    total = sum(c.abs().square().sum() for c in coefficients.values())
    (gradient,) = torch.autograd.grad(total, image)
    step = 1e-6 * noise(1, 1, 16, 16, seed=1)
    change = [
        sum(float(c.detach().abs().square().sum()) for c in pyramid(image + sign * step).values())
        for sign in (1, -1)
    ]
    assert float((gradient * step).sum()) == pytest.approx((change[0] - change[1]) / 2, rel=1e-6)


def test_tables_follow_the_image_and_the_module() -> None:
    image = noise(1, 1, 32, 32)
    exact = SteerablePyramidFreq((32, 32)).double()(image)
    single = SteerablePyramidFreq((32, 32))
    again = single.double().float().double()(image)
    for level, coefficients in single(image).items():  # a float32 module, a float64 image
        assert torch.equal(coefficients, exact[level])
        assert torch.equal(again[level], exact[level])
        assert single.float()(image.float())[level].dtype == torch.float32


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: SteerablePyramidFreq((32,)), r"image_shape, \(height, width\), must be 2 whole"),  # type: ignore[arg-type]
        (lambda: SteerablePyramidFreq((32.5, 32)), "whole numbers"),  # type: ignore[arg-type]
        (lambda: SteerablePyramidFreq((32, 32), 4), "from 0 to 3 for images of 32x32; not 4"),
        (lambda: SteerablePyramidFreq((32, 32), order=16), "from 0 to 15"),
        (lambda: SteerablePyramidFreq((32, 32), order=0, is_complex=True), "from 1 to 15"),
        (lambda: SteerablePyramidFreq((32, 32), twidth=0), "twidth must be a positive"),
        (lambda: SteerablePyramidFreq((32, 32))(torch.zeros(1, 1, 32, 31)), r"channel, 32, 32\)"),
        (lambda: SteerablePyramidFreq((32, 32))(torch.zeros(32, 32)), r"channel, 32, 32\)"),
        (
            lambda: SteerablePyramidFreq((32, 32))(torch.zeros(1, 1, 32, 32), [3]),
            r"this pyramid has the levels residual_lowpass, 2, 1, 0, residual_highpass; not \[3\]",
        ),
        (
            lambda: SteerablePyramidFreq((32, 32)).recon_pyr({0: torch.zeros(1, 1, 4, 32, 32)}),
            "needs the coefficients of residual_lowpass, 2, 1, residual_highpass",
        ),
        (
            lambda: SteerablePyramidFreq((32, 32)).recon_pyr(
                {0: torch.zeros(1, 1, 4, 32, 32)}, [0], [4]
            ),
            "orientations from 0 to 3",
        ),
        (
            lambda: SteerablePyramidFreq((32, 32), is_complex=True).steer_coeffs({}, [0.1]),
            "only a real pyramid can be steered",
        ),
        (
            lambda: SteerablePyramidFreq.convert_pyr_to_tensor(
                SteerablePyramidFreq((32, 32))(torch.zeros(1, 1, 32, 32))
            ),
            "downsample=False",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call()


def test_one_angle_or_level_need_not_be_in_a_list() -> None:
    pyramid = SteerablePyramidFreq((32, 32)).double()
    coefficients = pyramid(noise(1, 1, 32, 32))
    steered, weights = pyramid.steer_coeffs(coefficients, 0.3)
    listed, _ = pyramid.steer_coeffs(coefficients, [0.3])
    assert torch.equal(steered[0], listed[0])
    assert weights[0].shape == (4, 1)
    assert list(pyramid(noise(1, 1, 32, 32), scales=1)) == [1]
    assert torch.equal(pyramid.recon_pyr(coefficients, 0), pyramid.recon_pyr(coefficients, [0]))

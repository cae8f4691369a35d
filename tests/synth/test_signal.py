"""Signal tools: known answers, invariances, gradients that stay finite, sentences for bad input."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stimsynth.metrics import mse
from stimsynth.models import OnOff
from stimsynth.transforms.masks import interpolate1d, make_disk, raised_cosine
from stimsynth.transforms.padding import same_padding
from stimsynth.transforms.polar import modulate_phase, polar_to_rectangular, rectangular_to_polar
from stimsynth.transforms.signal import add_noise, center_crop, maximum, minimum, rescale
from stimsynth.transforms.spectrum import autocorrelation, expand, shrink
from stimsynth.transforms.steering import harmonic_matrix, steer, steering_weights
from stimsynth.validate import remove_grad
from stimuli_store.errors import InputError

few = settings(max_examples=25, deadline=None)
sides = st.integers(1, 9)
seeds = st.integers(0, 2**31)


def signal(*shape: int, seed: int = 0, complex_valued: bool = False) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.complex128 if complex_valued else torch.float64
    return torch.randn(shape, generator=generator, dtype=dtype)


def close(found: Tensor, expected: Tensor, atol: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=atol)


# Changing the size


@few
@given(sides, sides, st.integers(2, 4), st.booleans(), seeds)
def test_expand_keeps_its_samples_and_shrink_goes_back(
    height: int, width: int, factor: int, complex_valued: bool, seed: int
) -> None:
    x = signal(2, height, width, seed=seed, complex_valued=complex_valued)
    large = expand(x, factor)
    assert large.shape == (2, factor * height, factor * width)
    assert large.dtype == x.dtype
    close(large[..., ::factor, ::factor], x)
    close(shrink(large, factor), x)
    close(large.mean(dim=(-2, -1)), x.mean(dim=(-2, -1)))


@pytest.mark.parametrize("complex_valued", [False, True])
@pytest.mark.parametrize(
    ("size", "factor"), [((4, 8), 1.5), ((6, 4), 2.5), ((10, 20), 1.1), ((5, 10), 1.2)]
)
def test_expand_takes_fractions_that_make_whole_sides(
    size: tuple[int, int], factor: float, complex_valued: bool
) -> None:
    """The samples that both grids have are kept: every p-th of the large one is every q-th of the small."""
    x = signal(*size, complex_valued=complex_valued)
    large = expand(x, factor)
    p, q = (
        round(factor * 10) // math.gcd(round(factor * 10), 10),
        10 // math.gcd(round(factor * 10), 10),
    )
    close(large[::p, ::p], x[::q, ::q])
    close(shrink(large, factor), x)


@pytest.mark.parametrize(("height", "width"), [(6, 8), (5, 7), (6, 7), (5, 8)])
def test_expand_is_the_trigonometric_interpolation(height: int, width: int) -> None:
    """Written out as a sum over interpolation kernels (Dirichlet's), one for every sample."""

    def kernel(t: np.ndarray, n: int) -> np.ndarray:
        whole = np.isclose(np.sin(np.pi * t), 0)
        down = np.where(whole, 1.0, n * (np.tan if n % 2 == 0 else np.sin)(np.pi * t / n))
        return np.where(whole, np.isclose((t / n) % 1, 0).astype(float), np.sin(np.pi * t) / down)

    x = signal(height, width)
    rows, columns = (
        kernel(np.arange(3 * n)[:, None] / 3 - np.arange(n)[None], n) for n in (height, width)
    )
    close(expand(x, 3), torch.from_numpy(rows @ x.numpy() @ columns.T))


@few
@given(st.sampled_from([(8, 12), (12, 10), (6, 18)]), st.booleans(), seeds)
def test_shrink_goes_back_from_the_nearest_expandable_signal(
    size: tuple[int, int], complex_valued: bool, seed: int
) -> None:
    """x minus what shrink and expand keep of it is orthogonal to everything expand can make."""
    x = signal(*size, seed=seed, complex_valued=complex_valued)
    rest = x - expand(shrink(x, 2), 2)
    other = expand(signal(size[0] // 2, size[1] // 2, seed=seed + 1), 2)
    assert abs(torch.vdot(other.flatten().to(rest), rest.flatten())) < 1e-11


def test_shrink_is_sampling_where_nothing_is_too_fine() -> None:
    row = torch.cos(2 * torch.pi * 3 * torch.arange(16).double() / 16 + 0.4)
    x = torch.outer(row, row.roll(5))
    close(shrink(x, 2), x[::2, ::2])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: expand(x, 1), "above 1; not 1"),
        (lambda x: expand(x, 1.3), "expand by 1.3 makes 7.8x9.1 of 6x7"),
        (lambda x: shrink(x, 2), "shrink by 2 makes 3x3.5 of 6x7"),
        (lambda x: shrink(x, float("nan")), "above 1"),
        (lambda x: expand(x[0], 2), "takes a signal"),
        (lambda x: autocorrelation(x.long()), "takes a signal"),
    ],
)
def test_sizes_that_cannot_be_get_a_sentence(
    call: Callable[[Tensor], Tensor], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        call(signal(6, 7))


# Autocorrelation


@few
@given(sides, sides, st.booleans(), seeds)
def test_autocorrelation_is_the_direct_sum(
    height: int, width: int, complex_valued: bool, seed: int
) -> None:
    x = signal(height, width, seed=seed, complex_valued=complex_valued)
    found = autocorrelation(x)
    for row, column in ((0, 0), (1, 0), (0, 1), (2, 3)):
        shifted = x.roll((-row, -column), dims=(0, 1))
        at = found[(height // 2 + row) % height, (width // 2 + column) % width]
        close(at, (x.conj() * shifted).mean())


@few
@given(sides, sides, seeds)
def test_autocorrelation_is_even_with_its_peak_in_the_middle(
    height: int, width: int, seed: int
) -> None:
    x = signal(2, height, width, seed=seed)
    x = x - x.mean(dim=(-2, -1), keepdim=True)
    found = autocorrelation(x)
    middle = found[:, height // 2, width // 2]
    close(
        middle, x.var(dim=(-2, -1), correction=0) if height * width > 1 else torch.zeros(2).double()
    )
    assert bool((found.abs().amax(dim=(-2, -1)) <= middle + 1e-12).all())
    origin_first = torch.fft.ifftshift(found, dim=(-2, -1))
    close(origin_first.flip((-2, -1)).roll((1, 1), dims=(-2, -1)), origin_first)


# Phases


@few
@given(st.sampled_from([2.0, 1.0, 0.5, 3, -1]), seeds)
def test_a_phase_is_multiplied_and_a_modulus_kept(factor: float, seed: int) -> None:
    z = signal(5, 6, seed=seed, complex_valued=True)
    expected = z.abs() * torch.exp(1j * factor * z.angle())
    close(modulate_phase(z, factor), expected)


def test_polar_coordinates_go_there_and_back() -> None:
    z = signal(3, 4, complex_valued=True)
    amplitude, phase = rectangular_to_polar(z)
    close(amplitude, z.abs())
    close(phase, z.angle())
    close(polar_to_rectangular(amplitude, phase), z)


@pytest.mark.parametrize("value", [0j, 1e-30 + 1e-30j, 1e-42j, -1e-20 + 0j, 3 - 4j])
@pytest.mark.parametrize(
    "function",
    [
        modulate_phase,
        lambda z: modulate_phase(z, 1.5),
        lambda z: rectangular_to_polar(z)[0],
        lambda z: rectangular_to_polar(z)[1] * 1e-10,
    ],
)
def test_slopes_are_finite_at_zero_and_near_it(
    function: Callable[[Tensor], Tensor], value: complex
) -> None:
    z = torch.tensor([value], dtype=torch.complex64, requires_grad=True)
    y = function(z)
    (gradient,) = torch.autograd.grad(y.abs().sum(), z)
    _, slope = torch.func.jvp(function, (z.detach(),), (torch.ones_like(z),))
    for result in (y, gradient, slope):
        assert bool(torch.isfinite(result.abs()).all())
    if value == 0:
        assert y.abs().item() == 0
        assert gradient.abs().item() == 0


@pytest.mark.parametrize("factor", [2.0, 0.7])
def test_slopes_of_phases_are_right_and_vectorize(factor: float) -> None:
    z = signal(2, 3, seed=4, complex_valued=True).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda z: modulate_phase(z, factor), z)
    assert torch.autograd.gradcheck(lambda z: rectangular_to_polar(z), z)
    vectorized = torch.func.vmap(lambda row: modulate_phase(row, factor))(z)
    close(vectorized, modulate_phase(z, factor))
    amplitude, phase = rectangular_to_polar(z)
    close(torch.func.vmap(polar_to_rectangular)(amplitude, phase), z)


def test_phases_of_what_has_none_get_a_sentence() -> None:
    for function in (rectangular_to_polar, modulate_phase):
        with pytest.raises(InputError, match=r"complex values; not torch\.float64"):
            function(signal(3))
    with pytest.raises(InputError, match="smallest given is -2"):
        polar_to_rectangular(torch.tensor([1.0, -2.0]), torch.zeros(2))


# Range, crop, noise, extremes


@few
@given(seeds, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0.1, 100), st.floats(-50, 50))
def test_rescale_reaches_its_ends_whatever_the_unit_was(
    seed: int, a: float, b: float, scale: float, shift: float
) -> None:
    x = signal(4, 5, seed=seed)
    y = rescale(x, a, b)
    assert y.flatten()[x.argmin()].item() == a
    assert y.flatten()[x.argmax()].item() == b
    close(rescale(scale * x + shift, a, b), y, atol=1e-9)


def test_rescale_by_hand_and_of_equal_values() -> None:
    thirds = torch.arange(4, dtype=torch.float64) / 3
    close(rescale(torch.tensor([2, 4, 6, 8], dtype=torch.float64)), thirds)
    x = torch.full((2, 3), 0.7, requires_grad=True)
    y = rescale(x, -1, 1)
    assert y.tolist() == [[-1.0] * 3] * 2
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("size", [(6, 6), (6, 7), (7, 8)])
@pytest.mark.parametrize("side", [1, 2, 3, 6])
def test_a_crop_has_the_centre_in_its_centre(size: tuple[int, int], side: int) -> None:
    x = torch.arange(size[0] * size[1]).view(1, *size)
    cropped = center_crop(x, side)
    assert cropped.shape == (1, side, side)
    assert cropped[0, side // 2, side // 2] == x[0, size[0] // 2, size[1] // 2]
    assert cropped[0, -1, 0] - cropped[0, 0, 0] == (side - 1) * size[1]


@pytest.mark.parametrize("side", [0, 8, -1, 2.0, True])
def test_a_crop_that_cannot_be_gets_a_sentence(side: Any) -> None:
    with pytest.raises(InputError, match=r"output_size is one whole|cannot be cropped"):
        center_crop(torch.zeros(7, 9), side)


@few
@given(st.lists(st.floats(0, 100), min_size=1, max_size=3), st.integers(1, 3), seeds)
def test_noise_has_its_error_exactly(errors: list[float], channels: int, seed: int) -> None:
    image = signal(1, channels, 5, 4, seed=seed)
    noisy = add_noise(image, errors, generator=torch.Generator().manual_seed(seed))
    wanted = torch.tensor(errors, dtype=torch.float64)[:, None].expand(-1, channels)
    torch.testing.assert_close(mse(image, noisy), wanted, rtol=1e-11, atol=1e-12)
    close((noisy - image).mean(dim=(-2, -1)), torch.zeros(len(errors), channels).double(), 1e-12)


def test_noise_comes_from_its_generator_and_is_normal() -> None:
    image = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    one, two, other = (
        add_noise(image, 4.0, generator=torch.Generator().manual_seed(s)) for s in (3, 3, 4)
    )
    assert one.dtype == image.dtype
    assert bool((one == two).all())
    assert bool((one != other).any())
    assert bool((one[0] - image[0] != one[1] - image[1]).any())
    within = ((one - image).abs() < 2).float().mean().item()  # one standard deviation
    assert within == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.02)


@pytest.mark.parametrize(
    ("image", "error", "sentence"),
    [
        (torch.zeros(2, 1, 4, 4), [1.0, 2.0, 3.0], "each of 2 images; 3 were given"),
        (torch.zeros(1, 1, 4, 4), -1.0, "0 or more"),
        (torch.zeros(1, 4, 4), 1.0, "noise is added to images"),
        (torch.zeros(1, 1, 1, 1), 1.0, "more than one pixel"),
    ],
)
def test_noise_that_cannot_be_gets_a_sentence(image: Tensor, error: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        add_noise(image, error)


@pytest.mark.parametrize("dim", [None, 0, -1, [0, 2], (1,), [-1, 0, 1]])
@pytest.mark.parametrize("keepdim", [False, True])
def test_extremes_are_numpys(dim: Any, keepdim: bool) -> None:
    x = signal(3, 4, 5)
    axes = tuple(dim) if isinstance(dim, list) else dim
    for function, peer in ((maximum, np.max), (minimum, np.min)):
        expected = np.asarray(peer(x.numpy(), axis=axes, keepdims=keepdim))
        close(function(x, dim, keepdim), torch.from_numpy(expected), 0)
    with pytest.raises(InputError, match="each once"):
        maximum(x, [0, -3])


# Tables and masks


def test_a_raised_cosine_runs_between_its_values() -> None:
    x, y = raised_cosine(width=0.5, position=2, values=(3, -1))
    assert x[1] == pytest.approx(1.75)
    assert x[-2] == pytest.approx(2.25)
    assert y[0] == y[1] == 3
    assert y[-1] == y[-2] == pytest.approx(-1)
    expected = 3 - 4 * np.cos(np.pi * (x - 2) / (2 * 0.5) - np.pi / 4) ** 2
    np.testing.assert_allclose(y[1:-1], expected[1:-1], atol=1e-12)
    with pytest.raises(InputError, match="positive; not 0"):
        raised_cosine(width=0)


@few
@given(
    st.lists(st.integers(-4, 4), min_size=1, max_size=6),
    st.lists(st.floats(-6, 6) | st.integers(-5, 5).map(float), min_size=1, max_size=8),
    seeds,
)
def test_interpolation_is_numpys(positions: list[int], wanted: list[float], seed: int) -> None:
    """Jumps (positions that occur twice) and places beyond the ends included."""
    x = np.sort(np.asarray(positions, dtype=float))
    y = signal(len(x), seed=seed).numpy()
    found = interpolate1d(torch.tensor(wanted, dtype=torch.float64), y, x)
    np.testing.assert_allclose(found.numpy(), np.interp(wanted, x, y), atol=1e-12)


def test_interpolation_keeps_type_and_shape_and_has_slopes() -> None:
    x, y = torch.tensor([0.0, 1.0, 3.0]), torch.tensor([0.0, 2.0, 0.0])
    at = torch.tensor([[0.5, 2.0], [-1.0, 5.0]], requires_grad=True)
    found = interpolate1d(at, y, x)
    assert found.dtype == torch.float32
    assert found.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    (slope,) = torch.autograd.grad(found.sum(), at)
    assert slope.tolist() == [[2.0, -1.0], [0.0, 0.0]]
    assert interpolate1d(torch.tensor([1, 3]), y, x).tolist() == [2.0, 0.0]
    with pytest.raises(InputError, match="ascend"):
        interpolate1d(at, y, x.flip(0))
    with pytest.raises(InputError, match="as many values"):
        interpolate1d(at, y[:2], x)


@pytest.mark.parametrize("size", [(16, 16), (15, 22)])
def test_a_disk_is_its_profile(size: tuple[int, int]) -> None:
    disk = make_disk(size, outer_radius=6.5, inner_radius=3, dtype=torch.float64)
    for row in range(size[0]):
        for column in range(size[1]):
            r = math.hypot(row - (size[0] - 1) / 2, column - (size[1] - 1) / 2)
            soft = math.cos(math.pi / 2 * (r - 3) / 3.5) ** 2
            expected = 1.0 if r <= 3 else 0.0 if r >= 6.5 else soft
            assert disk[row, column].item() == pytest.approx(expected, abs=1e-12)


def test_a_disk_has_defaults_and_a_hard_edge() -> None:
    close(make_disk(9), make_disk((9, 9), outer_radius=4, inner_radius=2), 0)
    hard = make_disk(5, outer_radius=2, inner_radius=2)
    assert hard.sum().item() == 13
    for wrong in ({"outer_radius": 2, "inner_radius": 3}, {"inner_radius": -1}):
        with pytest.raises(InputError, match="0 <= inner <= outer"):
            make_disk(9, **wrong)
    with pytest.raises(InputError, match="img_size"):
        make_disk((3, 3, 3))


def test_front_ends_are_masked_with_the_disk() -> None:
    image = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    plain, masked = (
        remove_grad(OnOff((7, 7), pretrained=False, apply_mask=mask))(image)
        for mask in (False, True)
    )
    close(masked, plain * make_disk(40), 0)


# Padding


@pytest.mark.parametrize("kernel", [(3, 3), (1, 4), (5, 2)])
@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
@pytest.mark.parametrize("dilation", [1, (2, 1)])
def test_same_padding_keeps_the_size(kernel: Any, stride: Any, dilation: Any) -> None:
    image = signal(1, 1, 13, 12)
    padded = same_padding(image, kernel, stride, dilation, pad_mode="constant")
    weight = torch.ones(1, 1, *kernel).double()
    found = F.conv2d(padded, weight, stride=stride, dilation=dilation)
    steps = (stride, stride) if isinstance(stride, int) else stride
    assert found.shape[-2:] == (math.ceil(13 / steps[0]), math.ceil(12 / steps[1]))


@pytest.mark.parametrize("shape", [(6, 7), (2, 6, 7), (2, 3, 1, 6, 7)])
def test_same_padding_goes_round_and_takes_any_batch(shape: tuple[int, ...]) -> None:
    image = signal(*shape)
    padded = same_padding(image, (3, 4))
    assert padded.shape[:-2] == shape[:-2]
    rows, columns = np.arange(-1, 7) % 6, np.arange(-1, 9) % 7
    close(padded, image[..., rows, :][..., columns], 0)


def test_padding_too_far_gets_a_sentence() -> None:
    image = signal(1, 1, 4, 4)
    for call, sentence in (
        (lambda: same_padding(image, 9, pad_mode="reflect"), "cannot be continued by 4 rows"),
        (lambda: same_padding(image, 11), "with 'circular' padding"),
        (lambda: same_padding(image, 3, stride=0), "stride is a positive"),
        (lambda: same_padding(image, 3, pad_mode="mirror"), "pad_mode is one of"),
    ):
        with pytest.raises(InputError, match=sentence):
            call()
    assert same_padding(image, 9, pad_mode="replicate").shape == (1, 1, 12, 12)


# Steering


def copies(n: int, theta: Tensor, harmonics: list[int], even: bool = True) -> Tensor:
    """Rotated copies of a function with random harmonics, at the directions theta: (len(theta), n)."""
    strengths = torch.linspace(1, 2, len(harmonics)).double()
    wave = torch.cos if even else torch.sin
    turned = theta[:, None] - torch.pi * torch.arange(n).double() / n
    parts = [s * wave(h * turned) for s, h in zip(strengths, harmonics, strict=True)]
    return torch.stack(parts).sum(dim=0)


BASES = [
    (1, None),
    (2, None),
    (3, None),
    (4, None),
    (5, None),
    (4, [1, 3]),
    (3, [0, 2]),
    (5, [0, 2, 4]),
]


@pytest.mark.parametrize(("n", "harmonics"), BASES)
def test_a_weight_at_its_own_angle_is_one(n: int, harmonics: list[int] | None) -> None:
    angles = torch.pi * torch.arange(n).double() / n
    close(steering_weights(angles, n, harmonics), torch.eye(n).double())


@few
@given(st.sampled_from(BASES), st.floats(-7, 7))
def test_steering_turns_the_function(base: tuple[int, list[int] | None], angle: float) -> None:
    """The steered basis is the function itself, turned to the new angle."""
    n, harmonics = base
    orders = harmonics or list(range(1 - n % 2, n, 2))
    theta = torch.linspace(0, 6, 11).double()
    found, weights = steer(copies(n, theta, orders), angle, harmonics, return_weights=True)
    assert weights.shape == (n,)
    close(found, copies(n, theta - angle, orders)[:, :1], 1e-11)


def test_many_angles_in_one_call_are_many_calls() -> None:
    basis = signal(2, 6, 4)
    angles = signal(6)
    listed, weights = steer(basis, angles, return_weights=True)
    alone = [steer(basis, angle.item(), return_weights=True) for angle in angles]
    close(listed, torch.cat([found for found, _ in alone], dim=-1))
    close(weights, torch.stack([w for _, w in alone]))
    each, weights = steer(basis[0], angles[:, None], return_weights=True)
    close(each, torch.stack([alone[i][0][0, i] for i in range(6)]))
    close(weights, torch.stack([w for _, w in alone]))
    numpy_too = steer(basis[0], angles[:, None].numpy())
    close(numpy_too, each)


def test_an_odd_basis_steers_to_its_even_partner() -> None:
    theta = torch.linspace(0, 6, 13).double()
    odd = -copies(4, theta, [1, 3], even=False)  # sin h(angle of the copy - theta)
    close(steer(odd, 0.7, even_phase=False), copies(4, theta - 0.7, [1, 3])[:, :1], 1e-11)


def test_a_basis_at_other_angles_steers_by_its_matrix() -> None:
    at = torch.tensor([0.1, 0.9, 1.5, 2.6]).double()
    theta = torch.linspace(0, 6, 13).double()
    basis = torch.cos(theta[:, None] - at) + 0.5 * torch.cos(3 * (theta[:, None] - at))
    found = steer(basis, 2.0, steermtx=harmonic_matrix([1, 3], at.tolist()))
    close(found[:, 0], torch.cos(theta - 2) + 0.5 * torch.cos(3 * (theta - 2)), 1e-11)


def test_steering_keeps_type_and_has_slopes() -> None:
    assert steer(signal(3, 2).float(), 0.3).dtype == torch.float32
    basis = signal(3, 4).requires_grad_(True)
    angles = signal(3, 1).requires_grad_(True)
    assert torch.autograd.gradcheck(steer, (basis, angles))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda b: steer(b, torch.zeros(6, 2)), "one for each position"),
        (lambda b: steer(b, 0.0, harmonics=[1]), "do not make the 4"),
        (lambda b: steer(b, 0.0, steermtx=torch.eye(3)), "matrix of 4x4"),
        (lambda b: steer(b, 0.0, harmonics=[1, 1]), "told apart"),
    ],
)
def test_steering_that_cannot_be_gets_a_sentence(
    call: Callable[[Tensor], Tensor], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        call(signal(6, 4))

"""Signal tools, moments, gain control, steering and Jacobians beside plenoptic, pyrtools and numpy."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stimsynth import losses, metrics
from stimsynth.images import load
from stimsynth.methods.eigen import fisher as derivatives
from stimsynth.transforms import gain_control, statistics
from stimsynth.transforms.fourier_resampling import autocorrelation, expand, shrink
from stimsynth.transforms.masks import interpolate1d, make_disk, raised_cosine
from stimsynth.transforms.padding import same_padding
from stimsynth.transforms.polar import modulate_phase, polar_to_rectangular, rectangular_to_polar
from stimsynth.transforms.pyramids.steering import harmonic_matrix, steer
from stimsynth.transforms.signal import center_crop, rescale

pytestmark = pytest.mark.filterwarnings("ignore")  # what peers warn of is theirs


@pytest.fixture
def po() -> Iterator[Any]:
    """The peer, which makes its windows in the default type, whatever the images' type is."""
    peer = pytest.importorskip("plenoptic")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield peer
    torch.set_default_dtype(before)


def picture(size: int = 48) -> Tensor:
    return load("coffee", size=size).double()


def noise(*shape: int, seed: int = 0, complex_valued: bool = False) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    dtype = torch.complex128 if complex_valued else torch.float64
    return torch.randn(shape, generator=generator, dtype=dtype)


def close(found: Tensor, expected: Tensor, atol: float = 1e-12) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=atol)


@pytest.mark.parametrize("shape", [(2, 1, 16, 16), (1, 3, 12, 10)])
def test_autocorrelation_is_plenoptics(po: Any, shape: tuple[int, ...]) -> None:
    x = noise(*shape)
    close(autocorrelation(x), po.process.autocorrelation(x))


def test_autocorrelation_takes_odd_sides_where_the_peer_loses_a_column(po: Any) -> None:
    x = noise(1, 1, 8, 9)
    assert po.process.autocorrelation(x).shape[-1] == 8
    spectrum = np.abs(np.fft.fft2(x.numpy())) ** 2
    expected = np.fft.fftshift(np.fft.ifft2(spectrum).real, axes=(-2, -1)) / 72
    close(autocorrelation(x), torch.from_numpy(expected))


def test_phases_are_plenoptics(po: Any) -> None:
    z = noise(3, 8, 8, complex_valued=True)
    for factor in (2.0, 0.5, 3.0):
        close(modulate_phase(z, factor), po.process.modulate_phase(z, factor))
    for ours, theirs in zip(
        rectangular_to_polar(z), po.process.rectangular_to_polar(z), strict=True
    ):
        close(ours, theirs)
    parts = po.process.rectangular_to_polar(z)
    close(polar_to_rectangular(*parts), po.process.polar_to_rectangular(*parts))


@pytest.mark.parametrize("dim", [None, 1, [0, 2]])
@pytest.mark.parametrize("keepdim", [False, True])
def test_moments_are_plenoptics(po: Any, dim: Any, keepdim: bool) -> None:
    x = noise(4, 5, 6).exp()
    for name in ("variance", "skew", "kurtosis"):
        theirs = getattr(po.process, name)(x, dim=dim, keepdim=keepdim)
        close(getattr(statistics, name)(x, dim=dim, keepdim=keepdim), theirs)


@pytest.mark.parametrize("shape", [(2, 3, 12, 9), (1, 2, 4, 9, 12)])
def test_gain_control_is_plenoptics(po: Any, shape: tuple[int, ...]) -> None:
    x = noise(*shape)
    ours, theirs = (f(x) for f in (gain_control.local_gain_control, po.process.local_gain_control))
    for found, expected in zip(ours, theirs, strict=True):
        close(found, expected)
    released = po.process.local_gain_release(*theirs)
    close(gain_control.local_gain_release(*theirs), released)


def test_pyramids_are_controlled_as_plenoptics_are(po: Any) -> None:
    pyramid = po.process.SteerablePyramidFreq((64, 64), order=2, height=2).double()
    coeffs = pyramid(picture(64))
    ours, theirs = gain_control, po.process
    for found, expected in zip(
        ours.local_gain_control_dict(coeffs), theirs.local_gain_control_dict(coeffs), strict=True
    ):
        assert set(found) == set(expected)
        for key, band in found.items():
            close(band, expected[key])
    back = ours.local_gain_release_dict(*ours.local_gain_control_dict(coeffs))
    close(pyramid.recon_pyr(back), pyramid.recon_pyr(coeffs))


@pytest.mark.parametrize("kernel", [(3, 3), (5, 4)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("mode", ["circular", "reflect", "constant", "replicate"])
def test_padding_is_plenoptics(
    po: Any, kernel: tuple[int, int], stride: tuple[int, int], mode: str
) -> None:
    from plenoptic.process.convolutions import same_padding as theirs

    x = noise(2, 1, 11, 12)
    expected = theirs(x, kernel, stride, (1, 2), pad_mode=mode)
    close(same_padding(x, kernel, stride, (1, 2), mode), expected, 0)


def test_range_crop_and_disk_are_plenoptics(po: Any) -> None:
    x = noise(1, 1, 9, 12)
    close(rescale(x, -2, 3), po.process.rescale(x, -2, 3))
    for side in (1, 4, 5, 9):
        close(center_crop(x, side), po.process.center_crop(x, side), 0)
    for size, radii in ((16, ()), ((15, 22), (6.3, 2.0)), ((9, 9), (3,))):
        close(make_disk(size, *radii, dtype=torch.float64), po.data.disk(size, *radii).double())


def test_tables_are_pyrtools_and_numpys() -> None:
    from pyrtools.pyramids.SteerablePyramidFreq import rcosFn as theirs

    for ours, expected in zip(raised_cosine(0.7, -1, (2, 5)), theirs(0.7, -1, (2, 5)), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)
    x, y = raised_cosine()
    at = noise(50)
    close(interpolate1d(at, y, x), torch.from_numpy(np.interp(at.numpy(), x, y)))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("even", [True, False])
def test_steering_is_pyrtools(n: int, even: bool) -> None:
    theirs = pytest.importorskip("pyrtools.pyramids.steer")
    basis = noise(7, n)
    orders = np.arange(1 - n % 2, n, 2)
    matrix = theirs.steer_to_harmonics_mtx(orders, np.pi * np.arange(n) / n, even_phase=even)
    close(harmonic_matrix(orders.tolist(), even_phase=even), torch.from_numpy(matrix))
    for angle in (0.0, 0.4, -2.0):
        found, weights = steer(basis, angle, return_weights=True, even_phase=even)
        expected = theirs.steer(basis.numpy(), angle, return_weights=True, even_phase=even)
        close(found, torch.from_numpy(expected[0]))
        close(weights, torch.from_numpy(expected[1]))


def test_steering_position_by_position_is_what_pyrtools_means_and_cannot_do() -> None:
    """Its own answer to a column of angles, row by row; the call with all of them fails."""
    theirs = pytest.importorskip("pyrtools.pyramids.steer")
    basis, angles = noise(5, 4), noise(5, 1, seed=1)
    rows = [theirs.steer(basis[i : i + 1].numpy(), float(a)) for i, a in enumerate(angles[:, 0])]
    close(steer(basis, angles), torch.from_numpy(np.concatenate(rows)))
    with pytest.raises(ValueError, match="shapes"):
        theirs.steer(basis.numpy(), angles.numpy())


# Where expand and shrink part from the peer


def test_expand_is_plenoptics_where_nothing_is_at_the_nyquist_frequency(po: Any) -> None:
    x = noise(2, 16, 12)
    spectrum = torch.fft.fft2(x)
    spectrum[..., 8, :] = 0
    spectrum[..., :, 6] = 0
    x = torch.fft.ifft2(spectrum).real
    for factor in (2, 1.5):
        large = expand(x, factor)
        close(large, po.process.expand(x, factor))
        close(shrink(large, factor), po.process.shrink(large, factor) if factor == 2 else x)


@pytest.mark.parametrize("size", [(16, 16), (15, 15), (16, 15)])
@pytest.mark.parametrize("complex_valued", [False, True])
def test_expand_keeps_its_samples_and_plenoptics_does_not(
    po: Any, size: tuple[int, int], complex_valued: bool
) -> None:
    """The peer splits Nyquist lines without the conjugate, and odd sides as if they had such lines."""
    x = noise(1, 1, *size, complex_valued=complex_valued)
    theirs = po.process.expand(x, 2)[..., ::2, ::2]
    assert (theirs - x).abs().max() > 1e-2
    close(expand(x, 2)[..., ::2, ::2], x)


def test_shrink_goes_back_and_plenoptics_loses_half_of_the_nyquist_lines(po: Any) -> None:
    x = noise(1, 1, 16, 16)
    large = expand(x, 2)
    close(shrink(large, 2), x)
    lost = torch.fft.fft2(x - po.process.shrink(large, 2))
    assert lost.abs().max() > 1
    lost[..., 8, :] = 0
    lost[..., :, 8] = 0
    assert lost.abs().max() < 1e-10


def test_expand_is_scipys_resample_along_each_side() -> None:
    resample = pytest.importorskip("scipy.signal").resample
    for size, factor in (((8, 6), 2), ((7, 9), 3), ((8, 10), 1.5)):
        for complex_valued in (False, True):
            x = noise(*size, complex_valued=complex_valued).numpy()
            expected = resample(
                resample(x, int(size[0] * factor), axis=0), int(size[1] * factor), axis=1
            )
            close(expand(torch.from_numpy(x), factor), torch.from_numpy(expected))
            small = resample(resample(expected, size[0], axis=0), size[1], axis=1)
            close(shrink(torch.from_numpy(expected), factor), torch.from_numpy(small))


# Losses, metrics, Jacobians


def test_losses_are_plenoptics(po: Any) -> None:
    one, two = noise(2, 1, 8, 8), noise(2, 1, 8, 8, seed=1)
    for name in ("mse", "l2_norm", "relative_sse"):
        close(getattr(losses, name)(one, two), getattr(po.loss, name)(one, two))
    close(losses.penalize_range(one, (-0.5, 0.3)), po.regularize.penalize_range(one, (-0.5, 0.3)))
    close(metrics.mse(one, two), po.metric.mse(one, two))


def test_a_models_distance_is_plenoptics_but_for_its_floor(po: Any) -> None:
    model = po.models.Gaussian((5, 5), std=1.0).double()
    po.remove_grad(model)
    one, two = noise(1, 1, 16, 16), noise(1, 1, 16, 16, seed=1)
    ours, theirs = metrics.model_distance(model), po.metric.model_metric_factory(model)
    assert ours(one, two).item() == pytest.approx(theirs(one, two).item(), rel=1e-8)
    assert ours(one, one).item() == 0
    assert theirs(one, one).item() > 0


def test_jacobians_are_plenoptics(po: Any) -> None:
    from plenoptic._synthesize import autodiff

    matrix = noise(5, 3)
    x = noise(3, 1, seed=1).requires_grad_(True)
    y = torch.tanh(matrix @ x)
    v, u = noise(3, 2, seed=2), noise(5, 2, seed=3)
    close(derivatives.jacobian(y, x), autodiff._jacobian(y, x))
    close(derivatives.vector_jacobian_product(y, x, u), autodiff._vector_jacobian_product(y, x, u))
    close(derivatives.jacobian_vector_product(y, x, v), autodiff._jacobian_vector_product(y, x, v))

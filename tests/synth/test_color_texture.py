"""Colour textures: uncorrelated channels, and what they share."""

import numpy as np
import pytest
import torch
from torch import Tensor

from stimsynth.images import load
from stimsynth.models import ColorPortillaSimoncelli, PortillaSimoncelli
from stimsynth.models.texture.color import decorrelating_basis
from stimsynth.transforms import SteerablePyramidFreq
from stimsynth.validate import validate_coarse_to_fine
from stimuli_store.errors import InputError


def colours(name: str = "coffee") -> Tensor:
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    return (load(name, size=64, as_gray=False) + 1e-3 * noise).double()


@pytest.fixture(scope="module")
def model() -> ColorPortillaSimoncelli:
    return ColorPortillaSimoncelli((64, 64), n_scales=3, n_orientations=2).double()


def test_a_targets_basis_decorrelates_its_channels() -> None:
    image = colours()
    basis = decorrelating_basis(image)
    covariance = np.cov((basis @ image[0].flatten(1)).numpy())
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-12)
    assert list(np.diag(covariance)) == sorted(np.diag(covariance), reverse=True)
    expected = np.linalg.eigvalsh(np.cov(image[0].flatten(1).numpy()))[::-1]
    np.testing.assert_allclose(np.diag(covariance), expected, rtol=1e-9)
    model = ColorPortillaSimoncelli((64, 64), 3, basis=basis).double()
    across = model.convert_to_dict(model(image))["cross_channel_correlation_pixels"]
    assert float(across[~across.isnan()].abs().max()) < 1e-9


def test_own_statistics_are_those_of_the_channels(model: ColorPortillaSimoncelli) -> None:
    image = torch.cat([colours(), colours("chelsea")])
    channels = torch.einsum("ij,bjhw->bihw", model.basis, image)
    plain = PortillaSimoncelli((64, 64), 3, 2).double()
    expected = plain.convert_to_dict(plain(channels))
    found = model.convert_to_dict(model(image))
    for name, array in expected.items():
        torch.testing.assert_close(found[name], array, equal_nan=True)


def test_shared_statistics_are_correlations_between_channels(
    model: ColorPortillaSimoncelli,
) -> None:
    image = colours()
    found = model.convert_to_dict(model(image))
    channels = torch.einsum("ij,bjhw->bihw", model.basis, image)
    pixels = np.corrcoef(channels[0].flatten(1).numpy())
    kept = found["cross_channel_correlation_pixels"][0, 0, ..., 0].numpy()
    np.testing.assert_allclose(kept[np.tril_indices(3, -1)], pixels[np.tril_indices(3, -1)])
    assert bool(np.isnan(kept[np.triu_indices(3)]).all())
    bands = SteerablePyramidFreq((64, 64), 3, 1, is_complex=True).double()(channels)
    for scale in range(3):
        length = bands[scale][0].abs()
        maps = (length - length.mean(dim=(-2, -1), keepdim=True)).flatten(0, 1).flatten(1).numpy()
        expected = np.corrcoef(maps).reshape(3, 2, 3, 2)
        array = found["cross_channel_correlation_magnitude"][0, 0, ..., scale].numpy()
        for one in range(3):
            for other in range(one):
                np.testing.assert_allclose(array[one, :, other], expected[one, :, other], rtol=1e-8)
        real = bands[scale][0].real.flatten(0, 1).flatten(1).numpy()
        norms = np.linalg.norm(real, axis=1)
        expected = (real @ real.T / np.outer(norms, norms)).reshape(3, 2, 3, 2)
        array = found["cross_channel_correlation_real"][0, 0, ..., scale].numpy()
        np.testing.assert_allclose(array[2, :, 0], expected[2, :, 0], rtol=1e-7, atol=1e-10)


def test_scales_and_forms_agree(model: ColorPortillaSimoncelli) -> None:
    image = colours()
    whole = model(image)
    assert torch.equal(model.convert_to_tensor(model.convert_to_dict(whole)), whole)
    for scales in ([0], ["pixel_statistics"], ["residual_highpass"], [2, "residual_lowpass"]):
        torch.testing.assert_close(model(image, scales), model.remove_scales(whole, scales))
    validate_coarse_to_fine(model, (1, 3, 64, 64))


def test_a_grey_image_shares_nothing(model: ColorPortillaSimoncelli) -> None:
    """All three channels equal: the two opponent channels are empty, and nothing is NaN."""
    grey = load("camera", size=64).double().expand(1, 3, 64, 64).requires_grad_(True)
    statistics = model(grey)
    (gradient,) = torch.autograd.grad((statistics**2).sum(), grey)
    assert bool(torch.isfinite(statistics).all())
    assert bool(torch.isfinite(gradient).all())
    arrays = model.convert_to_dict(statistics.detach())
    assert bool((arrays["magnitude_std"][0, 1:] == 0).all())
    shared = arrays["cross_channel_correlation_magnitude"]
    assert bool((shared[~shared.isnan()] == 0).all())


def test_bad_input_gets_a_sentence(model: ColorPortillaSimoncelli) -> None:
    with pytest.raises(
        InputError, match=r"images of shape \(batch, 3, 64, 64\); not \(1, 1, 64, 64\)"
    ):
        model(torch.zeros(1, 1, 64, 64))
    with pytest.raises(InputError, match="orthonormal matrix"):
        ColorPortillaSimoncelli((64, 64), 3, basis=torch.ones(3, 3))
    with pytest.raises(InputError, match=r"shape \(batch, 3, height, width\)"):
        decorrelating_basis(torch.zeros(3, 8, 8))
    with pytest.raises(InputError, match="a representation of all scales"):
        model.convert_to_dict(torch.zeros(1, 1, 7))

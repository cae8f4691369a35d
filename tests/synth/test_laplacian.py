"""Resampling, the Laplacian pyramid and the distance in its normalized form."""

import pytest
import torch
from torch import Tensor

from stimsynth.images import load
from stimsynth.metrics import nlpd, normalized_laplacian_pyramid
from stimsynth.transforms.pyramids.laplacian import LaplacianPyramid
from stimsynth.transforms.resampling import (
    blur_downsample,
    correlate_downsample,
    upsample_blur,
    upsample_convolve,
)
from stimuli_store.errors import InputError


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("size", [(32, 32), (33, 40), (61, 37)])
@pytest.mark.parametrize("scale_filter", [False, True])
@pytest.mark.parametrize("n_scales", [1, 2, 5])
def test_a_pyramid_gives_its_image_back(
    size: tuple[int, int], scale_filter: bool, n_scales: int
) -> None:
    pyramid = LaplacianPyramid(n_scales, scale_filter)
    image = noise(2, 3, *size)
    scales = pyramid(image)
    assert len(scales) == n_scales
    torch.testing.assert_close(pyramid.recon_pyr(scales), image, rtol=0, atol=1e-14)


def test_a_flat_image_is_all_in_the_rest() -> None:
    *bands, rest = LaplacianPyramid(4, scale_filter=True)(torch.full((1, 1, 64, 64), 0.3).double())
    assert all(band.abs().max() < 1e-7 for band in bands)
    torch.testing.assert_close(rest, torch.full_like(rest, 0.3), rtol=1e-6, atol=0)


def test_downsampling_is_every_other_sample_of_the_correlation() -> None:
    image, filt = noise(1, 1, 16, 17), noise(5, 5, seed=1)
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2), mode="reflect")
    whole = torch.nn.functional.conv2d(padded, filt[None, None])
    torch.testing.assert_close(correlate_downsample(image, filt), whole[..., ::2, ::2])


def test_up_is_the_transpose_of_down() -> None:
    """<down x, y> = <x, up y> where no border is near, for any filter."""
    filt = noise(5, 5, seed=2)
    x, y = torch.zeros(1, 1, 32, 32).double(), torch.zeros(1, 1, 16, 16).double()
    x[..., 8:24, 8:24] = noise(16, 16, seed=3)
    y[..., 5:11, 5:11] = noise(6, 6, seed=4)
    down, up = correlate_downsample(x, filt), upsample_convolve(y, (0, 0), filt)
    torch.testing.assert_close((down * y).sum(), (x * up).sum())


@pytest.mark.parametrize("parity", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_upsampling_keeps_the_mean_and_makes_the_size_asked_for(parity: tuple[int, int]) -> None:
    image = upsample_blur(torch.full((1, 1, 8, 9), 0.4).double(), parity)
    assert image.shape[-2:] == (16 - parity[0], 18 - parity[1])
    torch.testing.assert_close(image, torch.full_like(image, 0.4), rtol=1e-6, atol=0)


def test_upsampling_several_times_is_upsampling_again() -> None:
    image = noise(1, 2, 8, 9)
    twice = upsample_blur(
        upsample_blur(image, (1, 0), scale_filter=False), (1, 0), 1, "binom5", False
    )
    torch.testing.assert_close(upsample_blur(image, (1, 0), 2, scale_filter=False), twice)


def test_unscaled_filters_sum_to_two() -> None:
    ones = torch.ones(1, 1, 32, 32).double()
    assert float(blur_downsample(ones, scale_filter=False).mean()) == pytest.approx(2)
    assert float(blur_downsample(ones, n_scales=3, scale_filter=False).mean()) == pytest.approx(8)
    assert blur_downsample(ones, n_scales=3).shape[-1] == 4


def test_the_distance_is_zero_symmetric_and_grows_with_noise() -> None:
    image = load("camera", size=128).double()
    little, much = ((image + a * (noise(1, 1, 128, 128) - 0.5)).clamp(0, 1) for a in (0.05, 0.3))
    assert nlpd(image, image).item() == 0
    assert 0 < nlpd(image, little).item() < nlpd(image, much).item()
    torch.testing.assert_close(nlpd(image, much), nlpd(much, image))


def test_one_normalized_coefficient_by_the_formula() -> None:
    image = noise(1, 1, 64, 64)
    finest = LaplacianPyramid(6, scale_filter=True)(image)[0][0, 0]
    amplitude = finest.abs()
    around = 0.1011 * amplitude[9, 20] + 0.1493 * amplitude[10, 19] + 0.146 * amplitude[10, 21]
    around += 0.0072 * amplitude[10, 22] + 0.1015 * amplitude[11, 20]
    found = normalized_laplacian_pyramid(image)[0][0, 0, 10, 20]
    assert float(found) == pytest.approx(float(finest[10, 20] / (0.0248 + around)))


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_gradients_are_finite_even_between_equal_images(value: float) -> None:
    image = torch.full((1, 1, 48, 48), value, requires_grad=True)
    (gradient,) = torch.autograd.grad(nlpd(image, torch.full_like(image, value)).sum(), image)
    assert bool((gradient == 0).all())
    (gradient,) = torch.autograd.grad(nlpd(image, noise(1, 1, 48, 48).float()).sum(), image)
    assert bool(torch.isfinite(gradient).all())


def test_bad_input_gets_a_sentence() -> None:
    with pytest.raises(InputError, match="33 pixels or more"):
        nlpd(noise(1, 1, 32, 32), noise(1, 1, 32, 32))
    with pytest.raises(InputError, match="too small for reflect padding"):
        LaplacianPyramid(5)(noise(1, 1, 8, 8))
    with pytest.raises(InputError, match="3 scales; 2 were given"):
        LaplacianPyramid(3).recon_pyr([noise(1, 1, 8, 8)] * 2)
    with pytest.raises(InputError, match="padding_mode must be one of"):
        correlate_downsample(noise(1, 1, 8, 8), noise(3, 3), "mirror")
    with pytest.raises(InputError, match="no filter named"):
        blur_downsample(noise(1, 1, 32, 32), filtname="binome5")

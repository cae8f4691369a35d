"""SSIM and MS-SSIM: closed forms, invariances, and the same numbers as other libraries give."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from stimsynth.images import load
from stimsynth.metrics import ms_ssim, ssim, ssim_map
from stimuli_store.errors import InputError

C1, C2 = 0.01**2, 0.03**2


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    one = torch.cat([load(n, size=192) for n in ("camera", "grass")]).double()
    noise = torch.rand(one.shape, generator=torch.Generator().manual_seed(1)).double()
    return one, (0.8 * one + 0.2 * noise).clamp(0, 1)


def test_flat_images_differ_in_luminance_alone() -> None:
    a, b = (torch.full((1, 1, 32, 32), v, dtype=torch.float64) for v in (0.3, 0.7))
    expected = (2 * 0.3 * 0.7 + C1) / (0.3**2 + 0.7**2 + C1)
    for weighted in (False, True):
        assert ssim(a, b, weighted=weighted).item() == pytest.approx(expected, rel=1e-12)


def test_one_position_by_the_definition(pair: tuple[Tensor, Tensor]) -> None:
    """The value at a corner, from weighted moments written out with numpy."""
    x, y = (image[0, 0, :11, :11].numpy() for image in pair)
    g = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    w = np.outer(g, g) / g.sum() ** 2
    mx, my = (w * x).sum(), (w * y).sum()
    vx, vy = (w * (x - mx) ** 2).sum(), (w * (y - my) ** 2).sum()
    cov = (w * (x - mx) * (y - my)).sum()
    value = (2 * mx * my + C1) * (2 * cov + C2) / ((mx**2 + my**2 + C1) * (vx + vy + C2))
    assert ssim_map(*pair)[0, 0, 0, 0].item() == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("metric", [ssim, ms_ssim, lambda a, b: ssim(a, b, weighted=True)])
def test_identities(
    metric: Callable[[Tensor, Tensor], Tensor], pair: tuple[Tensor, Tensor]
) -> None:
    one, two = pair
    torch.testing.assert_close(metric(one, one), torch.ones(2, 1).double())
    torch.testing.assert_close(metric(one, two), metric(two, one))
    assert bool((metric(one, two) < 1).all())
    assert metric(one, two).shape == (2, 1)
    alone = torch.cat([metric(one[i : i + 1], two[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(metric(one, two), alone)


def test_an_inverted_image_is_negatively_similar(pair: tuple[Tensor, Tensor]) -> None:
    one, _ = pair
    inverted = 1 - one
    assert bool((ssim(one, inverted) < 0).all())
    assert bool((ssim(one, inverted) >= -1).all())
    assert ms_ssim(one, inverted).tolist() == [[0.0], [0.0]]


def test_slopes_are_finite_where_similarity_is_at_its_ends(pair: tuple[Tensor, Tensor]) -> None:
    """An inverted image, the image itself, a black one, and one of a single value."""
    one = pair[0].float()
    black = torch.zeros_like(one)
    for other in (1 - one, one, black, black + 1):
        for metric in (ssim, ms_ssim, partial(ssim, weighted=True)):
            for x, y in ((one, other), (other, one), (other, other)):
                x = x.clone().requires_grad_(True)
                value = metric(x, y)
                value.sum().backward()
                assert bool(torch.isfinite(value).all())
                assert x.grad is not None
                assert bool(torch.isfinite(x.grad).all())
    assert ssim(black, black).tolist() == [[1.0], [1.0]]


def test_shapes_broadcast_and_pad(pair: tuple[Tensor, Tensor]) -> None:
    one, two = pair
    assert ssim(one[:1], two.expand(2, 3, -1, -1)).shape == (2, 3)
    assert ssim_map(one, two).shape == (2, 1, 182, 182)
    for pad in ("constant", "reflect", "replicate", "circular"):
        assert ssim(one, two, pad=pad).shape == (2, 1)


def test_one_scale_is_ssim(pair: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(ms_ssim(*pair, power_factors=[1.0]), ssim(*pair))


def test_derivatives_are_right(pair: tuple[Tensor, Tensor]) -> None:
    one, two = (image[:1, :, :16, :16].contiguous() for image in pair)
    one = one.clamp(0.1, 0.9).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: ssim(x, two, weighted=True), one)


def test_values_out_of_range_and_small_images_are_warned_of() -> None:
    image = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    with pytest.warns(UserWarning, match="falls outside"):
        ssim(255 * image, 255 * image)
    with pytest.warns(UserWarning, match="window of 8 pixels"):
        ssim(image[..., :8, :], image[..., :8, :])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda a: ssim(a, a[..., :20]), "the same height, width"),
        (lambda a: ssim(a[0], a[0]), "takes a real floating-point tensor of shape"),
        (lambda a: ssim(a, a, pad="mirror"), "pad must be one of"),
        (lambda a: ssim(a.expand(2, 1, -1, -1), a.expand(3, 1, -1, -1)), "equal or 1"),
        (lambda a: ms_ssim(a, a, power_factors=[]), "list of numbers >= 0"),
    ],
)
def test_bad_input_gets_a_sentence(call: Callable[[Tensor], Tensor], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        call(torch.zeros(1, 1, 32, 32))


@pytest.mark.parametrize("level", [0.999, 0.5, 200.0])
@pytest.mark.filterwarnings("ignore:Image range")
def test_rounding_never_takes_it_above_one(level: float) -> None:
    """Flat, bright float32 images: their variance is all rounding."""
    generator = torch.Generator().manual_seed(0)
    one = torch.full((1, 1, 48, 48), level)
    two = one + 1e-3 * level * torch.rand(one.shape, generator=generator)
    for x, y in ((one, one), (one, two), (two, one), (two, two)):
        for value in (ssim(x, y), ssim(x, y, weighted=True), ms_ssim(x, y, [0.5, 0.5])):
            assert float(value) <= 1 + 1e-6
        assert float(ssim_map(x, y).max()) <= 1
        assert float(ssim_map(x, y).min()) >= -1
    exact = ssim(one.double(), two.double())
    assert float(ssim(one, two)) == pytest.approx(float(exact), abs=2e-2)

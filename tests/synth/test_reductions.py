"""Sums over items and planes, and kernels slid over images, against their formulas."""

import pytest
import torch
import torch.nn.functional as F

from stimsynth.numerics.reductions import centred, combined, dots, norms, products, slide
from tests.synth.signals import close, signal


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("many", [1, 4])
def test_sums_of_each_item(count: int, many: int) -> None:
    a, b = signal(count, 5, 7), signal(count, many, 7, seed=1)
    close(norms(a), a.square().sum(dim=(1, 2)).sqrt())
    close(norms(a * 1j), norms(a))
    close(dots(a, a.flip(2)), (a * a.flip(2)).sum(dim=(1, 2)))
    close(products(a, b), torch.einsum("ikn,iln->ikl", a, b))
    weights = signal(count, many, 5, seed=2)
    close(combined(weights, a), torch.einsum("ikm,imn->ikn", weights, a))
    close(combined(weights, a.float()).double(), combined(weights, a), atol=1e-5)


def test_planes_less_their_means() -> None:
    maps = signal(2, 3, 4, 5)
    away, mean = centred(maps)
    close(away + mean, maps)
    close(away.sum(dim=(-2, -1)), torch.zeros(2, 3).double())


@pytest.mark.parametrize("count", [1, 3])
def test_images_under_kernels(count: int) -> None:
    images = signal(count, 2, 6, 7).requires_grad_(True)
    kernels = signal(4, 1, 3, 2, seed=1).requires_grad_(True)
    options = {"stride": 2, "groups": 2}
    found, expected = slide(images, kernels, **options), F.conv2d(images, kernels, **options)
    close(found, expected)
    weights = signal(*found.shape, seed=2)
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), (images, kernels)),
        torch.autograd.grad((expected * weights).sum(), (images, kernels)),
        strict=True,
    ):
        close(one, other)

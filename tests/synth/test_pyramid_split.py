"""The pyramid's derivatives, which are written out: the transpose, and all that torch makes of it."""

import itertools
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor
from torch.func import grad, hessian, jacrev, jvp, vjp, vmap

from stimsynth.transforms import SteerablePyramidFreq
from stimsynth.transforms.spectra import Size

KINDS = [
    {"is_complex": c, "downsample": d, "tight_frame": t}
    for c, d, t in itertools.product((False, True), repeat=3)
]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def levels_of(
    pyramid: SteerablePyramidFreq, levels: Sequence[int | str] | None = None
) -> Callable[[Tensor], tuple[Tensor, ...]]:
    return lambda image: tuple(pyramid(image, levels).values())  # type: ignore[arg-type]


def inner(one: Sequence[Tensor], two: Sequence[Tensor]) -> Tensor:
    products = [(a.conj() * b).real.sum() for a, b in zip(one, two, strict=True)]
    return torch.stack(products).sum()


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("shape", [(32, 48), (33, 40)])
@pytest.mark.parametrize("order", [1, 2])
def test_the_gradient_is_the_transpose(kind: dict[str, bool], shape: Size, order: int) -> None:
    """<P x, c> = <x, Pᵀ c> for any images x and coefficients c, on whatever levels these are."""
    pyramid = SteerablePyramidFreq(shape, order=order, **kind).double()  # type: ignore[arg-type]
    image, other = noise(2, 1, *shape), noise(2, 1, *shape, seed=1)
    for levels in (None, ["residual_highpass"], [1], [0, "residual_lowpass"]):
        apart = levels_of(pyramid, levels)
        coefficients, pull = vjp(apart, image)
        weights = apart(other)
        torch.testing.assert_close(inner(coefficients, weights), inner([image], pull(weights)))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_band_that_is_not_used_changes_no_gradient(kind: dict[str, bool]) -> None:
    pyramid = SteerablePyramidFreq((24, 20), 2, **kind).double()  # type: ignore[arg-type]
    image = noise(1, 1, 24, 20).requires_grad_(True)
    for level in pyramid.scales:
        gradients = [
            torch.autograd.grad(pyramid(image, scales)[level].abs().square().sum(), image)[0]
            for scales in (None, [level])
        ]
        torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("is_complex", [False, True])
def test_derivatives_are_those_of_a_linear_map(is_complex: bool) -> None:
    """Forward and backward, along many directions at once, and of the gradient."""
    pyramid = SteerablePyramidFreq((16, 18), 2, is_complex=is_complex).double()
    images = noise(3, 1, 1, 16, 18)
    apart = levels_of(pyramid)

    def slope(image: Tensor) -> Tensor:
        return grad(lambda x: torch.stack([c.abs().pow(4).sum() for c in apart(x)]).sum())(image)

    expected = tuple(torch.stack(level) for level in zip(*map(apart, images), strict=True))
    forward = vmap(lambda tangent: jvp(apart, (images[0],), (tangent,))[1])(images)
    torch.testing.assert_close(forward, expected)
    backward = vmap(slope)(images)
    torch.testing.assert_close(backward, torch.stack([slope(image) for image in images]))
    curved = jvp(slope, (images[0],), (images[1],))[1]
    step = 1e-6 * images[1]
    difference = (slope(images[0] + step) - slope(images[0] - step)) / 2e-6
    torch.testing.assert_close(curved, difference, rtol=1e-5, atol=1e-5)
    image = images[0].clone().requires_grad_(True)
    energy = torch.stack([c.abs().pow(4).sum() for c in apart(image)]).sum()
    (gradient,) = torch.autograd.grad(energy, image, create_graph=True)
    torch.testing.assert_close(torch.autograd.grad(gradient, image, images[1])[0], curved)


@pytest.mark.parametrize("curvature", [hessian, lambda f: jacrev(jacrev(f))])
@pytest.mark.parametrize("is_complex", [False, True])
def test_the_energy_of_a_tight_frame_has_the_curvature_of_that_of_its_image(
    is_complex: bool, curvature: Callable[..., Callable[[Tensor], Tensor]]
) -> None:
    """By Parseval the Hessian of the energy of P(x²) is that of Σx⁴, diagonal with 12 x²."""
    pyramid = SteerablePyramidFreq((9, 8), 1, is_complex=is_complex, tight_frame=True).double()
    pixels = noise(72)

    def energy(pixels: Tensor) -> Tensor:
        coefficients = pyramid(pixels.square().view(1, 1, 9, 8)).values()
        return torch.stack([(c.conj() * c).real.sum() for c in coefficients]).sum()

    torch.testing.assert_close(curvature(energy)(pixels), (12 * pixels.square()).diag())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_transpose_takes_one_level_along_many_directions_beside_others_along_one(
    kind: dict[str, bool],
) -> None:
    pyramid = SteerablePyramidFreq((16, 17), 2, **kind).double()  # type: ignore[arg-type]
    coefficients, pull = vjp(pyramid.forward, noise(2, 3, 16, 17))
    for level in coefficients:
        many = torch.stack([coefficients[level], 2 * coefficients[level]])
        along = {other: 0 if other == level else None for other in coefficients}
        (found,) = vmap(pull, in_dims=(along,))({**coefficients, level: many})
        singly = [pull({**coefficients, level: one})[0] for one in many]
        torch.testing.assert_close(found, torch.stack(singly))


@pytest.mark.parametrize("is_complex", [False, True])
def test_a_compiler_sees_the_same(is_complex: bool) -> None:
    apart = levels_of(SteerablePyramidFreq((16, 16), 2, is_complex=is_complex).double())
    image = noise(1, 1, 16, 16).requires_grad_(True)
    gradients = []
    for way in (apart, torch.compile(apart, backend="eager", fullgraph=True)):
        energy = torch.stack([c.abs().pow(4).sum() for c in way(image)]).sum()
        gradients += torch.autograd.grad(energy, image)
    torch.testing.assert_close(*gradients)

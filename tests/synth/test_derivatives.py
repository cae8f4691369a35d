"""Jacobians of graphs: matrices written out, torch.func, and every flag of the signatures."""

import pytest
import torch
from torch import Tensor

from stimsynth.methods.eigen.fisher import (
    jacobian,
    jacobian_vector_product,
    vector_jacobian_product,
)
from stimuli_store.errors import InputError

GENERATOR = torch.Generator().manual_seed(0)
MATRIX = torch.randn(5, 3, generator=GENERATOR).double()


def bent(x: Tensor) -> Tensor:
    return torch.tanh(MATRIX @ x) * x.square().sum()


@pytest.fixture
def x() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, 1, generator=generator, dtype=torch.float64).requires_grad_(True)


def expected_jacobian(x: Tensor) -> Tensor:
    """The product rule by hand."""
    with torch.no_grad():
        inner, energy = torch.tanh(MATRIX @ x), x.square().sum()
        return (1 - inner**2) * MATRIX * energy + 2 * inner @ x.T


def test_the_jacobian_is_the_one_by_hand(x: Tensor) -> None:
    found = jacobian(bent(x), x)
    torch.testing.assert_close(found, expected_jacobian(x))
    assert not found.requires_grad


@pytest.mark.parametrize("shape", [(1,), (2, 1), (1, 3, 2)])
def test_any_shapes_and_square_ones_are_told_apart(shape: tuple[int, ...]) -> None:
    """A linear map with as many outputs as inputs must not come out transposed."""
    n = torch.Size(shape).numel()
    matrix = torch.arange(float(n * n)).view(n, n).double()
    x = torch.ones(shape).double().requires_grad_(True)
    y = (matrix @ x.flatten()).view(shape)
    torch.testing.assert_close(jacobian(y, x), matrix)


@pytest.mark.parametrize("k", [1, 4])
def test_products_are_those_of_the_matrix(x: Tensor, k: int) -> None:
    y, wanted = bent(x), expected_jacobian(x)
    v, u = (torch.randn(n, k, generator=GENERATOR).double() for n in (3, 5))
    torch.testing.assert_close(jacobian_vector_product(y, x, v), wanted @ v)
    torch.testing.assert_close(vector_jacobian_product(y, x, u), wanted.T @ u)
    forward = torch.func.jvp(bent, (x.detach(),), (v[:, :1],))[1]
    torch.testing.assert_close(jacobian_vector_product(y, x, v)[:, :1], forward)


def test_a_dummy_serves_again_and_its_values_do_not_matter(x: Tensor) -> None:
    v = torch.ones(3, 2).double()
    dummy = torch.full((5, 1), -7.0, dtype=torch.float64, requires_grad=True)
    for factor in (1, 2):
        found = jacobian_vector_product(factor * bent(x), x, v, dummy_vec=dummy)
        torch.testing.assert_close(found, factor * expected_jacobian(x) @ v)
        assert not found.requires_grad


def test_flags_do_what_they_say(x: Tensor) -> None:
    u = torch.ones(5, 2).double()
    assert vector_jacobian_product(bent(x), x, u).requires_grad
    assert not vector_jacobian_product(bent(x), x, u, detach=True).requires_grad
    assert not vector_jacobian_product(bent(x), x, u, create_graph=False).requires_grad
    y = bent(x)
    once = vector_jacobian_product(y, x, u, retain_graph=False, create_graph=False)
    torch.testing.assert_close(once, expected_jacobian(x).T @ u)
    with pytest.raises(RuntimeError, match="second time"):
        vector_jacobian_product(y, x, u)


def test_second_derivatives_go_through(x: Tensor) -> None:
    """The Hessian of a cubic form: the derivative of its gradient."""
    gradient = vector_jacobian_product(x.pow(3).sum().view(1, 1), x, torch.ones(1, 1).double())
    torch.testing.assert_close(jacobian(gradient, x), torch.diag(6 * x.detach().flatten()))


def test_a_flat_function_has_products_of_zero(x: Tensor) -> None:
    found = jacobian_vector_product(torch.floor(x), x, torch.ones(3, 2).double())
    assert found.shape == (3, 2)
    assert bool((found == 0).all())


def test_bad_input_gets_a_sentence(x: Tensor) -> None:
    y = bent(x)
    with pytest.raises(InputError, match=r"V must hold directions of x as columns, shape \(3, k\)"):
        jacobian_vector_product(y, x, torch.ones(5, 1))
    with pytest.raises(InputError, match=r"U must hold directions of y as columns, shape \(5, k\)"):
        vector_jacobian_product(y, x, torch.ones(5))
    with pytest.raises(InputError, match="computed from x with gradients"):
        jacobian(y, x.detach())
    with pytest.raises(InputError, match="does not depend on x"):
        jacobian(y, torch.ones(3, 1, requires_grad=True))
    with pytest.raises(InputError, match="dummy_vec must have the shape of y"):
        jacobian_vector_product(y, x, torch.ones(3, 1).double(), dummy_vec=torch.ones(5, 1))

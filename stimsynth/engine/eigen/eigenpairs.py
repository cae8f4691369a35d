"""Eigenpairs with residuals and error bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: Function of vectors (a, n) and the number of each vector's matrix to products Fv (a, n) and vᵀFv (a,).
Operator = Callable[[Tensor, Sequence[int]], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Eigenpairs:
    """Eigenpairs of one positive semidefinite matrix F, by decreasing eigenvalue, with error bounds.

    Attributes
    ----------
    values
        vᵀFv, shape (r,), float64.
    vectors
        Orthonormal rows, shape (r, n).
    residuals
        ‖Fv − λv‖ / λmax, shape (r,), float64, from a separate product with each vector.
    error_bounds
        Largest distance of each value from an eigenvalue of F, shape (r,), float64, if products are exact to
        10 ε λmax. For the values at the bottom it is the eigenvalue of the same rank.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    error_bounds: Tensor

    def worst(self) -> float:
        """Return the largest of the residuals."""
        return float(self.residuals.max())


def certified_eigenpairs(
    operator: Operator, vectors: Tensor, item: int, *, n_bottom: int
) -> Eigenpairs:
    """Return eigenpairs with residuals and error bounds, from separate products with the vectors.

    The residual of a vector bounds the distance of its value from an eigenvalue (Weinstein). The i-th last
    value of orthonormal vectors is at least the i-th last eigenvalue (Cauchy), which is not negative; so the
    value itself bounds its error too, and this bound is much smaller if the value is nearly 0.

    Parameters
    ----------
    operator
        Products with the matrices.
    vectors
        Orthonormal rows that approximate eigenvectors, shape (r, n).
    item
        Number of the matrix F.
    n_bottom
        Number of values that belong to the bottom end of the spectrum.
    """
    products, values = operator(vectors, [item] * len(vectors))
    order = values.argsort(descending=True)
    products, values, vectors = products[order], values[order], vectors[order]
    errors = (products.double() - values[:, None] * vectors.double()).norm(dim=1)
    largest = values[0].clamp_min(torch.finfo(torch.float64).tiny)
    rounding = 10 * torch.finfo(vectors.dtype).eps
    bounds = errors + rounding * largest
    if n_bottom:
        above_zero = (values[-n_bottom:].sqrt() + rounding * largest.sqrt()).square()
        bounds[-n_bottom:] = torch.minimum(bounds[-n_bottom:], above_zero)
    return Eigenpairs(
        values=values, vectors=vectors, residuals=errors / largest, error_bounds=bounds
    )

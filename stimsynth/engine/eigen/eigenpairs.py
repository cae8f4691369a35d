"""Eigenpairs with residuals and error bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

#: From vectors (a, n) and the item that each belongs to, to products Fv (a, n) and vᵀFv (a,), all finite.
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
        ‖Fv − λv‖ / λmax, shape (r,), float64, from a product of its own with each vector.
    error_bounds
        Shape (r,), float64: an eigenvalue of F lies no further from each value, as far as products are
        exact to 10 ε λmax. For the last values, counted from the end, it is the eigenvalue of that rank.
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

    Any vector's residual bounds the distance of its value to an eigenvalue (Weinstein). The value of the
    i-th last of several orthonormal vectors lies above the i-th last eigenvalue (Cauchy), which is not
    negative; so the value itself bounds its error too, and much closer when it is nearly 0.

    Parameters
    ----------
    operator
        The matrix F.
    vectors
        Orthonormal rows that nearly are eigenvectors, shape (r, n).
    item
        Which of the operator's matrices.
    n_bottom
        How many of the smallest values belong to the bottom end of the spectrum.
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

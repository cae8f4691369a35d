"""Orthogonal iteration (the power method for several vectors) and randomized SVD."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.engine.eigen.eigenpairs import Operator
from stimsynth.engine.interrupt import Interrupt


@dataclass(frozen=True, kw_only=True)
class Iterated:
    """Result of an iteration: orthonormal rows (k, n), the number of products, and why it ended."""

    vectors: Tensor
    n_products: int
    settled: bool
    interrupted: bool


def orthogonal_iteration(
    operator: Operator,
    start: Tensor,
    *,
    shift: float = 0.0,
    scale: float | None = None,
    criterion: float,
    max_iter: int,
    on_step: Callable[[int, float], None] | None = None,
) -> Iterated:
    """Return orthonormal rows after repeated multiplication by F − shift · I and orthonormalization.

    Parameters
    ----------
    operator
        Products with the matrix F, its number 0.
    start
        Random rows, shape (k, n).
    shift
        0 for the largest eigenvalues; λmax for the smallest.
    scale
        λmax, if known: changes are relative to it. None for the largest value so far.
    criterion
        The iteration ends when the eigenvalues change by less than this fraction of `scale` (L2 norm) in
        one step.
    max_iter
        Largest number of steps.
    on_step
        Called with (steps, relative change) after every step.

    References
    ----------
    G. H. Golub & C. F. Van Loan (1996), Matrix Computations, algorithm 8.2.8.
    """
    vectors, items = _orthonormal(start), [0] * len(start)
    products, values = operator(vectors, items)
    spent, settled = 1, False
    with Interrupt() as interrupt:
        while spent <= max_iter and not settled and not interrupt.asked:
            vectors = _orthonormal(products - shift * vectors)
            before = values
            products, values = operator(vectors, items)
            largest = float(values.max()) if scale is None else scale
            change = float((values - before).norm()) / (largest or 1.0)
            spent += 1
            settled = change <= criterion
            if on_step:
                on_step(spent - 1, change)
    return Iterated(
        vectors=_ritz(vectors, products),
        n_products=spent * len(start),
        settled=settled,
        interrupted=interrupt.asked and not settled,
    )


def randomized_range(operator: Operator, start: Tensor, *, q: int) -> Iterated:
    """Return approximate eigenvectors of the largest eigenvalues, by randomized SVD.

    Parameters
    ----------
    operator
        Products with the matrix F, its number 0.
    start
        Gaussian rows, shape (k + p, n).
    q
        Number of further multiplications of the random range by F.

    References
    ----------
    N. Halko, P. G. Martinsson & J. A. Tropp (2011), "Finding structure with randomness", SIAM Review
    53(2), 217–288.
    """
    vectors, items = _orthonormal(start), [0] * len(start)
    for _ in range(q + 1):
        vectors = _orthonormal(operator(vectors, items)[0])
    products, _ = operator(vectors, items)
    return Iterated(
        vectors=_ritz(vectors, products),
        n_products=(q + 2) * len(start),
        settled=False,
        interrupted=False,
    )


def _orthonormal(rows: Tensor) -> Tensor:
    """Return orthonormal rows that span the same space; zero rows become arbitrary directions."""
    return torch.linalg.qr(rows.T)[0].T


def _ritz(vectors: Tensor, products: Tensor) -> Tensor:
    """Return rows rotated within their span to Ritz vectors, by decreasing Ritz value."""
    projected = (vectors @ products.T).double()
    _, rotation = torch.linalg.eigh((projected + projected.T) / 2)
    return rotation.flip(1).T.to(vectors) @ vectors

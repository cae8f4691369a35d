"""Solvers of `Eigendistortion`: each returns an `EigenSolution` for one image from an operator."""

import sys
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from stimsynth.engine.eigen import lanczos
from stimsynth.engine.eigen.eigenpairs import Eigenpairs, Operator, certified_eigenpairs
from stimsynth.engine.eigen.eigenspaces import Eigenspace, SpectralMeasure, describe
from stimsynth.engine.eigen.orthogonal_iteration import (
    Iterated,
    orthogonal_iteration,
    randomized_range,
)
from stimsynth.engine.interrupt import Interrupt
from stimsynth.engine.run import Status
from stimsynth.methods.base.progress import product_bar
from stimsynth.numerics.generators import generator_for


@dataclass(frozen=True, kw_only=True)
class EigenSolution:
    """Eigenpairs of one image, with their ranks (0 is the largest), status, cost and eigenspaces."""

    pairs: Eigenpairs
    index: Tensor
    outcome: Status
    n_products: int
    spaces: dict[str, Eigenspace]


def exact(jacobian: Tensor) -> EigenSolution:
    """Return all eigenpairs of JᵀJ, for J of shape (m, n), by dense algebra in float64."""
    rows, n = jacobian.double(), jacobian.shape[1]
    _, vectors = torch.linalg.eigh(rows.T @ rows)

    def operator(v: Tensor, _: object) -> tuple[Tensor, Tensor]:
        pushed = v.double() @ rows.T
        return pushed @ rows, pushed.square().sum(dim=1)

    pairs = certified_eigenpairs(operator, vectors.T.to(jacobian), 0, n_bottom=n)
    largest = float(pairs.values[0])
    smallest, surplus = float(pairs.values[-1]), max(n - len(jacobian), 0)
    return EigenSolution(
        pairs=pairs,
        index=torch.arange(n),
        outcome=Status.EXACT,
        n_products=0,
        spaces={
            "top": describe(largest, largest, pairs.values, whole=True),
            "bottom": describe(smallest, largest, pairs.values, whole=True, surplus=surplus),
        },
    )


def power_iteration(
    operator: Operator,
    like: Tensor,
    *,
    k: int,
    max_iter: int,
    criterion: float,
    tolerance: float,
    seed: int,
    surplus: int,
) -> EigenSolution:
    """Return the first and last k eigenpairs, by orthogonal iteration on F and on F − λmax I."""
    start = random_rows(2 * k, like, seed)
    with Interrupt(), product_bar(2 * max_iter) as on_step:  # Ctrl-C ends the search at both ends
        iteration = partial(
            orthogonal_iteration, operator, criterion=criterion, max_iter=max_iter, on_step=on_step
        )
        top = iteration(start[:k])
        _say(top, f"Top k={k}", criterion)
        largest = float(operator(top.vectors[:1], [0])[1][0])
        bottom = iteration(start[k:], shift=largest, scale=largest)
        _say(bottom, f"Bottom k={k}", criterion)
    pairs = certified_eigenpairs(operator, torch.cat([top.vectors, bottom.vectors]), 0, n_bottom=k)
    return EigenSolution(
        pairs=pairs,
        index=two_ends(k, len(like)),
        outcome=_judge((top, bottom), pairs, tolerance),
        n_products=top.n_products + bottom.n_products + 1,
        spaces=_ends(pairs, k, surplus=surplus),
    )


def randomized_svd(
    operator: Operator, like: Tensor, *, k: int, p: int, q: int, tolerance: float, seed: int
) -> EigenSolution:
    """Return the first k eigenpairs by randomized SVD."""
    n = len(like)
    found = randomized_range(operator, random_rows(min(k + p, n), like, seed), q=q)
    pairs = certified_eigenpairs(operator, found.vectors[:k], 0, n_bottom=0)
    largest = float(pairs.values[0])
    good = pairs.worst() <= tolerance
    return EigenSolution(
        pairs=pairs,
        index=torch.arange(k),
        outcome=Status.CONVERGED if good else Status.APPROXIMATE,
        n_products=found.n_products,
        spaces={"top": describe(largest, largest, pairs.values)},
    )


def from_krylov(
    operator: Operator, state: lanczos.Krylov, item: int, search: lanczos.Search, surplus: int
) -> EigenSolution:
    """Return the results of a Lanczos search so far, from its Krylov state."""
    pairs = lanczos.extract(operator, state, item, search)
    measure = None
    if len(state.nodes):
        measure = SpectralMeasure(nodes=state.nodes, weights=state.weights, n=state.n)
    if state.exhausted:
        # Values of the projected matrix are exact to ε λmax, these to ε² λmax, so zeros can be counted.
        _, values = operator(lanczos.ritz_vectors(state), [item] * state.n)
        largest = float(pairs.values[0])
        spaces = {
            "top": describe(largest, largest, values, whole=True),
            "bottom": describe(
                float(pairs.values[-1]), largest, values, whole=True, surplus=surplus
            ),
        }
    else:
        spaces = _ends(
            pairs,
            search.k,
            confirmed=(state.confirmed_top, state.confirmed_bottom),
            surplus=surplus,
            measure=measure,
        )
    return EigenSolution(
        pairs=pairs,
        index=two_ends(search.k, state.n),
        outcome=state.outcome,
        n_products=state.n_products,
        spaces=spaces,
    )


def two_ends(k: int, n: int) -> Tensor:
    """Return the ranks of the first and last k of n eigenvalues."""
    return torch.cat([torch.arange(k), torch.arange(n - k, n)])


def random_rows(count: int, like: Tensor, seed: int) -> Tensor:
    """Return `count` Gaussian vectors shaped like `like`, shape (count, n), equal on every device."""
    generator = generator_for("random vectors", seed)
    rows = torch.randn(count, len(like), generator=generator, dtype=torch.float64)
    return rows.to(like)


def _ends(
    pairs: Eigenpairs,
    k: int,
    *,
    confirmed: tuple[bool, bool] = (False, False),
    surplus: int,
    measure: SpectralMeasure | None = None,
) -> dict[str, Eigenspace]:
    values, largest = pairs.values, float(pairs.values[0])
    top = describe(largest, largest, values[:k], confirmed=confirmed[0], measure=measure)
    bottom = describe(
        float(values[-1]),
        largest,
        values[-k:],
        confirmed=confirmed[1],
        surplus=surplus,
        measure=measure,
    )
    return {"top": top, "bottom": bottom}


def _judge(ends: tuple[Iterated, ...], pairs: Eigenpairs, tolerance: float) -> Status:
    if pairs.worst() <= tolerance:
        return Status.CONVERGED
    if any(end.interrupted for end in ends):
        return Status.INTERRUPTED
    return Status.STALLED if all(end.settled for end in ends) else Status.OUT_OF_STEPS


def _say(found: Iterated, which: str, criterion: float) -> None:
    if found.settled:
        sys.stdout.write(f"{which} eigendists computed | Stop criterion {criterion:.2E} reached.\n")

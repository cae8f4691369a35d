"""Thick-restart Lanczos: both ends of the spectra of N symmetric matrices, one Krylov space for each.

Every basis is kept fully orthogonal, so the projected matrix is VᵀFV itself, restarts need no special
formulas, and no spurious copies of eigenvalues appear. A full basis is reduced to its best Ritz vectors at
both ends (Wu & Simon 2000).

From one start vector only one vector of every eigenspace can be found. So for k > 1 a converged search is
repeated from a new random vector, orthogonal to the vectors found, until none of the k values at either end
changes; repeated eigenvalues are then found with their multiplicity. Eigenvalues are not negative, so the
bottom needs no repetition once all k values are 0 within the tolerance. If the whole space fits into the
basis it is searched completely.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from stimsynth.engine.eigen.eigenpairs import Eigenpairs, Operator, certified_eigenpairs
from stimsynth.engine.interrupt import Interrupt
from stimsynth.engine.run import Status
from stimsynth.numerics.generators import generator_for

_CHECK_EVERY = 10  # products between two eigendecompositions of the projected matrix
_BASIS_BYTES = 2**28


@dataclass(frozen=True, kw_only=True)
class Search:
    """Settings of an eigenvalue search: number of eigenpairs, tolerances, and size of the basis.

    Attributes
    ----------
    k
        Number of eigenpairs at each end.
    tolerance
        Largest residual ‖Fv − λv‖ / λmax.
    change
        Largest change of the wanted eigenvalues over ten products, relative to λmax.
    basis_size
        Largest number of vectors to keep; None for as many as fit into 256 MiB, from 40 to 200.
    """

    k: int = 1
    tolerance: float = 1e-4
    change: float = 1e-7
    basis_size: int | None = None

    def basis_rows(self, n: int, itemsize: int) -> int:
        """Return the number of vectors of n values to keep."""
        fit = min(max(_BASIS_BYTES // (n * itemsize), 40), 200)
        wanted = max(self.basis_size or fit, 4 * self.k + 20)
        return min(n, wanted)


@dataclass(kw_only=True)
class Krylov:
    """State of the eigenvalue search of one matrix: tensors and numbers, which can be saved and continued.

    Attributes
    ----------
    basis
        Shape (rows + 1, n): `size` orthonormal rows, then the next vector to be multiplied.
    projected
        VᵀFV in its first `size` rows and columns, float64, on the CPU.
    nodes, weights
        Gauss quadrature of the start vector's spectral measure: eigenvalue estimates, and the fraction of
        the random start near each; empty until it is computed.
    size, kept
        Number of rows of the basis in use, and of those kept by the last restart.
    coupling
        Norm of the last product's part outside the basis; 0 before a new random vector.
    scale
        Largest norm of a product so far.
    seed, item, draws
        Seed and number of the random vectors' generator, and how many vectors were drawn.
    claimed
        The k-th value at the top and at the bottom, and the largest, when the last pass converged; None
        in the first pass.
    confirmed_top, confirmed_bottom
        Whether a further pass found no missing copy of an eigenvalue at that end.
    """

    basis: Tensor
    projected: Tensor
    nodes: Tensor
    weights: Tensor
    previous: Tensor
    seed: int
    item: int = 0
    draws: int = 0
    size: int = 0
    kept: int = 0
    coupling: float = 0.0
    scale: float = 0.0
    n_products: int = 0
    claimed: tuple[float, float, float] | None = None
    confirmed_top: bool = False
    confirmed_bottom: bool = False
    outcome: Status = Status.RUNNING

    @property
    def n(self) -> int:
        """Number of rows of the matrix."""
        return self.basis.shape[1]

    @property
    def next_vector(self) -> Tensor:
        """Next vector to multiply, shape (n,)."""
        return self.basis[self.size]

    @property
    def exhausted(self) -> bool:
        """True if the basis spans the whole space."""
        return self.size == self.n


def begin(like: Tensor, search: Search, seed: int, item: int = 0) -> Krylov:
    """Return a new search state, in the space, precision and device of `like` (n,)."""
    n = len(like)
    rows = search.basis_rows(n, like.element_size())
    empty = torch.zeros(0, dtype=torch.float64)
    state = Krylov(
        basis=like.new_zeros(rows + 1, n),
        projected=torch.zeros(rows, rows, dtype=torch.float64),
        nodes=empty,
        weights=empty,
        previous=empty,
        seed=seed,
        item=item,
    )
    _begin_afresh(state)
    return state


def lanczos(
    operator: Operator,
    states: Sequence[Krylov],
    search: Search,
    *,
    max_products: int,
    on_step: Callable[[int, float], None] | None = None,
) -> None:
    """Continue N searches in place, until each has ended or has used `max_products`.

    Parameters
    ----------
    operator
        Products with the N matrices.
    states
        One search state for each matrix.
    search
        Settings of the search.
    max_products
        Largest number of products with each matrix, at least 2k.
    on_step
        Called with (products used, largest residual) after every eigendecomposition.

    Notes
    -----
    After Ctrl-C, searches that had not ended have the outcome INTERRUPTED, and can be continued.
    """
    for state in states:
        if not state.outcome.finished:
            state.outcome = Status.RUNNING
    ended = Status.OUT_OF_STEPS
    with Interrupt() as interrupt:
        for spent in range(1, max_products + 1):
            active = [i for i, s in enumerate(states) if s.outcome is Status.RUNNING]
            asked = interrupt.asked and all(states[i].size >= 2 * search.k for i in active)
            if asked:
                ended = Status.INTERRUPTED
            if asked or not active:
                break
            worst = _advance(operator, [states[i] for i in active], active, search)
            if on_step and worst is not None:
                on_step(spent, worst)
    for state in states:
        if state.outcome is Status.RUNNING:
            state.outcome = ended


def extract(operator: Operator, state: Krylov, item: int, search: Search) -> Eigenpairs:
    """Return the k best eigenpairs at each end, with certified residuals, and update the outcome.

    The search estimates residuals from the projected matrix, which ignores rounding; if the certified
    residuals are above the tolerance, CONVERGED becomes PRECISE.
    """
    k, vectors = search.k, ritz_vectors(state)
    pairs = certified_eigenpairs(operator, torch.cat([vectors[:k], vectors[-k:]]), item, n_bottom=k)
    if state.outcome is Status.CONVERGED and pairs.worst() > search.tolerance:
        state.outcome = Status.PRECISE
    return pairs


def ritz_vectors(state: Krylov) -> Tensor:
    """Return orthonormal Ritz vectors, shape (size, n), by decreasing Ritz value."""
    _, rotation = torch.linalg.eigh(state.projected[: state.size, : state.size])
    vectors = rotation.flip(1).T.to(state.basis) @ state.basis[: state.size]
    return vectors / vectors.norm(dim=1, keepdim=True)


def reopened(state: Krylov) -> Krylov:
    """Return a search state that continues although it had ended, for another tolerance."""
    outcome = state.outcome if state.exhausted else Status.RUNNING
    whole = state.exhausted
    return replace(
        state, outcome=outcome, claimed=None, confirmed_top=whole, confirmed_bottom=whole
    )


# -- one product -----------------------------------------------------------------------------------


def _advance(
    operator: Operator, states: Sequence[Krylov], items: Sequence[int], search: Search
) -> float | None:
    """Take one product in every search; return the largest residual that was computed, or None."""
    for state in states:
        if state.size == len(state.projected):
            _restart(state, search)
    products, _ = operator(torch.stack([s.next_vector for s in states]), items)
    worst: float | None = None
    for state, product in zip(states, products, strict=True):
        _absorb(state, product)
        if _due(state):
            found = _look(state, search)
            worst = found if worst is None else max(worst, found)
    return worst


def _absorb(state: Krylov, product: Tensor) -> None:
    """Add the next vector to the basis, and make the orthogonal rest of its product the following one."""
    j = state.size
    rows = state.basis[: j + 1]
    column = torch.zeros(j + 1, dtype=torch.float64)
    state.n_products += 1
    state.scale = max(state.scale, float(product.norm()))
    rest = product
    if j > state.kept and state.coupling:
        # In theory only the last two rows overlap; one full pass removes the rounding errors.
        overlap = torch.stack([state.coupling * product.new_ones(()), rows[j] @ product])
        rest = rest - overlap @ rows[j - 1 :]
        column[j - 1 :] = overlap.double().cpu()
        passes = 1
    else:
        passes = 2
    for _ in range(passes):
        overlap = rows @ rest
        rest = rest - overlap @ rows
        column += overlap.double().cpu()
    norm = float(rest.norm())
    state.projected[: j + 1, j] = column
    state.projected[j, : j + 1] = column
    state.size += 1
    if norm <= 32 * torch.finfo(product.dtype).eps * state.scale:  # the basis is invariant
        _measure(state)
        _begin_afresh(state)
    else:
        state.coupling = norm
        state.basis[state.size] = rest / norm


def _begin_afresh(state: Krylov) -> None:
    """Set the next vector to a random one, orthogonal to the basis."""
    state.coupling = 0.0
    if state.exhausted:
        return
    generator = generator_for("lanczos", state.seed, state.item, state.draws)
    state.draws += 1
    vector = torch.randn(state.n, generator=generator, dtype=torch.float64).to(state.basis)
    rows = state.basis[: state.size]
    for _ in range(2):
        vector = vector - (rows @ vector) @ rows
        vector = vector / vector.norm()
    state.basis[state.size] = vector


# -- looking at the projected matrix ---------------------------------------------------------------


def _due(state: Krylov) -> bool:
    full = state.size == len(state.projected)
    return full or state.n_products % _CHECK_EVERY == 0 or not state.coupling


def _look(state: Krylov, search: Search) -> float:
    """Compare Ritz values and residuals with the tolerances; return the largest wanted residual."""
    if state.size == len(state.projected):
        _measure(state)
    if state.exhausted:
        state.outcome = Status.EXACT
        state.confirmed_top = state.confirmed_bottom = True
        return 0.0
    # In a later pass, one further value at each end shows that none was missed.
    again = state.claimed is not None
    bottom, top = search.k + (again and not _at_zero(state, search)), search.k + again
    if state.size < bottom + top:
        return float("inf")
    values, rotation = torch.linalg.eigh(state.projected[: state.size, : state.size])
    largest = float(values.abs().max()) or 1.0
    ends = [*range(bottom), *range(-top, 0)]
    worst = float(state.coupling * rotation[-1, ends].abs().max() / largest)
    settled = (
        len(state.previous) == len(ends)
        and float((values[ends] - state.previous).norm()) <= search.change * largest
    )
    state.previous = values[ends]
    # Half the tolerance leaves a margin for rounding in the certified residual.
    good = worst <= search.tolerance / 2 and (settled or not state.coupling)
    if (
        good and len(state.projected) < state.n
    ):  # a space that fits into the basis is searched completely
        _measure(state)
        _finish_pass(state, search, values, rotation)
    return worst


def _at_zero(state: Krylov, search: Search) -> bool:
    """Return whether the claimed values at the bottom are 0 within the tolerance."""
    return state.claimed is not None and state.claimed[1] <= search.tolerance * state.claimed[2]


def _finish_pass(state: Krylov, search: Search, values: Tensor, rotation: Tensor) -> None:
    """End the search, or start another pass in the complement of the vectors found."""
    k, count = search.k, len(values)
    now = (float(values[-k]), float(values[k - 1]), float(values[-1]))
    if k == 1:
        state.outcome = Status.CONVERGED
        return
    if state.claimed is not None:
        slack = search.tolerance * now[2]
        if now[0] <= state.claimed[0] + slack and now[1] >= state.claimed[1] - slack:
            state.outcome, state.confirmed_top = Status.CONVERGED, True
            state.confirmed_bottom = not _at_zero(state, search)
            return
    state.claimed = now
    if state.coupling:
        _cut(state, values, rotation, [*range(k), *range(count - k, count)])
        _begin_afresh(state)


def _restart(state: Krylov, search: Search) -> None:
    """Reduce a full basis to half, its best Ritz vectors at both ends, and keep the next vector."""
    values, rotation = torch.linalg.eigh(state.projected)
    half = len(values) // 2
    top = min(search.k + 8, half // 2)  # the top end converges first, the bottom end needs more
    following = state.basis[state.size].clone()
    _cut(state, values, rotation, [*range(half - top), *range(len(values) - top, len(values))])
    state.basis[state.size] = following


def _cut(state: Krylov, values: Tensor, rotation: Tensor, which: list[int]) -> None:
    """Replace the basis by the Ritz vectors with the indices `which`."""
    vectors = rotation[:, which].T.to(state.basis) @ state.basis[: state.size]
    state.size = state.kept = len(which)
    state.basis[: state.size] = vectors
    state.projected.zero_()
    state.projected[: state.size, : state.size] = torch.diag(values[which])


def _measure(state: Krylov) -> None:
    """Compute the spectral measure of the start vector, once, while the basis still begins with it."""
    if len(state.nodes) or state.kept:
        return
    nodes, rotation = torch.linalg.eigh(state.projected[: state.size, : state.size])
    state.nodes, state.weights = nodes, rotation[0].square()

"""Lanczos: spectra that are known in advance, numpy's, and certificates computed apart."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from stimsynth.engine.eigen import lanczos
from stimsynth.engine.eigen.eigenpairs import Eigenpairs, Operator, certified_eigenpairs
from stimsynth.engine.eigen.eigenspaces import SpectralMeasure, describe
from stimsynth.engine.eigen.lanczos import Krylov, Search
from stimsynth.engine.eigen.orthogonal_iteration import orthogonal_iteration, randomized_range
from stimsynth.engine.run import Status
from tests.synth.every_synthesis import press_ctrl_c, python_handles_ctrl_c

N = 400  # more than a basis holds, so that restarts are part of it


def diagonal(*spectra: Tensor) -> Operator:
    """The operator of diagonal matrices: eigenvectors are the axes."""
    stacked = torch.stack(spectra)

    def operator(vectors: Tensor, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        chosen = stacked[list(items)].to(vectors)
        return chosen * vectors, (chosen.double() * vectors.double() ** 2).sum(dim=1)

    return operator


def solve(
    operator: Operator, search: Search, *, n: int = N, items: int = 1, **how: object
) -> tuple[list[Krylov], list[Eigenpairs]]:
    like = torch.zeros(n, dtype=how.get("dtype", torch.float64))  # type: ignore[call-overload]
    states = [lanczos.begin(like, search, seed=i) for i in range(items)]
    lanczos.lanczos(operator, states, search, max_products=int(how.get("max_products", 4000)))  # type: ignore[call-overload]
    return states, [lanczos.extract(operator, s, i, search) for i, s in enumerate(states)]


SPECTRA: dict[str, Tensor] = {
    "even": torch.linspace(0.5, 3, N).double(),
    "clustered at 0": torch.linspace(0, 1, N).double() ** 4 + 1e-3,
    "geometric": torch.logspace(0, -6, N).double(),
    "negative powers": 1 / torch.arange(1, N + 1).double(),
    "one large": torch.cat([torch.tensor([100.0]), torch.linspace(1, 2, N - 1)]).double(),
}


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SPECTRA)
def test_both_ends_of_known_spectra(name: str, dtype: torch.dtype, k: int) -> None:
    spectrum = SPECTRA[name]
    known = spectrum.sort(descending=True).values
    search = Search(k=k, tolerance=1e-4, basis_size=60)
    (state,), (pairs,) = solve(diagonal(spectrum), search, dtype=dtype)
    assert state.outcome is Status.CONVERGED
    assert pairs.worst() <= 1e-4
    assert bool((pairs.values.diff() <= 0).all())
    expected = torch.cat([known[:k], known[-k:]])
    # An eigenvalue is off by its residual at most, and by the residual's square over the gap, which here
    # is smaller.
    assert bool(((pairs.values - expected).abs() <= 1e-4 * known[0]).all())
    gram = pairs.vectors.double() @ pairs.vectors.double().T
    slack = 1e-12 if dtype is torch.float64 else 1e-5
    torch.testing.assert_close(gram, torch.eye(2 * k).double(), rtol=0, atol=slack)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SPECTRA)
def test_certificates_are_true(name: str, dtype: torch.dtype) -> None:
    """Residuals by products in float64, and distances to the eigenvalues that are known."""
    spectrum = SPECTRA[name]
    _, (pairs,) = solve(diagonal(spectrum), Search(k=2, tolerance=1e-3), dtype=dtype)
    vectors = pairs.vectors.double()
    residuals = (spectrum * vectors - pairs.values[:, None] * vectors).norm(dim=1) / spectrum.max()
    slack = 1e-13 if dtype is torch.float64 else 1e-6
    torch.testing.assert_close(pairs.residuals, residuals, rtol=1e-3, atol=slack)
    nearest = (pairs.values[:, None] - spectrum).abs().min(dim=1).values
    assert bool((nearest <= pairs.error_bounds).all())
    last = spectrum.sort(descending=True).values[-2:]
    assert bool(((pairs.values[-2:] - last).abs() <= pairs.error_bounds[-2:]).all())


def test_tighter_tolerances_give_the_eigenvectors_themselves() -> None:
    spectrum = SPECTRA["even"]
    _, (pairs,) = solve(diagonal(spectrum), Search(tolerance=1e-9, change=1e-14))
    axes = torch.zeros(2, N).double()
    axes[0, -1] = axes[1, 0] = 1
    torch.testing.assert_close(pairs.vectors.abs(), axes, rtol=0, atol=1e-6)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_residuals_alone_can_be_the_rule(tolerance: float) -> None:
    search = Search(tolerance=tolerance, change=1.0)
    (state,), (pairs,) = solve(diagonal(SPECTRA["even"]), search)
    assert state.outcome is Status.CONVERGED
    assert pairs.worst() <= tolerance


def test_repeated_eigenvalues_come_out_as_often_as_they_are_there() -> None:
    """2 once, 1.9 three times, then many; 0 twice, 0.05 four times, then many."""
    top, bottom = [2.0, 1.9, 1.9, 1.9], [0.05] * 4 + [0.0] * 2
    middle = torch.linspace(0.2, 1.5, N - 10).tolist()
    spectrum = torch.tensor([*top, *middle, *bottom], dtype=torch.float64)
    (state,), (pairs,) = solve(diagonal(spectrum), Search(k=5, tolerance=1e-6, basis_size=80))
    found = pairs.values.tolist()
    assert found[:5] == pytest.approx([*top, 1.5], abs=1e-6)
    assert found[5:] == pytest.approx([0.05, 0.05, 0.05, 0, 0], abs=1e-6)
    assert state.confirmed_top
    assert state.confirmed_bottom
    known = describe(found[-1], found[0], pairs.values[-5:], confirmed=True)
    assert (known.at_least, known.complete, known.is_null) == (2, True, True)
    assert str(known) == "the null space has 2 dimensions"


@pytest.mark.parametrize("value", [1.0, 0.0])
def test_a_multiple_of_the_identity(value: float) -> None:
    spectrum = torch.full((N,), value).double()
    (state,), (pairs,) = solve(diagonal(spectrum), Search(k=2))
    assert pairs.values.tolist() == pytest.approx([value] * 4, abs=1e-14)
    assert state.n_products < 20
    measure = SpectralMeasure(nodes=state.nodes, weights=state.weights, n=N)
    assert measure.near(value, value) == pytest.approx(N)
    known = describe(value, value, pairs.values[:2], confirmed=state.confirmed_top, measure=measure)
    assert known.at_least == 2
    assert not known.complete
    assert known.estimate == pytest.approx(N)


def test_the_estimate_of_a_null_space() -> None:
    """100 of 400 are 0: a random vector has 1/4 of its energy there, give or take sqrt(200) / 400."""
    spectrum = torch.cat([torch.zeros(100), torch.linspace(0.5, 1, 300)]).double()
    (state,), (pairs,) = solve(diagonal(spectrum), Search())
    measure = SpectralMeasure(nodes=state.nodes, weights=state.weights, n=N)
    known = describe(float(pairs.values[-1]), float(pairs.values[0]), pairs.values[-1:])
    assert known.is_null
    assert measure.near(0.0, 1.0) == pytest.approx(100, abs=4 * 200**0.5)
    assert float(state.weights.sum()) == pytest.approx(1)


@pytest.mark.parametrize("n", [2, 5, 37])
def test_small_spaces_are_searched_whole(n: int) -> None:
    spectrum = torch.arange(n).double().floor_divide(2)  # every eigenvalue twice
    (state,), (pairs,) = solve(diagonal(spectrum), Search(k=n // 2), n=n)
    assert state.outcome is Status.EXACT
    known = spectrum.sort(descending=True).values
    expected = torch.cat([known[: n // 2], known[n - n // 2 :]])
    torch.testing.assert_close(pairs.values, expected, rtol=0, atol=1e-12)


def test_several_matrices_are_solved_as_each_alone() -> None:
    """The matrices share the product only; each search stops by itself."""
    chosen = [SPECTRA[name] for name in ("even", "one large", "negative powers")]
    search = Search(tolerance=1e-6)
    states, together = solve(diagonal(*chosen), search, items=3)
    assert len({state.n_products for state in states}) > 1
    for i, spectrum in enumerate(chosen):
        alone = lanczos.begin(torch.zeros(N).double(), search, seed=i)
        lanczos.lanczos(diagonal(spectrum), [alone], search, max_products=2000)
        assert abs(alone.n_products - states[i].n_products) <= 10  # a look at the projected matrix
        pairs = lanczos.extract(diagonal(spectrum), alone, 0, search)
        torch.testing.assert_close(pairs.values, together[i].values, rtol=0, atol=1e-9)


@pytest.mark.parametrize("legs", [(1, 299), (60, 1, 239), (150, 150)])
def test_legs_make_one_run(legs: tuple[int, ...]) -> None:
    """Also across restarts, which happen at 60 vectors here."""
    operator, search = diagonal(SPECTRA["geometric"]), Search(k=2, tolerance=1e-8, basis_size=60)
    (whole,), (expected,) = solve(operator, search, max_products=300)
    parts = lanczos.begin(torch.zeros(N).double(), search, seed=0)
    for leg in legs:
        lanczos.lanczos(operator, [parts], search, max_products=leg)
    assert parts.n_products == whole.n_products == 300
    assert torch.equal(lanczos.extract(operator, parts, 0, search).vectors, expected.vectors)


def test_ctrl_c_keeps_the_best_so_far() -> None:
    spectrum, calls = SPECTRA["geometric"], []
    plain = diagonal(spectrum)

    def pressed(vectors: Tensor, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        calls.append(1)
        if len(calls) == 50:
            press_ctrl_c()
        return plain(vectors, items)

    search = Search(tolerance=1e-8)
    state = lanczos.begin(torch.zeros(N).double(), search, seed=0)
    with python_handles_ctrl_c():
        lanczos.lanczos(pressed, [state], search, max_products=2000)
    assert state.outcome is Status.INTERRUPTED
    assert state.n_products == 50
    pairs = lanczos.extract(plain, state, 0, search)
    assert pairs.values[0] == pytest.approx(1.0)
    lanczos.lanczos(plain, [state], search, max_products=100)
    straight = lanczos.begin(torch.zeros(N).double(), search, seed=0)
    lanczos.lanczos(plain, [straight], search, max_products=150)
    assert torch.equal(straight.basis, state.basis)


def test_out_of_steps_and_precision_are_told_apart() -> None:
    operator = diagonal(SPECTRA["clustered at 0"])
    (early,), _ = solve(operator, Search(), max_products=12)
    assert early.outcome is Status.OUT_OF_STEPS
    rough = diagonal(SPECTRA["one large"])

    def noisy(vectors: Tensor, items: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Products whose last digits depend on what is asked, as those of a GPU may."""
        products, energies = rough(vectors, items)
        return products * (1 + 1e-5 * torch.sin(1e7 * vectors)), energies

    (state,), (pairs,) = solve(noisy, Search(tolerance=1e-9), max_products=600)
    assert state.outcome in (Status.PRECISE, Status.OUT_OF_STEPS)
    assert pairs.worst() > 1e-9  # the certificate does not repeat what the recurrence believes


def test_a_certificate_sees_what_is_no_eigenvector() -> None:
    spectrum = torch.tensor([4.0, 1.0, 0.0]).double()
    mixed = torch.tensor([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]).double()
    pairs = certified_eigenpairs(diagonal(spectrum), mixed, 0, n_bottom=1)
    value = 0.36 * 4 + 0.64  # and the residual is what is left of (2.4, 0.8) beyond 2.08 (0.6, 0.8)
    assert pairs.values.tolist() == pytest.approx([value, 0])
    assert float(pairs.residuals[0]) == pytest.approx(np.hypot(2.4 - 1.248, 0.8 - 1.664) / value)
    assert float(pairs.error_bounds[1]) < 1e-14


@pytest.mark.parametrize("k", [1, 3])
def test_orthogonal_iteration_and_randomized_svd_agree_with_numpy(k: int) -> None:
    generator = torch.Generator().manual_seed(2)
    basis = torch.linalg.qr(torch.randn(30, 30, generator=generator).double())[0]
    spectrum = torch.linspace(0, 1, 30).double().pow(3) + 0.01
    matrix = basis @ torch.diag(spectrum) @ basis.T
    truth = np.linalg.eigvalsh(matrix.numpy())[::-1]

    def operator(vectors: Tensor, _: Sequence[int]) -> tuple[Tensor, Tensor]:
        products = vectors @ matrix
        return products, (products * vectors).sum(dim=1)

    start = torch.randn(k, 30, generator=generator).double()
    power: Callable[..., object] = orthogonal_iteration
    top = power(operator, start, criterion=1e-12, max_iter=5000)
    values = certified_eigenpairs(operator, top.vectors, 0, n_bottom=0).values  # type: ignore[attr-defined]
    np.testing.assert_allclose(values, truth[:k], rtol=1e-6)
    wide = torch.randn(k + 5, 30, generator=generator).double()
    found = randomized_range(operator, wide, q=8)
    assert found.n_products == (k + 5) * 10
    values = certified_eigenpairs(operator, found.vectors[:k], 0, n_bottom=0).values
    np.testing.assert_allclose(values, truth[:k], rtol=1e-3)


def test_a_search_is_tensors_and_what_json_holds() -> None:
    state = lanczos.begin(torch.zeros(N), Search(), seed=3)
    plain = {k: v for k, v in vars(state).items() if not isinstance(v, Tensor | Status)}
    assert json.loads(json.dumps(plain)) == plain


@pytest.mark.parametrize("n", [10, 10_000, 10_000_000])
def test_the_basis_stays_within_its_memory(n: int) -> None:
    rows = Search(k=1).basis_rows(n, 4)
    assert rows <= n
    assert rows <= 40 or rows * n * 4 <= 2**28

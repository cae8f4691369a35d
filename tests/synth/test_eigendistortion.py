"""Eigendistortion: known Jacobians, numpy's spectra, the seeds' interface, and honest certificates."""

import inspect
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    CenterSurround,
    Eigendistortion,
    Gaussian,
    Identity,
    LuminanceGainControl,
    Metamer,
    PortillaSimoncelli,
    features,
    fisher_info_matrix_eigenvalue,
    fisher_info_matrix_vector_product,
    images,
    remove_grad,
)
from stimsynth.engine.run import Status
from stimsynth.methods.base.saving import LoadWarning
from stimsynth.methods.eigen.checks import warn_of_size
from stimsynth.numerics.linearized import Linearized
from stimuli_store.errors import InputError

ITERATIVE = ["lanczos", "power", "randomized_svd"]


class Matrix(nn.Module):
    """y = M x."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix)

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(1) @ self.matrix.T)[:, None]


class Square(nn.Module):
    """y = x²: J = diag(2 x), F = diag(4 x²)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square()


def random_matrix(m: int, n: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(m, n, generator=torch.Generator().manual_seed(7), dtype=torch.float64).to(
        dtype
    )


def line(n: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """An image of one row, distinct values from 0.1 to 1."""
    return torch.linspace(0.1, 1, n, dtype=torch.float64).to(dtype)[None, None, None]


def picture(size: int = 32) -> Tensor:
    return images.load("camera", size=size).double()


# -- known answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("m", "n"), [(10, 25), (25, 25), (40, 25), (300, 500)])
def test_a_linear_map_gives_its_singular_vectors(m: int, n: int, dtype: torch.dtype) -> None:
    matrix = random_matrix(m, n, dtype)
    eig = Eigendistortion(line(n, dtype), Matrix(matrix))
    eig.synthesize(k=2)
    _, s, vh = np.linalg.svd(matrix.double().numpy())
    known = np.concatenate([s**2, np.zeros(max(n - m, 0))])
    known = np.concatenate([known[:2], known[-2:]]) / known[0]
    found = eig.eigenvalues.double().numpy() / s[0] ** 2
    np.testing.assert_allclose(found, known, atol=1e-6 if dtype is torch.float64 else 2e-6)
    assert eig.eigendistortions.shape == (4, 1, 1, n)
    assert eig.eigendistortions.dtype == eig.eigenvalues.dtype == dtype
    overlap = np.abs(vh[0] @ eig.eigendistortions[0].flatten().double().numpy())
    assert overlap == pytest.approx(1, abs=1e-3)
    assert eig.eigenindex.tolist() == [0, 1, n - 2, n - 1]


def test_methods_agree_with_numpy() -> None:
    """A spectrum with a clear gap at each end, for methods that need one."""
    n = 25
    u, _, vh = np.linalg.svd(random_matrix(n, n).numpy())
    s = np.concatenate([[3.0, 2.5], np.linspace(1.5, 1.0, n - 4), [0.3, 0.1]])
    model = Matrix(torch.from_numpy(u @ np.diag(s) @ vh))
    for method in ["exact", *ITERATIVE]:
        eig = Eigendistortion(line(n), model, seed=3)
        eig.synthesize(method, k=2, q=12, stop_criterion=1e-12)  # type: ignore[arg-type]
        ranks = eig.eigenindex.numpy()
        expected = {"exact": range(n), "randomized_svd": [0, 1]}.get(method, [0, 1, n - 2, n - 1])
        assert ranks.tolist() == list(expected)
        np.testing.assert_allclose(eig.eigenvalues.numpy(), s[ranks] ** 2, rtol=1e-5)
        vectors = eig.eigendistortions.flatten(1).numpy()
        ends = [0, 1] if method == "randomized_svd" else [0, 1, -2, -1]
        for i in ends:
            assert abs(vectors[i] @ vh[ranks[i]]) == pytest.approx(1, abs=1e-6)
        assert eig.status[0] in (Status.CONVERGED, Status.EXACT)


def test_a_circular_convolution_gives_its_power_spectrum() -> None:
    """λ = |H|², each twice or four times over but for the lines of symmetry."""
    model = remove_grad(Gaussian(7, std=1.5, pad_mode="circular").double())
    impulse = torch.zeros(1, 1, 24, 24).double()
    impulse[..., 0, 0] = 1
    power = torch.fft.fft2(model(impulse)).abs().square().flatten().sort(descending=True).values
    eig = Eigendistortion(picture(24), model)
    eig.synthesize(k=6)
    torch.testing.assert_close(eig.eigenvalues[:6], power[:6], rtol=1e-6, atol=0)
    assert power[1:5].std() < 1e-12 < power[4] - power[5]  # one, four, and then fewer
    assert bool((eig.eigenvalues[6:] <= 1e-4).all())
    eig.synthesize("exact")
    torch.testing.assert_close(eig.eigenvalues, power, rtol=0, atol=1e-12)


def test_a_pointwise_nonlinearity_gives_the_brightest_and_darkest_pixel() -> None:
    image = line(40)
    eig = Eigendistortion(image, Square())
    eig.synthesize(residual_tolerance=1e-8)
    top, bottom = eig.eigendistortions.flatten(1).abs()
    assert (int(top.argmax()), int(bottom.argmax())) == (39, 0)
    torch.testing.assert_close(eig.eigenvalues, torch.tensor([4.0, 0.04]).double())


@pytest.mark.parametrize(("m", "n"), [(6, 4), (4, 6)])
def test_the_jacobian_is_the_matrix_wherever_the_image_is(m: int, n: int) -> None:
    matrix = random_matrix(m, n)
    for image in (line(n), 1 - line(n)):
        eig = Eigendistortion(image, Matrix(matrix))
        assert eig.jacobian is None
        eig.synthesize("exact")
        torch.testing.assert_close(eig.jacobian, matrix)
        assert torch.equal(eig.compute_jacobian(), eig.jacobian)
        assert eig.eigendistortions.shape == (n, 1, 1, n)
    bent = Eigendistortion(line(5), Square())
    torch.testing.assert_close(bent.compute_jacobian(), torch.diag(2 * line(5).flatten()))


def test_only_exact_and_compute_jacobian_make_a_jacobian() -> None:
    eig = Eigendistortion(line(12), Matrix(random_matrix(8, 12)))
    for method in ITERATIVE:
        eig.synthesize(method, k=1)  # type: ignore[arg-type]
        assert eig.jacobian is None


def test_fisher_products_are_those_of_the_matrix() -> None:
    matrix = random_matrix(7, 5)
    x = torch.linspace(-1, 1, 5).double()[:, None].requires_grad_(True)
    y = torch.tanh(matrix @ x)
    jacobian = (1 - y.detach() ** 2) * matrix
    fisher = jacobian.T @ jacobian
    v = random_matrix(5, 3)
    dummy = torch.ones_like(y, requires_grad=True)
    for extra in ((), (dummy,)):
        torch.testing.assert_close(fisher_info_matrix_vector_product(y, x, v, *extra), fisher @ v)
        torch.testing.assert_close(
            fisher_info_matrix_eigenvalue(y, x, v, *extra), (v.T @ fisher @ v).diag()
        )
    with pytest.raises(InputError, match="V must hold directions of x as columns"):
        fisher_info_matrix_vector_product(y, x, v.T)


# -- what is repeated, and what is not seen --------------------------------------------------------


def test_the_identity_sees_all_directions_alike() -> None:
    eig = Eigendistortion(picture(), Identity())
    eig.synthesize(k=2)
    torch.testing.assert_close(eig.eigenvalues, torch.ones(4).double())
    (spaces,) = eig.eigenspaces
    for space in spaces.values():
        assert space.at_least >= 2
        assert space.estimate == pytest.approx(1024)
        assert "at least" in str(space)
        assert "about 1.02e+03" in str(space)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("method", ["exact", "lanczos", "power"])
def test_what_a_flat_matrix_cannot_see(method: Any, dtype: torch.dtype) -> None:
    matrix = random_matrix(10, 25, dtype)
    eig = Eigendistortion(line(25, dtype), Matrix(matrix))
    eig.synthesize(method)
    space = eig.eigenspaces[0]["bottom"]
    assert space.is_null
    assert space.at_least == 15
    assert space.complete == (method != "power")
    assert not eig.eigenspaces[0]["top"].is_null
    blind = eig.eigendistortions[-1].flatten().double()
    assert (matrix.double() @ blind).norm() < 1e-3 * torch.linalg.matrix_norm(matrix.double(), 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_null_space_that_the_shape_does_not_tell(dtype: torch.dtype) -> None:
    """Rank 20 of 30 from 40 outputs: the whole space is searched, and the zeros counted."""
    matrix = (random_matrix(40, 20) @ random_matrix(20, 30)).to(dtype)
    eig = Eigendistortion(line(30, dtype), Matrix(matrix))
    eig.synthesize()
    assert str(eig.eigenspaces[0]["bottom"]) == "the null space has 10 dimensions"


def test_a_large_null_space_is_estimated() -> None:
    """The model ignores half of the pixels, so half of the eigenvalues are 0."""
    mask = (torch.arange(1024) % 2).view(32, 32).double()

    class Half(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * (1 + x) * mask

    eig = Eigendistortion(picture(), Half())
    eig.synthesize()
    space = eig.eigenspaces[0]["bottom"]
    assert space.is_null
    assert space.estimate == pytest.approx(512, abs=4 * 1024**0.5)
    assert not space.complete


def test_what_was_not_searched_for_is_not_called_complete() -> None:
    """Twelve zeros, of which each pass sees one or two: that nothing is lower does not count the copies."""
    least = torch.tensor([0.008, 0.007, 0.006, 0.005, 0.004, 0.003, *[0.0] * 12])
    weights = torch.cat([torch.linspace(1, 0.5, 382), least]).double()

    class Weighted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * weights

    eig = Eigendistortion(line(400), Weighted())
    eig.synthesize(k=6)
    assert eig.eigenspaces[0]["top"].complete
    bottom = eig.eigenspaces[0]["bottom"]
    assert bottom.is_null
    assert 1 <= bottom.at_least < 6
    assert not bottom.complete


class FlatBelow(nn.Module):
    """A model that sees nothing below 10."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x - 10)


def test_a_model_that_is_flat_at_one_of_the_images() -> None:
    eig = Eigendistortion(torch.cat([picture(), picture() + 10]), FlatBelow())
    eig.synthesize()
    assert eig.eigenvalues[0].tolist() == [0, 0]
    assert eig.eigenspaces[0]["bottom"].estimate == pytest.approx(1024)
    dark, bright = eig.quality()
    assert "does not change with the image" in dark.verdict
    assert "does not change with the image" not in bright.verdict
    with pytest.raises(InputError, match="gradient is 0 there"):
        Eigendistortion(picture(), FlatBelow())


# -- certificates ----------------------------------------------------------------------------------


def gain_control(dtype: torch.dtype) -> nn.Module:
    model = LuminanceGainControl(31, pretrained=True, pad_mode="circular", cache_filt=True)
    return remove_grad(model.to(dtype)).eval()


@pytest.mark.long
@pytest.mark.parametrize("k", [1, 2])
def test_certificates_in_float32_hold_in_float64(k: int) -> None:
    """Fv by torch.func, in another precision than the search had."""
    image = images.load("camera", size=40)
    eig = Eigendistortion(image, gain_control(torch.float32))
    eig.synthesize(k=k)
    assert eig.status == (Status.CONVERGED,)
    model, x = gain_control(torch.float64), image.double()
    back = torch.func.vjp(model, x)[1]
    largest = float(eig.eigenvalues[0])
    known = torch.linalg.eigvalsh(gram_matrix(model, x)).flip(0)
    known = torch.cat([known[:k], known[-k:]])
    for i, v in enumerate(eig.eigendistortions.double()):
        pushed = torch.func.jvp(model, (x,), (v[None],))[1]
        residual = back(pushed)[0] - eig.eigenvalues[i].double() * v
        assert float(residual.norm()) / largest <= 1e-4
        assert float(residual.norm()) / largest == pytest.approx(float(eig.residuals[i]), abs=3e-6)
        assert float(v.norm()) == pytest.approx(1, abs=1e-6)
    assert bool(((eig.eigenvalues.double() - known).abs() <= 1e-4 * known[0]).all())


def gram_matrix(model: nn.Module, x: Tensor) -> Tensor:
    jacobian = torch.func.vmap(torch.func.vjp(model, x)[1], chunk_size=256)(
        torch.eye(x.numel()).double().view(-1, *x.shape)
    )[0].flatten(1)
    return jacobian.T @ jacobian


def test_the_power_method_says_when_it_stalled() -> None:
    """An eigenvalue that no longer changes may still have a residual above the tolerance."""
    eig = Eigendistortion(picture(), remove_grad(Gaussian(7, std=2.0).double()))
    eig.synthesize("power", stop_criterion=1e-4)
    assert eig.status == (Status.STALLED,)
    assert float(eig.residuals.max()) > 1e-4
    eig.synthesize("power", max_iter=3)
    assert eig.status == (Status.OUT_OF_STEPS,)


# -- runs ------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_batch_is_its_images_one_by_one(dtype: torch.dtype) -> None:
    batch = torch.cat([picture(32), images.load("grass", size=32)])
    batch, model = batch.to(dtype), gain_control(dtype)
    together = Eigendistortion(batch, model, seed=5)
    together.synthesize(k=2)
    assert together.eigendistortions.shape == (2, 4, 1, 32, 32)
    assert together.eigenvalues.shape == together.residuals.shape == (2, 4)
    for i, image in enumerate(batch):
        alone = Eigendistortion(image[None], model, seed=5 + i)
        alone.synthesize(k=2)
        scale = float(alone.eigenvalues[0])
        torch.testing.assert_close(
            alone.eigenvalues, together.eigenvalues[i], rtol=0, atol=1e-4 * scale
        )
        torch.testing.assert_close(
            alone.eigenvalues[0], together.eigenvalues[i, 0], rtol=1e-5, atol=0
        )
        assert abs(alone.n_products[0] - together.n_products[i]) <= 30
        assert together.status[i] is Status.CONVERGED


@pytest.mark.parametrize("method", ["exact", "power", "randomized_svd"])
def test_other_methods_take_one_image(method: Any) -> None:
    eig = Eigendistortion(line(8).repeat(2, 1, 1, 1), Square())
    with pytest.raises(ValueError, match=f"method='{method}' needs one image"):
        eig.synthesize(method)
    with pytest.raises(ValueError, match="the full Jacobian needs one image"):
        eig.compute_jacobian()


def test_two_calls_equal_one_and_a_tolerance_can_be_tightened() -> None:
    model = gain_control(torch.float64)
    whole, parts = (Eigendistortion(picture(), model, seed=2) for _ in range(2))
    whole.synthesize(max_iter=60, residual_tolerance=1e-9)
    for leg in (11, 9, 40):
        parts.synthesize(max_iter=leg, residual_tolerance=1e-9)
    assert parts.n_products == whole.n_products == (60,)
    assert torch.equal(whole.eigendistortions, parts.eigendistortions)
    loose = Eigendistortion(picture(), model)
    loose.synthesize(residual_tolerance=1e-2)
    before = loose.n_products[0]
    loose.synthesize(residual_tolerance=1e-2)
    assert loose.n_products[0] == before
    loose.synthesize(residual_tolerance=1e-5)
    assert loose.n_products[0] > before
    assert float(loose.residuals.max()) <= 1e-5


def test_the_seed_decides() -> None:
    found = []
    for seed in (1, 1, 2):
        eig = Eigendistortion(picture(), gain_control(torch.float64), seed=seed)
        eig.synthesize(max_iter=20)
        found.append(eig.eigendistortions)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_global_random_state_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    for method in ITERATIVE:
        Eigendistortion(line(9), Square(), seed=1).synthesize(method)  # type: ignore[arg-type]
    assert torch.equal(before, torch.random.get_rng_state())


# -- models of all kinds ---------------------------------------------------------------------------


class Cube(torch.autograd.Function):
    """x³ without forward mode."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * gradient


class CubeOnce(torch.autograd.Function):
    """x³ with forward mode, and a backward that cannot be differentiated."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x**3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * gradient

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * tangent


class CubeDetached(CubeOnce):
    """x³ whose backward leaves the graph without a word."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * gradient.detach()


class CubeHalf(CubeOnce):
    """x³ whose backward can be differentiated, and then gives half of what it should."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 1.5 * ctx.saved_tensors[0] ** 2 * (gradient + gradient.detach())


class Neither(CubeHalf):
    """x³ that can be differentiated once only."""

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        raise NotImplementedError


class Applied(nn.Module):
    def __init__(self, function: type[torch.autograd.Function]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(x)


@pytest.mark.parametrize(
    ("cube", "forward"), [(Cube, False), (CubeOnce, True), (CubeDetached, True), (CubeHalf, True)]
)
def test_custom_gradients_of_every_kind(cube: Any, forward: bool) -> None:
    eig = Eigendistortion(line(60), Applied(cube))
    eig.synthesize(residual_tolerance=1e-7)
    torch.testing.assert_close(
        eig.eigenvalues, torch.tensor([9.0, 9e-4]).double(), rtol=0, atol=1e-9
    )
    assert Linearized(Applied(cube), line(60)).forward_mode == forward


def test_a_model_without_second_derivatives_is_refused() -> None:
    with pytest.raises(InputError, match="derivative along a direction cannot be computed"):
        Eigendistortion(line(6), Applied(Neither)).synthesize()


def test_complex_outputs_count_as_two() -> None:
    """The Fourier transform is unitary but for a factor: all eigenvalues are n."""

    class Fourier(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.fft2(x)

    eig = Eigendistortion(picture(16), Fourier())
    eig.synthesize()
    torch.testing.assert_close(eig.eigenvalues, torch.full((2,), 256.0).double())


def test_linearized_products_are_the_jacobians() -> None:
    """Products at two points, repeated, in any order, and more of them than one pass takes."""
    matrix = random_matrix(4, 6)
    points = random_matrix(2, 6)
    linear = Linearized(lambda x: torch.tanh(x @ matrix.T), points)
    assert (linear.size_in, linear.size_out) == (6, 4)
    jacobians = (1 - torch.tanh(points @ matrix.T) ** 2)[:, :, None] * matrix
    items = [1, 0, 1] * 7
    v, u = random_matrix(21, 6), random_matrix(21, 4)
    chosen = jacobians[items]
    torch.testing.assert_close(linear.push(v, items), torch.einsum("amn,an->am", chosen, v))
    torch.testing.assert_close(linear.pull(u, items), torch.einsum("amn,am->an", chosen, u))
    products, energies = linear.gram(v, items)
    pushed = torch.einsum("amn,an->am", chosen, v)
    torch.testing.assert_close(products, torch.einsum("amn,am->an", chosen, pushed))
    torch.testing.assert_close(energies, pushed.square().sum(dim=1))


@pytest.mark.long
def test_texture_statistics_and_network_layers_have_eigendistortions() -> None:
    texture = remove_grad(
        PortillaSimoncelli((32, 32), n_scales=2, n_orientations=2, spatial_corr_width=3).double()
    ).eval()
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3))
    for parameter in network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator).double()
    layer = remove_grad(features(network, "2")).double().eval()
    for model in (texture, layer):
        eig = Eigendistortion(picture(), model)
        eig.synthesize(max_iter=1500)
        fisher = gram_matrix_of_any(model, picture())
        known = torch.linalg.eigvalsh(fisher)
        assert float(eig.eigenvalues[0]) == pytest.approx(float(known[-1]), rel=1e-4)
        assert float(eig.eigenvalues[1]) <= float(known[0]) + 1e-4 * float(known[-1])


def gram_matrix_of_any(model: nn.Module, x: Tensor) -> Tensor:
    jacobian = torch.autograd.functional.jacobian(model, x).reshape(-1, x.numel())
    return jacobian.T @ jacobian


# -- what the seeds show ---------------------------------------------------------------------------


def spectrum_peak(distortion: Tensor) -> float:
    """Radius of the largest Fourier coefficient, in cycles per image."""
    power = torch.fft.fft2(distortion[0]).abs().square()
    side = power.shape[-1]
    at = divmod(int(power.argmax()), side)
    return float(np.hypot(*(min(i, side - i) for i in at)))


def test_a_gaussian_sees_slow_waves_most_and_fast_ones_least() -> None:
    model = remove_grad(Gaussian(31, std=3.0))
    eig = Eigendistortion(images.load("camera", size=128), model)
    eig.synthesize()
    top, bottom = (spectrum_peak(v) for v in eig.eigendistortions)
    assert top <= 2
    assert bottom > 32


def test_a_centre_surround_sees_the_middle_most() -> None:
    model = remove_grad(CenterSurround(31, center_std=2.0, surround_std=5.0))
    eig = Eigendistortion(images.load("camera", size=128), model)
    eig.synthesize()
    top, bottom = (spectrum_peak(v) for v in eig.eigendistortions)
    assert 3 < top < 32
    assert bottom > 32


@pytest.mark.long
def test_gain_control_sees_most_where_it_is_dark() -> None:
    image = torch.full((1, 1, 64, 64), 0.9).double()
    image[..., :24, 34:58] = 0.05
    model = gain_control(torch.float64)
    eig = Eigendistortion(image, model)
    eig.synthesize(residual_tolerance=1e-6)
    top = eig.eigendistortions[:1]
    energy = top.square()
    assert float(energy[..., :24, 34:58].sum()) > 0.9
    away = top.roll((32, 32), dims=(-2, -1))
    here, there = (float((model(image + e) - model(image)).norm()) for e in (top, away))
    assert there < 0.5 * here
    linear = remove_grad(Gaussian(31, std=3.0, pad_mode="circular").double())
    here, there = (float((linear(image + e) - linear(image)).norm()) for e in (top, away))
    assert there == pytest.approx(here)


# -- the seeds' interface --------------------------------------------------------------------------


def test_signature_and_defaults() -> None:
    parameters = list(inspect.signature(Eigendistortion.synthesize).parameters.values())[1:7]
    assert [(p.name, p.default) for p in parameters] == [
        ("method", "lanczos"),
        ("k", 1),
        ("max_iter", 1000),
        ("p", 5),
        ("q", 2),
        ("stop_criterion", 1e-7),
    ]
    eig = Eigendistortion(line(9), Square())
    assert eig.synthesize() is None
    assert eig.eigenindex.tolist() == [0, 8]


def test_before_synthesis_all_is_empty() -> None:
    eig = Eigendistortion(line(9), Square())
    assert eig.eigendistortions.shape == (0, 1, 1, 9)
    assert eig.eigenvalues.numel() == eig.eigenindex.numel() == eig.residuals.numel() == 0
    assert eig.status == (Status.RUNNING,)
    assert eig.n_products == (0,)
    assert repr(eig) == "Eigendistortion -- Input dim: 9 | Output dim: 9"


def test_the_sizes_of_the_tutorial_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    eig = Eigendistortion(line(25), Matrix(random_matrix(10, 25)))
    said = capsys.readouterr().out
    assert said == "Initializing Eigendistortion -- Input dim: 25 | Output dim: 10\n"
    eig.synthesize()
    line_ = repr(eig)
    assert line_.startswith("Eigendistortion -- Input dim: 25 | Output dim: 10; ")
    assert "the null space has 15 dimensions" in line_
    assert "\n" not in line_


def test_the_power_method_says_that_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = remove_grad(nn.Linear(25, 10, bias=False))
    eig = Eigendistortion(torch.ones(1, 1, 1, 25), model)
    eig.synthesize("power")
    assert capsys.readouterr().out.splitlines() == [
        "Initializing Eigendistortion -- Input dim: 25 | Output dim: 10",
        "Top k=1 eigendists computed | Stop criterion 1.00E-07 reached.",
        "Bottom k=1 eigendists computed | Stop criterion 1.00E-07 reached.",
    ]
    assert eig.eigenindex.tolist() == [0, 24]
    exact = Eigendistortion(eig.image, eig.model)
    exact.synthesize("exact")
    overlap = (exact.eigendistortions.flatten(1) @ eig.eigendistortions[-1].flatten()).abs()
    assert float(overlap[:10].max()) < 1e-2  # the last one lies among those of eigenvalue 0
    first, same = eig.eigendistortions[0], exact.eigendistortions[0]
    sign = torch.sign((first * same).sum())
    torch.testing.assert_close(first * sign, same, rtol=0, atol=1e-3)


def test_large_jacobians_are_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"1200 x 1100 elements, more than a million"):
        warn_of_size(1100, 1200)
    wide = Eigendistortion(line(10_001), Matrix(random_matrix(1, 10_001)))
    with pytest.warns(UserWarning, match="the Jacobian of 10001 inputs takes long"):
        wide.compute_jacobian()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wide.compute_jacobian()  # it is there already
        warn_of_size(900, 900)


class Root(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sqrt(x)


@pytest.mark.filterwarnings("ignore:the gradient of Root")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda e: e.synthesize("svd"), "unknown method of Eigendistortion 'svd'"),
        (lambda e: e.synthesize("powr"), "did you mean 'power'"),
        (lambda e: e.synthesize(k=0), "k must be a whole number of 1"),
        (lambda e: e.synthesize(k=5), "k must be at most 4 for an image of 9 pixels"),
        (lambda e: e.synthesize("power", k=5), "k must be at most 4 for an image of 9 pixels"),
        (lambda e: e.synthesize("randomized_svd", k=10), "at most 9 .* not 10"),
        (lambda e: e.synthesize(k=2, max_iter=3), "max_iter must be at least 2k = 4"),
        (lambda e: e.synthesize("power", max_iter=0), "max_iter must be a whole number of 1"),
        (lambda e: e.synthesize("randomized_svd", p=-1), "p must be a whole number of 0"),
        (lambda _: Eigendistortion(line(4)[0], Square()), "shape"),
        (lambda _: Eigendistortion(line(4) + 0j, Square()), "complex"),
        (lambda _: Eigendistortion(picture(), Gaussian(7).double()), "remove_grad"),
        (lambda _: Eigendistortion(0 * line(4), Root()).synthesize("power"), "NaN or infinite"),
        (lambda _: Eigendistortion(0 * line(4), Root()).synthesize("exact"), "NaN or infinite"),
        (
            lambda _: Eigendistortion(torch.cat([line(4), 0 * line(4)]), Root()).synthesize(),
            "NaN or infinite at image 1",
        ),
    ],
)
def test_bad_input_gets_a_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make(Eigendistortion(line(9), Square()))


# -- pictures --------------------------------------------------------------------------------------


def drawn(axes: Any) -> np.ndarray:
    assert axes.figure.axes == [axes]
    return np.asarray(axes.images[0].get_array())


def test_what_is_shown_is_the_image_with_its_distortion(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from stimsynth.plots import display_eigendistortion

    eig = Eigendistortion(picture(), gain_control(torch.float64))
    with pytest.raises(InputError, match=r"call synthesize\(\) first"):
        display_eigendistortion(eig)
    eig.synthesize(k=2)
    for rank, which in ((0, 0), (1, 1), (-1, 3), (1023, 3)):
        expected = (eig.image[0, 0] + 2 * eig.eigendistortions[which, 0]).clamp(0, 1)
        np.testing.assert_array_equal(
            drawn(display_eigendistortion(eig, rank, alpha=2.0)), expected.numpy()
        )
    for rank in (2, 1024, -1025):
        with pytest.raises(ValueError, match=r"one of \[0, 1, 1022, 1023\]"):
            display_eigendistortion(eig, rank)
    shown = drawn(display_eigendistortion(eig, process_image=lambda x: 3 * x - 1, alpha=1.0))
    assert (shown.min(), shown.max()) == (0, 1)
    mine = Figure().add_subplot()
    assert display_eigendistortion(eig, -1, ax=mine, title="least") is mine
    assert mine.get_title() == "least"
    display_eigendistortion(eig, zoom=2).get_figure(root=True).savefig(tmp_path / "shown.png")


def test_colours_and_complex_pictures() -> None:
    pytest.importorskip("matplotlib")
    from stimsynth.plots import display_eigendistortion

    image = torch.cat([picture(16), 0.5 * picture(16), 1 - picture(16)], dim=1)
    eig = Eigendistortion(image.repeat(2, 1, 1, 1), Square())
    eig.synthesize()
    grey = (image[0] + eig.eigendistortions[1, -1]).clamp(0, 1).mean(dim=0)
    shown = drawn(display_eigendistortion(eig, -1, alpha=1.0, batch_idx=1))
    np.testing.assert_allclose(shown, grey.numpy())
    colour = drawn(display_eigendistortion(eig, -1, alpha=0.0, as_rgb=True))
    np.testing.assert_allclose(colour, image[0].permute(1, 2, 0).numpy())
    spun = display_eigendistortion(
        eig, alpha=0.0, process_image=lambda x: x * 1j, plot_complex="polar"
    )
    flat = image[0].mean(dim=0)
    half_turn = torch.full_like(flat, np.pi / 2)
    expected = torch.cat([flat, half_turn], dim=1).numpy()
    np.testing.assert_allclose(drawn(spun), expected)
    with pytest.raises(InputError, match="unknown plot_complex 'polr'"):
        display_eigendistortion(eig, process_image=lambda x: x * 1j, plot_complex="polr")  # type: ignore[arg-type]
    grey_eig = Eigendistortion(picture(8), Square())
    grey_eig.synthesize()
    with pytest.raises(InputError, match="as_rgb needs three channels"):
        display_eigendistortion(grey_eig, as_rgb=True)


@pytest.mark.parametrize("method", ["lanczos", "exact", "power", "randomized_svd"])
def test_it_is_saved_and_loaded(tmp_path: Path, method: str) -> None:
    image, model = images.load("camera", size=16).double(), remove_grad(Gaussian(5, 1.0).double())
    first, later = Eigendistortion(image, model, seed=3), Eigendistortion(image, model)
    first.synthesize(method=method, max_iter=20)  # type: ignore[arg-type]
    first.save(tmp_path / "e.pt")
    assert later.load(tmp_path / "e.pt") is None
    for name in ("eigendistortions", "eigenvalues", "residuals", "eigenindex"):
        assert torch.equal(getattr(later, name), getattr(first, name)), name
    assert (later.jacobian is None) == (method != "exact")
    assert (later.seed, later.status, later.eigenspaces) == (3, first.status, first.eigenspaces)


def test_a_loaded_search_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    image = images.load("camera", size=24).double()
    model = remove_grad(LuminanceGainControl(9).double())
    whole, first = (Eigendistortion(image, model, seed=3) for _ in range(2))
    later = Eigendistortion(image, model)
    whole.synthesize(k=2, max_iter=60)
    first.synthesize(k=2, max_iter=25)
    first.save(tmp_path / "e.h5")
    later.load(tmp_path / "e.h5")
    later.synthesize(k=2, max_iter=35)
    assert torch.equal(later.eigendistortions, whole.eigendistortions)
    assert later.n_products == whole.n_products


def test_a_file_of_another_image_or_model_is_refused(tmp_path: Path) -> None:
    image, model = images.load("camera", size=16), remove_grad(Gaussian(5, 1.0))
    first = Eigendistortion(image, model)
    first.save(tmp_path / "e.h5")
    with pytest.raises(ValueError, match="image differs"):
        Eigendistortion(image.flip(-1), model).load(tmp_path / "e.h5")
    other = remove_grad(Gaussian(5, 1.3))
    with pytest.raises(ValueError, match="model's output differs"):
        Eigendistortion(image, other).load(tmp_path / "e.h5")
    with pytest.warns(LoadWarning, match="model's output differs"):
        Eigendistortion(image, other).load(tmp_path / "e.h5", raise_on_checks=False)
    with pytest.raises(ValueError, match=r"torch\.float32 on cpu, this object torch\.float64"):
        Eigendistortion(image.double(), remove_grad(Gaussian(5, 1.0).double())).load(
            tmp_path / "e.h5"
        )
    with pytest.raises(ValueError, match="holds a Eigendistortion"):
        Metamer(image, model).load(tmp_path / "e.h5")
    first.synthesize(max_iter=10)
    with pytest.raises(ValueError, match="load needs a new object"):
        first.load(tmp_path / "e.h5")


def test_it_goes_on_in_another_precision() -> None:
    eig = Eigendistortion(images.load("camera", size=24), remove_grad(LuminanceGainControl(9)))
    eig.synthesize(max_iter=20)
    eig.to(torch.float64)
    assert eig.eigendistortions.dtype == eig.image.dtype == torch.float64
    assert next(iter(eig.model.state_dict().values())).dtype == torch.float64
    eig.synthesize()
    alone = Eigendistortion(eig.image, eig.model)
    alone.synthesize()
    assert eig.status[0].finished
    torch.testing.assert_close(eig.eigenvalues[0], alone.eigenvalues[0], rtol=1e-6, atol=0)
    with pytest.raises(ValueError, match="floating-point"):
        eig.to(torch.int32)


def test_quality_says_what_a_run_is_worth() -> None:
    """A diagonal model with a double top and a triple bottom; and runs that did not get there."""
    values = torch.linspace(1, 2, 64, dtype=torch.float64)
    values[-2:], values[:3] = 3, 0.5
    image = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    eig = Eigendistortion(image, Matrix(values.diag()))
    assert not eig.quality()[0].good
    eig.synthesize(k=4)
    (quality,) = eig.quality()
    assert quality.good
    assert quality.figures["top, dimensions"] == 2
    assert quality.figures["bottom, dimensions"] == 3
    assert abs(eig.eigenvalues[0].item() - 9) / 9 <= quality.figures["top, error"] < 1e-3
    assert abs(eig.eigenvalues[-1].item() - 0.25) / 9 <= quality.figures["bottom, error"] < 1e-3
    eig.synthesize("randomized_svd", q=0)
    (quality,) = eig.quality()
    assert not quality.good
    assert "lanczos" in quality.verdict
    assert np.isnan(quality.figures["bottom, error"])


def test_all_distortions_are_drawn_with_the_image() -> None:
    pytest.importorskip("matplotlib")
    from stimsynth.plots import display_eigendistortion_all

    found = SimpleNamespace(
        image=torch.rand(1, 1, 4, 4),
        eigendistortions=torch.linalg.qr(torch.randn(16, 3))[0].T.reshape(3, 1, 4, 4),
        eigenindex=torch.tensor([0, 1, 15]),
    )
    figure = display_eigendistortion_all(found, alpha=[0.1, 0.2, 0.3], zoom=8)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    wanted = [found.image[0, 0]] + [
        (found.image[0, 0] + a * e[0]).clamp(0, 1)
        for a, e in zip((0.1, 0.2, 0.3), found.eigendistortions, strict=True)
    ]
    for picture, right in zip(shown[:4], wanted, strict=True):
        np.testing.assert_allclose(picture, right, atol=1e-6)
    np.testing.assert_array_equal(shown[5:], found.eigendistortions[:, 0])
    assert figure.axes[5].images[0].get_cmap().name == "RdBu_r"
    assert len(display_eigendistortion_all(found, [0, -1]).axes) == 6
    with pytest.raises(InputError, match="one amplitude for each of 3 distortions"):
        display_eigendistortion_all(found, alpha=[1, 2])
    with pytest.raises(InputError, match="rank of a synthesized"):
        display_eigendistortion_all(found, [3])

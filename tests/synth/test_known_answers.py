"""One table: every method on the problems whose answers are known in closed form."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from stimsynth import (
    Eigendistortion,
    Geodesic,
    MADCompetition,
    Metamer,
    MetamerCTF,
    OptimizedImage,
    SimpleMetamer,
    mad_set,
)
from stimsynth.engine.lbfgs import LBFGS


def seeded(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Rows(nn.Module):
    """y = A x for images of 4 × 4, in two scales: the first rows of A, and all of them."""

    scales = ("coarse", "fine")

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("a", seeded(6, 16, seed=5))

    def forward(self, x: Tensor, scales: object = None) -> Tensor:
        rows = {"coarse": self.a[:2], "fine": self.a[2:]}
        wanted = self.scales if scales is None else scales
        return torch.cat([x.flatten(1) @ rows[s].T for s in wanted], dim=1)[:, None]  # type: ignore[attr-defined]


class Circular(nn.Module):
    """Circular convolution with a small kernel."""

    kernel = torch.tensor([[0.2, 0.5, 0.1], [0.0, 1.0, 0.3], [0.1, 0.0, 0.2]]).double()

    def forward(self, x: Tensor) -> Tensor:
        padded = nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
        return nn.functional.conv2d(padded, self.kernel.to(x)[None, None])


# -- metamers of a linear model: the projection of the start on the solutions -----------------------

SGD = partial(torch.optim.SGD, lr=0.05)
TARGET, START = 0.5 + 0.02 * seeded(1, 1, 4, 4, seed=1), 0.5 + 0.02 * seeded(1, 1, 4, 4, seed=2)


def projection() -> Tensor:
    a = Rows().a
    gap = (TARGET - START).flatten(1) @ a.T
    return START + (gap @ torch.linalg.pinv(a).T).view_as(START)


def simple() -> SimpleMetamer:
    made = SimpleMetamer(TARGET, Rows())
    made._full = Metamer(TARGET, Rows(), initial_image=START)  # it has no start of one's own
    return made


METAMERS: dict[str, Callable[[], tuple[Metamer | MetamerCTF | SimpleMetamer, dict]]] = {
    "Metamer": lambda: (Metamer(TARGET, Rows(), initial_image=START), {"stop_criterion": 1e-14}),
    "Metamer, SGD": lambda: (
        Metamer(TARGET, Rows(), initial_image=START),
        {"stop_criterion": 1e-14, "optimizer": SGD},
    ),
    "MetamerCTF": lambda: (
        MetamerCTF(TARGET, Rows(), initial_image=START),
        {"stop_criterion": 1e-14, "ctf_iters_to_check": 10},
    ),
    "MetamerCTF, separate": lambda: (
        MetamerCTF(TARGET, Rows(), initial_image=START, coarse_to_fine="separate"),
        {"stop_criterion": 1e-14, "ctf_iters_to_check": 10},
    ),
    "SimpleMetamer": lambda: (simple(), {}),
}


@pytest.mark.parametrize("name", METAMERS)
def test_metamers_of_a_linear_model(name: str) -> None:
    method, settings = METAMERS[name]()
    method.synthesize(max_iter=400, **settings)
    torch.testing.assert_close(method.metamer, projection(), atol=1e-5, rtol=0)


# -- eigendistortions: |H|² of a circular convolution, squared singular values of a matrix ---------


@pytest.mark.parametrize("method", ["lanczos", "exact", "power", "randomized_svd"])
@pytest.mark.parametrize("problem", ["convolution", "matrix"])
def test_ends_of_a_known_spectrum(method: str, problem: str) -> None:
    model: nn.Module = Circular() if problem == "convolution" else Rows()
    size = 8 if problem == "convolution" else 4
    if problem == "convolution":
        placed = torch.zeros(8, 8, dtype=torch.float64)
        placed[:3, :3] = Circular.kernel
        known = torch.fft.fft2(placed).abs().square().flatten().sort(descending=True).values
    else:
        squares = torch.linalg.svdvals(Rows().a) ** 2
        known = torch.cat([squares, torch.zeros(10, dtype=torch.float64)])
    eig = Eigendistortion(0.5 + 0.1 * seeded(1, 1, size, size, seed=3), model)
    eig.synthesize(method=method, p=20, q=30)  # type: ignore[arg-type]
    assert float(eig.eigenvalues[0]) == pytest.approx(float(known[0]), rel=1e-5)
    if method != "randomized_svd":
        assert float(eig.eigenvalues[-1]) == pytest.approx(
            float(known[-1]), abs=1e-4 * float(known[0])
        )
    if method == "exact":
        torch.testing.assert_close(eig.eigenvalues, known, atol=1e-10, rtol=0)


# -- MAD competition of L1 and L2: p-norm inequalities -----------------------------------------------


def l1(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().sum()


def l2(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().sum().sqrt()


@pytest.mark.parametrize("pixels", [2, 9])
def test_competitions_of_two_norms(pixels: int) -> None:
    """‖d‖₂ ≤ ‖d‖₁ ≤ √n ‖d‖₂, and each bound is met: by one pixel, and by all alike."""
    image = torch.full((1, 1, 1, pixels), 0.5).double()
    (level,) = mad_set(
        image, l1, l2, noise_levels=[0.03], seed=4, max_iter=400, stop_criterion=1e-12
    )
    held = float(level.metric_1), float(level.metric_2)
    answers = {
        "metric_1_min": held[1],
        "metric_1_max": pixels**0.5 * held[1],
        "metric_2_min": held[0] / pixels**0.5,
        "metric_2_max": held[0],
    }
    for name, answer in answers.items():
        member = level.members[name]
        found = member.metric_1 if name.startswith("metric_1") else member.metric_2
        assert float(found) == pytest.approx(answer, rel=1e-5), name
        assert abs(float(member.drift)) < 1e-6, name


def test_one_competition_is_the_sets() -> None:
    image = torch.full((1, 1, 1, 4), 0.5).double()
    mad = MADCompetition(image, l2, l1, "min", initial_noise=0.03, seed=4)
    mad.synthesize(400, stop_criterion=1e-12)
    held = float(l1(image, mad.initial_image))
    assert float(l2(image, mad.mad_image)) == pytest.approx(held / 2, rel=1e-6)


# -- geodesics of a linear model: the straight line, at the bound -------------------------------------


@pytest.mark.parametrize("start", ["straight", "bridge"])
def test_a_geodesic_of_an_invertible_linear_model(start: str) -> None:
    ends = (0.4 + 0.02 * seeded(1, 1, 4, 4, seed=k) for k in (7, 8))
    geo = Geodesic(*ends, nn.Identity(), n_steps=4, initial_sequence=start)  # type: ignore[arg-type]
    geo.synthesize(40, optimizer=LBFGS(bounds=(0.0, 1.0)), stop_criterion=1e-10)
    torch.testing.assert_close(geo.geodesic, geo.pixelfade, atol=1e-5, rtol=0)
    assert float(geo.bound_ratio[0]) == pytest.approx(1, abs=1e-6)


# -- any objective: Cauchy and Schwarz -----------------------------------------------------------------


def test_the_image_of_given_norm_that_a_filter_likes_best() -> None:
    filt = seeded(16, seed=9)
    filt = filt - filt.mean()
    best = OptimizedImage(
        START,
        lambda x: (x.flatten() * filt).sum(),
        held={"mean": torch.mean, "contrast": (torch.std, 0.05)},
    )
    best.synthesize(200, stop_criterion=1e-12)
    answer = START.mean() + 0.05 * filt / filt.std()
    torch.testing.assert_close(best.image.flatten(), answer, atol=1e-5, rtol=0)

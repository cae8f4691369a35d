"""Problems with known answers, for any method of the engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from stimsynth.engine.problem import Held, Problem


@dataclass(frozen=True, kw_only=True)
class Known:
    """A batch of problems with the bounds they are posed in, a start, and the answer."""

    name: str
    value: Callable[[Tensor, Tensor], Tensor]
    start: Tensor
    answer: Tensor
    bounds: tuple[float, float] | None = None

    @property
    def problem(self) -> Problem:
        return Problem(terms=lambda x, items: {"f": self.value(x, items)}, weights={"f": 1.0})


def quadratic() -> Known:
    """Ill-conditioned quadratics (condition number 1e4) with a minimum of their own for every item."""
    scale = torch.logspace(0, 4, 12, dtype=torch.float64)
    centre = torch.linspace(-1, 1, 36, dtype=torch.float64).view(3, 12)
    return Known(
        name="quadratic",
        value=lambda x, items: (scale * (x - centre[items]) ** 2).sum(1),
        start=torch.zeros(3, 12, dtype=torch.float64),
        answer=centre,
    )


def rosenbrock() -> Known:
    """Rosenbrock's valley (1960): minimum 0 at (1, 1)."""

    def value(x: Tensor, _: Tensor) -> Tensor:
        return (1 - x[:, 0]) ** 2 + 100 * (x[:, 1] - x[:, 0] ** 2) ** 2

    start = torch.tensor([[-1.2, 1.0], [0.0, 0.0], [2.0, -1.0]], dtype=torch.float64)
    return Known(name="rosenbrock", value=value, start=start, answer=torch.ones(3, 2).double())


def boxed_quadratic() -> Known:
    """A separable quadratic whose minimum lies outside the box: the answer is its projection."""
    scale = torch.logspace(0, 2, 20, dtype=torch.float64)
    centre = torch.linspace(-2, 3, 40, dtype=torch.float64).view(2, 20)
    return Known(
        name="boxed quadratic",
        value=lambda x, items: (scale * (x - centre[items]) ** 2).sum(1),
        start=torch.full((2, 20), 0.5, dtype=torch.float64),
        answer=centre.clamp(0, 1),
        bounds=(0.0, 1.0),
    )


def boxed_coupled() -> Known:
    """min |Ax - b|² over x >= 0, made from its optimality conditions: x, then the right b for it."""
    generator = torch.Generator().manual_seed(3)
    a = torch.randn(15, 8, generator=generator, dtype=torch.float64)
    answer = torch.tensor([0.0, 0.3, 0.0, 0.7, 0.2, 0.0, 0.9, 0.5], dtype=torch.float64)
    push = torch.where(
        answer == 0, 1.0, 0.0
    ).double()  # the gradient where the bound holds: positive
    b = a @ answer - torch.linalg.pinv(a.T) @ push
    return Known(
        name="boxed coupled",
        value=lambda x, _: ((x @ a.T - b) ** 2).sum(1),
        start=torch.full((1, 8), 0.5, dtype=torch.float64),
        answer=answer[None],
        bounds=(0.0, 10.0),
    )


PROBLEMS = [quadratic(), rosenbrock(), boxed_quadratic(), boxed_coupled()]


@dataclass(frozen=True, kw_only=True)
class HeldKnown:
    """A batch of problems with held terms, a start, and the least objective there is."""

    name: str
    value: Callable[[Tensor, Tensor], Tensor]
    held: Mapping[str, Callable[[Tensor, Tensor], Tensor]]
    targets: Mapping[str, Tensor]
    start: Tensor
    least: Tensor
    bounds: tuple[float, float] | None = None
    nonsmooth_at: Tensor | None = None
    first_step: float = 0.1

    @property
    def problem(self) -> Problem:
        def held(x: Tensor, items: Tensor) -> dict[str, Tensor]:
            return {name: function(x, items) for name, function in self.held.items()}

        return Problem(
            terms=lambda x, items: {"f": self.value(x, items)},
            weights={"f": 1.0},
            held=Held(terms=held, targets=self.targets),
            nonsmooth_at=self.nonsmooth_at,
        )

    def of(self, item: int) -> "HeldKnown":
        """Return the problem of one item alone."""
        return replace(
            self,
            value=lambda x, items: self.value(x, items + item),
            held={n: lambda x, items, f=f: f(x, items + item) for n, f in self.held.items()},
            targets={name: target[item : item + 1] for name, target in self.targets.items()},
            start=self.start[item : item + 1],
            least=self.least[item : item + 1],
            nonsmooth_at=None if self.nonsmooth_at is None else self.nonsmooth_at[item : item + 1],
        )


def eigenvectors() -> HeldKnown:
    """xᵀAx at |x|² = r: the smallest eigenvalue of A, times r."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(3, 12, 12, generator=generator, dtype=torch.float64)
    a, r = a + a.transpose(1, 2), torch.tensor([1.0, 4.0, 0.01], dtype=torch.float64)
    return HeldKnown(
        name="smallest eigenvectors",
        value=lambda x, items: torch.einsum("ni,nij,nj->n", x, a[items], x),
        held={"square": lambda x, _: (x**2).sum(1)},
        targets={"square": r},
        start=torch.randn(3, 12, generator=generator, dtype=torch.float64),
        least=torch.linalg.eigvalsh(a)[:, 0] * r,
    )


def ellipsoid() -> HeldKnown:
    """c·x at xᵀQx = 2, Q of condition number 1e3: -(2 cᵀQ⁻¹c)^½ by Lagrange's condition."""
    scale = torch.logspace(0, 3, 10, dtype=torch.float64)
    c = torch.linspace(1, 2, 20, dtype=torch.float64).view(2, 10)
    return HeldKnown(
        name="linear on an ellipsoid",
        value=lambda x, items: (c[items] * x).sum(1),
        held={"energy": lambda x, _: (scale * x**2).sum(1)},
        targets={"energy": torch.full((2,), 2.0, dtype=torch.float64)},
        start=torch.full((2, 10), 0.1, dtype=torch.float64),
        least=-(2 * (c**2 / scale).sum(1)).sqrt(),
    )


def capped_simplex() -> HeldKnown:
    """The point of {Σx = 3, 0 <= x <= 1} nearest to a: clip(a - t) for the one t that gives the sum."""
    a = torch.linspace(-1, 2, 24, dtype=torch.float64).view(2, 12)
    low, high = torch.full((2, 1), -5.0).double(), torch.full((2, 1), 5.0).double()
    for _ in range(100):
        middle = (low + high) / 2
        above = (a - middle).clamp(0, 1).sum(1, keepdim=True) > 3
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return HeldKnown(
        name="capped simplex",
        value=lambda x, items: ((x - a[items]) ** 2).sum(1),
        held={"sum": lambda x, _: x.sum(1)},
        targets={"sum": torch.full((2,), 3.0, dtype=torch.float64)},
        start=torch.full((2, 12), 0.9, dtype=torch.float64),
        least=(((a - low).clamp(0, 1) - a) ** 2).sum(1),
        bounds=(0.0, 1.0),
    )


def two_held() -> HeldKnown:
    """xᵀAx at |x|² = 1 and v·x = ½: with x = v/2 + Py, one equation for the multiplier (secular)."""
    generator = torch.Generator().manual_seed(5)
    a = torch.randn(9, 9, generator=generator, dtype=torch.float64)
    a = a + a.T
    v = torch.ones(9, dtype=torch.float64) / 3  # a unit vector
    basis = torch.linalg.qr(torch.cat([v[:, None], torch.eye(9, dtype=torch.float64)], 1))[0][:, 1:]
    inner, linear = basis.T @ a @ basis, basis.T @ a @ v / 2
    values, vectors = torch.linalg.eigh(inner)
    # Least y'Ay + 2 l'y at |y|² = ¾: (A - s) y = -l with s below the smallest eigenvalue.
    part = vectors.T @ linear
    low, high = values[0] - 1e3, values[0] - 1e-12
    for _ in range(200):
        s = (low + high) / 2
        low, high = (s, high) if ((part / (values - s)) ** 2).sum() < 0.75 else (low, s)
    y = -part / (values - low)
    least = (values * y**2).sum() + 2 * (part * y).sum() + v @ a @ v / 4
    return HeldKnown(
        name="two held terms",
        value=lambda x, _: torch.einsum("ni,ij,nj->n", x, a, x),
        held={"square": lambda x, _: (x**2).sum(1), "along": lambda x, _: x @ v},
        targets={
            "square": torch.ones(2, dtype=torch.float64),
            "along": torch.full((2,), 0.5, dtype=torch.float64),
        },
        start=torch.randn(2, 9, generator=generator, dtype=torch.float64),
        least=least.expand(2),
    )


HELD_PROBLEMS = [eigenvectors(), ellipsoid(), capped_simplex(), two_held()]


def norm_1(d: Tensor) -> Tensor:
    """Return Σ|d| of every item."""
    return d.flatten(1).abs().sum(1)


def norm_2(d: Tensor) -> Tensor:
    """Return (Σd²)^½ of every item."""
    return d.flatten(1).norm(dim=1)


def norms(
    name: str,
    reference: Tensor,
    start: Tensor,
    bounds: tuple[float, float] | None = None,
    room: float = float("inf"),
) -> list[HeldKnown]:
    """Return both norms of the difference from a reference against each other, each way.

    With n values, each with `room` to change: |d|₂ at |d|₁ = a is least, a/√n, where all are equal, and
    largest with as many as possible at the end of their room and one with the rest. |d|₁ at |d|₂ = b is
    least there too, and largest, √n b, where all are equal.
    """
    a, b = norm_1(start - reference), norm_2(start - reference)
    n = start[0].numel()
    if room == float("inf"):
        a_sparse, b_sparse = b, a
    else:
        full = (a / room).floor()
        b_sparse = (full * room**2 + (a - full * room) ** 2).sqrt()
        full = (b**2 / room**2).floor()
        a_sparse = full * room + (b**2 - full * room**2).sqrt()
    rows = [
        ("least L2", 1, norm_2, norm_1, a, a / n**0.5),
        ("largest L2", -1, norm_2, norm_1, a, -b_sparse),
        ("least L1", 1, norm_1, norm_2, b, a_sparse),
        ("largest L1", -1, norm_1, norm_2, b, -b * n**0.5),
    ]
    return [
        HeldKnown(
            name=f"{title}, {name}",
            value=lambda x, items, f=pushed, s=sign: s * f(x - reference[items]),
            held={"held": lambda x, items, f=held: f(x - reference[items])},
            targets={"held": target},
            start=start,
            least=least,
            bounds=bounds,
            nonsmooth_at=reference,
            first_step=0.1 * (bounds[1] - bounds[0]) if bounds else 0.1,
        )
        for title, sign, pushed, held, target, least in rows
    ]


def two_pixels() -> list[HeldKnown]:
    """Two pixels: where the diamond and the circle touch."""
    reference = torch.full((3, 1, 1, 2), 0.5, dtype=torch.float64)
    noise = torch.tensor([[-0.05, -0.11], [0.02, -0.08], [0.1, 0.03]], dtype=torch.float64)
    return norms("two pixels", reference, reference + noise.view(3, 1, 1, 2))


def many_pixels() -> list[HeldKnown]:
    """A hundred pixels without bounds."""
    generator = torch.Generator().manual_seed(2)
    reference = torch.rand(2, 1, 10, 10, generator=generator, dtype=torch.float64)
    noise = torch.randn(2, 1, 10, 10, generator=generator, dtype=torch.float64)
    return norms("100 pixels", reference, reference + 0.1 * noise)


def checkerboard() -> list[HeldKnown]:
    """64 × 64 pixels of 25.5 and 229.5 in [0, 255], with noise: each pixel can change by 229.5 one way."""
    tile = torch.arange(64) // 16 % 2
    reference = torch.where(tile[:, None] == tile, 25.5, 229.5).double()[None, None]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    start = (reference + 20 * noise).clamp(0, 255)
    return norms("checkerboard", reference, start, (0.0, 255.0), room=229.5)


NORMS = [*two_pixels(), *many_pixels(), *checkerboard()]

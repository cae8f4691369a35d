"""Problems with known answers, for any method of the engine."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.engine.problem import Problem


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

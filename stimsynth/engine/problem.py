"""What is minimized: named scalars of an image, one value per batch item, and their weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Terms = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A batch of N independent problems that share one formula.

    Attributes
    ----------
    terms
        Function of (points, items) to named values. `points` has shape (n, …); `items` (int64, shape
        (n,)) says which of the N problems each point belongs to; every value has shape (n,). It must
        treat points independently and be differentiable.
    weights
        Weight of each term in the objective. Terms without a weight are only watched.
    """

    terms: Callable[[Tensor, Tensor], Terms]
    weights: Mapping[str, float]

    def objective(self, terms: Terms) -> Tensor:
        """Return the weighted sum of the terms, shape (n,)."""
        total = [weight * terms[name] for name, weight in self.weights.items()]
        return torch.stack(total).sum(dim=0)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Objective (n,), gradient (n, …) and terms (each (n,)) at n points, cut from the graph."""

    objective: Tensor
    gradient: Tensor
    terms: Terms


def evaluate(problem: Problem, points: Tensor, items: Tensor) -> Evaluation:
    """Return objective and gradient at `points`, with one forward and one backward pass."""
    with torch.enable_grad():
        points = points.detach().requires_grad_(True)
        terms = problem.terms(points, items)
        objective = problem.objective(terms)
        (gradient,) = torch.autograd.grad(objective.sum(), points)
    return Evaluation(
        objective=objective.detach(),
        gradient=gradient,
        terms={name: value.detach() for name, value in terms.items()},
    )

"""Problems to minimize: named terms of points, their weights, and held terms with targets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

Terms = dict[str, Tensor]
TermsFunction = Callable[[Tensor, Tensor], Terms]


@dataclass(frozen=True, kw_only=True)
class Held:
    """Terms that must keep target values while the objective is minimized.

    Attributes
    ----------
    terms
        Function like `Problem.terms`, of these terms only: it is called more often.
    targets
        Targets by name of the term, each of shape (N,).
    """

    terms: TermsFunction
    targets: Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A batch of N independent problems that share one formula.

    Attributes
    ----------
    terms
        Function of (points, items) to named values. `points` has shape (n, …); `items` (int64, shape
        (n,)) holds the number of the problem of each point; every value has shape (n,). It must treat
        points independently and be differentiable.
    weights
        Weight of each term in the objective. Terms without a weight are only recorded.
    held
        Further terms that must keep their values, for constrained methods. None for none.
    nonsmooth_at
        Values (N, …) at which gradients may jump, such as r in |x - r|. Methods that treat kinks test
        whether there are any. None if all terms are smooth.
    """

    terms: TermsFunction
    weights: Mapping[str, float]
    held: Held | None = None
    nonsmooth_at: Tensor | None = None

    def objective(self, terms: Terms) -> Tensor:
        """Return the weighted sum of the terms, shape (n,)."""
        parts = [terms[k] if w == 1 else w * terms[k] for k, w in self.weights.items()]
        return reduce(torch.add, parts)


def of_items(values: Tensor, items: Tensor) -> Tensor:
    """Return the row of `values` (N, …) for each of `items` (n,), shape (n, …).

    If there is only one row it is used for all, without a copy.

    Examples
    --------
    >>> last = torch.tensor([1])
    >>> of_items(torch.tensor([3.0, 4.0]), last), of_items(torch.tensor([3.0]), last)
    (tensor([4.]), tensor([3.]))
    """
    return values.expand(len(items), *values.shape[1:]) if len(values) == 1 else values[items]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Objective (n,), gradient (n, …) and terms (each (n,)) at n points, detached."""

    objective: Tensor
    gradient: Tensor
    terms: Terms


@dataclass(frozen=True, kw_only=True)
class HeldEvaluation:
    """Objective, gradient and held terms with their gradients at n points, detached.

    `objective` (n,), its `gradient` (n, …), and all `terms` (n,) each; the `held` terms again (n, m), in the
    order of their targets, and their gradients `slopes` (n, m, …).
    """

    objective: Tensor
    gradient: Tensor
    terms: Terms
    held: Tensor
    slopes: Tensor


def evaluate(problem: Problem, points: Tensor, items: Tensor) -> Evaluation:
    """Return objective, gradient and terms at `points` (n, …), by one forward and one backward pass."""
    with torch.enable_grad():
        points = points.detach().requires_grad_(True)
        terms = problem.terms(points, items)
        objective = problem.objective(terms)
        (gradient,) = torch.autograd.grad(objective, points, torch.ones_like(objective))
    return Evaluation(
        objective=objective.detach(),
        gradient=gradient,
        terms={name: value.detach() for name, value in terms.items()},
    )


def held_values(held: Held, points: Tensor, items: Tensor) -> Tensor:
    """Return the held terms at `points`, shape (n, m), without gradients."""
    with torch.no_grad():
        terms = held.terms(points, items)
    return torch.stack([terms[name] for name in held.targets], dim=1)


def evaluate_held(problem: Problem, held: Held, points: Tensor, items: Tensor) -> HeldEvaluation:
    """Return objective and held terms at `points`, each with its own gradient."""
    at = evaluate(problem, points, items)
    with torch.enable_grad():
        points = points.detach().requires_grad_(True)
        terms = held.terms(points, items)
        values = [terms[name] for name in held.targets]
        slopes = [
            torch.autograd.grad(
                value.sum(), points, retain_graph=k < len(values) - 1, materialize_grads=True
            )[0]
            for k, value in enumerate(values)
        ]
    return HeldEvaluation(
        objective=at.objective,
        gradient=at.gradient,
        terms={**at.terms, **{name: value.detach() for name, value in terms.items()}},
        held=torch.stack(values, dim=1).detach(),
        slopes=torch.stack(slopes, dim=1),
    )


def column(values: Tensor, like: Tensor) -> Tensor:
    """Return `values` (N,) reshaped to as many dimensions as `like` (N, …), for broadcasting.

    Examples
    --------
    >>> import torch
    >>> column(torch.ones(2), torch.ones(2, 3, 4)).shape
    torch.Size([2, 1, 1])
    """
    return values.view(-1, *[1] * (like.dim() - 1))

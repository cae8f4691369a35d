"""Any torch optimizer as a method of the loop, with an optional learning-rate scheduler."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from stimsynth.engine.problem import Problem, Terms, evaluate

OptimizerFactory = Callable[[list[Tensor]], torch.optim.Optimizer]
SchedulerFactory = Callable[[torch.optim.Optimizer], Any]


@dataclass(frozen=True, kw_only=True)
class DescentState:
    """The parameter that the optimizer moves, the optimizer, and what was measured at the parameter."""

    points: Tensor
    objective: Tensor
    terms: Terms
    gradient: Tensor
    gradient_norm: Tensor
    exhausted: Tensor
    optimizer: torch.optim.Optimizer
    scheduler: Any


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Gradient descent by a torch optimizer.

    Items stay independent because the objective handed to the optimizer is their sum; that holds for
    optimizers that treat every value by itself (SGD, Adam, …), while `torch.optim.LBFGS` sees one
    problem with N parts.

    Parameters
    ----------
    optimizer
        Function of a list with one tensor that returns a torch optimizer, e.g. `torch.optim.Adam`.
    scheduler
        Function of the optimizer that returns a scheduler; its ``step()`` is called after every step. One
        that waits for a plateau is given the mean objective.
    """

    optimizer: OptimizerFactory
    scheduler: SchedulerFactory | None = None

    def init(self, problem: Problem, start: Tensor) -> DescentState:
        """Return the state at `start`; `start` itself is moved if it is a leaf that needs a gradient."""
        points = start if start.requires_grad else start.detach().clone().requires_grad_(True)
        optimizer = self.optimizer([points])
        scheduler = self.scheduler(optimizer) if self.scheduler else None
        count = len(points)
        at = evaluate(problem, points, torch.arange(count, device=points.device))
        return DescentState(
            points=points,
            objective=at.objective,
            terms=at.terms,
            gradient=at.gradient,
            gradient_norm=at.gradient.flatten(1).norm(dim=1),
            exhausted=torch.zeros(count, dtype=torch.bool, device=points.device),
            optimizer=optimizer,
            scheduler=scheduler,
        )

    def step(self, problem: Problem, state: DescentState, active: Tensor) -> DescentState:
        """Return the state after one optimizer step; the gradient of the last measurement is reused."""
        points, items = state.points, torch.arange(len(state.points), device=state.points.device)
        kept = points.detach().clone()
        first = [state.gradient]

        def closure() -> Tensor:
            # Optimizers such as LBFGS evaluate several times a step; the first time we know already.
            if first:
                points.grad = first.pop()
                return state.objective.sum()
            at = evaluate(problem, points, items)
            points.grad = at.gradient
            return at.objective.sum()

        state.optimizer.step(closure)  # type: ignore[arg-type]
        _restore(points, kept, ~active)
        at = evaluate(problem, points, items)
        if isinstance(state.scheduler, ReduceLROnPlateau):
            state.scheduler.step(at.objective.mean())
        elif state.scheduler is not None:
            state.scheduler.step()
        lost = ~torch.isfinite(at.objective)
        if (
            lost.any()
        ):  # the last point with a finite objective stays; the objective tells what happened
            _restore(points, kept, lost)
        return replace(
            state,
            objective=at.objective,
            terms=at.terms,
            gradient=at.gradient,
            gradient_norm=at.gradient.flatten(1).norm(dim=1),
        )

    def restart(self, problem: Problem, state: DescentState, which: Tensor) -> DescentState:
        """Return the state measured anew; the optimizer keeps what it has learned of the slopes."""
        items = torch.arange(len(state.points), device=state.points.device)
        at = evaluate(problem, state.points, items)
        return replace(
            state,
            objective=at.objective,
            terms=at.terms,
            gradient=at.gradient,
            gradient_norm=at.gradient.flatten(1).norm(dim=1),
        )

    def record(self, state: DescentState) -> dict[str, Any]:
        """Return the state as tensors and numbers, for a file."""
        kept = {field.name: getattr(state, field.name) for field in fields(state)}
        kept["optimizer"] = state.optimizer.state_dict()
        kept["scheduler"] = state.scheduler.state_dict() if state.scheduler else None
        return kept

    def revive(self, record: Mapping[str, Any]) -> DescentState:
        """Return the state that `record` was made of, with an optimizer that holds its points."""
        points = record["points"].detach().requires_grad_(True)
        optimizer = self.optimizer([points])
        scheduler = self.scheduler(optimizer) if self.scheduler else None
        # An optimizer that was built before holds the points of before, and moments beside them.
        optimizer.param_groups[0]["params"] = [points]
        optimizer.state.clear()
        optimizer.load_state_dict(record["optimizer"])
        if scheduler is not None:
            scheduler.load_state_dict(record["scheduler"])
        owned = {"points": points, "optimizer": optimizer, "scheduler": scheduler}
        return DescentState(**{**record, **owned})


def _restore(points: Tensor, kept: Tensor, which: Tensor) -> None:
    """Put back the points (N, …) of the items in `which` (bool, (N,)), in place."""
    column = which.view(-1, *[1] * (points.dim() - 1))
    with torch.no_grad():
        points.copy_(torch.where(column, kept, points))

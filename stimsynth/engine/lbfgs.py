"""Batched limited-memory BFGS with box bounds: N independent problems, evaluated together.

Bounds are kept exactly, by two-metric projection (Bertsekas 1982): a variable on a bound whose gradient
pushes it outward is left out of the step; the rest is clipped to the box. The inverse-Hessian estimate is
positive definite, and so is its block for the free variables; therefore the step is a descent direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from stimsynth.engine.curvature import Curvature
from stimsynth.engine.problem import Evaluation, Problem, Terms, column, evaluate
from stimsynth.numerics.reductions import dots, norms

_ARMIJO = 1e-4


@dataclass(frozen=True, kw_only=True)
class LBFGSState:
    """State of L-BFGS: points, objective, gradient, terms and curvature of N problems.

    The memory is written in place, so a state can be continued once.
    """

    points: Tensor
    objective: Tensor
    gradient: Tensor
    terms: Terms
    gradient_norm: Tensor
    exhausted: Tensor
    avoided: Tensor
    curvature: Curvature
    unreached: ClassVar[None] = None
    optimizer: ClassVar[None] = None
    scheduler: ClassVar[None] = None


@dataclass(frozen=True, kw_only=True)
class LBFGS:
    """Batched L-BFGS with box bounds and a separate line search for every problem.

    Parameters
    ----------
    memory
        Number of pairs of steps and gradient changes in the memory.
    bounds
        (low, high): every value of the points stays inside, exactly. None for no bounds.
    first_step
        Largest change of a value in the first step, before curvature is known.
    max_trials
        Largest number of trial step lengths along one direction.
    """

    memory: int = 10
    bounds: tuple[float, float] | None = None
    first_step: float = 0.1
    max_trials: int = 12

    def init(self, problem: Problem, start: Tensor) -> LBFGSState:
        """Return the state at `start`, clipped to the bounds."""
        points = self._clip(start.detach().clone())
        count = len(points)
        at = evaluate(problem, points, torch.arange(count, device=points.device))
        return LBFGSState(
            points=points,
            objective=at.objective,
            gradient=at.gradient,
            terms=at.terms,
            gradient_norm=self._projected_norm(points, at.gradient),
            exhausted=torch.zeros(count, dtype=torch.bool, device=points.device),
            avoided=torch.zeros(count, dtype=torch.bool, device=points.device),
            curvature=Curvature.unknown(points, self.memory),
        )

    def step(self, problem: Problem, state: LBFGSState, active: Tensor) -> LBFGSState:
        """Return the state after one accepted step of every active problem."""
        free = self._free(state.points, state.gradient).flatten(1)
        fresh = state.curvature.fresh
        direction = self._direction(state, state.gradient.flatten(1) * free, fresh) * free
        direction = direction.view_as(state.points)
        points, at, accepted, avoided = self._search(problem, state, direction, active)
        failed = active & ~accepted
        moved = (points - state.points).flatten(1)
        change = (at.gradient - state.gradient).flatten(1)
        return LBFGSState(
            points=points,
            objective=at.objective,
            gradient=at.gradient,
            terms=at.terms,
            gradient_norm=self._projected_norm(points, at.gradient),
            # A failed search with curvature is repeated without; after a failed gradient step it ends.
            exhausted=state.exhausted | (failed & fresh),
            avoided=avoided,
            # A problem whose search failed loses all its pairs.
            curvature=state.curvature.updated(moved, change, accepted, failed),
        )

    def restart(self, problem: Problem, state: LBFGSState, which: Tensor) -> LBFGSState:
        """Return the state with the problems in `which` (N,) evaluated anew, without their curvature."""
        items = which.nonzero().squeeze(1)
        at = _copy(state)
        found = evaluate(problem, state.points[items], items)
        _put(at, items, found)
        return replace(
            state,
            objective=at.objective,
            gradient=at.gradient,
            terms=at.terms,
            gradient_norm=self._projected_norm(state.points, at.gradient),
            exhausted=state.exhausted & ~which,
            avoided=state.avoided & ~which,
            curvature=state.curvature.forgotten(which),
        )

    def undone(self, state: LBFGSState) -> LBFGSState:
        """Return `state` unchanged: an interrupted step has not written to it."""
        return state

    def record(self, state: LBFGSState) -> dict[str, Any]:
        """Return the state as tensors and numbers, for a file."""
        return {**vars(state), "curvature": state.curvature.record()}

    def revive(self, record: Mapping[str, Any]) -> LBFGSState:
        """Return the state from its `record`."""
        curvature = Curvature.revived(record["curvature"])
        return LBFGSState(**{**record, "curvature": curvature})

    # -- direction ---------------------------------------------------------------------------------

    def _direction(self, state: LBFGSState, gradient: Tensor, fresh: Tensor) -> Tensor:
        """Return minus the inverse-Hessian estimate times `gradient` (N, n)."""
        largest = gradient.abs().amax(dim=1, keepdim=True)
        first = -gradient * (self.first_step / largest.clamp_min(torch.finfo(gradient.dtype).tiny))
        quasi_newton = -state.curvature.times(gradient.unsqueeze(1)).squeeze(1)
        return torch.where(fresh.unsqueeze(1), first, quasi_newton)

    # -- line search -------------------------------------------------------------------------------

    def _search(
        self, problem: Problem, state: LBFGSState, direction: Tensor, active: Tensor
    ) -> tuple[Tensor, Evaluation, Tensor, Tensor]:
        """Return points, evaluation and success of a line search (Armijo rule, on the clipped path).

        A point without a finite gradient is never kept; the last value says which problems had a lower one.
        If no trial along the gradient has a finite objective, the objective is returned as NaN. `direction`
        is written to.
        """
        points, at = state.points.clone(), _copy(state)
        length = torch.ones_like(state.objective)
        slack = 4 * torch.finfo(state.objective.dtype).eps * state.objective.abs()
        waiting = active.clone()
        avoided, tried, seen = (torch.zeros_like(active) for _ in range(3))
        for _ in range(self.max_trials):
            items = waiting.nonzero().squeeze(1)
            if len(items) == 0:
                break
            step = column(length[items], direction) * direction[items]
            trial = self._clip(state.points[items] + step)
            step = trial - state.points[items]
            found = evaluate(problem, trial, items)
            slope = dots(state.gradient[items], step)
            # A step so short that it changes no value shows nothing.
            tried[items] |= slope != 0
            seen[items] |= (slope != 0) & torch.isfinite(found.objective)
            bound = state.objective[items] + _ARMIJO * slope + slack[items]
            good = (found.objective <= bound) & (slope < 0)
            finite = torch.isfinite(found.gradient)
            defined = finite.flatten(1).all(dim=1)
            kept = good & defined
            points[items[kept]] = trial[kept]
            _put(at, items[kept], _rows(found, kept))
            avoided[items] |= good & ~defined
            waiting[items[kept]] = False
            # Too high: the whole step is shortened. Undefined: only the values that cost the gradient.
            half = step / column(2 * length[items], step)
            direction[items] = torch.where(column(good, finite) & ~finite, half, direction[items])
            bad = items[~good]
            length[bad] *= shortened(slope, found.objective - state.objective[items])[~good]
        at.objective[tried & ~seen & state.curvature.fresh] = torch.nan
        return points, at, active & ~waiting, avoided

    # -- bounds ------------------------------------------------------------------------------------

    def _clip(self, points: Tensor) -> Tensor:
        return points if self.bounds is None else points.clamp(*self.bounds)

    def _free(self, points: Tensor, gradient: Tensor) -> Tensor:
        """Return 1 where a value can move downhill and 0 where a bound prevents it."""
        if self.bounds is None:
            return torch.ones_like(points)
        low, high = self.bounds
        held = ((points <= low) & (gradient > 0)) | ((points >= high) & (gradient < 0))
        return (~held).to(points.dtype)

    def _projected_norm(self, points: Tensor, gradient: Tensor) -> Tensor:
        return norms(gradient * self._free(points, gradient))


def shortened(slope: Tensor, rise: Tensor) -> Tensor:
    """Return the factor of the next step length after a failed trial, by a parabola, kept in [0.1, 0.5].

    `slope` is the predicted change of the objective, `rise` its actual change; shape (n,).
    """
    factor = -slope / (2 * (rise - slope)).clamp_min(torch.finfo(rise.dtype).tiny)
    return torch.where(torch.isfinite(factor), factor, 0.1).clamp(0.1, 0.5)


def _copy(state: LBFGSState) -> Evaluation:
    return Evaluation(
        objective=state.objective.clone(),
        gradient=state.gradient.clone(),
        terms={name: value.clone() for name, value in state.terms.items()},
    )


def _rows(found: Evaluation, good: Tensor) -> Evaluation:
    return Evaluation(
        objective=found.objective[good],
        gradient=found.gradient[good],
        terms={name: value[good] for name, value in found.terms.items()},
    )


def _put(at: Evaluation, items: Tensor, found: Evaluation) -> None:
    at.objective[items] = found.objective
    at.gradient[items] = found.gradient
    for name, value in found.terms.items():
        at.terms[name][items] = value

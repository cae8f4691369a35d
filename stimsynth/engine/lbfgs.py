"""Batched limited-memory BFGS with box bounds: N independent problems, one evaluation for all.

The two-loop recursion runs on coefficients: every vector it meets is a combination of the stored
steps, the stored gradient changes and the gradient, so their inner products are all it needs (Chen,
Wang & Zhou 2014, "Large-scale L-BFGS using MapReduce"). The long vectors are touched by three matrix
products a step, however many pairs are remembered.

Bounds are kept exactly, by two-metric projection (Bertsekas 1982): a variable that sits on a bound and
is pushed outward is left out of the step; what remains is clipped to the box. As the inverse-Hessian
estimate is positive definite, so is its block for the free variables, and the step descends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from stimsynth.engine.problem import Evaluation, Problem, Terms, evaluate

_ARMIJO = 1e-4
_CURVATURE = 1e-10


@dataclass(frozen=True, kw_only=True)
class LBFGSState:
    """Where each item stands, and what its last steps said about curvature.

    `basis` (N, 2m, n) holds m steps, then m gradient changes; `gram` (N, 2m, 2m) their inner products;
    `age` counts the pairs written so far, the next one going to slot ``age % m``. Both are written in
    place, so a state can be continued once.
    """

    points: Tensor
    objective: Tensor
    gradient: Tensor
    terms: Terms
    gradient_norm: Tensor
    exhausted: Tensor
    basis: Tensor
    gram: Tensor
    age: int

    @property
    def fresh(self) -> Tensor:
        """Which items have no curvature to go by, shape (N,)."""
        m = self.gram.shape[1] // 2
        return (self.gram[:, :m, m:].diagonal(dim1=1, dim2=2) <= 0).all(dim=1)


@dataclass(frozen=True, kw_only=True)
class LBFGS:
    """Batched L-BFGS with a line search of its own for every item.

    Parameters
    ----------
    memory
        Pairs of steps and gradient changes that are remembered.
    bounds
        (low, high): every value of the points stays inside, exactly. None for no bounds.
    first_step
        Largest change of any one value in the first step, before curvature is known.
    max_trials
        Step lengths to try along one direction before giving it up.
    """

    memory: int = 10
    bounds: tuple[float, float] | None = None
    first_step: float = 0.1
    max_trials: int = 12

    def init(self, problem: Problem, start: Tensor) -> LBFGSState:
        """Return the state at `start`, moved into the bounds."""
        points = self._clip(start.detach().clone())
        count, size = len(points), points[0].numel()
        at = evaluate(problem, points, torch.arange(count, device=points.device))
        return LBFGSState(
            points=points,
            objective=at.objective,
            gradient=at.gradient,
            terms=at.terms,
            gradient_norm=self._projected_norm(points, at.gradient),
            exhausted=torch.zeros(count, dtype=torch.bool, device=points.device),
            basis=points.new_zeros(count, 2 * self.memory, size),
            gram=torch.zeros(
                count, 2 * self.memory, 2 * self.memory, dtype=torch.float64, device=points.device
            ),
            age=0,
        )

    def step(self, problem: Problem, state: LBFGSState, active: Tensor) -> LBFGSState:
        """Return the state after one accepted step of every active item."""
        free = self._free(state.points, state.gradient).flatten(1)
        fresh = state.fresh
        direction = self._direction(state, state.gradient.flatten(1) * free, fresh) * free
        points, at, accepted = self._search(problem, state, direction.view_as(state.points), active)
        failed = active & ~accepted
        basis, gram = self._remember(state, points, at, accepted, failed)
        return LBFGSState(
            points=points,
            objective=at.objective,
            gradient=at.gradient,
            terms=at.terms,
            gradient_norm=self._projected_norm(points, at.gradient),
            # A failed search with curvature is tried again without; a failed gradient step is the end.
            exhausted=state.exhausted | (failed & fresh),
            basis=basis,
            gram=gram,
            age=state.age + 1,
        )

    def restart(self, problem: Problem, state: LBFGSState, which: Tensor) -> LBFGSState:
        """Return the state at the same points with the items in `which` measured anew, and no curvature."""
        items = which.nonzero().squeeze(1)
        at = _copy(state)
        found = evaluate(problem, state.points[items], items)
        _put(at, items, found)
        state.basis[items], state.gram[items] = 0, 0
        return replace(
            state,
            objective=at.objective,
            gradient=at.gradient,
            terms=at.terms,
            gradient_norm=self._projected_norm(state.points, at.gradient),
            exhausted=state.exhausted & ~which,
        )

    def record(self, state: LBFGSState) -> dict[str, Any]:
        """Return the state as tensors and numbers, for a file."""
        return {field.name: getattr(state, field.name) for field in fields(state)}

    def revive(self, record: Mapping[str, Any]) -> LBFGSState:
        """Return the state that `record` was made of."""
        return LBFGSState(**{**record, "gram": record["gram"].double()})

    # -- direction ---------------------------------------------------------------------------------

    def _direction(self, state: LBFGSState, gradient: Tensor, fresh: Tensor) -> Tensor:
        """Return minus the inverse-Hessian estimate times `gradient` (N, n)."""
        largest = gradient.abs().amax(dim=1, keepdim=True)
        first = -gradient * (self.first_step / largest.clamp_min(torch.finfo(gradient.dtype).tiny))
        if state.age == 0:
            return first
        products = torch.bmm(state.basis, gradient.unsqueeze(2)).squeeze(2).double()
        on_gradient, on_basis = self._recursion(state, products)
        combined = torch.bmm(on_basis.to(gradient.dtype).unsqueeze(1), state.basis).squeeze(1)
        quasi_newton = -(on_gradient.to(gradient.dtype).unsqueeze(1) * gradient + combined)
        return torch.where(fresh.unsqueeze(1), first, quasi_newton)

    def _recursion(self, state: LBFGSState, products: Tensor) -> tuple[Tensor, Tensor]:
        """Run the two loops on coefficients; return those of the gradient (N,) and the basis (N, 2m)."""
        m, gram = self.memory, state.gram
        slots = [(state.age - 1 - k) % m for k in range(min(state.age, m))]  # newest first
        on_basis = torch.zeros_like(products)
        alphas = {}
        for k in slots:
            s_dot_q = products[:, k] + (gram[:, k] * on_basis).sum(1)
            alphas[k] = s_dot_q * _reciprocal(gram[:, k, m + k])
            on_basis[:, m + k] -= alphas[k]
        newest = self._newest_scale(gram, slots)
        on_gradient, on_basis = newest, on_basis * newest.unsqueeze(1)
        for k in reversed(slots):
            y_dot_r = on_gradient * products[:, m + k] + (gram[:, m + k] * on_basis).sum(1)
            beta = y_dot_r * _reciprocal(gram[:, k, m + k])
            on_basis[:, k] += alphas[k] - beta
        return on_gradient, on_basis

    def _newest_scale(self, gram: Tensor, slots: list[int]) -> Tensor:
        """Return s·y / y·y of each item's newest valid pair: the scale of its inverse Hessian."""
        m = self.memory
        scale = gram.new_ones(len(gram))
        for k in reversed(slots):
            ratio = gram[:, k, m + k] * _reciprocal(gram[:, m + k, m + k])
            scale = torch.where(ratio > 0, ratio, scale)
        return scale

    # -- line search -------------------------------------------------------------------------------

    def _search(
        self, problem: Problem, state: LBFGSState, direction: Tensor, active: Tensor
    ) -> tuple[Tensor, Evaluation, Tensor]:
        """Shorten each item's step until it lowers the objective enough (Armijo, on the clipped path)."""
        points, at = state.points.clone(), _copy(state)
        length = torch.ones_like(state.objective)
        slack = 4 * torch.finfo(state.objective.dtype).eps * state.objective.abs()
        waiting = active.clone()
        for _ in range(self.max_trials):
            items = waiting.nonzero().squeeze(1)
            if len(items) == 0:
                break
            step = _per_item(length[items], direction) * direction[items]
            trial = self._clip(state.points[items] + step)
            found = evaluate(problem, trial, items)
            slope = _dot(state.gradient[items], trial - state.points[items])
            bound = state.objective[items] + _ARMIJO * slope + slack[items]
            good = (found.objective <= bound) & (slope < 0)
            points[items[good]] = trial[good]
            _put(at, items[good], _rows(found, good))
            waiting[items[good]] = False
            bad = items[~good]
            length[bad] *= _shrink(slope, found.objective - state.objective[items])[~good]
        return points, at, active & ~waiting

    # -- memory ------------------------------------------------------------------------------------

    def _remember(
        self,
        state: LBFGSState,
        points: Tensor,
        at: Evaluation,
        accepted: Tensor,
        failed: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Write the newest pair into the ring: as zeros where the curvature is not positive.

        An item whose search failed forgets all its pairs.
        """
        m, slot = self.memory, state.age % self.memory
        basis, gram = state.basis, state.gram
        if failed.any():
            basis[failed], gram[failed] = 0, 0
        s = (points - state.points).flatten(1)
        y = (at.gradient - state.gradient).flatten(1)
        curved = (s * y).sum(1) > _CURVATURE * s.norm(dim=1) * y.norm(dim=1)
        keep = (accepted & curved).unsqueeze(1)
        pair = torch.stack([torch.where(keep, s, 0), torch.where(keep, y, 0)], dim=1)
        basis[:, [slot, m + slot]] = pair
        products = torch.bmm(basis, pair.transpose(1, 2)).double()
        gram[:, :, [slot, m + slot]] = products
        gram[:, [slot, m + slot], :] = products.transpose(1, 2)
        return basis, gram

    # -- bounds ------------------------------------------------------------------------------------

    def _clip(self, points: Tensor) -> Tensor:
        return points if self.bounds is None else points.clamp(*self.bounds)

    def _free(self, points: Tensor, gradient: Tensor) -> Tensor:
        """Return 1 where a value may move downhill, 0 where a bound is in its way."""
        if self.bounds is None:
            return torch.ones_like(points)
        low, high = self.bounds
        held = ((points <= low) & (gradient > 0)) | ((points >= high) & (gradient < 0))
        return (~held).to(points.dtype)

    def _projected_norm(self, points: Tensor, gradient: Tensor) -> Tensor:
        return (gradient * self._free(points, gradient)).flatten(1).norm(dim=1)


def _reciprocal(value: Tensor) -> Tensor:
    """Return 1/value, and 0 where a pair was left out (its products are 0)."""
    return torch.where(value > 0, 1 / value.clamp_min(torch.finfo(value.dtype).tiny), 0)


def _shrink(slope: Tensor, rise: Tensor) -> Tensor:
    """Return the factor to the minimum of the parabola through a failed trial, kept in [0.1, 0.5]."""
    factor = -slope / (2 * (rise - slope)).clamp_min(torch.finfo(rise.dtype).tiny)
    return torch.where(torch.isfinite(factor), factor, 0.1).clamp(0.1, 0.5)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a.flatten(1) * b.flatten(1)).sum(1)


def _per_item(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.dim() - 1))


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

"""Constrained descent: a quasi-Newton method along the constraint that held terms keep their targets.

Every iterate satisfies the constraint, so there is no weight to tune, and the result of an interrupted run
satisfies it too. A step is the quasi-Newton step in the tangent space of the held terms, over the values
that no bound stops. Before the objective is compared, the point is moved back onto the constraint along the
gradients of the held terms (Rosen 1961, "The gradient projection method for nonlinear programming II";
Absil, Mahony & Sepulchre 2008, "Optimization algorithms on matrix manifolds").
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from stimsynth.engine.constrained.nonsmooth import Bounds, nonsmooth_items, one_sided, room
from stimsynth.engine.constrained.restore import approach, noise, restore
from stimsynth.engine.constrained.scaled import (
    ScaledEvaluation,
    ScaledProblem,
    held_of,
    scaled_problem,
)
from stimsynth.engine.constrained.tangent import Room, Slopes, Tangent, solved, tangent
from stimsynth.engine.curvature import Curvature, curved
from stimsynth.engine.lbfgs import shortened
from stimsynth.engine.problem import Problem, Terms, column, of_items
from stimsynth.numerics.reductions import combined, dots, norms, products

_ARMIJO = 1e-4
_GROWTH = 2.0
_CLOSER = 0.25  # factor of the step length if restoration failed
_NOISE = 4.0  # tolerance of a held term, in units of its measured rounding noise
_ROUNDED = 8  # rounding noise after a change of precision, in units in the last place


@dataclass(frozen=True, kw_only=True)
class ConstrainedState:
    """State of constrained descent: points, objective, residuals, tangent cone and curvature of N problems.

    `scale` and `tolerance` (N, m) are the units and tolerances of the held terms; `unreached` (N,) marks
    problems whose targets could not be reached: they stay at their nearest point. `nonsmooth` (N,) marks
    problems with kinks; `reach` (N,) is the largest change of a value in a step without curvature, and
    `stretch` (N,) the first trial length of a step with curvature. `curvature` is written in place, so a
    state can be continued once.
    """

    points: Tensor
    objective: Tensor
    terms: Terms
    gradient_norm: Tensor
    exhausted: Tensor
    avoided: Tensor
    unreached: Tensor
    scale: Tensor
    tolerance: Tensor
    nonsmooth: Tensor
    at: ScaledEvaluation
    room: Room
    tangent: Tangent
    curvature: Curvature
    reach: Tensor
    stretch: Tensor
    optimizer: ClassVar[None] = None
    scheduler: ClassVar[None] = None


@dataclass(frozen=True, kw_only=True)
class Constrained:
    """Quasi-Newton descent of each problem of a batch along its own constraint.

    The problem must have `held` terms. A start that is off the constraint is first moved onto it.

    Parameters
    ----------
    memory
        Number of pairs of steps and gradient changes in the memory.
    bounds
        (low, high): every value of the points stays inside, exactly. None for no bounds.
    rtol
        Largest difference of a held term from its target, relative to the target (to the value at the
        start if the target is 0); the rounding noise if that is larger.
    first_step
        Largest change of a value in the first step, before curvature is known.
    max_trials
        Largest number of trial step lengths along one direction.
    """

    memory: int = 10
    bounds: Bounds | None = None
    rtol: float = 1e-8
    first_step: float = 0.1
    max_trials: int = 12

    def init(self, problem: Problem, start: Tensor) -> ConstrainedState:
        """Return the state at `start`, after moving it into the bounds and onto the constraint."""
        task, box = scaled_problem(problem, start), self._box(start)
        everything = torch.arange(len(start), device=start.device)
        flat = torch.clamp(start.detach().flatten(1), *box)
        for _ in range(2):  # the noise is measured again at the constraint
            scatter = noise(task, flat, task.at(flat, everything), box)
            tolerance = (_NOISE * scatter).clamp_min(self.rtol)
            flat, reached = approach(task, flat, box, tolerance)
        nonsmooth = torch.zeros_like(reached)
        if problem.nonsmooth_at is not None:
            near, nonsmooth_at = self._near(flat), problem.nonsmooth_at.flatten(1)
            nonsmooth = nonsmooth_items(task.slopes, nonsmooth_at, flat, self.bounds, near)
        at = task.at(flat, everything)
        space, way = self._tangent(task, flat, at, nonsmooth)
        return ConstrainedState(
            points=flat.view_as(start),
            objective=at.objective,
            terms=at.terms,
            gradient_norm=norms(way.descent),
            exhausted=~reached,
            avoided=torch.zeros_like(reached),
            unreached=~reached,
            scale=task.scale,
            tolerance=tolerance,
            nonsmooth=nonsmooth,
            at=at,
            room=space,
            tangent=way,
            curvature=Curvature.unknown(flat, self.memory),
            reach=torch.full_like(at.objective, self.first_step),
            stretch=torch.ones_like(at.objective),
        )

    def step(self, problem: Problem, state: ConstrainedState, active: Tensor) -> ConstrainedState:
        """Return the state after one accepted step of every active problem."""
        shape = state.points.shape[1:]
        task = ScaledProblem(problem=problem, held=held_of(problem), shape=shape, scale=state.scale)
        before, fresh = state.points.flatten(1), state.curvature.fresh
        flat, at, length, accepted, avoided = self._search(task, state, fresh, active)
        failed = active & ~accepted
        space, way = self._tangent(task, flat, at, state.nonsmooth)
        moved = flat - before
        change = at.slopes.lagrangian(way.multipliers)
        change = change - state.at.slopes.lagrangian(way.multipliers)
        largest = moved.abs().amax(dim=1)
        if problem.nonsmooth_at is not None:  # a jump of the gradient is no curvature
            nonsmooth_at = problem.nonsmooth_at.flatten(1)
            smooth = (
                (flat != nonsmooth_at) & (before != nonsmooth_at)
            ) | ~state.nonsmooth.unsqueeze(1)
            moved, change = moved * smooth, change * smooth
        bent = accepted & ~curved(moved, change)
        return ConstrainedState(
            points=flat.view_as(state.points),
            objective=at.objective,
            terms=at.terms,
            gradient_norm=norms(way.descent),
            # A failed search with curvature is repeated without; after a failed gradient step it ends.
            exhausted=state.exhausted | (failed & fresh),
            avoided=avoided,
            unreached=state.unreached,
            scale=state.scale,
            tolerance=state.tolerance,
            nonsmooth=state.nonsmooth,
            at=at,
            room=space,
            tangent=way,
            curvature=state.curvature.updated(moved, change, accepted, failed),
            reach=torch.where(accepted, _GROWTH * largest, state.reach),
            stretch=torch.where(bent & ~fresh, _GROWTH * length, 1.0),
        )

    def restart(self, problem: Problem, state: ConstrainedState, which: Tensor) -> ConstrainedState:
        """Return the state with the problems in `which` (N,) evaluated anew, back on their constraint."""
        anew = self.init(problem, state.points)
        curvature = state.curvature.forgotten(which)
        old = {**self.record(state), "curvature": None}
        merged = _merged(which, {**self.record(anew), "curvature": None}, old)
        return self.revive({**merged, "curvature": curvature.record()})

    def undone(self, state: ConstrainedState) -> ConstrainedState:
        """Return `state` unchanged: an interrupted step has not written to it."""
        return state

    def record(self, state: ConstrainedState) -> dict[str, Any]:
        """Return the state as nested dicts of tensors and numbers, for a file."""
        eps = torch.finfo(state.points.dtype).eps
        return {**_tree(state), "curvature": state.curvature.record(), "eps": eps}

    def revive(self, record: Mapping[str, Any]) -> ConstrainedState:
        """Return the state from its `record`, in the precision of the recorded points."""
        record = dict(record)
        at, way, tolerance = record["at"], record["tangent"], record["tolerance"]
        eps = torch.finfo(record["points"].dtype).eps
        if eps > record.pop("eps"):  # in the recorded precision nothing changes
            tolerance = tolerance.clamp_min(_NOISE * _ROUNDED * eps)
        parts = {
            "tolerance": tolerance,
            "at": ScaledEvaluation(**{**at, "slopes": Slopes(**at["slopes"])}),
            "room": Room(**record["room"]),
            "tangent": Tangent(**{**way, "slopes": Slopes(**way["slopes"])}),
            "curvature": Curvature.revived(record["curvature"]),
        }
        return ConstrainedState(**{**record, **parts})

    # -- direction ---------------------------------------------------------------------------------

    def _direction(self, state: ConstrainedState, fresh: Tensor) -> Tensor:
        """Return the quasi-Newton step that keeps the held terms to first order, shape (N, n)."""
        way = state.tangent
        largest = way.descent.abs().amax(dim=1).clamp_min(torch.finfo(way.descent.dtype).tiny)
        steepest = way.descent * (state.reach / largest).unsqueeze(1)
        if bool(fresh.all()):
            return steepest
        free = way.free.unsqueeze(1)
        columns = torch.cat([way.slopes.gradient.unsqueeze(1), way.slopes.held], dim=1) * free
        through = state.curvature.times(columns) * free
        found = products(columns[:, 1:], through).double()
        multipliers = solved(found[:, :, 1:], found[:, :, 0])
        step = combined(multipliers.unsqueeze(1), through[:, 1:]).squeeze(1) - through[:, 0]
        downhill = -dots(way.descent, step) < 0
        return torch.where((fresh | ~downhill).unsqueeze(1), steepest, step)

    # -- line search -------------------------------------------------------------------------------

    def _search(
        self, task: ScaledProblem, state: ConstrainedState, fresh: Tensor, active: Tensor
    ) -> tuple[Tensor, ScaledEvaluation, Tensor, Tensor, Tensor]:
        """Return points of a line search on the constraint, evaluation, step lengths, and success (bool).

        Each point lowers the objective of its problem and has a gradient; steps are shortened until it does.
        The last value says which problems had a lower point without one. If points are reached along the
        gradient and none has a finite objective, the objective is returned as NaN.
        """
        before, direction = state.points.flatten(1), self._direction(state, fresh)
        flat, at = before.clone(), state.at.copy()
        length = torch.where(fresh, 1.0, state.stretch)
        rounding = torch.finfo(flat.dtype).eps * state.objective.abs()
        waiting = active.clone()
        avoided, tried, seen = (torch.zeros_like(active) for _ in range(3))
        for _ in range(self.max_trials):
            items = waiting.nonzero().squeeze(1)
            if len(items) == 0:
                break
            aim = before[items] + length[items].unsqueeze(1) * direction[items]
            trial, back = self._restored(task, state, aim, items)
            length[items[~back]] *= _CLOSER
            items, trial = items[back], trial[back]
            if len(items) == 0:
                continue
            found = task.at(trial, items)
            slope = -dots(state.tangent.descent[items], trial - before[items])
            # A step so short that it changes no value shows nothing.
            tried[items] |= slope != 0
            seen[items] |= (slope != 0) & torch.isfinite(found.objective)
            # Both points are on the constraint up to the tolerance; the multipliers correct the objective
            # for the remaining residual, to first order.
            off = state.tangent.multipliers[items] * (found.residual - state.at.residual[items])
            rise = found.objective - state.objective[items] - off.sum(dim=1).to(slope.dtype)
            # The predicted decrease must exceed rounding, or the search could continue forever.
            promising = slope < -rounding[items] / 4
            good = promising & (rise <= _ARMIJO * slope + 4 * rounding[items])
            rest = _at_rest(task.problem, trial, items, state.nonsmooth)
            lost = (found.undefined & ~rest).any(dim=1)
            avoided[items] |= good & lost
            kept = good & ~lost
            flat[items[kept]] = trial[kept]
            at.put(items[kept], found, kept)
            waiting[items[kept]] = False
            length[items[~kept]] *= torch.where(good, 0.5, shortened(slope, rise))[~kept]
        at.objective[tried & ~seen & fresh] = torch.nan
        return flat, at, length, active & ~waiting, avoided

    def _restored(
        self, task: ScaledProblem, state: ConstrainedState, aim: Tensor, items: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the points on the constraint nearest to `aim`, and which problems (bool) reached it."""
        way, space = state.tangent, state.room
        return restore(
            lambda x, which: task.residual(x, items[which]),
            aim,
            way.slopes.held[items] * way.free[items].unsqueeze(1),
            (space.low[items], space.high[items]),
            state.tolerance[items],
        )

    # -- room --------------------------------------------------------------------------------------

    def _box(self, points: Tensor) -> tuple[Tensor, Tensor]:
        low, high = self.bounds or (-torch.inf, torch.inf)
        flat = points.detach().flatten(1)
        return torch.full_like(flat, low), torch.full_like(flat, high)

    def _tangent(
        self, task: ScaledProblem, flat: Tensor, at: ScaledEvaluation, nonsmooth: Tensor
    ) -> tuple[Room, Tangent]:
        """Return the ranges in which values can move, and the tangent cone with its descent direction."""
        nonsmooth_at = (
            None if task.problem.nonsmooth_at is None else task.problem.nonsmooth_at.flatten(1)
        )
        space = room(flat, nonsmooth_at, nonsmooth, self.bounds)
        if nonsmooth_at is None or not bool(nonsmooth.any()):
            return space, _where_defined(tangent(at.slopes, at.slopes, space), at.undefined)
        rest = (flat == nonsmooth_at) & nonsmooth.unsqueeze(1)
        near = self._near(flat)
        up, down = one_sided(task.slopes, at.slopes, nonsmooth_at, flat, rest, self.bounds, near)
        way = tangent(up, down, space)
        # A value that leaves its kink can move to one side only.
        rising = way.descent > 0
        low = torch.where(rest & rising, flat, space.low)
        high = torch.where(rest & ~rising, flat, space.high)
        # On a kink the one-sided gradients count, not the gradient at the point itself.
        return replace(space, low=low, high=high), _where_defined(way, at.undefined & ~rest)

    def _near(self, flat: Tensor) -> Tensor:
        """Return the distance from a kink that counts as near, shape (N, 1)."""
        eps = torch.finfo(flat.dtype).eps
        rounding = 512 * eps * flat.abs().amax(dim=1, keepdim=True)
        return rounding.clamp_min(eps**0.5 * self.first_step)


def _at_rest(problem: Problem, flat: Tensor, items: Tensor, nonsmooth: Tensor) -> Tensor:
    """Return a mask (n, size) of the values of some problems that lie on a kink."""
    if problem.nonsmooth_at is None:
        return torch.zeros_like(flat, dtype=torch.bool)
    at = of_items(problem.nonsmooth_at.flatten(1), items)
    return (flat == at) & nonsmooth[items].unsqueeze(1)


def _where_defined(way: Tangent, undefined: Tensor) -> Tangent:
    """Return a tangent cone with descent NaN for problems with undefined gradients (`undefined`, (N, n)).

    The norm of it is the gradient norm by which the loop ends an item.
    """
    lost = undefined.any(dim=1, keepdim=True)
    return replace(way, descent=torch.where(lost, torch.nan, way.descent))


def _tree(record: Any) -> Any:
    """Return nested dataclasses as nested dicts, without copies."""
    if not is_dataclass(record):
        return record
    return {field.name: _tree(getattr(record, field.name)) for field in fields(record)}


def _merged(which: Tensor, chosen: Any, other: Any) -> Any:
    """Return a tree with the rows `which` of the tensors (N, …) from `chosen`, the others from `other`."""
    if isinstance(chosen, Mapping):
        return {key: _merged(which, chosen[key], other[key]) for key in chosen}
    if not isinstance(chosen, Tensor):
        return chosen
    return torch.where(column(which, chosen), chosen, other)

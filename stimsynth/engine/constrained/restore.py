"""Restoration: move points back onto the constraint, along given directions and inside a box."""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.engine.constrained.scaled import ScaledEvaluation, ScaledProblem
from stimsynth.engine.constrained.tangent import solved
from stimsynth.numerics.generators import generator_for
from stimsynth.numerics.reductions import combined, norms, products

_FIXING = 3  # rounds to find the values that bounds stop
_HALVINGS = 20
_DECREASE = 1e-4
_PROBES = 4

ResidualFunction = Callable[[Tensor, Tensor], Tensor]
"""Function of points (n, size) and the numbers of their problems (n,) to residuals (n, m)."""


def restore(
    residual: ResidualFunction,
    base: Tensor,
    along: Tensor,
    box: tuple[Tensor, Tensor],
    tolerance: Tensor,
    max_trials: int = 8,
) -> tuple[Tensor, Tensor]:
    """Return points moved along directions until residuals are within `tolerance`, and which succeeded.

    The m shifts are found by Broyden's method (for m = 1, the secant method), starting from `along`, so no
    further gradients are evaluated.

    Parameters
    ----------
    residual
        Function of the residuals that must become zero.
    base
        Start, shape (N, n); it is first moved into the box.
    along
        The m directions of every problem, gradients of its residuals nearby; shape (N, m, n).
    box
        Lowest and highest values, shape (N, n) each.
    tolerance
        Tolerances of the residuals, shape (N, m).
    max_trials
        Largest number of trial points.

    References
    ----------
    C. G. Broyden (1965), "A class of methods for solving nonlinear simultaneous equations", Math. Comp. 19,
    577–593.
    """
    points = torch.clamp(base, *box)
    everything = torch.arange(len(points), device=points.device)
    now = residual(points, everything).double()
    moving = along * ((points > box[0]) & (points < box[1])).unsqueeze(1)
    jacobian = products(moving, along).double()
    shift = torch.zeros_like(now)
    reached = (now.abs() <= tolerance).all(dim=1)
    waiting = torch.isfinite(now).all(dim=1) & ~reached
    for _ in range(max_trials):
        items = waiting.nonzero().squeeze(1)
        if len(items) == 0:
            break
        further = -solved(jacobian[items], now[items])
        shift[items] += further
        moved = base[items] + combined(shift[items].unsqueeze(1), along[items]).squeeze(1)
        trial = torch.clamp(moved, box[0][items], box[1][items])
        then = residual(trial, items).double()
        jacobian[items] += _secant(jacobian[items], further, then - now[items])
        near = (then.abs() <= tolerance[items]).all(dim=1)
        lost = ~(then.abs().amax(dim=1) <= 2 * now[items].abs().amax(dim=1))
        points[items], now[items] = trial, then
        reached[items[near]] = True
        waiting[items[near | lost]] = False
    return points, reached


def _secant(jacobian: Tensor, shift: Tensor, change: Tensor) -> Tensor:
    """Return the smallest change of `jacobian` (n, m, m) that explains a change of residuals (n, m)."""
    missed = change - torch.bmm(jacobian, shift.unsqueeze(2)).squeeze(2)
    square = (shift * shift).sum(dim=1).clamp_min(torch.finfo(shift.dtype).tiny)
    return missed.unsqueeze(2) * shift.unsqueeze(1) / square.view(-1, 1, 1)


def approach(
    problem: ScaledProblem,
    base: Tensor,
    box: tuple[Tensor, Tensor],
    tolerance: Tensor,
    max_steps: int = 60,
) -> tuple[Tensor, Tensor]:
    """Return points (N, n) moved onto the constraint from far away, and which of them reached it.

    It takes Gauss-Newton steps with new gradients, each shortened until the residuals decrease. A problem
    that cannot reach the constraint ends where no step brings it nearer.
    """
    points = torch.clamp(base, *box)
    waiting = torch.ones(len(points), dtype=torch.bool, device=points.device)
    reached = torch.zeros_like(waiting)
    for _ in range(max_steps):
        items = waiting.nonzero().squeeze(1)
        if len(items) == 0:
            break
        at = problem.at(points[items], items)
        there = (at.residual.abs() <= tolerance[items]).all(dim=1)
        reached[items[there]], waiting[items[there]] = True, False
        items, off, slopes = items[~there], at.residual[~there], at.slopes.held[~there]
        inside = (box[0][items], box[1][items])
        step = _newton(off, slopes, points[items], inside)
        nearer, moved = _shortened(problem, off, points[items], step, inside, items)
        points[items[nearer]] = moved[nearer]
        waiting[items[~nearer]] = False
    return points, reached


def _newton(residual: Tensor, slopes: Tensor, points: Tensor, box: tuple[Tensor, Tensor]) -> Tensor:
    """Return the smallest step, of free values only, that makes the residuals zero to first order."""
    free = torch.ones_like(points, dtype=torch.bool)
    for _ in range(_FIXING):
        moving = slopes * free.unsqueeze(1)
        multipliers = -solved(products(moving, slopes).double(), residual.double())
        step = combined(multipliers.unsqueeze(1), moving).squeeze(1)
        stuck = ((points <= box[0]) & (step < 0)) | ((points >= box[1]) & (step > 0))
        free &= ~stuck
    return torch.where(free, step, 0)


def _shortened(
    problem: ScaledProblem,
    residual: Tensor,
    points: Tensor,
    step: Tensor,
    box: tuple[Tensor, Tensor],
    items: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return which points (bool) come nearer to the constraint by a halved step, and the moved points."""
    before, moved = norms(residual), points.clone()
    nearer = torch.zeros_like(items, dtype=torch.bool)
    for halving in range(_HALVINGS):
        rows = (~nearer).nonzero().squeeze(1)
        if len(rows) == 0:
            break
        length = 0.5**halving
        trial = torch.clamp(points[rows] + length * step[rows], box[0][rows], box[1][rows])
        after = norms(problem.residual(trial, items[rows]))
        good = after <= (1 - _DECREASE * length) * before[rows]
        moved[rows[good]] = trial[good]
        nearer[rows[good]] = True
    return nearer, moved


def noise(
    problem: ScaledProblem, points: Tensor, at: ScaledEvaluation, box: tuple[Tensor, Tensor]
) -> Tensor:
    """Return the rounding noise of the residuals (N, m): their scatter at neighbouring points.

    Every value is moved at random by about one unit in the last place, and the change that the gradients
    predict is subtracted.
    """
    items = torch.arange(len(points), device=points.device)
    generator = generator_for("scatter", 0)
    eps = torch.finfo(points.dtype).eps
    most = torch.full_like(at.residual, eps)
    for _ in range(_PROBES):
        sign = torch.randint(0, 2, points.shape[1:], generator=generator).to(points) * 2 - 1
        beside = torch.clamp(points + sign * eps * points.abs(), *box)
        explained = products(at.slopes.held, (beside - points).unsqueeze(1)).squeeze(2)
        scatter = problem.residual(beside, items) - at.residual - explained
        most = torch.maximum(most, torch.nan_to_num(scatter.abs()))
    return most

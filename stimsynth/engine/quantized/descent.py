"""Descent to a grid: points whose values are all levels of a grid, with a low objective.

Rounding all values at once adds an error that cannot be compensated. Here a part of the values is rounded,
the values closest to the grid, and the rest is optimized further, so that it compensates; then half of the
rest is rounded, and so on (incremental quantization: Zhou et al. 2017, "Incremental network quantization").
Finally values are moved to neighbouring levels as long as that lowers the objective.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from stimsynth.engine.interrupt import interruptible
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.loop import iterate
from stimsynth.engine.problem import Problem, Terms, column, evaluate
from stimsynth.engine.stop import LossConvergence
from stimsynth.numerics.generators import generator_for


@dataclass(frozen=True, kw_only=True)
class LevelGrid:
    """Grid of levels with equal spacing from `low` to `high`, both included."""

    low: float
    high: float
    levels: int

    @property
    def step(self) -> float:
        """Distance between neighbouring levels."""
        return (self.high - self.low) / (self.levels - 1)

    def numbers(self, points: Tensor) -> Tensor:
        """Return the number of the level nearest to each value, from 0 to ``levels - 1``, in float64."""
        scaled = (points.detach().double() - self.low) / self.step
        return scaled.round().clamp(0, self.levels - 1)

    def values(self, numbers: Tensor) -> Tensor:
        """Return the values of levels given by their numbers, in float64.

        Examples
        --------
        >>> LevelGrid(low=0.0, high=1.0, levels=3).values(torch.tensor([0.0, 1.0, 2.0])).tolist()
        [0.0, 0.5, 1.0]
        """
        return self.low + numbers.double() * (self.high - self.low) / (self.levels - 1)

    def nearest(self, points: Tensor) -> Tensor:
        """Return the level nearest to each value, in the precision of the points."""
        return self.values(self.numbers(points)).to(points.dtype)


def descend_to_grid(
    problem: Problem,
    points: Tensor,
    grid: LevelGrid,
    *,
    seed: int = 0,
    rounds: int = 12,
    steps: int = 20,
    trials: int = 100,
) -> Tensor:
    """Return points on the grid with a low objective, found by alternate rounding and optimization.

    Parameters
    ----------
    problem
        N independent problems, with a differentiable objective.
    points
        Start, shape (N, …): a good solution off the grid.
    grid
        The grid.
    seed
        Seed of the random moves at the end.
    rounds
        Number of rounds; in each, half of the free values are rounded.
    steps
        Number of L-BFGS steps of the free values after each round.
    trials
        Largest number of moves to neighbouring levels.

    Returns
    -------
    Tensor
        Shape (N, …); the objective is never higher than after plain rounding.
    """
    generator = generator_for("moves on the grid", seed)
    method = LBFGS(bounds=(grid.low, grid.high))
    stop = LossConvergence(criterion=1e-3, window=5)
    settled = points.detach().clone()
    with interruptible() as interrupt:  # values must be on the grid at the end
        for k in range(1, rounds + 1):
            frozen = _closest(settled, grid, share=1 - 0.5**k)
            fixed = torch.where(frozen, grid.nearest(settled), settled)
            rest = _with_fixed(problem, frozen, fixed)
            found = iterate(rest, method, fixed, max_steps=steps, stop=stop).points
            settled = torch.where(frozen, fixed, found)
            if interrupt.asked:
                break
    settled, rounded = (
        _polish(problem, grid.nearest(x), grid, generator, trials) for x in (settled, points)
    )
    better = _objective(problem, settled) <= _objective(problem, rounded)
    return torch.where(column(better, points), settled, rounded)


def _closest(points: Tensor, grid: LevelGrid, share: float) -> Tensor:
    """Return a mask of the given share of each problem's values that lie closest to the grid."""
    gap = (points.double() - grid.nearest(points)).abs().flatten(1)
    count = max(1, round(share * gap.shape[1]))
    order = gap.argsort(dim=1)[:, :count]
    return torch.zeros_like(gap, dtype=torch.bool).scatter_(1, order, True).view_as(points)


def _with_fixed(problem: Problem, frozen: Tensor, fixed: Tensor) -> Problem:
    """Return the problem with the frozen values replaced by constants."""

    def terms(points: Tensor, items: Tensor) -> Terms:
        return problem.terms(torch.where(frozen[items], fixed[items], points), items)

    return replace(problem, terms=terms)


def _objective(problem: Problem, points: Tensor) -> Tensor:
    with torch.no_grad():
        items = torch.arange(len(points), device=points.device)
        return problem.objective(problem.terms(points, items))


def _polish(
    problem: Problem, points: Tensor, grid: LevelGrid, generator: torch.Generator, trials: int
) -> Tensor:
    """Return points with values moved to neighbouring levels as long as the objective falls."""
    items = torch.arange(len(points), device=points.device)
    at = evaluate(problem, points, items)
    count = torch.full((len(points),), points[0].numel() / 8, device=points.device)
    for _ in range(trials):
        trial = _moved(points, at.gradient, grid, count.ceil(), generator)
        found = evaluate(problem, trial, items)
        good = found.objective < at.objective
        keep = column(good, points)
        points = torch.where(keep, trial, points)
        at = replace(
            at,
            objective=torch.where(good, found.objective, at.objective),
            gradient=torch.where(keep, found.gradient, at.gradient),
        )
        count = torch.where(good, count * 1.2, count / 2)
        if bool((count < 2**-8).all()):  # eight single moves in a row did not help
            break
    return points


def _moved(
    points: Tensor, gradient: Tensor, grid: LevelGrid, count: Tensor, generator: torch.Generator
) -> Tensor:
    """Return points with `count` (N,) values moved one level downhill, drawn in proportion to the slope.

    They are drawn without replacement, as the smallest of exponential variables divided by weights
    (Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir").
    """
    numbers = grid.numbers(points) - gradient.sign()
    inside = (numbers >= 0) & (numbers < grid.levels)
    weights = torch.where(inside, gradient.abs(), 0).flatten(1).double()
    waits = torch.empty(weights.shape, dtype=torch.float64).exponential_(generator=generator)
    rank = (waits.to(weights) / weights).argsort(dim=1).argsort(dim=1)
    chosen = (rank < count[:, None]).view_as(points) & inside
    return torch.where(chosen, grid.values(numbers).to(points.dtype), points)

"""Rounding to a grid that leaves a quantity where it was."""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.engine.grid import Grid

Quantity = Callable[[Tensor], Tensor]

#: How far along its slope a quantity is looked for at first, in levels of the value with the steepest slope.
_REACH = 4.0


def hold_on_grid(
    quantity: Quantity,
    points: Tensor,
    target: Tensor,
    grid: Grid,
    *,
    halvings: int = 30,
    moves: int = 30,
) -> Tensor:
    """Return points on the grid, next to `points`, whose quantity is as near to `target` as was found.

    Points are moved a little along the slope of the quantity before they are rounded, by how much is found
    by bisection; then single values move by a level, those whose slope is worth just what is missing.

    Parameters
    ----------
    quantity
        From points (N, …) to one differentiable value for each, shape (N,).
    points
        Shape (N, …).
    target
        Shape (N,).
    grid
        Levels.
    halvings, moves
        Steps of the bisection, and of single values, at most.
    """
    slope = _slope(quantity, points)
    largest = slope.abs().flatten(1).amax(dim=1).clamp_min(torch.finfo(slope.dtype).tiny)
    way = slope / _column(largest, slope) * grid.step
    reach = torch.full_like(target, _REACH)
    for side in (-1, 1):
        reach = torch.maximum(reach, _bracket(quantity, points, way, target, grid, side))
    low, high = -reach, reach
    best, miss = _nearer(grid.nearest(points), quantity, target)
    for _ in range(halvings):
        middle = (low + high) / 2
        trial, off = _nearer(grid.nearest(points + _column(middle, points) * way), quantity, target)
        above = off > 0
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        best, miss = _better(best, miss, trial, off)
    for _ in range(moves):
        if not bool((miss != 0).any()):
            break
        trial, off = _nearer(_one_moved(best, miss, quantity, grid), quantity, target)
        stuck = ~(off.abs() < miss.abs())
        best, miss = _better(best, miss, trial, off)
        if bool(stuck.all()):
            break
    return best


def _bracket(
    quantity: Quantity, points: Tensor, way: Tensor, target: Tensor, grid: Grid, side: int
) -> Tensor:
    """Return how far to go to one side until the quantity is past its target, at most through all levels."""
    reach = torch.full_like(target, _REACH)
    while True:
        _, off = _nearer(
            grid.nearest(points + _column(side * reach, points) * way), quantity, target
        )
        short = (side * off < 0) & (reach < grid.levels)
        if not bool(short.any()):
            return reach
        reach = torch.where(short, 4 * reach, reach)


def _nearer(points: Tensor, quantity: Quantity, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points and how far their quantity is above its target."""
    with torch.no_grad():
        return points, quantity(points) - target


def _better(best: Tensor, miss: Tensor, trial: Tensor, off: Tensor) -> tuple[Tensor, Tensor]:
    closer = off.abs() < miss.abs()
    return torch.where(_column(closer, best), trial, best), torch.where(closer, off, miss)


def _one_moved(points: Tensor, miss: Tensor, quantity: Quantity, grid: Grid) -> Tensor:
    """Return points with one value of each item moved by a level, such that its slope makes up for `miss`."""
    slope = _slope(quantity, points)
    towards = -slope.sign() * _column(miss.sign(), slope)
    numbers = grid.numbers(points) + towards
    inside = (numbers >= 0) & (numbers < grid.levels) & (slope != 0)
    gain = slope.abs() * grid.step
    off = torch.where(inside, (gain - _column(miss.abs(), slope)).abs(), torch.inf).flatten(1)
    chosen = torch.zeros_like(off, dtype=torch.bool).scatter_(1, off.argmin(dim=1)[:, None], True)
    moved = chosen.view_as(points) & inside
    return torch.where(moved, grid.values(numbers).to(points.dtype), points)


def _slope(quantity: Quantity, points: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = points.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(quantity(leaf).sum(), leaf)
    return slope


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.dim() - 1))

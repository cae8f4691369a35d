"""Rounding to a grid that keeps a quantity at its value."""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.engine.problem import column
from stimsynth.engine.quantized.descent import LevelGrid

Quantity = Callable[[Tensor], Tensor]

#: Distances along the gradient of the quantity, in levels of the value with the steepest slope.
_DISTANCES = tuple(0.25 * 4.0**k for k in range(6))
#: Largest number of lines that are searched, each from the best distance along the one before.
_LINES = 6
#: Largest number of levels that a value is moved at the end, so that the image hardly changes.
_NEAR = 2
#: Largest number of consecutive moves without improvement.
_PATIENCE = 8


def hold_on_grid(
    quantity: Quantity,
    points: Tensor,
    target: Tensor,
    grid: LevelGrid,
    *,
    halvings: int = 30,
    moves: int = 100,
) -> Tensor:
    """Return points on the grid near `points`, with their quantity as close to `target` as the search found.

    Points are moved along the gradient of the quantity before rounding, by a distance found by bisection. If
    the quantity does not pass its target along that line, the search goes on from where it came closest.
    Then values are moved by a level, chosen so that together they compensate the remaining difference.

    Parameters
    ----------
    quantity
        Function from points (N, …) to one differentiable value for each, shape (N,).
    points
        Shape (N, …).
    target
        Shape (N,).
    grid
        Levels.
    halvings, moves
        Number of bisection steps, and largest number of moves.
    """
    best, miss = _along_gradients(quantity, points, target, grid, halvings)
    numbers = grid.numbers(best).flatten(1)
    room = (numbers - _NEAR).clamp_min(0), (numbers + _NEAR).clamp_max(grid.levels - 1)
    bend, failures = torch.zeros_like(target), torch.zeros_like(target)
    barred = torch.zeros_like(numbers, dtype=torch.bool)
    for _ in range(moves):
        if not bool(((miss != 0) & (failures < _PATIENCE)).any()):
            break
        numbers = grid.numbers(best).flatten(1)
        low, high = (torch.where(barred, numbers, end) for end in room)
        trial, promised, count = _moved(best, miss, bend, quantity, grid, (low, high))
        trial, off = _nearer(trial, quantity, target)
        bend = (off - miss - promised) / count
        failures = torch.where(off.abs() < miss.abs(), 0, failures + 1)
        # A value that alone made it worse stays until another move has made it better.
        alone = ((failures > 0) & (count == 1)).unsqueeze(1)
        barred = (barred | (alone & (trial != best).flatten(1))) & (failures > 0).unsqueeze(1)
        best, miss = _better(best, miss, trial, off)
    return best


def _along_gradients(
    quantity: Quantity, points: Tensor, target: Tensor, grid: LevelGrid, halvings: int
) -> tuple[Tensor, Tensor]:
    """Return the best points on the grid along gradients, and by how much they miss the target."""
    best, miss = _nearer(grid.nearest(points), quantity, target)
    for _ in range(_LINES):
        slope = _slope(quantity, points)
        largest = slope.abs().flatten(1).amax(dim=1).clamp_min(torch.finfo(slope.dtype).tiny)
        way = slope / column(largest, slope) * grid.step
        low, high, crossed = _bracket(quantity, points, way, target, grid)
        ended = crossed | (low == 0)  # or nothing along the line comes closer
        for _ in range(halvings):
            middle = (low + high) / 2
            trial, off = _nearer(
                grid.nearest(points + column(middle, points) * way), quantity, target
            )
            low, high = torch.where(off > 0, low, middle), torch.where(off > 0, middle, high)
            best, miss = _better(best, miss, trial, off)
        if bool(ended.all()):
            break
        points = torch.where(column(ended, points), points, points + column(middle, points) * way)
    return best, miss


def _bracket(
    quantity: Quantity, points: Tensor, way: Tensor, target: Tensor, grid: LevelGrid
) -> tuple[Tensor, Tensor, Tensor]:
    """Return two distances, and whether the quantity passes its target between them, from below to above.

    Where it does nowhere, both are the distance at which it comes closest.
    """
    distances = torch.tensor([*(-d for d in reversed(_DISTANCES)), 0.0, *_DISTANCES]).to(target)
    offs = torch.stack(
        [_nearer(grid.nearest(points + d * way), quantity, target)[1] for d in distances]
    )
    passes = (offs[:-1] > 0) != (offs[1:] > 0)
    # Of several, the one nearest to the points.
    near = torch.maximum(distances[:-1].abs(), distances[1:].abs()).unsqueeze(1)
    first = torch.where(passes, near, torch.inf).argmin(dim=0)
    one, other = distances[first], distances[first + 1]
    falls = offs.gather(0, first.unsqueeze(0)).squeeze(0) > 0
    low, high = torch.where(falls, other, one), torch.where(falls, one, other)
    crossed, closest = passes.any(dim=0), distances[offs.abs().argmin(dim=0)]
    return torch.where(crossed, low, closest), torch.where(crossed, high, closest), crossed


def _nearer(points: Tensor, quantity: Quantity, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points unchanged, and the difference of their quantity from its target."""
    with torch.no_grad():
        return points, quantity(points) - target


def _better(best: Tensor, miss: Tensor, trial: Tensor, off: Tensor) -> tuple[Tensor, Tensor]:
    closer = off.abs() < miss.abs()
    return torch.where(column(closer, best), trial, best), torch.where(closer, off, miss)


def _moved(
    points: Tensor,
    miss: Tensor,
    bend: Tensor,
    quantity: Quantity,
    grid: LevelGrid,
    room: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """Return points with values moved by a level to reduce `miss`, the predicted change, and their number.

    The predicted effect of a move is its slope times the step plus `bend` (N,), the mean error of the last
    predictions. If a single value can compensate `miss`, the best one is moved, up or down; else the values
    with the largest effect, until `miss` is compensated. Level numbers stay inside `room`.

    Returns
    -------
    points : Tensor
        Shape (N, …).
    promised : Tensor
        Change of the quantity predicted by the slopes, shape (N,).
    count : Tensor
        Number of moved values, at least 1, shape (N,).
    """
    slope, numbers = _slope(quantity, points).flatten(1), grid.numbers(points).flatten(1)
    missing, towards = miss.abs().unsqueeze(1), -miss.sign().unsqueeze(1)
    ways = torch.tensor([-1.0, 1.0]).to(slope).view(2, 1, 1)
    worth = towards * (ways * slope * grid.step + bend.unsqueeze(1))
    possible = (numbers + ways >= room[0]) & (numbers + ways <= room[1])
    # Values without slope are moved only one at a time, which shows whether they have an effect.
    better, way = torch.where(possible & (slope != 0), worth, -torch.inf).max(dim=0)
    ordered, order = better.sort(dim=1, descending=True)
    enough = (ordered > 0) & (ordered.clamp_min(0).cumsum(dim=1) <= missing)
    many = torch.zeros_like(enough).scatter_(1, order, enough)
    # Both directions of every value in one row, to find the best single move.
    nearest = torch.where(possible, (worth - missing).abs(), torch.inf).transpose(0, 1).flatten(1)
    one = torch.zeros_like(nearest).scatter_(1, nearest.argmin(dim=1)[:, None], 1.0)
    down, up = one.chunk(2, dim=1)
    change = torch.where(many.any(dim=1, keepdim=True), many * (2.0 * way - 1), up - down)
    change = torch.where(possible.any(dim=0), change, 0.0) * (missing != 0)
    moved = grid.values(numbers + change).to(points.dtype).view_as(points)
    kept = (change == 0).view_as(points)
    promised = (change * slope).sum(dim=1) * grid.step
    return torch.where(kept, points, moved), promised, change.abs().sum(dim=1).clamp_min(1)


def _slope(quantity: Quantity, points: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = points.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(quantity(leaf).sum(), leaf)
    return slope

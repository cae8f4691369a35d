"""Kinks: values at which a gradient jumps, as the gradient of |x - r| does at r.

Beyond a kink the gradient can point back, so steps across it may not converge. A value may therefore reach a
kink exactly in one step, but not cross it, and it stays there until a one-sided gradient points away (the
orthants of Andrew & Gao 2007, "Scalable training of L1-regularized log-linear models").
"""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.engine.constrained.tangent import Room, Slopes

Bounds = tuple[float, float]
SlopesAt = Callable[[Tensor, Tensor], Slopes]
"""Function of points (N, n) and the numbers of their problems (n,) to all gradients."""

_EVERY = 8  # every eighth value is moved for the test
_CLOSER = 8  # ratio of the two distances from the kink
_JUMP = 0.01  # smallest jump that counts, relative to the mean slope


def nonsmooth_items(
    slopes_at: SlopesAt, nonsmooth_at: Tensor, points: Tensor, bounds: Bounds | None, near: Tensor
) -> Tensor:
    """Return which problems have gradients that jump at `nonsmooth_at`, bool (N,).

    Some values are moved a little above and below their kink, at two distances. For a smooth term the
    difference of the gradients shrinks in proportion to the distance; for a term with kinks it does not.

    Parameters
    ----------
    slopes_at
        Function that returns the gradients at points.
    nonsmooth_at, points
        Shape (N, n).
    bounds
        Bounds of the points.
    near
        The larger distance for each problem, shape (N, 1).
    """
    everything = torch.arange(len(points), device=points.device)
    moved = torch.zeros_like(points.flatten(1), dtype=torch.bool)
    moved[:, ::_EVERY] = True
    jumps, sizes = [], []
    for distance in (near, near / _CLOSER):
        above, below = (
            _stacked(
                slopes_at(_beside(points, nonsmooth_at, moved, bounds, sign * distance), everything)
            )
            for sign in (1, -1)
        )
        jumps.append(((above - below).abs() * moved.unsqueeze(1)).sum(dim=2))
        sizes.append(((above.abs() + below.abs()) / 2 * moved.unsqueeze(1)).sum(dim=2))
    return ((jumps[1] > jumps[0] / 2) & (jumps[1] > _JUMP * sizes[1])).any(dim=1)


def room(
    points: Tensor, nonsmooth_at: Tensor | None, nonsmooth: Tensor, bounds: Bounds | None
) -> Room:
    """Return the range of each value in a step: inside the bounds, in `nonsmooth` problems not across a
    kink.
    """
    flat = points.flatten(1)
    lowest, highest = bounds or (-torch.inf, torch.inf)
    low, high = torch.full_like(flat, lowest), torch.full_like(flat, highest)
    rise, fall = flat < high, flat > low
    if nonsmooth_at is not None:
        kink, column = nonsmooth_at.flatten(1), nonsmooth.unsqueeze(1)
        low = torch.where(column & (flat > kink), torch.maximum(kink, low), low)
        high = torch.where(column & (flat < kink), torch.minimum(kink, high), high)
    return Room(low=low, high=high, rise=rise, fall=fall)


def one_sided(
    slopes_at: SlopesAt,
    slopes: Slopes,
    nonsmooth_at: Tensor,
    points: Tensor,
    resting: Tensor,
    bounds: Bounds | None,
    near: Tensor,
) -> tuple[Slopes, Slopes]:
    """Return the one-sided gradients of every value, upward and downward.

    Parameters
    ----------
    slopes_at, nonsmooth_at, points, bounds, near
        As for `nonsmooth_items`.
    slopes
        Gradients at `points`.
    resting
        Mask (N, n) of values on a kink. If there are none, the result is `slopes` twice.
    """
    items = resting.any(dim=1).nonzero().squeeze(1)
    if len(items) == 0:
        return slopes, slopes
    chosen = resting[items]
    sides = []
    for sign in (1, -1):
        beside = _beside(points[items], nonsmooth_at[items], chosen, bounds, sign * near[items])
        there = slopes_at(beside, items)
        gradient, held = slopes.gradient.clone(), slopes.held.clone()
        gradient[items] = torch.where(chosen, there.gradient, gradient[items])
        held[items] = torch.where(chosen.unsqueeze(1), there.held, held[items])
        sides.append(Slopes(gradient=gradient, held=held))
    return sides[0], sides[1]


def _beside(
    points: Tensor, nonsmooth_at: Tensor, which: Tensor, bounds: Bounds | None, offset: Tensor
) -> Tensor:
    """Return points with the values in `which` moved to `offset` from their kinks, inside the bounds."""
    put = nonsmooth_at + offset
    if bounds is not None:
        put = put.clamp(*bounds)
    return torch.where(which, put, points)


def _stacked(slopes: Slopes) -> Tensor:
    return torch.cat([slopes.gradient.unsqueeze(1), slopes.held], dim=1)

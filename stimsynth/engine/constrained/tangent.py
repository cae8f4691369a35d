"""Tangent cone of a constraint, and the direction of steepest descent in it.

At a bound a value can move to one side only, and at a kink the upward and the downward gradient differ.
The direction of steepest descent that keeps the held terms to first order is the negative gradient of
the Lagrangian on the free values. Free values and multipliers depend on each other; solving for them in
turn ends after a few rounds (a semismooth Newton method on the dual).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.numerics.reductions import combined, products

_ROUNDS, _RELEASING = 30, 10
_RIDGE = 1e-13


@dataclass(frozen=True, kw_only=True)
class Room:
    """Range of each of n values of N problems in one step, and whether it can rise or fall; all (N, n)."""

    low: Tensor
    high: Tensor
    rise: Tensor
    fall: Tensor


@dataclass(frozen=True, kw_only=True)
class Slopes:
    """Gradient of the objective (N, n) and of the held terms (N, m, n)."""

    gradient: Tensor
    held: Tensor

    def lagrangian(self, multipliers: Tensor) -> Tensor:
        """Return the gradient of the Lagrangian with `multipliers` (N, m), shape (N, n)."""
        return self.gradient - combined(multipliers.unsqueeze(1), self.held).squeeze(1)


@dataclass(frozen=True, kw_only=True)
class Tangent:
    """Tangent cone at points of the constraint, with multipliers and the descent direction.

    `slopes` are the one-sided gradients of the side to which each value would move; `free` (bool, (N, n))
    marks the values that may move; `descent` (N, n) is the direction of steepest descent over them, zero at
    a stationary point and NaN where gradients are not defined.
    """

    slopes: Slopes
    multipliers: Tensor
    free: Tensor
    descent: Tensor


def tangent(up: Slopes, down: Slopes, room: Room) -> Tangent:
    """Return the tangent cone for one-sided gradients `up` and `down` (the same object if smooth)."""
    always = room.rise & room.fall & _agree(up, down)
    free, upward = always, torch.ones_like(always)
    for number in range(_ROUNDS):
        slopes = _chosen(up, down, upward)
        multipliers = _multipliers(slopes, free)
        rising = torch.where(room.rise, -up.lagrangian(multipliers), 0).clamp_min(0)
        falling = torch.where(room.fall, down.lagrangian(multipliers), 0).clamp_min(0)
        found = always | (rising > 0) | (falling > 0)
        if number >= _RELEASING:  # ends cycles: from here on values can only become fixed
            found &= free
        settled = (found == free).all()
        free, upward = found, rising >= falling
        if settled:
            break
    slopes = _chosen(up, down, upward)
    multipliers = _multipliers(slopes, free)
    descent = torch.where(free, -slopes.lagrangian(multipliers), 0)
    return Tangent(slopes=slopes, multipliers=multipliers, free=free, descent=descent)


def solved(matrices: Tensor, right: Tensor) -> Tensor:
    """Return the solutions (N, m) of small linear systems (N, m, m), 0 for components of zero rows."""
    size = matrices.diagonal(dim1=1, dim2=2).abs().sqrt()
    scale = torch.where(size > 0, 1 / size.clamp_min(torch.finfo(size.dtype).tiny), 0)
    eye = torch.eye(matrices.shape[1], dtype=matrices.dtype, device=matrices.device)
    level = matrices * scale.unsqueeze(1) * scale.unsqueeze(2)
    empty = torch.diag_embed((size == 0).to(matrices.dtype))
    return scale * torch.linalg.solve(level + empty + _RIDGE * eye, scale * right)


def _multipliers(slopes: Slopes, free: Tensor) -> Tensor:
    """Return the multipliers (N, m) that minimize the Lagrangian's gradient on the free values."""
    held = slopes.held * free.unsqueeze(1)
    right = products(held, slopes.gradient.unsqueeze(1)).squeeze(2).double()
    return solved(products(held, slopes.held).double(), right)


def _chosen(up: Slopes, down: Slopes, upward: Tensor) -> Slopes:
    if up is down:
        return up
    return Slopes(
        gradient=torch.where(upward, up.gradient, down.gradient),
        held=torch.where(upward.unsqueeze(1), up.held, down.held),
    )


def _agree(up: Slopes, down: Slopes) -> Tensor:
    if up is down:
        return torch.ones_like(up.gradient, dtype=torch.bool)
    return (up.gradient == down.gradient) & (up.held == down.held).all(dim=1)

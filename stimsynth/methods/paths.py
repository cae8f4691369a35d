"""Paths through a model's outputs: their steps, how they bend, and how far they stray from a line."""

import torch
from torch import Tensor

from stimsynth.transforms.sequences import deviation_from_line

#: A path that turns by no more than this angle at a frame (in radians; √ε where that is more) is straight.
STRAIGHT = 1e-4


def as_vectors(outputs: Tensor) -> Tensor:
    """Return a model's outputs as real vectors, shape (frames, values): distances stay what they are.

    Examples
    --------
    >>> as_vectors(torch.tensor([[3.0 + 4j]])).tolist()
    [[3.0, 4.0]]
    """
    flat = outputs.flatten(1)
    return torch.view_as_real(flat).flatten(1) if flat.is_complex() else flat


def step_energies(paths: Tensor) -> Tensor:
    """Return the squared length of every step.

    Parameters
    ----------
    paths
        Shape (…, steps + 1, values).

    Returns
    -------
    Tensor
        Shape (…, steps).

    Examples
    --------
    >>> step_energies(torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 6.0]])).tolist()
    [25.0, 4.0]
    """
    return paths.diff(dim=-2).square().sum(dim=-1)


def deviations(paths: Tensor) -> Tensor:
    """Return where every frame is along the line between its path's ends, and how far off it.

    Parameters
    ----------
    paths
        Shape (paths, frames, values).

    Returns
    -------
    Tensor
        Shape (paths, frames, 2): along the line and from it, in units of its length. NaN where the ends
        are equal.

    Examples
    --------
    >>> path = torch.tensor([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0]])
    >>> deviations(path[None])[0, 1].tolist()
    [0.3..., 0.4...]
    """
    return torch.stack(torch.func.vmap(deviation_from_line)(paths), dim=-1)


def bends(path: Tensor) -> Tensor:
    """Return the direction in which a path bends at every frame between its ends.

    That is its second difference, divided by its own norm. Where a path turns by no more than `STRAIGHT`,
    or by what rounding makes of it, it counts as straight and the direction is 0; divided by its norm, what
    is left there would be noise.

    Parameters
    ----------
    path
        Shape (frames, values).

    Returns
    -------
    Tensor
        Shape (frames - 2, values).

    Examples
    --------
    >>> bends(torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 5.0]])).tolist()
    [[0.0, 0.0], [0.0, 1.0]]
    """
    epsilon = torch.finfo(path.dtype).eps
    steps = path.diff(dim=0)
    second = steps.diff(dim=0)
    size = second.norm(dim=1, keepdim=True)
    turned = max(STRAIGHT, epsilon**0.5) * steps.norm(dim=1).mean()
    straight = size <= torch.maximum(turned, 8 * epsilon * path.norm(dim=1).amax())
    return torch.where(straight, 0, second / torch.where(straight, 1, size))

"""Paths through a model's outputs: their steps, how they bend, and how far they stray from a line."""

import torch
from torch import Tensor

from stimsynth.transforms.sequences import deviation_from_line


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

    That is its second difference, divided by its own norm. Where it is smaller than rounding can make it,
    or than √ε of a step (ε is the precision of the type), the path counts as straight: the direction is 0.

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
    step = path.diff(dim=0)
    second = step.diff(dim=0)
    size = second.norm(dim=1, keepdim=True)
    rounding = 8 * epsilon * path.norm(dim=1).amax()
    straight = size <= torch.maximum(epsilon**0.5 * step.norm(dim=1).mean(), rounding)
    return torch.where(straight, 0, second / torch.where(straight, 1, size))

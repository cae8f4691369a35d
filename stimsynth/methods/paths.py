"""Paths of a model's outputs for sequences of images: step energies, bends, deviation from a line."""

from collections.abc import Callable

import torch
from torch import Tensor

from stimsynth.numerics.attention import differentiable_attention
from stimsynth.transforms.sequences import as_vectors, deviation_from_line

#: Largest angle (radians) by which a straight path turns at a frame; √ε of the dtype if that is larger.
STRAIGHT = 1e-4


def step_energies(paths: Tensor) -> Tensor:
    """Return the squared length of each step of paths.

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
    """Return the position of each frame along the line between its path's ends, and the distance from it.

    Parameters
    ----------
    paths
        Shape (paths, frames, values).

    Returns
    -------
    Tensor
        Shape (paths, frames, 2): position along the line and distance from it, in units of its length. NaN if
        the ends are equal.

    Examples
    --------
    >>> path = torch.tensor([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0]])
    >>> deviations(path[None])[0, 1].tolist()
    [0.3..., 0.4...]
    """
    return torch.stack(torch.func.vmap(deviation_from_line)(paths), dim=-1)


def bends(path: Tensor) -> Tensor:
    """Return the unit direction of curvature of a path at every frame between its ends.

    It is the second difference of the path, divided by its norm. If a path turns by no more than `STRAIGHT`,
    or by no more than rounding explains, it counts as straight and the direction is 0.

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


def jerkiness(model: Callable[[Tensor], Tensor], sequence: Tensor) -> Tensor:
    """Return how strongly pixel changes could straighten a path of outputs, at every inner frame.

    Parameters
    ----------
    model
        Function of images.
    sequence
        Frames, shape (frames, …), ends included.

    Returns
    -------
    Tensor
        Squared norm of the gradient of each of `bends` in the pixels; shape (frames - 2,).

    Examples
    --------
    >>> corner = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).view(3, 1, 1, 2)
    >>> jerkiness(lambda x: 3 * x, corner).round(decimals=3).tolist()
    [9.0]
    """
    path, pull = _pullback(model, sequence)
    return _at_frames(pull, bends(path)).flatten(1).square().sum(dim=1)


def residual(
    model: Callable[[Tensor], Tensor], sequence: Tensor, allowed_range: tuple[float, float]
) -> Tensor:
    """Return how far a sequence is from a geodesic at each inner frame, from 0 (it is one) to 1.

    At each inner frame the energies of the two adjoining steps each have a gradient in the pixels. On a
    geodesic the two gradients cancel. Pixels at the bounds are left out, as the gradients need not cancel
    there.

    Parameters
    ----------
    model, sequence
        As for `jerkiness`.
    allowed_range
        (low, high); only pixels strictly between them count.

    Returns
    -------
    Tensor
        Norm of the sum of the two gradients, over the sum of their norms; from 0 to 1, shape (frames - 2,).

    Examples
    --------
    >>> path = torch.tensor([0.0, 3.0, 4.0]).view(3, 1, 1, 1)
    >>> residual(torch.nn.Identity(), path, (-9, 9)).tolist()
    [0.5]
    """
    path, pull = _pullback(model, sequence)
    steps = path.diff(dim=0)
    inner = sequence[1:-1]
    free = (inner > allowed_range[0]) & (inner < allowed_range[1])
    back, on = ((_at_frames(pull, part) * free).flatten(1) for part in (steps[:-1], steps[1:]))
    scale = back.norm(dim=1) + on.norm(dim=1)
    return (on - back).norm(dim=1) / scale.clamp_min(torch.finfo(scale.dtype).tiny)


def _pullback(
    model: Callable[[Tensor], Tensor], sequence: Tensor
) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor]]]:
    """Return the path of a sequence, and the function from vectors at its frames to gradients in pixels."""
    with differentiable_attention():
        path, pull, *_ = torch.func.vjp(lambda x: as_vectors(model(x)), sequence)
    return path, pull


def _at_frames(pull: Callable[[Tensor], tuple[Tensor]], vectors: Tensor) -> Tensor:
    """Return the gradients in the pixels of the inner frames, from vectors at their outputs."""
    none = torch.zeros_like(vectors[:1])
    (pulled,) = pull(torch.cat([none, vectors, none]))
    return pulled[1:-1]

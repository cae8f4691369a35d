"""Sums over each image or plane of a batch, and convolutions, each computed in its fastest form."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def norms(points: Tensor) -> Tensor:
    """Return the Euclidean norm of every item of `points` (N, …), shape (N,).

    Examples
    --------
    >>> norms(torch.tensor([[3.0, 4.0], [0.0, 2.0]])).tolist()
    [5.0, 2.0]
    """
    return torch.linalg.vector_norm(points.flatten(1), dim=1)


def dots(a: Tensor, b: Tensor) -> Tensor:
    """Return the inner products of the items of `a` and `b` (N, …), shape (N,).

    Examples
    --------
    >>> dots(torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.ones(2, 2)).tolist()
    [7.0, 2.0]
    """
    return torch.linalg.vecdot(a.flatten(1), b.flatten(1))


def products(a: Tensor, b: Tensor) -> Tensor:
    """Return the inner products of vectors `a` (N, k, n) with `b` (N, l, n), shape (N, k, l).

    Examples
    --------
    >>> products(torch.eye(2)[None], torch.tensor([[[3.0, 4.0]]])).tolist()
    [[[3.0], [4.0]]]
    """
    # Many vectors with one: a CPU is twice as fast item by item.
    if len(a) > 1 and b.shape[1] == 1 and a.device.type == "cpu":
        return torch.stack([torch.mm(x, y.T) for x, y in zip(a, b, strict=True)])
    return torch.bmm(a, b.mT)


def combined(weights: Tensor, vectors: Tensor) -> Tensor:
    """Return the sums of vectors (N, m, n) with weights (N, k, m), shape (N, k, n).

    Examples
    --------
    >>> combined(torch.tensor([[[2.0, 1.0]]]), torch.eye(2)[None]).tolist()
    [[[2.0, 1.0]]]
    """
    return torch.bmm(weights.to(vectors.dtype), vectors)


def centred(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps (…, h, w) minus their means, and the means (…, 1, 1).

    Examples
    --------
    >>> away, mean = centred(torch.arange(4.0).view(1, 2, 2))
    >>> away.tolist(), mean.shape
    ([[[-1.5, -0.5], [0.5, 1.5]]], torch.Size([1, 1, 1]))
    """
    mean = maps.mean(dim=(-2, -1), keepdim=True)
    return maps - mean, mean


def slide(images: Tensor, kernels: Tensor, **kwargs: Any) -> Tensor:
    """Return `torch.nn.functional.conv2d` of images (b, c, h, w), on a CPU image by image.

    Parameters
    ----------
    images
        Shape (b, c, h, w).
    kernels
        As `torch.nn.functional.conv2d` takes them.
    **kwargs
        Its further arguments, such as a stride.

    Examples
    --------
    >>> slide(torch.ones(2, 1, 4, 5), torch.ones(1, 1, 3, 3)).shape
    torch.Size([2, 1, 2, 3])
    """
    # The CPU's library chooses its way by the number of images; for few channels it is 2 to 7 times faster
    # with one.
    if len(images) == 1 or images.device.type != "cpu" or torch.compiler.is_compiling():
        return F.conv2d(images, kernels, **kwargs)
    return torch.cat([F.conv2d(image, kernels, **kwargs) for image in images.split(1)])

"""Sums over the many values of each item: a batch gets, bit for bit, what each item alone would get.

Batched products add in an order that depends on how many items there are. The last bits that this changes
grow along a run until the losses of a batch and of single runs differ in the third digit. On a CPU each
item is therefore multiplied by itself, which costs microseconds; on a GPU the batch is.
"""

import torch
from torch import Tensor

_LINE = 64  # bytes, on which torch lets every tensor begin


def norms(points: Tensor) -> Tensor:
    """Return the Euclidean norm of every item of `points` (N, …), shape (N,).

    Examples
    --------
    >>> norms(torch.tensor([[3.0, 4.0], [0.0, 2.0]])).tolist()
    [5.0, 2.0]
    """
    if points.is_complex():
        points = torch.view_as_real(points)
    if len(points) == 1:  # the shortest way: the loop goes it at every step
        only = points.reshape(-1)
        return torch.dot(only, only).sqrt_().view(1)
    return dots(points, points).sqrt_()


def dots(a: Tensor, b: Tensor) -> Tensor:
    """Return the inner products of the items of `a` and `b` (N, …), shape (N,).

    Examples
    --------
    >>> dots(torch.tensor([[3.0, 4.0], [0.0, 2.0]]), torch.ones(2, 2)).tolist()
    [7.0, 2.0]
    """
    a, b = a.flatten(1), b.flatten(1)
    if not _one_by_one(a):
        return torch.bmm(a.unsqueeze(1), b.unsqueeze(2)).view(-1)
    found = a.new_empty(len(a))
    for x, y, out in zip(a, b, found, strict=True):
        torch.dot(x, y, out=out)
    return found


def products(a: Tensor, b: Tensor) -> Tensor:
    """Return the inner products of vectors `a` (N, k, n) with `b` (N, l, n), shape (N, k, l).

    Examples
    --------
    >>> products(torch.eye(2)[None], torch.tensor([[[3.0, 4.0]]])).tolist()
    [[[3.0], [4.0]]]
    """
    return _multiplied(a, b.transpose(1, 2))


def combined(weights: Tensor, vectors: Tensor) -> Tensor:
    """Return the sums of vectors (N, m, n) with weights (N, k, m), shape (N, k, n).

    Examples
    --------
    >>> combined(torch.tensor([[[2.0, 1.0]]]), torch.eye(2)[None]).tolist()
    [[[2.0, 1.0]]]
    """
    return _multiplied(weights.to(vectors.dtype), vectors)


def _multiplied(a: Tensor, b: Tensor) -> Tensor:
    if not _one_by_one(a):
        return torch.bmm(a, b)
    pairs = zip(a, b, strict=True)
    found = [torch.mm(_at_line(x), _at_line(y)) for x, y in pairs]
    return torch.stack(found) if found else a.new_empty(0, a.shape[1], b.shape[2])


def _at_line(values: Tensor) -> Tensor:
    """Return values that begin where a tensor of their own would, as threads go by where values lie."""
    return values if values.data_ptr() % _LINE == 0 else values.clone()


def _one_by_one(points: Tensor) -> bool:
    return points.device.type == "cpu"

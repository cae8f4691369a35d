"""Sums over planes, with the same bits for a plane alone as for one among others.

Where a sum leaves a single number, torch lets several threads add up parts of it; where it leaves many,
each is added up by one thread, in another order. Summed row by row, even one plane leaves many.
"""

import torch
from torch import Tensor


def plane_sums(maps: Tensor) -> Tensor:
    """Return the sums (…) of maps (…, h, w).

    Examples
    --------
    >>> plane_sums(torch.ones(2, 3, 4))
    tensor([12., 12.])
    """
    return maps.sum(dim=-1).sum(dim=-1)


def plane_means(maps: Tensor, *, keepdim: bool = False) -> Tensor:
    """Return the means (…) of maps (…, h, w); with `keepdim` of shape (…, 1, 1).

    Examples
    --------
    >>> plane_means(torch.arange(6.0).view(1, 2, 3))
    tensor([2.5000])
    """
    return maps.mean(dim=-1, keepdim=keepdim).mean(dim=-2 if keepdim else -1, keepdim=keepdim)


def centred(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps (…, h, w) minus their means, and the means (…, 1, 1).

    Examples
    --------
    >>> away, mean = centred(torch.arange(4.0).view(1, 2, 2))
    >>> away.tolist(), mean.shape
    ([[[-1.5, -0.5], [0.5, 1.5]]], torch.Size([1, 1, 1]))
    """
    mean = plane_means(maps, keepdim=True)
    # One mean for each row: what comes back to it in a gradient is summed row by row too.
    return maps - mean.expand(*maps.shape[:-1], 1), mean


def inner(rows: Tensor, others: Tensor) -> Tensor:
    """Return the inner products (m,) of rows (m, n) and others (m, n), in one pass over memory.

    Examples
    --------
    >>> inner(torch.ones(2, 3), torch.ones(2, 3))
    tensor([3., 3.])
    """
    if len(rows) == 1:
        return torch.dot(rows.reshape(-1), others.reshape(-1)).view(1)
    if not len(rows) or rows.device.type != "cpu":
        return torch.bmm(rows.unsqueeze(1), others.unsqueeze(2)).flatten()
    return torch.stack([torch.dot(a, b) for a, b in zip(rows, others, strict=True)])

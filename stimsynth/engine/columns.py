"""One value for each item, shaped to meet all values of its item."""

from torch import Tensor


def column(values: Tensor, like: Tensor) -> Tensor:
    """Return `values` (N,) with as many dimensions as `like` (N, …), for broadcasting.

    Examples
    --------
    >>> import torch
    >>> column(torch.ones(2), torch.ones(2, 3, 4)).shape
    torch.Size([2, 1, 1])
    """
    return values.view(-1, *[1] * (like.dim() - 1))

"""Functions of one image or pair of images, for every item of a batch."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

Scalar = Callable[..., Tensor]


def per_item(function: Scalar, *batches: Tensor) -> Tensor:
    """Return a scalar function's value for every item of one or more batches, shape (batch,).

    The function sees each item with a batch dimension of 1. On a CPU it is called once for each item,
    which for large images is faster than vectorizing. Elsewhere it is vectorized where torch can; a function
    that branches on its values is called once for each item too.

    Examples
    --------
    >>> per_item(lambda x, y: (x - y).abs().sum(), torch.ones(2, 3), torch.zeros(2, 3)).tolist()
    [3.0, 3.0]
    """

    def one(*items: Tensor) -> Tensor:
        return function(*(item[None] for item in items)).reshape(())

    if len(batches[0]) == 1:
        return function(*batches).reshape(1)
    if batches[0].device.type != "cpu":
        with suppress(RuntimeError):
            return torch.func.vmap(one)(*batches)
    return torch.stack([one(*items) for items in zip(*batches, strict=True)])

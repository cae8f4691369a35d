"""Evaluation of functions of one image or one pair of images on each image of a batch."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

from stimsynth.numerics.attention import differentiable_attention

Scalar = Callable[..., Tensor]


def per_item(function: Scalar, *batches: Tensor) -> Tensor:
    """Return a scalar function's value for each image of one or more batches, shape (batch,).

    The function gets each image with a batch dimension of 1. On a CPU it is called once for each image, which
    for large images is faster than vectorizing. On other devices it is vectorized if torch can do that; if
    not (a function that branches on its values), it is called once for each image too.

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
        # Torch's fast attention goes forward inside vmap on a GPU, and fails on the way back.
        with suppress(RuntimeError), differentiable_attention():
            return torch.func.vmap(one)(*batches)
    return torch.stack([one(*items) for items in zip(*batches, strict=True)])

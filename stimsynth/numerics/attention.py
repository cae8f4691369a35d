"""Attention layers computed from elementary operations, which have derivatives of every order."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def differentiable_attention() -> Iterator[None]:
    """Use, in a block, attention made of elementary operations, which has all derivatives.

    Torch's fast kernels have neither second derivatives nor forward mode.

    Examples
    --------
    >>> x = torch.rand(1, 1, 4, 8, requires_grad=True)
    >>> with differentiable_attention():
    ...     y = torch.nn.functional.scaled_dot_product_attention(x, x, x)
    >>> (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    >>> torch.autograd.grad(slope.square().sum(), x)[0].shape
    torch.Size([1, 1, 4, 8])
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)

"""Filtering with a short separable kernel, as products with small banded matrices.

Sliding k taps along an axis is a product with a banded matrix. Cut into blocks of B rows, each block is a
dense product with one and the same matrix of B × (B + k - 1), which runs at the speed of a matrix product:
several times that of a convolution with few channels, and as linear in the number of pixels.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

_BLOCK = 16


def filter_valid(images: Tensor, kernel: Tensor) -> Tensor:
    """Return images correlated with the outer product of a kernel with itself, where all of it fits.

    Parameters
    ----------
    images
        Shape (…, h, w).
    kernel
        Shape (k,), of the images' type; no derivatives are taken for it.

    Returns
    -------
    Tensor
        Shape (…, h - k + 1, w - k + 1).

    Examples
    --------
    >>> filter_valid(torch.ones(1, 4, 5), torch.tensor([0.5, 0.5]))
    tensor([[[1., 1., 1., 1.],
             [1., 1., 1., 1.],
             [1., 1., 1., 1.]]])
    """
    flat = images.reshape(-1, *images.shape[-2:])
    return _FilterValid.apply(flat, kernel).view(
        *images.shape[:-2], *(n - len(kernel) + 1 for n in images.shape[-2:])
    )


class _FilterValid(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(images: Tensor, kernel: Tensor) -> Tensor:
        reach = len(kernel) - 1
        matrix = _banded(kernel)
        both = _along_rows(_along_rows(images, matrix), matrix)
        height, width = images.shape[-2:]
        return both[:, : height - reach, : width - reach].contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        (_, kernel) = inputs
        ctx.save_for_backward(kernel)
        ctx.save_for_forward(kernel)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (kernel,) = ctx.saved_tensors
        reach = len(kernel) - 1
        # The transpose of a correlation is one with the mirrored kernel, over the padded gradient.
        padded = F.pad(grad, (reach, reach, reach, reach))
        return filter_valid(padded, kernel.flip(0)), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: Any) -> Tensor:
        (kernel,) = ctx.saved_tensors
        return filter_valid(tangent, kernel)


def _banded(kernel: Tensor) -> Tensor:
    """Return the matrix (B + k - 1, B) whose columns hold the kernel, each one row further down."""
    taps = len(kernel)
    row = F.pad(kernel, (0, _BLOCK)).repeat(_BLOCK)[: _BLOCK * (_BLOCK + taps - 1)]
    return row.view(_BLOCK, _BLOCK + taps - 1).T


def _along_rows(images: Tensor, matrix: Tensor) -> Tensor:
    """Return images (n, h, w) filtered along h and transposed, (n, w, h rounded up to whole blocks).

    Only the first h - k + 1 values along the last axis mean anything.
    """
    count, height, width = images.shape
    window = len(matrix)
    needed = -(-(height - window + _BLOCK) // _BLOCK) * _BLOCK + window - _BLOCK
    blocks = -(-needed // _BLOCK)
    # Rows enough that whatever is wanted is made of this image alone: what reads into the next is not.
    filled = F.pad(images, (0, 0, 0, blocks * _BLOCK - height)).reshape(-1, width)
    tall = F.pad(filled, (0, 0, 0, window - _BLOCK))
    windows = tall.unfold(0, window, _BLOCK)  # a view, (n * blocks, w, window)
    filtered = torch.bmm(windows, matrix.expand(len(windows), -1, -1))
    return filtered.view(count, blocks, width, _BLOCK).transpose(1, 2).reshape(count, width, -1)

"""Filtering with a short separable kernel, by products with small banded matrices.

Filtering with k taps along an axis is a product with a banded matrix. In blocks of B rows, each block is a
dense product with the same matrix of B × (B + k - 1). A matrix product is several times as fast as a
convolution with few channels, and its cost is linear in the number of pixels too.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stimsynth.numerics.custom_gradients import CustomGradient

_BLOCK = 16


def filter_valid(images: Tensor, kernel: Tensor) -> Tensor:
    """Return images correlated with a separable kernel k kᵀ, at the positions where the kernel fits.

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
    found = _Filter.apply(flat, kernel, 0)
    return found.reshape(*images.shape[:-2], *found.shape[-2:])


class _Filter(CustomGradient):
    """Separable correlation of images that are padded with `beyond` zeros on every side."""

    @staticmethod
    def forward(images: Tensor, kernel: Tensor, beyond: int) -> Tensor:
        matrix = _banded(kernel)
        both = _along_rows(_along_rows(images, matrix, beyond), matrix, beyond)
        grown = 2 * beyond - len(kernel) + 1
        return both[:, : images.shape[1] + grown, : images.shape[2] + grown]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:
        _, kernel, ctx.beyond = inputs
        ctx.save_for_backward(kernel)
        ctx.save_for_forward(kernel)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (kernel,) = ctx.saved_tensors
        # The transpose of a correlation is one with the mirrored kernel and complementary padding.
        return _Filter.apply(grad, kernel.flip(0), len(kernel) - 1 - ctx.beyond), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        (kernel,) = ctx.saved_tensors
        return _Filter.apply(tangent, kernel, ctx.beyond)


def _banded(kernel: Tensor) -> Tensor:
    """Return the banded matrix (B + k - 1, B) whose columns hold the kernel, each shifted down by one row."""
    taps = len(kernel)
    row = F.pad(kernel, (0, _BLOCK)).repeat(_BLOCK)[: _BLOCK * (_BLOCK + taps - 1)]
    return row.view(_BLOCK, _BLOCK + taps - 1).T


def _along_rows(images: Tensor, matrix: Tensor, beyond: int) -> Tensor:
    """Return images (n, h, w) filtered along h and transposed, (n, w, whole blocks).

    Only the first h + 2 beyond - k + 1 values along the last axis are valid.
    """
    count, height, width = images.shape
    window = len(matrix)
    wanted = -(-(height + 2 * beyond - window + _BLOCK) // _BLOCK)  # blocks of the result
    # Enough rows that valid values depend on one image only: a window may reach into the next image.
    blocks = wanted - (-(window - _BLOCK) // _BLOCK)
    filled = F.pad(images, (0, 0, beyond, blocks * _BLOCK - height - beyond)).reshape(-1, width)
    windows = filled.unfold(0, window, _BLOCK)  # a view, (nearly n * blocks, w, window)
    filtered = torch.bmm(windows, matrix.expand(len(windows), -1, -1))
    kept = filtered.unfold(0, wanted, blocks)  # a view of the wanted blocks, (n, w, B, wanted)
    return kept.transpose(2, 3).reshape(count, width, -1)

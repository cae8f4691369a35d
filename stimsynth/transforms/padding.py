"""Padding that keeps the size of an image in a convolution."""

import torch.nn.functional as F
from torch import Tensor

from stimsynth.transforms.convolution import PAD_MODES
from stimsynth.transforms.filters import KernelSize, kernel_pair
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly
from stimuli_store.tools.whole import pair


def same_padding(
    x: Tensor,
    kernel_size: KernelSize,
    stride: int | tuple[int, int] = (1, 1),
    dilation: int | tuple[int, int] = (1, 1),
    pad_mode: str = "circular",
) -> Tensor:
    """Return an image padded so that a convolution gives ceil(side / stride) values along each side.

    Parameters
    ----------
    x
        Shape (…, h, w).
    kernel_size, stride, dilation
        Arguments of the convolution: one number or (vertical, horizontal).
    pad_mode
        ``"circular"``, ``"reflect"``, ``"replicate"`` or ``"constant"`` (zeros). If the number of rows or
        columns to add is odd, the extra one comes last.

    Raises
    ------
    InputError
        If the image is too small for this padding, or an argument is not valid.

    Examples
    --------
    >>> import torch
    >>> image, kernel = torch.rand(1, 1, 8, 9), torch.rand(1, 1, 3, 4)
    >>> torch.nn.functional.conv2d(same_padding(image, (3, 4)), kernel).shape
    torch.Size([1, 1, 8, 9])
    """
    checked_tensor(x, "same_padding", "(…, height, width)", kind="any")
    if not isinstance(pad_mode, str) or pad_mode not in PAD_MODES:
        raise InputError(f"pad_mode must be one of {', '.join(PAD_MODES)}; not {briefly(pad_mode)}")
    (top, bottom), (left, right) = (
        _needed(*side)
        for side in zip(
            x.shape[-2:],
            kernel_pair(kernel_size),
            pair(stride, "stride"),
            pair(dilation, "dilation"),
            strict=True,
        )
    )
    _see_reach(x, max(bottom, top), max(left, right), pad_mode)
    image = x.reshape(-1, 1, *x.shape[-2:])  # some padding modes need four dimensions
    padded = F.pad(image, (left, right, top, bottom), mode=pad_mode)
    return padded.reshape(*x.shape[:-2], *padded.shape[-2:])


def _needed(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Return the numbers of samples to pad before and after a side."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _see_reach(x: Tensor, rows: int, columns: int, pad_mode: str) -> None:
    """Check that the image is large enough to be padded by a number of rows and columns."""
    height, width = x.shape[-2:]
    spare = {"reflect": 1, "circular": 0}.get(pad_mode)
    if spare is not None and (rows > height - spare or columns > width - spare):
        raise InputError(
            f"an image of {height}x{width} cannot be padded by {rows} rows and {columns} columns "
            f"in mode {pad_mode!r}; give a smaller kernel or pad_mode='replicate'"
        )

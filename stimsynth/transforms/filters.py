"""Gaussian filter kernels."""

import torch
from torch import Tensor

from stimsynth.validate.gates import some_numbers
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly
from stimuli_store.tools.whole import pair, whole

KernelSize = int | tuple[int, int]


def kernel_pair(kernel_size: KernelSize) -> tuple[int, int]:
    """Return a kernel size, one number or two, as (height, width)."""
    return pair(kernel_size, "kernel_size")


def gaussian_1d(length: int, std: Tensor) -> Tensor:
    """Return sampled one-dimensional Gaussians that sum to one, centred on (length - 1) / 2.

    Parameters
    ----------
    length
        Number of samples.
    std
        Standard deviations in samples, shape (c,), positive.

    Returns
    -------
    Tensor
        Shape (c, length).
    """
    offset = torch.arange(length, dtype=std.dtype, device=std.device) - (length - 1) / 2
    log_weight = -(offset**2) / (2 * std.unsqueeze(1) ** 2)
    return torch.softmax(log_weight, dim=1)  # exp and division by the sum, safe for a tiny std


def circular_gaussian2d(
    kernel_size: KernelSize, std: float | Tensor, out_channels: int = 1
) -> Tensor:
    """Return circular two-dimensional Gaussian kernels that sum to one.

    A kernel is exactly the outer product of two one-dimensional Gaussians, each truncated to the grid and
    normalized.

    Parameters
    ----------
    kernel_size
        Size in pixels, one number or (height, width).
    std
        Standard deviation in pixels, one number or a tensor of shape (out_channels,).
    out_channels
        Number of kernels.

    Returns
    -------
    Tensor
        Shape (out_channels, 1, height, width).

    Raises
    ------
    InputError
        If a standard deviation is not positive or their number is neither 1 nor `out_channels`.

    Examples
    --------
    >>> round(float(circular_gaussian2d(7, 3.0).sum()), 6)
    1.0
    """
    height, width = kernel_pair(kernel_size)
    out_channels = whole(out_channels, "out_channels", 1)
    stds = some_numbers(std, "std").reshape(-1)
    if len(stds) not in (1, out_channels) or not bool((stds > 0).all()):
        raise InputError(
            f"std must be positive, one number or one for each of {out_channels} channels; not {briefly(std)}"
        )
    stds = stds.expand(out_channels)
    rows, columns = gaussian_1d(height, stds), gaussian_1d(width, stds)
    return torch.einsum("ch,cw->chw", rows, columns).unsqueeze(1)


def gaussian1d(kernel_size: int = 11, std: float | Tensor = 1.5) -> Tensor:
    """Return a one-dimensional Gaussian kernel that sums to one; the defaults give the window of SSIM.

    Parameters
    ----------
    kernel_size
        Number of samples; if odd, one of them is the middle.
    std
        Standard deviation in samples, positive.

    Returns
    -------
    Tensor
        Shape (kernel_size,).

    Raises
    ------
    InputError
        If the size or the standard deviation is not positive.

    Examples
    --------
    >>> round(float(gaussian1d().sum()), 6)
    1.0
    """
    kernel_size = whole(kernel_size, "kernel_size", 1)
    stds = some_numbers(std, "std").reshape(-1)
    if len(stds) != 1 or not bool(stds > 0):
        raise InputError(f"std must be one positive number; not {briefly(std)}")
    return gaussian_1d(kernel_size, stds)[0]

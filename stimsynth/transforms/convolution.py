"""Filtering with large Gaussians in the frequency domain.

A k × k kernel costs k² operations a pixel when it is slid over the image. In the frequency domain one
forward transform serves all kernels, and each kernel costs one product and one inverse transform,
whatever its size. The result is the direct sum's, boundary handling included: the image is padded
first, and the wrap-around of the transform falls into the padding that is cut off again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stimsynth.numerics.fourier import irfft2
from stimsynth.transforms.filters import gaussian_1d
from stimuli_store.errors import InputError

PAD_MODES = ("reflect", "circular", "replicate", "constant")


@dataclass(frozen=True, kw_only=True)
class PaddedGrid:
    """The padded grid that a kernel size needs for an image of (height, width)."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    pad_mode: str

    @property
    def before(self) -> tuple[int, int]:
        """Rows above and columns to the left that padding adds."""
        return ((self.kernel[0] - 1) // 2, (self.kernel[1] - 1) // 2)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape that is transformed: padded, and rounded up to a fast length."""
        if self.pad_mode == "circular":
            return self.size
        return (
            fast_length(self.size[0] + self.kernel[0] - 1),
            fast_length(self.size[1] + self.kernel[1] - 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return the spectrum (…, H, W//2 + 1) of the padded image (b, c, h, w)."""
        if self.pad_mode != "circular":
            (top, left), (rows, columns) = self.before, self.kernel
            pads = (left, columns - 1 - left, top, rows - 1 - top)
            image = F.pad(image, pads, mode=self.pad_mode)
        return torch.fft.rfft2(image, s=self.shape)

    def backward(self, spectrum: Tensor) -> Tensor:
        """Return the image (…, h, w) of a spectrum, padding cut off."""
        full = irfft2(spectrum, self.shape)
        if self.pad_mode == "circular":
            return full
        top, left = self.before
        return full[..., top : top + self.size[0], left : left + self.size[1]]

    def gaussian(self, std: Tensor) -> Tensor:
        """Return the transfer functions (c, H, W//2 + 1) of Gaussians with these stds (c,)."""
        rows = _response(gaussian_1d(self.kernel[0], std), self.shape[0], torch.fft.fft)
        columns = _response(gaussian_1d(self.kernel[1], std), self.shape[1], torch.fft.rfft)
        return rows.unsqueeze(2) * columns.unsqueeze(1)


def make_grid(image: Tensor, kernel_size: tuple[int, int], pad_mode: str) -> PaddedGrid:
    """Return the grid for filtering `image` (b, c, h, w) with kernels of this size.

    Raises
    ------
    InputError
        If the image is not 4-d, too small to be padded in this mode, or the mode is unknown.
    """
    if pad_mode not in PAD_MODES:
        raise InputError(f"pad_mode is one of {', '.join(PAD_MODES)}; not {pad_mode!r}")
    if image.dim() != 4:
        raise InputError(
            f"a model takes images of shape (batch, channel, height, width); not {tuple(image.shape)}"
        )
    size = (image.shape[2], image.shape[3])
    needed = [k // 2 + 1 if pad_mode == "reflect" else 1 for k in kernel_size]
    if pad_mode == "circular":
        needed = list(kernel_size)
    if size[0] < needed[0] or size[1] < needed[1]:
        raise InputError(
            f"an image of {size[0]}x{size[1]} is too small for a kernel of "
            f"{kernel_size[0]}x{kernel_size[1]} with {pad_mode!r} padding; "
            f"it takes {needed[0]}x{needed[1]} or more"
        )
    return PaddedGrid(size=size, kernel=kernel_size, pad_mode=pad_mode)


def fast_length(n: int) -> int:
    """Return the smallest even number from `n` up whose only prime factors are 2, 3 and 5.

    Examples
    --------
    >>> fast_length(286), fast_length(256)
    (288, 256)
    """
    n += n % 2
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 2


def _response(kernel: Tensor, length: int, transform: Callable[..., Tensor]) -> Tensor:
    """Return the transform of kernels (c, k), centred at the origin.

    With an odd number of samples the kernel is even about that sample and its transform real.
    """
    size = kernel.shape[1]
    placed = F.pad(kernel, (0, max(0, length - size)))
    # Filtering correlates: an even kernel, mirrored, has its origin one sample after the middle.
    response = transform(torch.roll(placed, -(size // 2), dims=1))
    return response.real if size % 2 else response

"""Filtering with large Gaussian kernels in the frequency domain.

Direct convolution with a k × k kernel costs k² operations per pixel. In the frequency domain one
forward transform serves all kernels, and each kernel costs one product and one inverse transform,
whatever its size. The result equals the direct convolution, boundary handling included: the image is
padded first, and the wrap-around of the transform falls into the padding, which is removed again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from stimsynth.transforms.filters import gaussian_1d
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly

PAD_MODES = ("reflect", "circular", "replicate", "constant")


@dataclass(frozen=True, kw_only=True)
class PaddedGrid:
    """Grid on which an image of (height, width) is padded for a kernel size and transformed."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    pad_mode: str

    @property
    def before(self) -> tuple[int, int]:
        """Number of rows above and of columns to the left that padding adds."""
        return ((self.kernel[0] - 1) // 2, (self.kernel[1] - 1) // 2)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the padded grid, rounded up to a fast length for the Fourier transform."""
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
        """Return the image (…, h, w) of a spectrum, without the padding."""
        full = torch.fft.irfft2(spectrum, s=self.shape)
        if self.pad_mode == "circular":
            return full
        top, left = self.before
        return full[..., top : top + self.size[0], left : left + self.size[1]]

    def gaussian(self, std: Tensor) -> Tensor:
        """Return the transfer functions (c, H, W//2 + 1) of Gaussians with standard deviations (c,)."""
        rows = _response(gaussian_1d(self.kernel[0], std), self.shape[0], torch.fft.fft)
        columns = _response(gaussian_1d(self.kernel[1], std), self.shape[1], torch.fft.rfft)
        return rows.unsqueeze(2) * columns.unsqueeze(1)


def make_grid(image: Tensor, kernel_size: tuple[int, int], pad_mode: str) -> PaddedGrid:
    """Return the padded grid for filtering `image` (b, c, h, w) with kernels of `kernel_size`.

    Raises
    ------
    InputError
        If the image is too small to be padded in this mode, or the mode is unknown.
    """
    if not isinstance(pad_mode, str) or pad_mode not in PAD_MODES:
        raise InputError(f"pad_mode must be one of {', '.join(PAD_MODES)}; not {briefly(pad_mode)}")
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
    """Return the smallest even number of at least `n` whose only prime factors are 2, 3 and 5.

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
    """Return the Fourier transform of kernels (c, k) that are centred at the origin."""
    size = kernel.shape[1]
    placed = F.pad(kernel, (0, max(0, length - size)))
    # Filtering correlates: an even kernel, mirrored, has its origin one sample after the middle.
    response = transform(torch.roll(placed, -(size // 2), dims=1))
    # With an odd number of samples the kernel is even about its middle sample, so its transform is real.
    return response.real if size % 2 else response

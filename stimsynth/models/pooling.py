"""Pooling models: local averages whose window size sets how much of an image is kept.

What a pooling model averages away it cannot see, so two images with equal averages are metamers of it.
The larger the windows, the more differs between such images: window size is the level axis along which
metamer experiments look for the size at which people begin to see the difference.
"""

import math

import torch
from torch import Tensor, nn

from stimsynth.models.linear import one_channel
from stimsynth.numerics.caching import cached_tensors
from stimsynth.transforms.spectra import crop_spectrum
from stimuli_store.errors import InputError

_EPSILON = 1e-3  # of the range of pixels: energies below this amplitude count as none
_CENTRE = 2.0**-2  # cycles/pixel, of the finest band


class UniformPooling(nn.Module):
    r"""Luminance and oriented energy, averaged in equal windows all over the image.

    The image is split into log-spaced scales and orientations by complex band-pass filters, the finest
    of which passes all that is finer; the squared modulus of each band is its local energy. Luminance
    and energies are averaged in overlapping raised-cosine windows that add up to one everywhere. The
    output is the mean luminance and the root of the mean energy (plus :math:`\epsilon^2`, which keeps
    its slope finite at zero) of each window.

    The idea is that of J. Freeman & E. P. Simoncelli (2011), "Metamers of the ventral stream", Nature
    Neuroscience 14, 1195–1201, with windows of one size and with energies in place of their statistics.

    Parameters
    ----------
    window_px
        Distance between window centres, and full width of a window at half its height, in pixels.
    n_scales
        Number of scales; scale k is centred on 2^(-k-2) cycles/pixel.
    n_orientations
        Number of orientations.
    energy_weight
        Weight of energies against luminance in the output.

    Raises
    ------
    InputError
        If an argument makes no sense, or, when run, if it does not suit the image.

    Examples
    --------
    >>> model = UniformPooling(window_px=16)
    >>> model(torch.rand(1, 1, 64, 64)).shape
    torch.Size([1, 1, 208])
    """

    def __init__(
        self,
        window_px: float = 16.0,
        n_scales: int = 3,
        n_orientations: int = 4,
        energy_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not 1 <= window_px < math.inf or n_scales < 0 or n_orientations < 1:
            raise InputError(
                "UniformPooling takes window_px >= 1, n_scales >= 0 and n_orientations >= 1; not "
                f"{window_px}, {n_scales} and {n_orientations}"
            )
        self.window_px = float(window_px)
        self.n_scales = n_scales
        self.n_orientations = n_orientations
        self.energy_weight = energy_weight

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled values, shape (batch, 1, windows * (1 + scales * orientations))."""
        height, width = self._checked(x)
        spectrum = torch.fft.fft2(one_channel(x, "UniformPooling").squeeze(1))
        pooled = [self._pool(x.squeeze(1), self.window_px)]
        for scale in range(self.n_scales):
            energy = self._energy(spectrum, (height, width), scale)
            mean = self._pool(energy, max(1.0, self.window_px / 2**scale))  # a sample or more
            pooled.append(self.energy_weight * torch.sqrt(mean + _EPSILON**2))
        return torch.cat([p.flatten(1) for p in pooled], dim=1).unsqueeze(1)

    def _energy(self, spectrum: Tensor, size: tuple[int, int], scale: int) -> Tensor:
        """Return the oriented energies of one scale, (b, orientations, h/2^scale, w/2^scale)."""
        small = (size[0] // 2**scale, size[1] // 2**scale)
        kind = (spectrum.real.dtype, spectrum.device)
        masks = band_masks(small, self.n_orientations, scale == 0, *kind)
        # The centre of the spectrum holds all that the band passes, at 1/2^scale of the samples.
        bands = torch.fft.ifft2(crop_spectrum(spectrum, small).unsqueeze(1) * masks) / 4**scale
        return bands.real**2 + bands.imag**2

    def _pool(self, values: Tensor, window: float) -> Tensor:
        """Return weighted means (…, rows, columns) of values (…, h, w)."""
        rows = windows(values.shape[-2], window, values.dtype, values.device)
        columns = windows(values.shape[-1], window, values.dtype, values.device)
        return rows @ values @ columns.T

    def _checked(self, x: Tensor) -> tuple[int, int]:
        one_channel(x, "UniformPooling")
        height, width = x.shape[2], x.shape[3]
        step = 2 ** max(self.n_scales - 1, 0)
        if self.window_px > min(height, width):
            raise InputError(
                f"a pooling window of {self.window_px:g} px is larger than an image of {height}x{width}; "
                "the largest that differs from the whole image is as wide as its shorter side"
            )
        if height % step or width % step or min(height, width) // step < 8:
            raise InputError(
                f"UniformPooling with {self.n_scales} scales takes images whose sides are multiples of "
                f"{step} and at least {8 * step}; not {height}x{width}"
            )
        return height, width


@cached_tensors(maxsize=64)
def windows(length: int, spacing: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return raised-cosine averaging windows along one axis, shape (n, length), each of unit sum.

    Examples
    --------
    >>> windows(8, 4.0, torch.float32, torch.device("cpu")).sum(dim=1)
    tensor([1., 1.])
    """
    weights = partition(length, spacing, dtype)
    return (weights / weights.sum(dim=1, keepdim=True)).to(device)


def partition(length: int, spacing: float, dtype: torch.dtype) -> Tensor:
    """Return windows along one axis that add up to one at every sample, shape (n, length).

    As many as fit stand `spacing` apart, centred as a group; neighbours cross at half height. Outward of
    the first and the last centre, the outermost window stays at its full height.
    """
    count = max(1, math.floor(length / spacing + 1e-9))
    first = (length - (count - 1) * spacing) / 2
    position = (torch.arange(length, dtype=dtype) + 0.5 - first) / spacing
    place = position.clamp(0, count - 1)  # in units of windows
    away = (place - torch.arange(count, dtype=dtype).unsqueeze(1)).abs().clamp(max=1)
    return torch.cos(math.pi / 2 * away) ** 2


@cached_tensors(maxsize=64)
def band_masks(
    size: tuple[int, int],
    n_orientations: int,
    finest: bool,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """Return transfer functions of oriented complex band-pass filters, (orientations, h, w).

    Radially a raised cosine on log frequency, one octave to either side of 1/4 cycles/pixel, or for
    the finest scale one octave below and everything above;
    angularly a raised cosine on the half plane whose squares add up to one over orientations, so the
    energies summed over orientations are those of the band.
    """
    rows = torch.fft.fftfreq(size[0], dtype=dtype).unsqueeze(1)
    columns = torch.fft.fftfreq(size[1], dtype=dtype).unsqueeze(0)
    octaves = torch.log2(torch.hypot(rows, columns).clamp_min(1e-12) / _CENTRE)
    radial = torch.cos(math.pi / 2 * octaves.clamp(-1, 0 if finest else 1))
    # The highest frequency of an even side is +1/2 as much as -1/2: take the root mean square of both.
    both = [
        _angular(torch.atan2(r, c), n_orientations) ** 2
        for r in (rows, torch.where(rows == -0.5, 0.5, rows))
        for c in (columns, torch.where(columns == -0.5, 0.5, columns))
    ]
    return (torch.stack(both).mean(dim=0).sqrt() * radial).to(device)


def _angular(angle: Tensor, n_orientations: int) -> Tensor:
    """Return the angular part of the filters at an angle (h, w): (orientations, h, w)."""
    angles = torch.arange(n_orientations, dtype=angle.dtype) * math.pi / n_orientations
    cosine = torch.cos(angle - angles.view(-1, 1, 1)).clamp_min(0)
    order = n_orientations - 1
    scale = 2.0**order * math.factorial(order)
    scale /= math.sqrt(n_orientations * math.factorial(2 * order))
    return 2 * scale * cosine**order

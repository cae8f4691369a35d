"""Pooling models: local averages in windows of one size.

Two images with equal averages are metamers of a pooling model. The larger the windows, the more such
images can differ: metamer experiments vary the window size to find the size at which people begin to see
the difference.
"""

import math

import torch
from torch import Tensor, nn

from stimsynth.models.linear import one_channel
from stimsynth.numerics.caching import cached_tensors
from stimsynth.numerics.numbers import real_number
from stimsynth.transforms.spectra import crop_spectrum
from stimsynth.validate.images import unbatched_too
from stimuli_store.errors import InputError
from stimuli_store.tools.whole import whole

_EPSILON = 1e-3  # in units of pixel values: amplitudes below this count as zero
_CENTRE = 2.0**-2  # centre of the finest band, in cycles/pixel


class UniformPooling(nn.Module):
    r"""Pooling model: luminance and oriented energy, averaged in windows of one size.

    Complex band-pass filters split the image into log-spaced scales and orientations; the finest filters
    also pass all higher frequencies. The squared modulus of each band is its local energy. Luminance and
    energies are averaged in overlapping raised-cosine windows that sum to one everywhere. The output is
    the mean luminance and the root of the mean energy (plus :math:`\epsilon^2`, which keeps its gradient
    finite at zero) of each window.

    It follows J. Freeman & E. P. Simoncelli (2011), "Metamers of the ventral stream", Nature Neuroscience
    14, 1195–1201, but with windows of one size, and with energies in place of texture statistics.

    Parameters
    ----------
    window_px
        Distance between window centres, and full width of a window at half its height, in pixels.
    n_scales
        Number of scales; scale k is centred on 2^(-k-2) cycles/pixel.
    n_orientations
        Number of orientations.
    energy_weight
        Weight of energies relative to luminance in the output.

    Raises
    ------
    InputError
        If an argument is out of range, or (in `forward`) does not fit the image.

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
        self.window_px = real_number(window_px, "window_px of UniformPooling", 1)
        self.n_scales = whole(n_scales, "n_scales", 0)
        self.n_orientations = whole(n_orientations, "n_orientations", 1)
        self.energy_weight = energy_weight

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return pooled values (b, 1, windows * (1 + scales * orientations)) of images (b, 1, h, w)."""
        height, width = self._checked(x)
        spectrum = torch.fft.fft2(x.squeeze(1))
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
        # The band passes only frequencies in the centre of the spectrum, so 1/2^scale of the samples suffice.
        bands = torch.fft.ifft2(crop_spectrum(spectrum, small).unsqueeze(1) * masks) / 4**scale
        return bands.real**2 + bands.imag**2

    def _pool(self, values: Tensor, window: float) -> Tensor:
        """Return window averages (…, rows, columns) of values (…, h, w)."""
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
                "give at most its shorter side"
            )
        if height % step or width % step or min(height, width) // step < 8:
            raise InputError(
                f"UniformPooling with {self.n_scales} scales takes images whose sides are multiples of "
                f"{step} and at least {8 * step}; not {height}x{width}"
            )
        return height, width


@cached_tensors(maxsize=64)
def windows(length: int, spacing: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return raised-cosine windows along one axis, shape (n, length), each with sum 1.

    Examples
    --------
    >>> windows(8, 4.0, torch.float32, torch.device("cpu")).sum(dim=1)
    tensor([1., 1.])
    """
    weights = partition(length, spacing, dtype)
    return (weights / weights.sum(dim=1, keepdim=True)).to(device)


def partition(length: int, spacing: float, dtype: torch.dtype) -> Tensor:
    """Return windows along one axis whose sum is 1 at every sample, shape (n, length).

    As many windows as fit have their centres `spacing` apart, centred as a group; neighbours cross at half
    height. Beyond the first and the last centre, the outermost windows stay at their full height.
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
    """Return the transfer functions of oriented complex band-pass filters, (orientations, h, w).

    The radial part is a raised cosine of log frequency, one octave to either side of 1/4 cycles/pixel (for
    the finest scale one octave below and everything above). The angular part is a raised cosine on the
    half plane; its squares sum to one over orientations.
    """
    rows = torch.fft.fftfreq(size[0], dtype=dtype).unsqueeze(1)
    columns = torch.fft.fftfreq(size[1], dtype=dtype).unsqueeze(0)
    octaves = torch.log2(torch.hypot(rows, columns).clamp_min(1e-12) / _CENTRE)
    radial = torch.cos(math.pi / 2 * octaves.clamp(-1, 0 if finest else 1))
    # The Nyquist frequency of an even side is both +1/2 and -1/2: use the root mean square of both.
    both = [
        _angular(torch.atan2(r, c), n_orientations) ** 2
        for r in (rows, torch.where(rows == -0.5, 0.5, rows))
        for c in (columns, torch.where(columns == -0.5, 0.5, columns))
    ]
    return (torch.stack(both).mean(dim=0).sqrt() * radial).to(device)


def _angular(angle: Tensor, n_orientations: int) -> Tensor:
    """Return the angular part of the band-pass filters at angles (h, w): (orientations, h, w)."""
    angles = torch.arange(n_orientations, dtype=angle.dtype) * math.pi / n_orientations
    cosine = torch.cos(angle - angles.view(-1, 1, 1)).clamp_min(0)
    order = n_orientations - 1
    scale = 2.0**order * math.factorial(order)
    scale /= math.sqrt(n_orientations * math.factorial(2 * order))
    return 2 * scale * cosine**order

"""Crop spectra to fewer frequencies or pad them with zeros: resampling without a filter.

A spectrum has the layout of `torch.fft.fft2` (zero frequency first) or, if `half` is true, of
`torch.fft.rfft2` (only the frequencies from zero up along the last axis).
"""

import torch
from torch import Tensor

Size = tuple[int, int]


def crop_spectrum(spectrum: Tensor, size: Size, *, half: bool = False) -> Tensor:
    """Return the lowest frequencies of a spectrum (…, h, w), in the layout of an image of `size`.

    For an even side the Nyquist frequency is kept once, as the negative one; values are not scaled.

    Examples
    --------
    >>> image = torch.arange(8.0).cos().expand(8, 8)
    >>> crop_spectrum(torch.fft.fft2(image), (4, 4)).shape
    torch.Size([4, 4])
    """
    spectrum = _crop_axis(spectrum, -2, size[0])
    if half:
        return spectrum[..., : size[1] // 2 + 1]
    return _crop_axis(spectrum, -1, size[1])


def pad_spectrum(spectrum: Tensor, size: Size, target: Size, *, half: bool = False) -> Tensor:
    """Return the spectrum of an image of `size`, padded with zeros to the layout of size `target`.

    The transpose of `crop_spectrum`.

    Examples
    --------
    >>> small = torch.fft.fft2(torch.ones(4, 4))
    >>> torch.fft.ifft2(pad_spectrum(small, (4, 4), (8, 8))).real.unique()
    tensor([0.2500])
    """
    spectrum = _pad_axis(spectrum, -2, size[0], target[0])
    if half:
        extra = target[1] // 2 + 1 - spectrum.shape[-1]
        return torch.nn.functional.pad(spectrum, (0, extra)) if extra else spectrum
    return _pad_axis(spectrum, -1, size[1], target[1])


def columns_counted(width: int) -> Tensor:
    """Return the multiplicity of each column of a half spectrum in the whole spectrum, float64.

    Examples
    --------
    >>> columns_counted(6).tolist(), columns_counted(5).tolist()
    ([1.0, 2.0, 2.0, 1.0], [1.0, 2.0, 2.0])
    """
    count = torch.full((width // 2 + 1,), 2.0, dtype=torch.float64)
    count[0] = 1
    if width % 2 == 0:
        count[-1] = 1
    return count


def paired(weights: Tensor) -> Tensor:
    """Return real weights (…, h, w) twice, (…, h, w, 2), as input of `weigh`."""
    return torch.stack([weights, weights], dim=-1)


def weigh(spectrum: Tensor, weights: Tensor) -> Tensor:
    """Return a complex spectrum (…) multiplied by real weights (…, 2), which `paired` has made."""
    # A product of real numbers: half the work of a complex product, and its derivative needs no conjugate.
    return torch.view_as_complex(torch.view_as_real(spectrum) * weights)


def _crop_axis(spectrum: Tensor, axis: int, keep: int) -> Tensor:
    full = spectrum.shape[axis]
    if keep >= full:
        return spectrum
    low = spectrum.narrow(axis, 0, (keep + 1) // 2)
    high = spectrum.narrow(axis, full - keep // 2, keep // 2)
    return torch.cat([low, high], dim=axis)


def _pad_axis(spectrum: Tensor, axis: int, size: int, target: int) -> Tensor:
    if target <= size:
        return spectrum
    shape = list(spectrum.shape)
    shape[axis] = target - size
    low, high = spectrum.split([(size + 1) // 2, size // 2], dim=axis)
    return torch.cat([low, spectrum.new_zeros(shape), high], dim=axis)

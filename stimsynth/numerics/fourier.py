"""Back from half a spectrum, with the same bits for one plane as for many."""

import torch
from torch import Tensor


def irfft2(spectrum: Tensor, s: tuple[int, int], norm: str | None = None) -> Tensor:
    """Return what `torch.fft.irfft2` does; of images of one plane each, image by image.

    Torch lays out the columns of a single plane otherwise than those of several before it transforms them.
    The CPU's library then rounds otherwise, and what a model says of an image would depend on whether it
    comes alone.

    Parameters
    ----------
    spectrum
        Half a spectrum of each plane, shape (…, h, w // 2 + 1).
    s
        Height and width (h, w) of the planes.
    norm
        As `torch.fft.irfft2` takes it.

    Examples
    --------
    >>> planes = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> spectra = torch.fft.rfft2(planes)
    >>> torch.equal(irfft2(spectra, (8, 8))[:1], irfft2(spectra[:1], (8, 8)))
    True
    """
    one_plane_each = spectrum.dim() > 2 and spectrum.shape[1:-2].numel() == 1
    if (
        not one_plane_each
        or len(spectrum) == 1
        or spectrum.device.type != "cpu"
        or torch.compiler.is_compiling()
    ):
        return torch.fft.irfft2(spectrum, s=s, norm=norm)
    return torch.stack([torch.fft.irfft2(plane, s=s, norm=norm) for plane in spectrum])

"""Back from half a spectrum, with the same bits for one plane as for many."""

from typing import Any

import torch
from torch import Tensor

from stimsynth.transforms.written_out import WrittenOut

_TRANSPOSED = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def irfft2(spectrum: Tensor, s: tuple[int, int], norm: str | None = None) -> Tensor:
    """Return what `torch.fft.irfft2` does, a single plane as it would be among others.

    Torch puts the columns of several planes in rows before it transforms them, and those of a single plane
    it does not; the CPU's library then rounds differently, and what a model says of an image would depend
    on whether it comes alone.

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
    alone = spectrum.device.type == "cpu" and spectrum.shape[:-2].numel() == 1
    if not alone or torch.compiler.is_compiling():
        return torch.fft.irfft2(spectrum, s=s, norm=norm)
    return _OnePlane.apply(spectrum, s, norm)


class _OnePlane(WrittenOut):
    """With the gradient that torch's own transform of many planes has."""

    @staticmethod
    def forward(spectrum: Tensor, s: tuple[int, int], norm: str | None) -> Tensor:
        columns = spectrum.transpose(-1, -2).contiguous()
        rows = torch.fft.ifft(columns, norm=norm).transpose(-1, -2).contiguous()
        return torch.fft.irfft(rows, n=s[1], norm=norm)

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[Tensor, tuple[int, int], str | None], output: Tensor
    ) -> None:
        _, ctx.s, ctx.norm = inputs

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        spectrum = torch.fft.rfft2(grad, norm=_TRANSPOSED[ctx.norm])
        spectrum[..., 1 : (ctx.s[1] + 1) // 2].mul_(2)  # these stand for two columns each
        return spectrum, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        return irfft2(tangent, ctx.s, ctx.norm)

"""Front-end models of early vision: centre-surround filtering with gain control.

Formulas and parameters: A. Berardino, J. Ballé, V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions
of hierarchical representations", NeurIPS 30; A. Berardino (2018), PhD thesis, New York University.

Every filter of a model is a product with one spectrum of the image (`transforms.convolution`), so a
31 × 31 model costs a few fast Fourier transforms instead of thousands of products a pixel.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth.models.linear import CenterSurround, Gaussian, one_channel
from stimsynth.transforms.convolution import Grid, make_grid
from stimsynth.transforms.filters import KernelSize, as_pair
from stimuli_store.errors import InputError

Activation = Callable[[Tensor], Tensor]


class LuminanceGainControl(nn.Module):
    r"""Centre-surround filter divided by local luminance, then rectified.

    Computes :math:`y = \varphi\big(\frac{C * x}{1 + s\,(L * x)}\big)`, with C the filter of
    `CenterSurround`, L a Gaussian and φ the activation.

    Parameters
    ----------
    kernel_size
        Size of all kernels in pixels.
    on_center
        Sign of the centre.
    amplitude_ratio
        Gain of the centre-surround filter, at least 1.
    pad_mode
        ``"reflect"``, ``"circular"``, ``"replicate"`` or ``"constant"``.
    activation
        Pointwise function of the output.

    Attributes
    ----------
    center_surround, luminance
        The two filters.
    luminance_scalar
        The factor s, shape (1,).

    Examples
    --------
    >>> model = LuminanceGainControl(31)
    >>> model(torch.rand(2, 1, 64, 64)).shape
    torch.Size([2, 1, 64, 64])
    """

    def __init__(
        self,
        kernel_size: KernelSize,
        on_center: bool = True,
        amplitude_ratio: float = 1.25,
        pad_mode: str = "reflect",
        activation: Activation = F.softplus,
    ) -> None:
        super().__init__()
        self.kernel_size = as_pair(kernel_size)
        self.pad_mode = pad_mode
        self.activation = activation
        self.center_surround = CenterSurround(
            kernel_size, on_center, amplitude_ratio, pad_mode=pad_mode
        )
        self.luminance = Gaussian(kernel_size, pad_mode=pad_mode)
        self.luminance_scalar = nn.Parameter(torch.rand(1, generator=_seeded()) * 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the response, shape (batch, 1, height, width)."""
        grid = make_grid(one_channel(x, type(self).__name__), self.kernel_size, self.pad_mode)
        ratio = luminance_normalized(
            x, grid, self.center_surround, self.luminance, self.luminance_scalar
        )
        return self.activation(ratio)


class LuminanceContrastGainControl(nn.Module):
    r"""Luminance gain control, then division by local contrast, then rectified.

    Computes :math:`y = \varphi\big(\frac{n}{1 + s_c\,c}\big)` with
    :math:`n = \frac{C * x}{1 + s_l (L * x)}` and :math:`c = \sqrt{K * n^2} + 10^{-6}`, K a Gaussian.

    Parameters and attributes are those of `LuminanceGainControl`, with `contrast` (the Gaussian K) and
    `contrast_scalar` besides.

    Examples
    --------
    >>> model = LuminanceContrastGainControl(31)
    >>> model(torch.rand(2, 1, 64, 64)).shape
    torch.Size([2, 1, 64, 64])
    """

    def __init__(
        self,
        kernel_size: KernelSize,
        on_center: bool = True,
        amplitude_ratio: float = 1.25,
        pad_mode: str = "reflect",
        activation: Activation = F.softplus,
    ) -> None:
        super().__init__()
        self.kernel_size = as_pair(kernel_size)
        self.pad_mode = pad_mode
        self.activation = activation
        self.center_surround = CenterSurround(
            kernel_size, on_center, amplitude_ratio, pad_mode=pad_mode
        )
        self.luminance = Gaussian(kernel_size, pad_mode=pad_mode)
        self.contrast = Gaussian(kernel_size, pad_mode=pad_mode)
        generator = _seeded()
        self.luminance_scalar = nn.Parameter(torch.rand(1, generator=generator) * 10)
        self.contrast_scalar = nn.Parameter(torch.rand(1, generator=generator) * 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the response, shape (batch, 1, height, width)."""
        grid = make_grid(one_channel(x, type(self).__name__), self.kernel_size, self.pad_mode)
        ratio = luminance_normalized(
            x, grid, self.center_surround, self.luminance, self.luminance_scalar
        )
        return self.activation(
            contrast_normalized(ratio, grid, self.contrast, self.contrast_scalar)
        )


class OnOff(nn.Module):
    """An on-centre and an off-centre channel, each with luminance and contrast gain control.

    Parameters
    ----------
    kernel_size
        Size of all kernels in pixels; (31, 31) for the published parameters.
    amplitude_ratio
        Gain of the centre-surround filters, at least 1.
    pad_mode
        ``"reflect"``, ``"circular"``, ``"replicate"`` or ``"constant"``.
    pretrained
        Use the parameters that Berardino et al. (2017) fitted to human data.
    activation
        Pointwise function of the output.
    apply_mask
        Multiply the output by a disk with a soft edge, so that synthesis leaves the corners alone.
    cache_filt
        Accepted for compatibility: filters here are one-dimensional and cost nothing to make.

    Examples
    --------
    >>> model = OnOff((31, 31), pretrained=True)
    >>> model(torch.rand(1, 1, 64, 64)).shape
    torch.Size([1, 2, 64, 64])
    """

    def __init__(
        self,
        kernel_size: KernelSize,
        amplitude_ratio: float = 1.25,
        pad_mode: str = "reflect",
        pretrained: bool = False,
        activation: Activation = F.softplus,
        apply_mask: bool = False,
        cache_filt: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = as_pair(kernel_size)
        if pretrained and self.kernel_size != (31, 31):
            raise InputError(
                "pretrained parameters were fitted with kernels of (31, 31); "
                f"not {self.kernel_size}"
            )
        self.pad_mode = pad_mode
        self.activation = activation
        self.apply_mask = apply_mask
        self.center_surround = CenterSurround(
            kernel_size,
            [True, False],
            amplitude_ratio,
            out_channels=2,
            pad_mode=pad_mode,
            cache_filt=cache_filt,
        )
        self.luminance = Gaussian(kernel_size, out_channels=2, pad_mode=pad_mode)
        self.contrast = Gaussian(kernel_size, out_channels=2, pad_mode=pad_mode)
        generator = _seeded()
        self.luminance_scalar = nn.Parameter(torch.rand(2, generator=generator) * 10)
        self.contrast_scalar = nn.Parameter(torch.rand(2, generator=generator) * 10)
        if pretrained:
            self.load_state_dict({**self.state_dict(), **_berardino_2017()})

    def forward(self, x: Tensor) -> Tensor:
        """Return the two channels, on then off, shape (batch, 2, height, width)."""
        grid = make_grid(one_channel(x, type(self).__name__), self.kernel_size, self.pad_mode)
        ratio = luminance_normalized(
            x, grid, self.center_surround, self.luminance, self.luminance_scalar
        )
        output = self.activation(
            contrast_normalized(ratio, grid, self.contrast, self.contrast_scalar)
        )
        return output * _disk(grid.size, output) if self.apply_mask else output


def luminance_normalized(
    x: Tensor, grid: Grid, center_surround: CenterSurround, luminance: Gaussian, scalar: Tensor
) -> Tensor:
    """Return (C * x) / (1 + s (L * x)), shape (b, c, h, w), from one spectrum of x."""
    transfers = torch.cat([center_surround.transfer(grid), luminance.transfer(grid)])
    linear, local = grid.backward(grid.forward(x) * transfers).chunk(2, dim=1)
    return linear / (1 + scalar.view(-1, 1, 1) * local)


def contrast_normalized(ratio: Tensor, grid: Grid, contrast: Gaussian, scalar: Tensor) -> Tensor:
    """Return n / (1 + s (√(K * n²) + 1e-6)).

    The root has no slope at zero, and a transform leaves rounding errors on either side of it; both are
    met by a floor far below any response that matters (√1e-16 = 1e-8).
    """
    energy = grid.backward(grid.forward(ratio**2) * contrast.transfer(grid))
    local = torch.sqrt(energy.clamp_min(1e-16)) + 1e-6
    return ratio / (1 + scalar.view(-1, 1, 1) * local)


def _seeded() -> torch.Generator:
    """Return the generator of default scalars: untrained models are the same in every process."""
    return torch.Generator().manual_seed(0)


def _berardino_2017() -> dict[str, Tensor]:
    values: dict[str, Sequence[float]] = {
        "luminance_scalar": (3.2637, 14.3961),
        "contrast_scalar": (7.3405, 16.7423),
        "center_surround.center_std": (1.237, 0.3233),
        "center_surround.surround_std": (30.12, 2.184),
        "luminance.std": (76.4, 2.184),
        "contrast.std": (7.49, 2.43),
    }
    return {name: torch.tensor(value) for name, value in values.items()}


def _disk(size: tuple[int, int], like: Tensor) -> Tensor:
    """Return a disk that fills the image, with a raised-cosine edge."""
    rows, columns = (
        torch.arange(n, dtype=like.dtype, device=like.device) - (n - 1) / 2 for n in size
    )
    radius = torch.hypot(rows.unsqueeze(1), columns.unsqueeze(0))
    outer, inner = min(size) / 2, min(size) / 2 - min(size) / 8
    phase = ((radius - inner) / (outer - inner)).clamp(0, 1)
    return (1 + torch.cos(torch.pi * phase)) / 2

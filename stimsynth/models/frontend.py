"""Front-end models of early vision: centre-surround filtering with gain control."""

# All filters of a model use one spectrum of the image (`transforms.convolution`), so a 31 × 31 model costs a
# few fast Fourier transforms instead of thousands of products per pixel.

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth.models.displays import ShowsFilters
from stimsynth.models.linear import CenterSurround, Gaussian, kept_transfer, one_channel, signs_of
from stimsynth.models.published import load_published
from stimsynth.numerics.caching import LastValue
from stimsynth.numerics.generators import generator_for
from stimsynth.transforms.convolution import PaddedGrid, make_grid
from stimsynth.transforms.filters import KernelSize, kernel_pair
from stimsynth.transforms.masks import make_disk
from stimsynth.validate.images import unbatched_too

Activation = Callable[[Tensor], Tensor]


class _LuminanceNormalized(ShowsFilters):
    """Base of front ends: a centre-surround filter, divided by local luminance."""

    def __init__(
        self,
        kernel_size: KernelSize,
        on_center: bool | Sequence[bool],
        amplitude_ratio: float,
        pad_mode: str,
        activation: Activation,
        cache_filt: bool,
    ) -> None:
        super().__init__()
        channels = len(signs_of(on_center, 1))
        self.kernel_size = kernel_pair(kernel_size)
        self.pad_mode = pad_mode
        self.activation = activation
        self.cache_filt = cache_filt
        self.center_surround = CenterSurround(
            kernel_size,
            on_center,
            amplitude_ratio,
            out_channels=channels,
            pad_mode=pad_mode,
            cache_filt=cache_filt,
        )
        self.luminance = Gaussian(
            kernel_size, out_channels=channels, pad_mode=pad_mode, cache_filt=cache_filt
        )
        self.luminance_scalar = _scalars(channels, seed=0)
        self._kept_transfer = LastValue()

    def grid(self, x: Tensor) -> PaddedGrid:
        """Return the padded grid on which `x` (b, 1, h, w) is filtered."""
        return make_grid(one_channel(x, type(self).__name__), self.kernel_size, self.pad_mode)

    def normalized(self, x: Tensor, grid: PaddedGrid) -> Tensor:
        """Return (C * x) / (1 + s (L * x)), shape (b, c, h, w), from one spectrum of x."""
        parts = [*self.center_surround.tensors, self.luminance.std, self.luminance_scalar]
        transfers = kept_transfer(self, grid, parts, lambda: self._transfers(grid))
        linear, local = grid.backward(grid.forward(x) * transfers).chunk(2, dim=1)
        return linear * (1 + local).reciprocal()  # its derivative needs no divisions

    def _transfers(self, grid: PaddedGrid) -> Tensor:
        """Return the transfer functions of the filter C and of the scaled filter s L."""
        scaled = self.luminance_scalar.view(-1, 1, 1) * self.luminance.transfer(grid)
        return torch.cat([self.center_surround.transfer(grid), scaled])


class LinearNonlinear(ShowsFilters):
    r"""Front end: a centre-surround filter, then rectification.

    Computes :math:`y = \varphi(C * x)`, with C the filter of `CenterSurround` and φ the activation.

    Parameters are as for `LuminanceGainControl`; `center_surround` is the filter.

    References
    ----------
    A. Berardino, J. Ballé, V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions of hierarchical
    representations", NeurIPS 30.

    Examples
    --------
    >>> model = LinearNonlinear(31, pretrained=True, cache_filt=True)
    >>> bool((model(torch.rand(2, 1, 64, 64)) > 0).all())
    True
    """

    def __init__(
        self,
        kernel_size: KernelSize,
        on_center: bool = True,
        amplitude_ratio: float = 1.25,
        pad_mode: str = "reflect",
        pretrained: bool = False,
        activation: Activation = F.softplus,
        cache_filt: bool = False,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.center_surround = CenterSurround(
            kernel_size, on_center, amplitude_ratio, pad_mode=pad_mode, cache_filt=cache_filt
        )
        load_published(self, "LinearNonlinear", pretrained, cache_filt)

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the response to images (b, 1, h, w), of the same shape."""
        return self.activation(self.center_surround(x))


class LuminanceGainControl(_LuminanceNormalized):
    r"""Front end: a centre-surround filter, divided by local luminance, then rectification.

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
    pretrained
        Use the published parameters (`stimsynth.models.published`); needs kernels of 31 × 31.
    activation
        Pointwise function of the output.
    cache_filt
        Cache the filters, as in `Gaussian`.

    Attributes
    ----------
    center_surround, luminance
        The two filters.
    luminance_scalar
        The factor s, shape (1,).

    References
    ----------
    A. Berardino, J. Ballé, V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions of hierarchical
    representations", NeurIPS 30.

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
        pretrained: bool = False,
        activation: Activation = F.softplus,
        cache_filt: bool = False,
    ) -> None:
        super().__init__(kernel_size, on_center, amplitude_ratio, pad_mode, activation, cache_filt)
        load_published(self, "LuminanceGainControl", pretrained, cache_filt)

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the response to images (b, 1, h, w), of the same shape."""
        return self.activation(self.normalized(x, self.grid(x)))


class LuminanceContrastGainControl(_LuminanceNormalized):
    r"""Front end: luminance gain control, then division by local contrast, then rectification.

    Computes :math:`y = \varphi\big(\frac{n}{1 + s_c\,c}\big)` with
    :math:`n = \frac{C * x}{1 + s_l (L * x)}` and :math:`c = \sqrt{K * n^2} + 10^{-6}`, K a Gaussian.

    Parameters and attributes are as for `LuminanceGainControl`, with the further attributes `contrast`
    (the Gaussian K) and `contrast_scalar`.

    References
    ----------
    A. Berardino, J. Ballé, V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions of hierarchical
    representations", NeurIPS 30.

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
        pretrained: bool = False,
        activation: Activation = F.softplus,
        cache_filt: bool = False,
    ) -> None:
        super().__init__(kernel_size, on_center, amplitude_ratio, pad_mode, activation, cache_filt)
        self.contrast = Gaussian(kernel_size, pad_mode=pad_mode, cache_filt=cache_filt)
        self.contrast_scalar = _scalars(1, seed=1)
        load_published(self, "LuminanceContrastGainControl", pretrained, cache_filt)

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the response to images (b, 1, h, w), of the same shape."""
        grid = self.grid(x)
        ratio = self.normalized(x, grid)
        normalized = contrast_normalized(ratio, grid, self.contrast, self.contrast_scalar)
        return self.activation(normalized)


class OnOff(_LuminanceNormalized):
    """Front end: an on-centre and an off-centre channel, each with luminance and contrast gain control.

    Parameters
    ----------
    kernel_size
        Size of all kernels in pixels; (31, 31) for the published parameters.
    amplitude_ratio
        Gain of the centre-surround filters, at least 1.
    pad_mode
        ``"reflect"``, ``"circular"``, ``"replicate"`` or ``"constant"``.
    pretrained
        Use the published parameters (`stimsynth.models.published`); needs kernels of 31 × 31.
    activation
        Pointwise function of the output.
    apply_mask
        Multiply the output by a disk with a soft edge, so that synthesis does not change the corners.
    cache_filt
        Cache the filters, as in `Gaussian`.

    References
    ----------
    A. Berardino, J. Ballé, V. Laparra & E. P. Simoncelli (2017), "Eigen-distortions of hierarchical
    representations", NeurIPS 30; the parameters: A. Berardino (2018), PhD thesis, New York University.

    Examples
    --------
    >>> model = OnOff((31, 31), pretrained=True, cache_filt=True)
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
        super().__init__(
            kernel_size, [True, False], amplitude_ratio, pad_mode, activation, cache_filt
        )
        self.apply_mask = apply_mask
        self.contrast = Gaussian(
            kernel_size, out_channels=2, pad_mode=pad_mode, cache_filt=cache_filt
        )
        self.contrast_scalar = _scalars(2, seed=1)
        load_published(self, "OnOff", pretrained, cache_filt)

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the responses of the on and the off channel to images (b, 1, h, w), shape (b, 2, h, w)."""
        grid = self.grid(x)
        ratio = self.normalized(x, grid)
        normalized = contrast_normalized(ratio, grid, self.contrast, self.contrast_scalar)
        output = self.activation(normalized)
        if not self.apply_mask:
            return output
        return output * make_disk(grid.size, dtype=output.dtype, device=output.device)


def contrast_normalized(
    ratio: Tensor, grid: PaddedGrid, contrast: Gaussian, scalar: Tensor
) -> Tensor:
    """Return responses n divided by local contrast: n / (1 + s (√(K * n²) + 1e-6))."""
    # The square root has no derivative at zero, and a Fourier transform leaves rounding errors around it.
    # The floor is far below any relevant response (√1e-16 = 1e-8).
    energy = grid.backward(grid.forward(ratio * ratio) * contrast.transfer(grid))
    local = energy.clamp_min(1e-16).sqrt()
    scale = scalar.view(-1, 1, 1)
    return ratio * torch.addcmul(1 + 1e-6 * scale, scale, local).reciprocal()


def _scalars(channels: int, seed: int) -> nn.Parameter:
    """Return a parameter of untrained scalars (channels,), uniform in [0, 10), the same in every process."""
    return nn.Parameter(torch.rand(channels, generator=generator_for("scalars", seed)) * 10)

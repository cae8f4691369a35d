"""Linear models: identity, low-pass and band-pass filters, Gaussian blur, centre-surround filter."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth.numerics.caching import LastValue
from stimsynth.numerics.generators import generator_for
from stimsynth.numerics.numbers import real_number
from stimsynth.numerics.reductions import slide
from stimsynth.seeding import checked_seed
from stimsynth.transforms.convolution import PaddedGrid, make_grid
from stimsynth.transforms.filters import KernelSize, circular_gaussian2d, kernel_pair
from stimsynth.validate.gates import some_numbers
from stimsynth.validate.images import checked_tensor, real_images, unbatched_too
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list, a_yes_or_no, briefly
from stimuli_store.tools.whole import whole


def positive(name: str, value: Any, channels: int) -> nn.Parameter:
    """Return a parameter of shape (channels,) from one positive number or `channels` of them."""
    tensor = some_numbers(value, name, dtype=torch.get_default_dtype()).reshape(-1).clone()
    if len(tensor) not in (1, channels) or not bool((tensor > 0).all()):
        raise InputError(
            f"{name} must be positive, one number or {channels} of them; not {briefly(value)}"
        )
    return nn.Parameter(tensor.expand(channels).clone())


def signs_of(on_center: Any, channels: int) -> list[bool]:
    """Return for each of `channels` whether its center is positive, from one value or a list of them."""
    if isinstance(on_center, bool):
        return [on_center] * channels
    return [
        a_yes_or_no(one, "on_center") for one in a_list(on_center, "on_center, if not one value,")
    ]


def one_channel(image: Tensor, name: str) -> Tensor:
    """Return `image`, after checking that it has one channel."""
    return real_images(image, name, channels=1)


class Identity(nn.Module):
    """Identity model: its output is a copy of the image.

    Parameters
    ----------
    name
        Name of the model, for instance for figures; kept as an attribute.

    Examples
    --------
    >>> image = torch.rand(1, 1, 8, 8)
    >>> copy = Identity()(image)
    >>> bool((copy == image).all()), copy is image
    (True, False)
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        self.name = name

    def forward(self, img: Tensor) -> Tensor:
        """Return a copy of `img`."""
        return checked_tensor(img, "Identity", "(…)", kind="all").clone()


class Linear(nn.Module):
    r"""Linear model with a low-pass and a band-pass channel.

    The low-pass kernel is a circular Gaussian of variance 3 px² and sum 1; the band-pass kernel is a
    Gaussian of variance 1 px² minus the low-pass kernel, so its response to a uniform image is zero.

    Parameters
    ----------
    kernel_size
        Size of the kernels in pixels, one number or (height, width).
    pad_mode
        Padding mode: ``"circular"``, ``"reflect"``, ``"replicate"`` or ``"constant"``.
    default_filters
        Use these kernels; otherwise random ones, uniform in ±1/√(pixels of a kernel).
    seed
        Seed of the random kernels.

    Attributes
    ----------
    filt
        The two kernels, shape (2, 1, height, width).

    Examples
    --------
    >>> low, band = Linear()(torch.full((1, 1, 16, 16), 0.5))[0]
    >>> bool(torch.allclose(low, torch.tensor(0.5))), bool(band.abs().max() < 1e-6)
    (True, True)
    """

    def __init__(
        self,
        kernel_size: KernelSize = (3, 3),
        pad_mode: str = "circular",
        default_filters: bool = True,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_pair(kernel_size)
        self.pad_mode = pad_mode
        if a_yes_or_no(default_filters, "default_filters"):
            variances = torch.tensor([3.0, 1.0], dtype=torch.float64)
            low, narrow = circular_gaussian2d(self.kernel_size, variances.sqrt(), 2)
            kernels = torch.stack([low, narrow - low])
        else:
            generator = generator_for("kernels", checked_seed(seed))
            uniform = torch.rand(2, 1, *self.kernel_size, generator=generator, dtype=torch.float64)
            kernels = (2 * uniform - 1) / math.sqrt(math.prod(self.kernel_size))
        self.filt = nn.Parameter(kernels.to(torch.get_default_dtype()))

    @unbatched_too
    def forward(self, x: Tensor) -> Tensor:
        """Return the low-pass and the band-pass channel of images (b, 1, h, w), shape (b, 2, h, w)."""
        real_images(x, "Linear", channels=1, fourier=False)
        return slide_padded(make_grid(x, self.kernel_size, self.pad_mode), x, self.filt.to(x))


class Gaussian(nn.Module):
    """Gaussian blur with circular kernels that sum to one.

    Parameters
    ----------
    kernel_size
        Size of the kernel in pixels, one number or (height, width).
    std
        Standard deviation in pixels, one number or one for each output channel.
    pad_mode
        Padding mode: ``"reflect"``, ``"circular"``, ``"replicate"`` or ``"constant"``.
    out_channels
        Number of kernels and of output channels.
    cache_filt
        Cache the kernel `filt` and, unless parameters can learn, its transfer function for the last image
        size. A cached kernel passes no gradient to the parameters.

    Examples
    --------
    >>> model = Gaussian(7, std=2.0)
    >>> model(torch.ones(1, 1, 32, 32)).shape
    torch.Size([1, 1, 32, 32])
    """

    def __init__(
        self,
        kernel_size: KernelSize,
        std: float | Tensor = 3.0,
        pad_mode: str = "reflect",
        out_channels: int = 1,
        cache_filt: bool = False,
    ) -> None:
        super().__init__()
        out_channels = whole(out_channels, "out_channels", 1)
        self.kernel_size = kernel_pair(kernel_size)
        self.pad_mode = pad_mode
        self.out_channels = out_channels
        self.cache_filt = cache_filt
        self.std = positive("std", std, out_channels)
        self._kept_filt, self._kept_transfer = LastValue(), LastValue()

    @property
    def filt(self) -> Tensor:
        """Kernels, shape (out_channels, 1, height, width)."""
        return kept_filt(self, [self.std], self._kernels)

    @property
    def _filt(self) -> Tensor | None:
        return self._kept_filt.value

    def transfer(self, grid: PaddedGrid) -> Tensor:
        """Return the transfer functions on a padded grid, shape (out_channels, H, W//2 + 1)."""
        return kept_transfer(self, grid, [self.std], lambda: grid.gaussian(self.std))

    def _kernels(self) -> Tensor:
        return circular_gaussian2d(self.kernel_size, self.std, self.out_channels)

    @unbatched_too
    def forward(self, x: Tensor, **conv2d_kwargs: Any) -> Tensor:
        """Return blurred images (b, out_channels, h, w) for images (b, 1, h, w).

        With `conv2d_kwargs` (such as a stride) `torch.nn.functional.conv2d` applies the kernel.
        """
        return filter_linear(self, one_channel(x, type(self).__name__), conv2d_kwargs)


class CenterSurround(nn.Module):
    r"""Difference-of-Gaussians filter: centre minus surround.

    Computes :math:`\pm a\,(G_{center} - G_{surround}) * x` with each Gaussian of sum 1.

    Parameters
    ----------
    kernel_size
        Size of the kernel in pixels.
    on_center
        Whether the centre is positive: one value, or one for each output channel.
    amplitude_ratio
        Factor a, at least 1.
    center_std, surround_std
        Standard deviations in pixels, one number or one for each output channel.
    out_channels
        Number of kernels.
    pad_mode, cache_filt
        As for `Gaussian`.

    Raises
    ------
    InputError
        If an argument is out of range, or (in `forward`) does not fit the image.

    Examples
    --------
    >>> model = CenterSurround(31, surround_std=4.235, center_std=1.962)
    >>> bool(model(torch.ones(1, 1, 64, 64)).abs().max() < 1e-5)
    True
    """

    def __init__(
        self,
        kernel_size: KernelSize,
        on_center: bool | Sequence[bool] = True,
        amplitude_ratio: float = 1.25,
        center_std: float | Tensor = 1.0,
        surround_std: float | Tensor = 4.0,
        out_channels: int = 1,
        pad_mode: str = "reflect",
        cache_filt: bool = False,
    ) -> None:
        super().__init__()
        out_channels = whole(out_channels, "out_channels", 1)
        signs = signs_of(on_center, out_channels)
        if len(signs) != out_channels:
            raise InputError(
                f"on_center must be one value or {out_channels} of them (out_channels); "
                f"{len(signs)} were given"
            )
        amplitude_ratio = real_number(amplitude_ratio, "amplitude_ratio", 1)
        self.kernel_size = kernel_pair(kernel_size)
        self.on_center = signs
        self.out_channels = out_channels
        self.pad_mode = pad_mode
        self.cache_filt = cache_filt
        self.center_std = positive("center_std", center_std, out_channels)
        self.surround_std = positive("surround_std", surround_std, out_channels)
        ratio = torch.as_tensor(amplitude_ratio, dtype=torch.get_default_dtype()).reshape(1)
        self.register_buffer("amplitude_ratio", ratio.clone())
        signed = torch.tensor([1.0 if on else -1.0 for on in signs])
        self.register_buffer("sign", signed.to(ratio.dtype), persistent=False)
        self._kept_filt, self._kept_transfer = LastValue(), LastValue()
        self._warn_of_widths()

    amplitude_ratio: Tensor
    sign: Tensor

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Load a state dict in which `amplitude_ratio` may be a scalar, as in published parameters."""
        key = f"{prefix}amplitude_ratio"
        if key in state_dict:
            state_dict[key] = state_dict[key].reshape(1)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        self._warn_of_widths()

    def _warn_of_widths(self) -> None:
        if bool((self.surround_std < self.center_std).any()):
            warnings.warn(
                "the surround is narrower than the center: surround_std is "
                f"{self.surround_std.tolist()} and center_std {self.center_std.tolist()}; swap them",
                stacklevel=2,
            )

    @property
    def filt(self) -> Tensor:
        """Kernels, shape (out_channels, 1, height, width)."""
        return kept_filt(self, self.tensors, self._kernels)

    @property
    def _filt(self) -> Tensor | None:
        return self._kept_filt.value

    def transfer(self, grid: PaddedGrid) -> Tensor:
        """Return the transfer functions on a padded grid, shape (out_channels, H, W//2 + 1)."""
        return kept_transfer(self, grid, self.tensors, lambda: self._transfers(grid))

    @property
    def tensors(self) -> list[Tensor]:
        """Tensors that determine the kernels: standard deviations, ratio and sign."""
        return [self.center_std, self.surround_std, self.amplitude_ratio, self.sign]

    @property
    def _gain(self) -> Tensor:
        return self.amplitude_ratio * self.sign

    def _kernels(self) -> Tensor:
        center = circular_gaussian2d(self.kernel_size, self.center_std, self.out_channels)
        surround = circular_gaussian2d(self.kernel_size, self.surround_std, self.out_channels)
        return self._gain.view(-1, 1, 1, 1) * (center - surround)

    def _transfers(self, grid: PaddedGrid) -> Tensor:
        difference = grid.gaussian(self.center_std) - grid.gaussian(self.surround_std)
        return self._gain.view(-1, 1, 1) * difference

    @unbatched_too
    def forward(self, x: Tensor, **conv2d_kwargs: Any) -> Tensor:
        """Return filtered images (b, out_channels, h, w) for images (b, 1, h, w).

        With `conv2d_kwargs` (such as a stride) `torch.nn.functional.conv2d` applies the kernel.
        """
        return filter_linear(self, one_channel(x, type(self).__name__), conv2d_kwargs)


Filter = Gaussian | CenterSurround


class KeepsTransfers(Protocol):
    """Interface of a model that may cache its last transfer functions."""

    cache_filt: bool
    _kept_transfer: LastValue


def kept_filt(model: Filter, tensors: list[Tensor], make: Callable[[], Tensor]) -> Tensor:
    """Return a filter's kernels, from the cache if the model uses one."""
    if not model.cache_filt:
        return make()
    return model._kept_filt.get(None, tensors, lambda: make().detach())


def kept_transfer(
    model: KeepsTransfers, grid: PaddedGrid, tensors: list[Tensor], make: Callable[[], Tensor]
) -> Tensor:
    """Return a filter's transfer functions, from the cache if the model uses one and cannot learn."""
    if not model.cache_filt or any(t.requires_grad for t in tensors):
        return make()
    return model._kept_transfer.get(grid, tensors, make)


def filter_linear(model: Filter, x: Tensor, conv2d_kwargs: dict[str, Any]) -> Tensor:
    """Return `x` (b, 1, h, w) filtered by the kernels of a linear model."""
    grid = make_grid(x, model.kernel_size, model.pad_mode)
    if not conv2d_kwargs:
        return grid.backward(grid.forward(x) * model.transfer(grid))
    return slide_padded(grid, x, model.filt, **conv2d_kwargs)


def slide_padded(grid: PaddedGrid, x: Tensor, kernels: Tensor, **conv2d_kwargs: Any) -> Tensor:
    """Return `x` (b, 1, h, w), padded for a grid, correlated with kernels (c, 1, rows, columns)."""
    (top, left), (rows, columns) = grid.before, grid.kernel
    padded = F.pad(x, (left, columns - 1 - left, top, rows - 1 - top), mode=grid.pad_mode)
    return slide(padded, kernels, **conv2d_kwargs)

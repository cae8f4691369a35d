"""Blur and downsample images, and upsample and blur them, as in a Laplacian pyramid."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from stimsynth.numerics.reductions import slide
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import a_yes_or_no, briefly
from stimuli_store.tools.whole import whole, wholes

Parity = Sequence[int] | Tensor
PADDING_MODES = ("constant", "reflect", "replicate", "circular")


def named_filter(name: str, like: Tensor) -> Tensor:
    """Return a one-dimensional filter by its name in pyrtools, of the type and device of `like`.

    ``"binom5"`` is :math:`\\sqrt{2}\\,[1, 4, 6, 4, 1] / 16`.

    Raises
    ------
    InputError
        If pyrtools has no filter of this name.
    """
    if not isinstance(name, str):
        raise WrongType(
            f"filtname must be the name of a filter, such as 'binom5'; not {briefly(name)}"
        )
    if name == "binom5":
        values: Sequence[float] = [math.sqrt(2) * v / 16 for v in (1, 4, 6, 4, 1)]
    else:
        from pyrtools.pyramids.filters import named_filter as look_up

        try:
            values = look_up(name).ravel().tolist()
        except Exception as error:  # pyrtools raises nothing narrower
            raise InputError(
                f"pyrtools has no filter named {name!r}; the usual one is 'binom5'"
            ) from error
    return torch.tensor(values, dtype=like.dtype, device=like.device)


def correlate_downsample(image: Tensor, filt: Tensor, padding_mode: str = "reflect") -> Tensor:
    """Return an image correlated with a filter, with every other row and column kept.

    Parameters
    ----------
    image
        Shape (b, c, h, w).
    filt
        Two-dimensional filter.
    padding_mode
        ``"constant"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.

    Returns
    -------
    Tensor
        Shape (b, c, ceil(h/2), ceil(w/2)).

    Examples
    --------
    >>> correlate_downsample(torch.ones(1, 1, 7, 8), torch.ones(3, 3) / 9).shape
    torch.Size([1, 1, 4, 4])
    """
    rows, columns = _checked(image, filt, padding_mode, reach=1 / 2)
    pads = ((columns - 1) // 2, columns // 2, (rows - 1) // 2, rows // 2)
    channels = image.shape[1]
    kernel = filt.expand(channels, 1, rows, columns)
    return slide(F.pad(image, pads, mode=padding_mode), kernel, stride=2, groups=channels)


def upsample_convolve(
    image: Tensor, odd: Parity, filt: Tensor, padding_mode: str = "reflect"
) -> Tensor:
    """Return an image with zeros between its samples, convolved: the transpose of `correlate_downsample`.

    Parameters
    ----------
    image
        Shape (b, c, h, w).
    odd
        Whether height and width of the result are odd (1) or even (0).
    filt
        Two-dimensional filter.
    padding_mode
        Padding mode of the image before zeros are inserted.

    Returns
    -------
    Tensor
        Shape (b, c, 2h - odd[0], 2w - odd[1]).

    Examples
    --------
    >>> upsample_convolve(torch.ones(1, 1, 4, 4), (1, 0), torch.ones(3, 3) / 9).shape
    torch.Size([1, 1, 7, 8])
    """
    size = _checked(image, filt, padding_mode, reach=1 / 4)
    (top, bottom), (left, right) = (
        (n // 2, n - parity - n // 2)
        for n, parity in zip(size, wholes(odd, "odd", 0, count=2), strict=True)
    )
    small = F.pad(image, (left // 2, right // 2, top // 2, bottom // 2), mode=padding_mode)
    batch, channels, height, width = small.shape
    spread = small.new_zeros(batch, channels, 2 * height - 1, 2 * width - 1)
    spread[..., ::2, ::2] = small
    spread = F.pad(spread, (left % 2, right % 2, top % 2, bottom % 2))
    kernel = filt.flip((0, 1)).expand(channels, 1, *size)
    return slide(spread, kernel, groups=channels)


def blur_downsample(
    x: Tensor, n_scales: int = 1, filtname: str = "binom5", scale_filter: bool = True
) -> Tensor:
    """Return an image blurred and downsampled by 2, `n_scales` times.

    Parameters
    ----------
    x
        Shape (b, c, h, w).
    n_scales
        Number of times.
    filtname
        See `named_filter`; the filter is its outer product with itself.
    scale_filter
        Whether the filter sums to 1 (else to 2).

    Raises
    ------
    InputError
        If there is no such filter, `n_scales` is below 1, or the image is too small.

    Examples
    --------
    >>> round(float(blur_downsample(torch.ones(1, 1, 8, 8)).mean()), 5)
    1.0
    """
    checked_tensor(x, "blur_downsample", kind="any")
    filt = _square(named_filter(filtname, x)) / (
        2 if a_yes_or_no(scale_filter, "scale_filter") else 1
    )
    for _ in range(whole(n_scales, "n_scales", 1)):
        x = correlate_downsample(x, filt)
    return x


def upsample_blur(
    x: Tensor,
    odd: Parity,
    n_scales: int = 1,
    filtname: str = "binom5",
    scale_filter: bool = True,
) -> Tensor:
    """Return an image upsampled by 2 and blurred, `n_scales` times.

    Parameters
    ----------
    x
        Shape (b, c, h, w).
    odd
        Whether height and width are odd after every step.
    n_scales
        Number of times.
    filtname
        See `named_filter`; the filter is its outer product with itself.
    scale_filter
        Whether the filter sums to 4, which keeps the mean (else to 2).

    Raises
    ------
    InputError
        If there is no such filter, `n_scales` is below 1, or the image is too small.

    Examples
    --------
    >>> upsample_blur(torch.ones(1, 1, 8, 8), (0, 1), n_scales=2).shape
    torch.Size([1, 1, 32, 29])
    """
    checked_tensor(x, "upsample_blur", kind="any")
    filt = _square(named_filter(filtname, x)) * (
        2 if a_yes_or_no(scale_filter, "scale_filter") else 1
    )
    for _ in range(whole(n_scales, "n_scales", 1)):
        x = upsample_convolve(x, odd, filt)
    return x


def _square(filt: Tensor) -> Tensor:
    return torch.outer(filt, filt)


def _checked(image: Tensor, filt: Tensor, padding_mode: str, reach: float) -> tuple[int, int]:
    """Return the filter's size after checking image, filter and padding."""
    checked_tensor(image, "resampling", kind="any")
    checked_tensor(filt, "resampling", "(height, width) as a filter", kind="any")
    if filt.dtype != image.dtype:
        raise WrongType(f"image and filter must be of one type; not {image.dtype} and {filt.dtype}")
    if not isinstance(padding_mode, str) or padding_mode not in PADDING_MODES:
        raise InputError(
            f"padding_mode must be one of {', '.join(PADDING_MODES)}; not {briefly(padding_mode)}"
        )
    rows, columns = filt.shape
    height, width = image.shape[-2:]
    if padding_mode == "reflect" and (height <= int(rows * reach) or width <= int(columns * reach)):
        raise InputError(
            f"an image of {height}x{width} is too small for reflect padding with a filter of "
            f"{rows}x{columns}"
        )
    return rows, columns

"""Small operations on signals: rescale, crop, add noise, extremes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stimsynth.numerics.safe import anywhere
from stimsynth.validate.gates import a_generator, some_numbers
from stimsynth.validate.images import checked_tensor, real_images
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, a_yes_or_no, briefly, optional, takes
from stimuli_store.tools.whole import whole, wholes


@takes(a=a_number, b=a_number)
def rescale(x: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Return `x` shifted and scaled so that its smallest value is `a` and its largest value `b`.

    Parameters
    ----------
    x
        Real, any shape; smallest and largest value are taken over the whole tensor. If all values are
        equal they become `a`.
    a, b
        New ends of the range.

    Examples
    --------
    >>> rescale(torch.tensor([2.0, 4.0, 6.0]), -1, 1).tolist()
    [-1.0, 0.0, 1.0]
    """
    if checked_tensor(x, "rescale", "(…)", kind="ordered").dtype == torch.bool:
        x = x.to(torch.get_default_dtype())
    low = x.amin()
    spread = x.amax() - low
    share = (x - low) / torch.where(spread > 0, spread, 1.0)
    return a * (1 - share) + b * share  # both ends exact, which a + (b - a) · share is not


def center_crop(x: Tensor, output_size: int) -> Tensor:
    """Return the central square of a signal, with side `output_size`.

    Parameters
    ----------
    x
        Shape (…, h, w).
    output_size
        Side of the square. Position (h // 2, w // 2) of `x` moves to output_size // 2: if the centre lies
        between two samples, the later one counts.

    Raises
    ------
    InputError
        If `output_size` is not a whole number from 1 to the smaller side.

    Examples
    --------
    >>> center_crop(torch.arange(16).view(4, 4), 2).tolist()
    [[5, 6], [9, 10]]
    """
    output_size = whole(output_size, "output_size")
    checked_tensor(x, "center_crop", "(…, height, width)", kind="all")
    if not 1 <= output_size <= min(x.shape[-2:]):
        raise InputError(
            f"a square of side {output_size} cannot be cropped from a tensor {tuple(x.shape)}; give a "
            "side from 1 to the smaller of height and width"
        )
    top, left = (n // 2 - output_size // 2 for n in x.shape[-2:])
    return x[..., top : top + output_size, left : left + output_size]


@takes(generator=optional(a_generator))
def add_noise(
    img: Tensor,
    noise_mse: float | Sequence[float] | Tensor,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return images with Gaussian noise that has exactly the given mean squared error in every channel.

    The noise of each channel is shifted to mean 0 and scaled. It is drawn on the generator's device (the
    CPU, if none is given), so that one seed gives the same noise for any device.

    Parameters
    ----------
    img
        Images (b, c, h, w), more than one pixel each, of a floating-point type.
    noise_mse
        Mean squared error, 0 or more: one number, or one per image. With b = 1, several numbers give one
        image each.
    generator
        Source of the noise; None for torch's own.

    Returns
    -------
    Tensor
        Shape (b, c, h, w), or (number of errors, c, h, w) where b = 1.

    Raises
    ------
    InputError
        If image and errors do not fit together.

    Examples
    --------
    >>> img = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    >>> noisy = add_noise(img, [2, 4, 8], generator=torch.Generator().manual_seed(0))
    >>> noisy.square().mean(dim=(1, 2, 3)).round(decimals=9).tolist()
    [2.0, 4.0, 8.0]
    """
    if real_images(img, "add_noise", fourier=False).shape[-2:].numel() < 2:
        raise InputError(f"add_noise takes images of more than one pixel; not {tuple(img.shape)}")
    wanted = some_numbers(noise_mse, "noise_mse", like=img).reshape(-1, 1, 1, 1)
    if len(wanted) not in (1, len(img)) and len(img) != 1:
        raise InputError(
            f"noise_mse must be one number, or one for each of {len(img)} images; {len(wanted)} were given"
        )
    if anywhere(~(wanted >= 0)):
        raise InputError(f"noise_mse must be 0 or more; not {briefly(noise_mse)}")
    shape = (max(len(wanted), len(img)), *img.shape[1:])
    place = generator.device if generator else "cpu"
    noise = torch.randn(shape, dtype=img.dtype, device=place, generator=generator).to(img.device)
    noise = noise - noise.mean(dim=(-2, -1), keepdim=True)
    power = noise.square().mean(dim=(-2, -1), keepdim=True)
    return img + noise * torch.sqrt(wanted / power)


def maximum(x: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Return the largest values over one dimension, several dimensions, or all.

    Parameters
    ----------
    x
        Real, any shape.
    dim
        The dimension or dimensions to reduce; None for all.
    keepdim
        Whether reduced dimensions stay, with length 1.

    Examples
    --------
    >>> maximum(torch.arange(24).view(2, 3, 4), dim=[1, 2]).tolist()
    [11, 23]
    """
    checked_tensor(x, "maximum", "(…)", kind="ordered")
    return torch.amax(x, dim=every_dim(x, dim), keepdim=a_yes_or_no(keepdim, "keepdim"))


def minimum(x: Tensor, dim: int | Sequence[int] | None = None, keepdim: bool = False) -> Tensor:
    """Return the smallest values over one dimension, several dimensions, or all.

    Parameters are as for `maximum`.

    Examples
    --------
    >>> minimum(torch.arange(24).view(2, 3, 4), dim=[1, 2]).tolist()
    [0, 12]
    """
    checked_tensor(x, "minimum", "(…)", kind="ordered")
    return torch.amin(x, dim=every_dim(x, dim), keepdim=a_yes_or_no(keepdim, "keepdim"))


def every_dim(x: Tensor, dim: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return the dimensions `dim` as a tuple of indices from 0; None means all.

    Raises
    ------
    InputError
        If `x` has no such dimension, or one is named twice.

    Examples
    --------
    >>> every_dim(torch.zeros(2, 3, 4), [-1, 0])
    (2, 0)
    """
    if dim is None:
        return tuple(range(x.dim()))
    given = wholes(dim, "dim")
    found = tuple(d + x.dim() if d < 0 else d for d in given)
    if len(set(found)) != len(found) or not all(0 <= d < x.dim() for d in found):
        raise InputError(
            f"dim must name dimensions of a tensor of shape {tuple(x.shape)}, each once; not {briefly(dim)}"
        )
    return found

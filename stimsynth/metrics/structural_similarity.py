"""Structural similarity of images, on one scale (SSIM) and on several (MS-SSIM)."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from stimsynth.numerics.safe import anywhere
from stimsynth.transforms.filters import gaussian_1d
from stimsynth.transforms.separable import filter_valid
from stimsynth.validate.gates import some_numbers
from stimsynth.validate.images import real_images
from stimuli_store.errors import InputError, WrongDevice
from stimuli_store.tools.gates import a_yes_or_no, briefly

_C1, _C2 = 0.01**2, 0.03**2  # for values from 0 to 1
_WINDOW, _STD = 11, 1.5
POWER_FACTORS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_PADS = (False, "constant", "reflect", "replicate", "circular")


class _Maps(NamedTuple):
    """Maps of local similarity (b, c, h', w'), and of the local variances of both images if requested."""

    ssim: Tensor
    contrast_structure: Tensor
    variances: tuple[Tensor, ...]


def ssim(img1: Tensor, img2: Tensor, weighted: bool = False, pad: bool | str = False) -> Tensor:
    r"""Return the structural similarity (SSIM) of images, 1 for equal images, always in [-1, 1].

    Computes the mean over positions of

    .. math:: \frac{(2\mu_x\mu_y + C_1)(2\sigma_{xy} + C_2)}
              {(\mu_x^2 + \mu_y^2 + C_1)(\sigma_x^2 + \sigma_y^2 + C_2)}

    with moments under an 11 × 11 Gaussian window of standard deviation 1.5.

    Parameters
    ----------
    img1, img2
        Images (b, c, h, w) with values in [0, 1], of equal height and width; batch and channel may be 1
        in either. Channels are compared independently.
    weighted
        Weigh positions by :math:`\log[(1 + \sigma_x^2/C_2)(1 + \sigma_y^2/C_2)]`.
    pad
        False to compare only positions where the whole window fits, or the padding mode of the images:
        ``"constant"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.

    Returns
    -------
    Tensor
        Shape (b, c).

    Raises
    ------
    InputError
        If the images cannot be compared or `pad` is unknown.

    References
    ----------
    Z. Wang, A. C. Bovik, H. R. Sheikh & E. P. Simoncelli (2004), "Image quality assessment: from error
    visibility to structural similarity", IEEE Trans. Image Processing 13(4), 600–612; the weights: Z. Wang &
    E. P. Simoncelli (2008), "Maximum differentiation (MAD) competition", J. Vision 8(12):8.

    Examples
    --------
    >>> image = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> round(float(ssim(image, image)), 4)
    1.0
    """
    weighted = a_yes_or_no(weighted, "weighted")
    maps = _maps(*comparable(img1, img2), pad, variances=weighted)
    if not weighted:
        return maps.ssim.mean(dim=(-2, -1))
    # Rounding can make a variance slightly negative; it then counts as 0.
    var_x, var_y = (variance.clamp_min(0) for variance in maps.variances)
    weight = torch.log1p(var_x / _C2) + torch.log1p(var_y / _C2)
    total = weight.sum(dim=(-2, -1))
    mean = (maps.ssim * weight).sum(dim=(-2, -1)) / total.clamp_min(_tiny(total))
    # For two images without any contrast all weights are 0: then all positions have the same weight.
    return torch.where(total > 0, mean, maps.ssim.mean(dim=(-2, -1)))


def ssim_map(img1: Tensor, img2: Tensor) -> Tensor:
    """Return the map of structural similarity, (b, c, h-10, w-10), at all positions where the window fits.

    Parameters are as for `ssim`.

    Examples
    --------
    >>> ssim_map(torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)).shape
    torch.Size([1, 1, 22, 22])
    """
    return _maps(*comparable(img1, img2), False).ssim


def ms_ssim(
    img1: Tensor, img2: Tensor, power_factors: Sequence[float] | Tensor | None = None
) -> Tensor:
    r"""Return the multi-scale structural similarity (MS-SSIM) of images, shape (b, c).

    Contrast and structure are compared on every scale and luminance on the coarsest; the means are raised
    to their powers and multiplied. If a mean is negative the result is 0. Each scale is the one before,
    averaged over 2 × 2 pixels (an odd side is first extended by its last row or column).

    Parameters
    ----------
    img1, img2
        As for `ssim`.
    power_factors
        Powers from fine to coarse; as many as there are scales. None for the published five.

    Raises
    ------
    InputError
        If the images cannot be compared or there is no power.

    References
    ----------
    Z. Wang, E. P. Simoncelli & A. C. Bovik (2003), "Multiscale structural similarity for image quality
    assessment", Asilomar Conf. 37, 1398–1402.

    Examples
    --------
    >>> image = torch.rand(1, 1, 176, 176, generator=torch.Generator().manual_seed(0))
    >>> round(float(ms_ssim(image, image)), 4)
    1.0
    """
    x, y = comparable(img1, img2)
    given = POWER_FACTORS if power_factors is None else power_factors
    powers = some_numbers(given, "power_factors")
    if powers.dim() != 1 or not len(powers) or bool((~(powers >= 0) | powers.isinf()).any()):
        raise InputError(
            f"power_factors must be a list of numbers >= 0, one per scale; not {briefly(power_factors)}"
        )
    powers = powers.to(x)
    means = []
    for scale in range(len(powers)):
        maps = _maps(x, y, False)
        coarsest = scale == len(powers) - 1
        means.append((maps.ssim if coarsest else maps.contrast_structure).mean(dim=(-2, -1)))
        if not coarsest:
            x, y = _halved(x), _halved(y)
    # The floor keeps the slope of a power below 1 finite where a mean is 0 or negative.
    raised = [_floored(mean) ** power for mean, power in zip(means, powers, strict=True)]
    product = torch.stack(raised).prod(dim=0)
    return torch.where((torch.stack(means) <= 0).any(dim=0), 0.0, product)


def _maps(x: Tensor, y: Tensor, pad: bool | str, *, variances: bool = False) -> _Maps:
    if not isinstance(pad, bool | str) or pad not in _PADS:
        raise InputError(f"pad must be one of {', '.join(map(str, _PADS))}; not {briefly(pad)}")
    size = min(_WINDOW, x.shape[-2], x.shape[-1])
    if size < _WINDOW:
        warnings.warn(
            f"SSIM uses a window of {size} pixels: the images are smaller than {_WINDOW}",
            stacklevel=3,
        )
    if pad:
        sides = ((size - 1) // 2, size // 2) * 2
        x, y = (F.pad(image, sides, mode=str(pad)) for image in (x, y))
    # With the sum u and the difference d of both images, 2 cov = (var u - var d) / 2 and so on: both factors
    # become (p - q + c) / (p + q + c) with squares p and q, which stays in [-1, 1] under rounding.
    middle = (x + y).detach().mean(dim=(-2, -1), keepdim=True)
    u, d = (
        x + y - middle,
        x - y,
    )  # a variance does not change by a constant, and is exact only near zero
    products = [u * u, d * d, u * d] if variances else [u * u, d * d]
    mu_u, mu_d, uu, dd, *ud = _blurred(torch.stack([u, d, *products]), size)
    mu_dd = mu_d * mu_d
    var_u, var_d = (uu - mu_u * mu_u).clamp_min(0), (dd - mu_dd).clamp_min(0)
    contrast_structure = (var_u - var_d + 2 * _C2) / (var_u + var_d + 2 * _C2)
    level = (mu_u + middle) ** 2
    luminance = (level - mu_dd + 2 * _C1) / (level + mu_dd + 2 * _C1)
    each: tuple[Tensor, ...] = ()
    if variances:
        total, twice_cov = var_u + var_d, 2 * (ud[0] - mu_u * mu_d)
        each = (total + twice_cov) / 4, (total - twice_cov) / 4
    return _Maps(luminance * contrast_structure, contrast_structure, each)


def _blurred(images: Tensor, size: int) -> Tensor:
    """Return images (n, b, c, h, w) filtered by the Gaussian window, at positions where it fits."""
    kernel = gaussian_1d(size, torch.tensor([_STD], dtype=images.dtype, device=images.device))
    return filter_valid(images, kernel.squeeze(0))


def _halved(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    if height % 2 or width % 2:
        image = F.pad(image, (0, width % 2, 0, height % 2), mode="replicate")
    return F.avg_pool2d(image, 2)


def _floored(mean: Tensor) -> Tensor:
    return mean.clamp_min(_tiny(mean))


def _tiny(like: Tensor) -> float:
    return torch.finfo(like.dtype).eps ** 2


def comparable(img1: Tensor, img2: Tensor) -> tuple[Tensor, Tensor]:
    """Return two images broadcast to one shape, after checking them; warn of values outside [0, 1]."""
    one, two = matched(img1, img2)
    with torch.no_grad():
        if any(anywhere((image.amin() < 0) | (image.amax() > 1)) for image in (img1, img2)):
            warnings.warn(
                "Image range falls outside [0, 1]. The result may not be what the metric means.",
                stacklevel=3,
            )
    return one, two


def matched(img1: Tensor, img2: Tensor) -> tuple[Tensor, Tensor]:
    """Return two images broadcast to one shape, after checking type, size and device."""
    for image in (img1, img2):
        real_images(image, "a metric", fourier=False)
    if img1.shape[-2:] != img2.shape[-2:] or img1.dtype != img2.dtype:
        raise InputError(
            f"images to compare must have the same height, width and type; not {tuple(img1.shape)} "
            f"{img1.dtype} and {tuple(img2.shape)} {img2.dtype}"
        )
    if img1.device != img2.device:
        raise WrongDevice(
            f"images to compare must lie on one device, not on {img1.device} and {img2.device}; "
            "move one of them with .to(…)"
        )
    try:
        shape = torch.broadcast_shapes(img1.shape, img2.shape)
    except RuntimeError as error:
        raise InputError(
            f"batch and channel of images to compare must be equal or 1; not {tuple(img1.shape)} and "
            f"{tuple(img2.shape)}"
        ) from error
    return img1.expand(shape), img2.expand(shape)

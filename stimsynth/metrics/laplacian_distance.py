"""Normalized Laplacian pyramid, and the distance between images in it.

Each coefficient is divided by a constant plus a weighted sum of its neighbours' amplitudes, with the
parameters of Laparra et al. (2016).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stimsynth.metrics.structural_similarity import comparable
from stimsynth.numerics.safe import safe_root
from stimsynth.transforms.pyramids.laplacian import LaplacianPyramid
from stimsynth.validate.images import real_images, unbatched_too
from stimuli_store.errors import InputError

_SIGMAS = (0.0248, 0.0185, 0.0179, 0.0191, 0.0220, 0.2782)
# Weights of the neighbours in a 5 × 5 patch by (row, column); the coefficient itself is at (2, 2).
_NEIGHBOURS: tuple[dict[tuple[int, int], float], ...] = (
    {(1, 2): 0.1011, (2, 1): 0.1493, (2, 3): 0.1460, (2, 4): 0.0072, (3, 2): 0.1015},
    {(1, 2): 0.0757, (2, 1): 0.1986, (2, 3): 0.1846, (3, 2): 0.0837},
    {(1, 2): 0.0477, (2, 1): 0.2138, (2, 3): 0.2243, (3, 2): 0.0467},
    {(2, 1): 0.2503, (2, 3): 0.2616},
    {(2, 1): 0.2598, (2, 3): 0.2552},
    {(2, 1): 0.2215, (2, 3): 0.0717},
)
_SMALLEST = 33  # the fifth scale of a smaller image is too small for reflect padding


def normalized_laplacian_pyramid(img: Tensor) -> list[Tensor]:
    """Return the six scales of an image's normalized Laplacian pyramid, from fine to coarse.

    Parameters
    ----------
    img
        Shape (b, c, h, w), sides of 33 pixels or more; channels are treated independently.

    Raises
    ------
    InputError
        If the image has another shape or smaller sides.

    Examples
    --------
    >>> scales = normalized_laplacian_pyramid(torch.rand(1, 1, 64, 64))
    >>> [scale.shape[-1] for scale in scales]
    [64, 32, 16, 8, 4, 2]
    """
    if (
        min(real_images(img, "a normalized Laplacian pyramid", fourier=False).shape[-2:])
        < _SMALLEST
    ):
        raise InputError(
            "a normalized Laplacian pyramid takes images (batch, channel, height, width) with sides of "
            f"{_SMALLEST} pixels or more; not {tuple(img.shape)}"
        )
    scales = LaplacianPyramid(n_scales=len(_SIGMAS), scale_filter=True)(img)
    triples = zip(scales, _SIGMAS, _NEIGHBOURS, strict=True)
    return [scale / (sigma + _pooled(scale.abs(), near)) for scale, sigma, near in triples]


class NLP(nn.Module):
    """Normalized Laplacian pyramid as a model: all values of each channel in one vector.

    A squared error of this vector weighs scales by their numbers of pixels, and `nlpd` does not.

    Examples
    --------
    >>> NLP()(torch.rand(1, 1, 64, 64)).shape
    torch.Size([1, 1, 5460])
    """

    def __init__(self) -> None:
        super().__init__()

    @unbatched_too
    def forward(self, image: Tensor) -> Tensor:
        """Return all scales of images (b, c, h, w), from fine to coarse, in one vector (b, c, n)."""
        return torch.cat([scale.flatten(2) for scale in normalized_laplacian_pyramid(image)], dim=2)


def nlpd(img1: Tensor, img2: Tensor) -> Tensor:
    r"""Return the normalized Laplacian pyramid distance (NLPD) of images, 0 for equal images.

    It is the root-mean-square difference on each scale, averaged over the six scales.

    Parameters
    ----------
    img1, img2
        Images (b, c, h, w) with values in [0, 1], of equal height and width; batch and channel may be 1
        in either.

    Returns
    -------
    Tensor
        Shape (b, c). If two images are equal its gradient, which is not defined there, is 0.

    References
    ----------
    V. Laparra, J. Ballé, A. Berardino & E. P. Simoncelli (2016), "Perceptual image quality assessment using a
    normalized Laplacian pyramid", Electronic Imaging 2016(16), 1–6; V. Laparra, A. Berardino, J. Ballé &
    E. P. Simoncelli (2017), "Perceptually optimized image rendering", J. Opt. Soc. Am. A 34(9), 1511–1525.

    Examples
    --------
    >>> image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> float(nlpd(image, image))
    0.0
    """
    one, two = comparable(img1, img2)
    pairs = zip(normalized_laplacian_pyramid(one), normalized_laplacian_pyramid(two), strict=True)
    distances = [safe_root((x - y).square().mean(dim=(-2, -1))) for x, y in pairs]
    return torch.stack(distances).mean(dim=0)


def _pooled(amplitude: Tensor, neighbours: dict[tuple[int, int], float]) -> Tensor:
    """Return the weighted sum of each amplitude's neighbours, with zeros beyond the border."""
    height, width = amplitude.shape[-2:]
    padded = F.pad(amplitude, (2, 2, 2, 2))
    parts = [
        weight * padded[..., row : row + height, column : column + width]
        for (row, column), weight in neighbours.items()
    ]
    return torch.stack(parts).sum(dim=0)

"""Laplacian pyramid of P. J. Burt & E. H. Adelson (1983), IEEE Trans. Communications 31, 532–540."""

from collections.abc import Sequence

from torch import Tensor, nn

from stimsynth.transforms.resampling import blur_downsample, upsample_blur
from stimsynth.validate.images import real_images
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_list
from stimuli_store.tools.whole import whole


class LaplacianPyramid(nn.Module):
    r"""Laplacian pyramid: band-pass scales and a low-pass residual, from which the image is reconstructed.

    Computes :math:`X_{k+1} = \downarrow_2 (h * X_k)` and :math:`X'_k = X_k - h' * \uparrow_2 X_{k+1}`.

    Parameters
    ----------
    n_scales
        Number of scales, including the residual.
    scale_filter
        Whether blurring keeps the mean (h sums to 1, h' to 4); else both sum to 2 and the values of the
        residual grow by 2 per scale.

    Raises
    ------
    InputError
        If `n_scales` is below 1, or (in `forward`) if the image is too small.

    Examples
    --------
    >>> import torch
    >>> pyramid = LaplacianPyramid(n_scales=3)
    >>> image = torch.rand(1, 1, 33, 40)
    >>> [tuple(scale.shape[-2:]) for scale in pyramid(image)]
    [(33, 40), (17, 20), (9, 10)]
    >>> torch.allclose(pyramid.recon_pyr(pyramid(image)), image, atol=1e-6)
    True
    """

    def __init__(self, n_scales: int = 5, scale_filter: bool = False) -> None:
        super().__init__()
        self.n_scales = whole(n_scales, "n_scales", 1)
        self.scale_filter = scale_filter

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the scales of an image (b, c, h, w) from fine to coarse, with the low-pass residual last."""
        real_images(x, "a Laplacian pyramid", fourier=False)
        scales = []
        for _ in range(self.n_scales - 1):
            small = blur_downsample(x, scale_filter=self.scale_filter)
            scales.append(x - self._expanded(small, x))
            x = small
        return [*scales, x]

    def recon_pyr(self, y: Sequence[Tensor]) -> Tensor:
        """Return the image (b, c, h, w) reconstructed from the scales `y`, each half as large as the last."""
        y = a_list(y, "y")
        if len(y) != self.n_scales:
            raise InputError(f"this pyramid has {self.n_scales} scales; {len(y)} were given")
        size = None
        for scale in y:
            real_images(scale, "a Laplacian pyramid", size=size, fourier=False)
            size = (-(-scale.shape[-2] // 2), -(-scale.shape[-1] // 2))
        x = y[-1]
        for band in reversed(y[:-1]):
            x = band + self._expanded(x, band)
        return x

    def _expanded(self, small: Tensor, large: Tensor) -> Tensor:
        odd = [n % 2 for n in large.shape[-2:]]
        return upsample_blur(small, odd, scale_filter=self.scale_filter)

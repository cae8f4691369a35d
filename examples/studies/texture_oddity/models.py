"""A texture model of correlations between the features of a small network with random weights."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, pad, softplus


class GramNetwork(nn.Module):
    """Products of every two features, averaged over the image, on several scales.

    Gatys, Ecker & Bethge (2015), Texture synthesis using convolutional neural networks, take the features of
    VGG-19. Here they are softened outputs of random filters.

    Parameters
    ----------
    n_filters, side, n_scales, seed
        Number of filters, their side in pixels, number of octaves, and seed of the weights.
    """

    def __init__(
        self, n_filters: int = 24, side: int = 7, n_scales: int = 3, seed: int = 0
    ) -> None:
        super().__init__()
        made = torch.randn(n_filters, 1, side, side, generator=torch.Generator().manual_seed(seed))
        made = made - made.mean((2, 3), keepdim=True)
        self.register_buffer("weights", 10 * made / made.norm(dim=(2, 3), keepdim=True))
        self.n_scales = n_scales

    def forward(self, x: Tensor) -> Tensor:
        """Return the statistics (b, c, n) of images (b, 1, h, w), with their mean and standard deviation."""
        half = self.weights.shape[-1] // 2
        found = [x.mean((2, 3))[..., None], x.std((2, 3))[..., None]]
        for _ in range(self.n_scales):
            features = softplus(conv2d(pad(x, [half] * 4, mode="circular"), self.weights)).flatten(
                2
            )
            features = torch.cat([features, torch.ones_like(features[:, :1])], dim=1)
            gram = features @ features.mT / features.shape[-1]
            found.append(gram.flatten(1)[:, None])
            x = avg_pool2d(x, 2)
        return torch.cat(found, dim=2)

"""Two models of one's own: a retina, and a small network whose weights come from a seed."""

import torch
from torch import nn

from stimsynth import Gaussian


def retina(sigma: float = 2.0) -> nn.Module:
    """Return a blur, then responses that saturate."""
    return nn.Sequential(Gaussian(4 * round(sigma) + 1, std=sigma), nn.Softsign())


def network() -> nn.Module:
    """Return two layers of filters, in place of a network that was trained."""
    made = nn.Sequential(nn.Conv2d(1, 16, 7), nn.Softplus(), nn.Conv2d(16, 16, 5), nn.Softplus())
    generator = torch.Generator().manual_seed(0)
    for weights in made.parameters():
        weights.data.copy_(torch.randn(weights.shape, generator=generator) / 5)
    return made

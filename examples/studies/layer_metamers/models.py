"""A small network with fixed random weights, cut after one of its stages."""

from itertools import pairwise

import torch
from torch import nn

CHANNELS = (1, 8, 16, 24, 32, 32)


def network(stage: int, seed: int = 0) -> nn.Module:
    """Return the first stages of a network: filters, a rectifier without a corner, and pooling by two.

    Parameters
    ----------
    stage
        Number of stages, 1 to 5.
    seed
        Seed of the weights. Filters have the mean 0, so that each stage discards the mean of what it sees.
    """
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(CHANNELS[: stage + 1]):
        filters = nn.Conv2d(n_in, n_out, 5, padding=2, padding_mode="replicate", bias=False)
        weights = torch.randn(filters.weight.shape, generator=generator)
        weights -= weights.mean(dim=(1, 2, 3), keepdim=True)
        filters.weight.data.copy_(weights / weights.flatten(1).norm(dim=1)[:, None, None, None])
        layers += [filters, nn.Softplus(beta=10), nn.AvgPool2d(2)]
    return nn.Sequential(*layers)

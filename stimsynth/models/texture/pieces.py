"""Sums and norms from which texture statistics are gathered."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from stimsynth.models.texture.layout import Piece, TextureScale
from stimsynth.models.texture.statistics import varying


@dataclass(kw_only=True)
class Pieces:
    """Sums (m, n) by kind and scale, and norms (m, k) with the threshold (m, 1) at which they count as 0."""

    sums: dict[Piece, Tensor] = field(default_factory=dict)
    norms: dict[Piece, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def add_norms(self, kind: str, scale: TextureScale, norms: Tensor, least: Tensor) -> None:
        """Add the norms of one kind of maps at one scale, with their threshold."""
        self.norms[kind, scale] = (norms, least.expand_as(norms))

    def lengths(self) -> tuple[dict[Piece, int], dict[Piece, int]]:
        """Return the numbers of entries of the sums and of the norms, each by piece."""
        return (
            {piece: value.shape[-1] for piece, value in self.sums.items()},
            {piece: value.shape[-1] for piece, (value, _) in self.norms.items()},
        )

    def joined(self) -> tuple[Tensor, Tensor]:
        """Return all sums and norms, concatenated (m, …), and the reciprocals of the norms (m, …)."""
        sums = list(self.sums.values())
        if not self.norms:
            return torch.cat(sums, dim=-1), sums[0][:, :0]
        norms, least = zip(*self.norms.values(), strict=True)
        norm, inverse = varying(torch.cat(norms, dim=-1), torch.cat(least, dim=-1))
        return torch.cat([*sums, norm], dim=-1), inverse

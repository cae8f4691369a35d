"""Which texture statistics there are, in what order, and which of them say nothing new.

A representation is a vector; its dictionary form holds arrays with an entry for every pair of bands or
positions, of which those that repeat others (an autocorrelation is even) or are always 1 are NaN.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from stimsynth.transforms.pyramid_layout import Level
from stimuli_store.errors import InputError, unknown_name

Scale = Level | str  # a pyramid's level or "pixel_statistics"


@dataclass(frozen=True, kw_only=True)
class Group:
    """One kind of statistics.

    `shape` is that of its array without the last axis, `kept` are the places in it, flattened, of the
    entries that are not redundant, and `scales` names the scale of each entry along the last axis.
    """

    name: str
    shape: tuple[int, ...]
    kept: Tensor
    scales: tuple[Scale, ...]

    def select(self, array: Tensor) -> Tensor:
        """Return the kept entries (b, c, n, …) of arrays (b, c, *shape, …)."""
        flat = array.flatten(2, 1 + len(self.shape)) if self.shape else array.unsqueeze(2)
        return flat.index_select(2, self.kept.to(array.device))

    def spread(self, entries: Tensor) -> Tensor:
        """Return arrays (b, c, *shape, …) of kept entries (b, c, n, …), NaN elsewhere."""
        shape = (*entries.shape[:2], math.prod(self.shape), *entries.shape[3:])
        flat = entries.new_full(shape, torch.nan)
        flat[:, :, self.kept.to(entries.device)] = entries
        return flat.unflatten(2, self.shape) if self.shape else flat.squeeze(2)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The groups in their order in the representation."""

    groups: tuple[Group, ...]

    def __getitem__(self, name: str) -> Group:
        return next(group for group in self.groups if group.name == name)

    def scales(self) -> list[Scale]:
        """Return the scale that each entry of a representation belongs to."""
        return [scale for g in self.groups for _ in g.kept for scale in g.scales]

    def join(self, values: Mapping[str, Sequence[Tensor]]) -> Tensor:
        """Return the representation of kept entries: for each group a list over scales of (b, c, n)."""
        parts = [
            torch.stack(list(values[group.name]), dim=-1).flatten(2)
            for group in self.groups
            if values.get(group.name)
        ]
        return torch.cat(parts, dim=-1)

    def to_dict(self, representation: Tensor) -> dict[str, Tensor]:
        """Return arrays (b, c, *shape, scales) of a whole representation, NaN where it holds nothing."""
        whole = len(self.scales())
        if representation.dim() != 3 or representation.shape[-1] != whole:
            raise InputError(
                f"a whole representation has shape (batch, channel, {whole}); not "
                f"{tuple(representation.shape)} (one of some scales cannot be made a dictionary)"
            )
        arrays: dict[str, Tensor] = {}
        at = 0
        for group in self.groups:
            shape = (len(group.kept), len(group.scales))
            part = representation[..., at : at + math.prod(shape)]
            arrays[group.name] = group.spread(part.unflatten(-1, shape))
            at += math.prod(shape)
        return arrays

    def to_tensor(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """Return the representation that arrays, as `to_dict` makes them, stand for."""
        for group in self.groups:
            if group.name not in arrays:
                raise InputError(f"the dictionary of statistics lacks {group.name}")
        parts = [group.select(arrays[group.name]).flatten(2) for group in self.groups]
        return torch.cat(parts, dim=-1)

    def checked_names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return names of groups, if all are known."""
        known = [group.name for group in self.groups]
        for name in names:
            if name not in known:
                raise unknown_name("group of statistics", name, known)
        return tuple(names)


def texture_layout(
    n_scales: int, n_orientations: int, width: int, magnitude_means: bool = False
) -> Layout:
    """Return the layout of the statistics of J. Portilla & E. P. Simoncelli (2000).

    Counts follow their section 3: with N scales, K orientations and a neighbourhood of M,
    2(N+1) + 7 marginal statistics, (N+1)(M²+1)/2 of raw coefficients, NK(M²+1)/2 + NK(K-1)/2 + K²(N-1)
    of magnitudes, and 2K²(N-1) of phases.

    Examples
    --------
    >>> len(texture_layout(4, 4, 7).scales())
    710
    """
    k = n_orientations
    every = torch.ones(())
    bands: tuple[Scale, ...] = tuple(range(n_scales))
    children = bands[:-1]
    low: tuple[Scale, ...] = (*bands, "residual_lowpass")
    row, column = torch.meshgrid(torch.arange(width), torch.arange(width), indexing="ij")
    half = (column < row) | ((column == row) & (row < width // 2))
    below = torch.ones(k, k).tril(-1).bool()

    def group(name: str, kept: Tensor, scales: tuple[Scale, ...]) -> Group:
        places = kept.flatten().nonzero().squeeze(-1)
        return Group(name=name, shape=tuple(kept.shape), kept=places, scales=scales)

    groups = [
        group("pixel_statistics", every, ("pixel_statistics",) * 6),
        group("auto_correlation_magnitude", half.unsqueeze(-1).expand(-1, -1, k), bands),
        group("skew_reconstructed", every, low),
        group("kurtosis_reconstructed", every, low),
        group("auto_correlation_reconstructed", half, low),
        group("std_reconstructed", every, low),
        group("cross_orientation_correlation_magnitude", below, bands),
        group("magnitude_std", torch.ones(k), bands),
        group("cross_scale_correlation_magnitude", torch.ones(k, k), children),
        group("cross_scale_correlation_real", torch.ones(k, 2 * k), children),
        group("var_highpass_residual", every, ("residual_highpass",)),
    ]
    if magnitude_means:
        groups.append(group("magnitude_means", torch.ones(k), bands))
    return Layout(groups=tuple(groups))

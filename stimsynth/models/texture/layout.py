"""Layout of texture statistics in a representation, and the sums from which they are computed.

A representation is a vector; its dictionary form holds arrays with an entry for every pair of bands or
positions. Redundant entries, which repeat others (an autocorrelation is even) or are always 1, are NaN.

Every statistic is a sum over pixels, divided by the norms of the maps in it, times a constant. So the model
computes whole arrays of sums, and `StatisticsPlan` gathers and normalizes all entries at once.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stimsynth.transforms.pyramids.layout import PyramidLevel
from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import a_yes_or_no, some_names

TextureScale = PyramidLevel | str  # a pyramid's level or "pixel_statistics"
TextureScales = tuple[TextureScale, ...]
BlockShape = tuple[int, ...]
Piece = tuple[str, TextureScale]  # a kind of sums or norms, at one scale


@dataclass(frozen=True, kw_only=True)
class Group:
    """One group of texture statistics, such as the kurtoses: its array, and the sums and norms it is made of.

    Attributes
    ----------
    name
        Key of the dictionary form.
    shape
        Shape of the array at one scale.
    kept
        Flat indices, in the array, of the entries that are not redundant, shape (n,).
    scales
        Scale of each entry along the array's last axis.
    sums
        Kind of sums from which the statistics are computed.
    entries
        Index of each kept entry in these sums, shape (n,).
    norms
        Kinds of norms to divide by, each with the index (n,) of each kept entry in them.
    power
        Power of the number of pixels to multiply by.
    """

    name: str
    shape: tuple[int, ...]
    kept: Tensor
    scales: tuple[TextureScale, ...]
    sums: str
    entries: Tensor
    norms: tuple[tuple[str, Tensor], ...] = ()
    power: float = 0.0

    def select(self, array: Tensor) -> Tensor:
        """Return the entries (b, c, n, scales) that are not redundant of an array (b, c, *shape, scales)."""
        flat = array.reshape(*array.shape[:2], -1, len(self.scales))
        return flat.index_select(2, self.kept.to(array.device))

    def spread(self, entries: Tensor) -> Tensor:
        """Return an array (b, c, *shape, scales) of kept entries (b, c, n, scales), with NaN elsewhere."""
        batch = entries.shape[:2]
        flat = entries.new_full((*batch, math.prod(self.shape), len(self.scales)), torch.nan)
        flat[:, :, self.kept.to(entries.device)] = entries
        array = flat.reshape(*batch, *self.shape, len(self.scales))
        return array.squeeze(-1) if self.name == "pixel_statistics" else array


@dataclass(frozen=True, kw_only=True)
class StatisticsPlan:
    """Indices and factors by which a representation is gathered from sums and reciprocal norms.

    `order` (n,) are indices into the sums; `norms` (4, n) indices into the reciprocals, where the index
    after the end stands for 1; `factor` (n,) is a factor; `kurtosis` (n,) marks kurtoses, which are 3 if
    their norm counts as 0.
    """

    order: Tensor
    norms: Tensor
    factor: Tensor
    kurtosis: Tensor

    def to(self, device: torch.device) -> "StatisticsPlan":
        """Return the plan with its tensors on a device."""
        return StatisticsPlan(
            order=self.order.to(device),
            norms=self.norms.to(device),
            factor=self.factor.to(device),
            kurtosis=self.kurtosis.to(device),
        )

    def gather(self, sums: Tensor, inverses: Tensor) -> Tensor:
        """Return the representation (m, n) gathered from sums (m, …) and reciprocal norms (m, …)."""
        padded = torch.cat([inverses, torch.ones_like(sums[:, :1])], dim=-1)
        first, second, third, fourth = padded[:, self.norms].unbind(dim=1)
        value = sums.index_select(-1, self.order) * self.factor.to(sums.dtype)
        value = value * (first * second) * (third * fourth)
        return torch.where(self.kurtosis & (first == 0), 3.0, value)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Groups of statistics in the order of a representation."""

    groups: tuple[Group, ...]

    def scales(self) -> list[TextureScale]:
        """Return the scale of each entry of a representation."""
        return [scale for g in self.groups for _ in g.kept for scale in g.scales]

    def plan(
        self,
        sums: Mapping[Piece, int],
        norms: Mapping[Piece, int],
        pixels: Mapping[TextureScale, int],
        without: Collection[str] = (),
    ) -> StatisticsPlan:
        """Return the plan by which statistics are gathered from sums and norms.

        Parameters
        ----------
        sums, norms
            Numbers of entries of each sum and each norm, in order: sums first, then norms (some
            statistics are norms themselves).
        pixels
            Numbers of pixels of the scales.
        without
            Groups whose statistics are set to 0.
        """
        pieces = {**sums, **norms}
        at_sum, at_norm, none = _offsets(pieces), _offsets(norms), sum(norms.values())
        order, factor, kurtosis = [], [], []
        places: list[list[Tensor]] = [[], [], [], []]
        for group in self.groups:
            scales = [scale for scale in group.scales if (group.sums, scale) in pieces]
            if not scales:
                continue
            shape = (len(group.kept), len(scales))  # scales vary fastest
            starts = torch.tensor([at_sum[group.sums, scale] for scale in scales])
            order.append((group.entries[:, None] + starts).flatten())
            weights = [
                0.0 if group.name in without else float(pixels[scale]) ** group.power
                for scale in scales
            ]
            factor.append(torch.tensor(weights, dtype=torch.float64).expand(shape).flatten())
            kurtosis.append(torch.full((math.prod(shape),), group.name.startswith("kurtosis")))
            for i in range(4):
                if i < len(group.norms):
                    kind, entries = group.norms[i]
                    starts = torch.tensor([at_norm[kind, scale] for scale in scales])
                    places[i].append((entries[:, None] + starts).flatten())
                else:
                    places[i].append(torch.full((math.prod(shape),), none))
        marked = torch.cat(kurtosis) & (torch.cat(factor) != 0)
        return StatisticsPlan(
            order=torch.cat(order),
            norms=torch.stack([torch.cat(row) for row in places]),
            factor=torch.cat(factor),
            kurtosis=marked,
        )

    def to_dict(self, representation: Tensor) -> dict[str, Tensor]:
        """Return a whole representation as arrays (b, c, *shape, scales) by name, NaN if redundant."""
        whole = len(self.scales())
        checked_tensor(
            representation, "a representation", "(batch, channel, statistics)", kind="any"
        )
        if representation.dim() != 3 or representation.shape[-1] != whole:
            raise InputError(
                f"a representation of all scales must have shape (batch, channel, {whole}); not "
                f"{tuple(representation.shape)} (of some scales no dictionary can be made)"
            )
        counts = [len(group.kept) * len(group.scales) for group in self.groups]
        parts = representation.split(counts, dim=-1)
        return {
            group.name: group.spread(part.unflatten(-1, (len(group.kept), len(group.scales))))
            for group, part in zip(self.groups, parts, strict=True)
            if len(group.scales)
        }

    def to_tensor(self, arrays: Mapping[str, Tensor]) -> Tensor:
        """Return arrays of `to_dict` as a representation (b, c, n)."""
        groups = [group for group in self.groups if len(group.scales)]
        for group in groups:
            if group.name not in arrays:
                raise InputError(f"the dictionary of statistics has no key {group.name!r}")
        return torch.cat([group.select(arrays[group.name]).flatten(2) for group in groups], dim=-1)

    def checked_names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return names of groups as a tuple, after checking that all are known."""
        known = [group.name for group in self.groups]
        for name in some_names(names, "names of groups of statistics"):
            if name not in known:
                raise unknown_name("group of statistics", name, known)
        return some_names(names, "names of groups of statistics")


def texture_layout(
    n_scales: int, n_orientations: int, width: int, magnitude_means: bool = False
) -> Layout:
    """Return the layout of the texture statistics of Portilla and Simoncelli (2000).

    Counts follow section 3 of their paper: with N scales, K orientations and a neighbourhood of M,
    2(N+1) + 7 marginal statistics, (N+1)(M²+1)/2 of raw coefficients, NK(M²+1)/2 + NK(K-1)/2 + K²(N-1)
    of magnitudes, and 2K²(N-1) of phases.

    Examples
    --------
    >>> len(texture_layout(4, 4, 7).scales())
    710
    """
    k = n_orientations
    bands: TextureScales = tuple(range(n_scales))
    children = bands[:-1]
    low: TextureScales = (*bands, "residual_lowpass")

    row, column = torch.meshgrid(torch.arange(width), torch.arange(width), indexing="ij")
    half = (column < row) | ((column == row) & (row < width // 2))
    lags = half.flatten().nonzero().squeeze(-1)
    position, band = lags.repeat_interleave(k), torch.arange(k).repeat(len(lags))
    first, second = torch.arange(k).repeat_interleave(k), torch.arange(k).repeat(k)
    below = (second < first).nonzero().squeeze(-1)
    child, doubled = torch.arange(k).repeat_interleave(2 * k), torch.arange(2 * k).repeat(k)
    zero = torch.zeros(1, dtype=torch.long)
    own, around = ("low", zero), ("low", zero.expand(len(lags)))
    magnitudes = ("magnitude", first), ("magnitude", second)

    def group(
        name: str, shape: BlockShape, kept: Tensor, scales: TextureScales, sums: str, **rest: Any
    ) -> Group:
        rest = {"entries": kept, **rest}
        return Group(name=name, shape=shape, kept=kept, scales=scales, sums=sums, **rest)

    groups = [
        group("pixel_statistics", (6,), torch.arange(6), ("pixel_statistics",), "pixels"),
        group(
            "auto_correlation_magnitude",
            (width, width, k),
            position * k + band,
            bands,
            "lags",
            entries=band * width**2 + position,
            norms=(("magnitude", band), ("magnitude", band)),
        ),
        group("skew_reconstructed", (), zero, low, "third", norms=(own,) * 3, power=0.5),
        group("kurtosis_reconstructed", (), zero, low, "fourth", norms=(own,) * 4, power=1.0),
        group(
            "auto_correlation_reconstructed",
            (width, width),
            lags,
            low,
            "low lags",
            norms=(around, around),
        ),
        group("std_reconstructed", (), zero, low, "low", power=-0.5),
        group(
            "cross_orientation_correlation_magnitude",
            (k, k),
            below,
            bands,
            "pairs",
            norms=tuple((kind, places[below]) for kind, places in magnitudes),
        ),
        group("magnitude_std", (k,), torch.arange(k), bands, "magnitude", power=-0.5),
        group(
            "cross_scale_correlation_magnitude",
            (k, k),
            torch.arange(k * k),
            children,
            "parents",
            norms=(("magnitude", first), ("parent", second)),
        ),
        group(
            "cross_scale_correlation_real",
            (k, 2 * k),
            torch.arange(2 * k * k),
            children,
            "phases",
            entries=doubled // k * k**2 + child * k + doubled % k,
            norms=(("real", child), ("doubled", doubled)),
        ),
        group("var_highpass_residual", (), zero, ("residual_highpass",), "high"),
    ]
    if a_yes_or_no(magnitude_means, "magnitude_means"):
        groups.append(group("magnitude_means", (k,), torch.arange(k), bands, "means"))
    return Layout(groups=tuple(groups))


def _offsets(lengths: Mapping[Piece, int]) -> dict[Piece, int]:
    offsets, at = {}, 0
    for piece, length in lengths.items():
        offsets[piece] = at
        at += length
    return offsets

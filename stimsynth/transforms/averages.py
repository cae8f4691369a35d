"""Weighted averages of pixels over overlapping windows, as a product with a sparse matrix."""

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stimsynth.validate.images import checked_tensor
from stimuli_store.errors import InputError, WrongType

Entries = tuple[Tensor, Tensor, Tensor]
_LEAST_AREA = 0.1  # samples: windows with a smaller sum of weights are left out


@dataclass(frozen=True, eq=False)
class Product:
    """A sparse matrix (n, m) and its transpose in one object, which `torch.func` does not transform."""

    matrix: Tensor
    transpose: Tensor

    @property
    def transposed(self) -> "Product":
        """The product with matrix and transpose exchanged."""
        return Product(self.transpose, self.matrix)


@dataclass(frozen=True, eq=False, kw_only=True)
class Averages:
    """Weighted averages over n windows on a grid of (height, width) samples.

    Averages can be differentiated by `torch.func.jvp`, `vjp` and `vmap`, at any order.

    Attributes
    ----------
    shape
        (height, width) of the maps.
    ids
        Numbers of the windows, shape (n,), ascending.
    areas
        Sum of each window's weights, shape (n,).
    outside
        Flat indices of the samples that no window covers.
    product
        Weights divided by `areas`, a sparse matrix of shape (n, height * width).
    entries
        (window, sample, weight / area) of every weight, each of shape (entries,).
    """

    shape: tuple[int, int]
    ids: Tensor
    areas: Tensor
    outside: Tensor
    product: Product
    entries: Entries

    def __len__(self) -> int:
        return len(self.ids)

    def means(self, maps: Tensor) -> Tensor:
        """Return the window averages, shape (…, n), of maps (…, height, width)."""
        return _SparseProduct.apply(self._flat(maps), self.product)

    def central_moments(self, maps: Tensor, orders: tuple[int, ...]) -> list[Tensor]:
        """Return central moments of maps within each window, one tensor (…, n) per order.

        A moment is the weighted average of a power of the difference from the window's own mean.
        """
        # Averaging powers first and subtracting afterwards would cancel where a window is nearly flat.
        window, sample, weight = self.entries
        mean = self.means(maps)
        away = self._flat(maps)[..., sample] - mean[..., window]
        zero = torch.zeros_like(mean)
        where = window.expand(away.shape)
        return [zero.scatter_add(-1, where, weight * away**order) for order in orders]

    def uncovered(self, maps: Tensor) -> Tensor:
        """Return the samples of maps that no window covers, shape (…, m)."""
        return self._flat(maps)[..., self.outside]

    def weights(self) -> Tensor:
        """Return the windows' weights as maps (n, height, width), which sum to 1 at each covered sample."""
        return (self.product.matrix.to_dense() * self.areas.unsqueeze(1)).unflatten(1, self.shape)

    def _flat(self, maps: Tensor) -> Tensor:
        checked_tensor(maps, "an average over windows", "(…, height, width)")
        if maps.dtype != self.areas.dtype:
            raise WrongType(
                f"these windows take maps of {self.areas.dtype}; not of {maps.dtype}: convert the maps, "
                "or make the windows with another dtype"
            )
        if maps.shape[-2:] != self.shape:
            raise InputError(
                f"these windows are for maps of {self.shape[0]}x{self.shape[1]} samples; "
                f"not {tuple(maps.shape)}"
            )
        return maps.flatten(-2)


class _SparseProduct(torch.autograd.Function):
    """Differentiable product of a sparse matrix (n, m) and the last dimension of values (…, m)."""

    @staticmethod
    def forward(values: Tensor, product: Product) -> Tensor:
        # Image by image: a product with the vectors of many takes up to a quarter longer.
        count = values.shape[:-1][:1].numel()
        images = values.reshape(count, -1, values.shape[-1])
        found = torch.stack([(product.matrix @ rows.T).T for rows in images])
        return found.reshape(*values.shape[:-1], product.matrix.shape[0])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Product], output: Tensor) -> None:
        ctx.product = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _SparseProduct.apply(gradient, ctx.product.transposed), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        return _SparseProduct.apply(tangent, ctx.product)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int, None], values: Tensor, product: Product
    ) -> tuple[Tensor, int]:
        return _SparseProduct.apply(values.movedim(in_dims[0], 0), product), 0


def make_averages(
    entries: Entries, shape: tuple[int, int], dtype: torch.dtype, device: torch.device | str
) -> Averages:
    """Return averages over the windows given by entries (window, sample, weight) in float64.

    Weights sum to one at every covered sample. A window whose weights sum to less than 0.1 is left out,
    and the weights of the other windows at its samples are scaled up in proportion.
    """
    window, sample, weight = _merged(entries, shape[0] * shape[1])
    areas = _sums(window, weight)
    kept = areas[window] >= _LEAST_AREA
    window, sample, weight = window[kept], sample[kept], weight[kept]
    weight = weight / _sums(sample, weight)[sample]
    ids, row = torch.unique(window, return_inverse=True)
    areas = _sums(row, weight)
    weight = weight / areas[row]
    size = (len(ids), shape[0] * shape[1])
    covered = torch.zeros(size[1], dtype=torch.bool)
    covered[sample] = True
    outside = (~covered).nonzero().squeeze(1)
    order = torch.argsort(sample, stable=True)
    weight = weight.to(dtype)
    return Averages(
        shape=shape,
        ids=ids.to(device),
        areas=areas.to(device, dtype),
        outside=outside.to(device),
        product=Product(
            _sparse(row, sample, weight, size).to(device),
            _sparse(sample[order], row[order], weight[order], size[::-1]).to(device),
        ),
        entries=(row.to(device), sample.to(device), weight.to(device)),
    )


def _merged(entries: Entries, n_samples: int) -> Entries:
    """Return entries sorted by window, then sample, without zeros, with duplicates summed."""
    window, sample, weight = (values[entries[2] > 0] for values in entries)
    place, index = torch.unique(window * n_samples + sample, return_inverse=True)
    total = torch.zeros(len(place), dtype=weight.dtype).index_add(0, index, weight)
    return place // n_samples, place % n_samples, total


def _sums(index: Tensor, weight: Tensor) -> Tensor:
    """Return the sum of weights for every index from 0 to the largest."""
    return torch.zeros(int(index.max()) + 1, dtype=weight.dtype).index_add(0, index, weight)


def _sparse(row: Tensor, column: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a sparse CSR matrix from entries sorted by row, then column."""
    starts = torch.zeros(size[0] + 1, dtype=torch.long)
    starts[1:] = torch.bincount(row, minlength=size[0]).cumsum(0)
    with warnings.catch_warnings():  # torch warns, once per process, that this format is in beta
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor(starts, column, weight, size)

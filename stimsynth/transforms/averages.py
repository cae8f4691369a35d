"""Weighted averages of pixels over overlapping windows: one product with a sparse matrix."""

import warnings
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from stimuli_store.errors import InputError

Entries = tuple[Tensor, Tensor, Tensor]
_LEAST_AREA = 0.1  # pixels: no more than a pixel gives to one of its windows in any case


@dataclass(frozen=True, eq=False)
class Product:
    """A sparse matrix (n, m) and its transpose, as one object that `torch.func` leaves alone."""

    matrix: Tensor
    transpose: Tensor

    @property
    def transposed(self) -> "Product":
        """The transpose's product."""
        return Product(self.transpose, self.matrix)


@dataclass(frozen=True, eq=False, kw_only=True)
class Averages:
    """Averages over n windows on a grid of (height, width) samples.

    The product is linear, so it is its own derivative, and its transpose is the other one: it goes
    through `torch.func.jvp`, `vjp` and `vmap`, at any order.

    Attributes
    ----------
    shape
        (height, width) of the maps.
    ids
        Numbers of the windows, shape (n,), rising.
    areas
        Sum of each window's weights in samples, shape (n,).
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
        """Return the averages, shape (…, n), of maps (…, height, width)."""
        return _SparseProduct.apply(self._flat(maps), self.product)

    def central_moments(self, maps: Tensor, orders: tuple[int, ...]) -> list[Tensor]:
        """Return averages of powers of the difference from the window's own mean, each (…, n).

        They are summed entry by entry, because powers averaged first and then subtracted cancel where
        a window is nearly flat.
        """
        window, sample, weight = self.entries
        mean = self.means(maps)
        away = self._flat(maps)[..., sample] - mean[..., window]
        zero = torch.zeros_like(mean)
        where = window.expand(away.shape)
        return [zero.scatter_add(-1, where, weight * _power(away, order)) for order in orders]

    def uncovered(self, maps: Tensor) -> Tensor:
        """Return the samples that no window covers, shape (…, m)."""
        return self._flat(maps)[..., self.outside]

    def weights(self) -> Tensor:
        """Return the windows as maps that add up to one where they cover, (n, height, width)."""
        return (self.product.matrix.to_dense() * self.areas.unsqueeze(1)).unflatten(1, self.shape)

    def _flat(self, maps: Tensor) -> Tensor:
        if maps.shape[-2:] != self.shape:
            raise InputError(
                f"these windows lie on {self.shape[0]}x{self.shape[1]} samples; "
                f"not on {tuple(maps.shape)}"
            )
        return maps.flatten(-2)


def _power(values: Tensor, order: int) -> Tensor:
    """Return a power by products alone: how torch takes one depends on where in a tensor a value stands."""
    return reduce(torch.mul, [values] * order)


class _SparseProduct(torch.autograd.Function):
    """Product of a sparse matrix (n, m) and the last dimension of values (…, m)."""

    @staticmethod
    def forward(values: Tensor, product: Product) -> Tensor:
        # Image by image: how the library rounds depends on how many vectors it is given at once.
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
    """Return averages over the windows given by (window, sample, weight) entries in float64.

    Weights sum to one at every sample they cover. A window of less than a tenth of a sample in all is
    left out, and its weights go to the other windows there, in proportion.
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
    """Return entries sorted by window, then sample, without zeros, those of one place added up."""
    window, sample, weight = (values[entries[2] > 0] for values in entries)
    place, index = torch.unique(window * n_samples + sample, return_inverse=True)
    total = torch.zeros(len(place), dtype=weight.dtype).index_add(0, index, weight)
    return place // n_samples, place % n_samples, total


def _sums(index: Tensor, weight: Tensor) -> Tensor:
    """Return sums of weights for every index that occurs."""
    return torch.zeros(int(index.max()) + 1, dtype=weight.dtype).index_add(0, index, weight)


def _sparse(row: Tensor, column: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a sparse matrix from entries sorted by row, then column."""
    starts = torch.zeros(size[0] + 1, dtype=torch.long)
    starts[1:] = torch.bincount(row, minlength=size[0]).cumsum(0)
    with warnings.catch_warnings():  # torch calls this format a beta, once a process
        warnings.simplefilter("ignore")
        return torch.sparse_csr_tensor(starts, column, weight, size)

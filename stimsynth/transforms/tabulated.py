"""Modules whose constants are computed once, exactly, and used in the type of the image."""

from collections.abc import Callable, Mapping
from typing import Self

import torch
from torch import Tensor, nn

Tables = Mapping[str, Tensor]


class Tabulated(nn.Module):
    """A module with tables of constants: kept in float64, at hand in the module's own type and device.

    Tables of integers, places say, keep their type.

    ``module.double()`` makes tables from the exact ones, so nothing that was rounded to float32 is left;
    an image of another type than the module's gets tables of its type, at the cost of a conversion.
    """

    def __init__(self, exact: Tables) -> None:
        super().__init__()
        self._exact = dict(exact)
        # Holds no values: its type and device are those that the module was moved to.
        self.register_buffer("_kind", torch.empty(0), persistent=False)
        self._tables = _like(self._exact, self._kind)

    _kind: Tensor

    def tables_for(self, x: Tensor) -> Tables:
        """Return the tables in the precision and on the device of a real or complex `x`."""
        same = x.real.dtype == self._kind.dtype and x.device == self._kind.device
        return self._tables if same else _like(self._exact, x.real)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self._tables = _like(self._exact, self._kind)
        return self


def _like(exact: Tables, like: Tensor) -> Tables:
    return {
        name: table.to(like.device, like.dtype if table.is_floating_point() else table.dtype)
        for name, table in exact.items()
    }

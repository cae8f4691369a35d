"""History of measurements: named values of every problem at every iterate, in one growing array."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


class Rows(Protocol):
    """Interface of a history as read by stop rules: named values of every problem at every iterate."""

    @property
    def rows(self) -> int:
        """Number of iterates."""

    @property
    def items(self) -> int:
        """Number of problems."""

    def value(self, name: str, index: int, item: int) -> float:
        """Return the value of one problem at one iterate; index -1 is the last iterate."""


class History:
    """Named columns with a row for every iterate and a value for every problem.

    Parameters
    ----------
    columns
        First rows of each column, shape (rows, N); they are copied.

    Examples
    --------
    >>> history = History()
    >>> history.add({"objective": torch.tensor([2.0])})
    >>> history.add({"objective": torch.tensor([1.0])})
    >>> history.value("objective", -1, 0), history.tensors()["objective"].tolist()
    (1.0, [[2.0], [1.0]])
    """

    # Rows are converted to plain numbers at once. Small tensors that are kept would fragment the memory of
    # the large ones, and reading a single value of a numpy array takes many times as long.

    def __init__(self, columns: Mapping[str, Tensor] | None = None) -> None:
        self.rows = self.items = 0
        self._places: dict[str, int] = {}
        self._width = 0
        self._dtype = torch.float32
        self._numbers = array("d")
        if columns:
            values = torch.stack(list(columns.values()), dim=1)
            self._begin(tuple(columns), values[0])
            self._numbers.frombytes(_bytes(values))
            self.rows = len(values)

    def add(self, row: Mapping[str, Tensor]) -> None:
        """Add the values of one iterate, each of shape (N,), in the order of the first row."""
        if not self._places:
            self._begin(tuple(row), torch.stack(list(row.values())))
        for values in row.values() if self._at_hand else _fetched(row):
            self._numbers.fromlist(values.tolist())
        self.rows += 1

    def value(self, name: str, index: int, item: int) -> float:
        """Return the value of one problem at one iterate; index -1 is the last iterate."""
        if index < 0:
            index += self.rows
        return self._numbers[index * self._width + self._places[name] + item]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._places)

    def numbers(self, first: int, last: int) -> np.ndarray:
        """Return the rows from `first` to before `last`, shape (rows, names x items), in their order."""
        return np.array(self._numbers[first * self._width : last * self._width]).reshape(
            -1, self._width
        )

    def tensors(self) -> dict[str, Tensor]:
        """Return all columns as tensors (rows, N) on the CPU, independent of later rows."""
        shape = (self.rows, len(self._places), self.items)
        whole = np.array(self._numbers)[: self.rows * self._width]  # the last row may be incomplete
        numbers = torch.from_numpy(whole.reshape(shape)).to(self._dtype)
        return dict(zip(self._places, numbers.unbind(dim=1), strict=True))

    def _begin(self, names: tuple[str, ...], values: Tensor) -> None:
        """Set names and precision from the first values, shape (names, N)."""
        self.items, self._width = values.shape[1], values.numel()
        self._places = {name: place * self.items for place, name in enumerate(names)}
        self._at_hand = values.device.type == "cpu"
        self._dtype = torch.float64 if values.dtype == torch.float64 else torch.float32


def _bytes(values: Tensor) -> bytes:
    return values.detach().double().cpu().numpy().tobytes()


def _fetched(row: Mapping[str, Tensor]) -> Sequence[Tensor]:
    """Return the values of a row on the CPU, with one transfer for all."""
    return torch.stack(list(row.values())).cpu().unbind()

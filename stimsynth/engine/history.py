"""What was measured at every iterate, in one buffer that doubles when it is full."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor


class History(Mapping[str, np.ndarray]):
    """Named columns with a row for every iterate and a value for every item.

    ``history["objective"]`` has shape (rows, N). Adding a row takes one operation and one transfer to the
    CPU, whatever the number of rows; the columns are fixed by the first row. The numbers are numpy's, which
    takes a tenth of the time of torch to look at single ones, and that happens in every step.

    Parameters
    ----------
    columns
        Rows to begin with, each of shape (rows, N); they are copied.

    Examples
    --------
    >>> history = History()
    >>> history.add({"objective": torch.tensor([2.0])})
    >>> history.add({"objective": torch.tensor([1.0])})
    >>> history["objective"].tolist()
    [[2.0], [1.0]]
    """

    def __init__(self, columns: Mapping[str, Tensor] | None = None) -> None:
        self._names = tuple(columns or ())
        self._buffer = np.empty((0, 0, 0))
        if columns:
            self._buffer = _numbers(torch.stack(list(columns.values()), dim=1)).copy()
        self.rows = len(self._buffer)

    def add(self, row: Mapping[str, Tensor]) -> None:
        """Add the values of one iterate, each of shape (N,)."""
        if not self._names:
            self._names = tuple(row)
        values = _numbers(torch.stack([row[name] for name in self._names]))
        if self.rows == len(self._buffer):
            grown = np.empty((max(64, 2 * self.rows), *values.shape), dtype=values.dtype)
            if self.rows:
                grown[: self.rows] = self._buffer
            self._buffer = grown
        self._buffer[self.rows] = values
        self.rows += 1

    def latest(self, name: str) -> np.ndarray:
        """Return the last row of one column, shape (N,): a view."""
        return self._buffer[self.rows - 1, self._names.index(name)]

    def tensors(self) -> dict[str, Tensor]:
        """Return all columns as tensors on the CPU: views, which later rows leave as they are."""
        return {name: torch.from_numpy(self[name]) for name in self}

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one column, shape (rows, N): a view."""
        return self._buffer[: self.rows, self._names.index(name)]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self._names)


def _numbers(values: Tensor) -> np.ndarray:
    known = values.dtype in (torch.float32, torch.float64)
    return (values if known else values.float()).detach().cpu().numpy()

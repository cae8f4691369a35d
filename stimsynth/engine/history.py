"""What was measured at every iterate, in one buffer that doubles when it is full."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor


class History(Mapping[str, Tensor]):
    """Named columns with a row for every iterate and a value for every item.

    ``history["objective"]`` has shape (rows, N). Adding a row copies N numbers for each column, in one
    operation, whatever the number of rows; the columns are fixed by the first row.

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
        self._buffer = torch.stack(list(columns.values()), dim=1) if columns else torch.empty(0)
        self.rows = len(self._buffer)

    def add(self, row: Mapping[str, Tensor]) -> None:
        """Add the values of one iterate, each of shape (N,)."""
        if not self._names:
            self._names = tuple(row)
        values = [row[name] for name in self._names]
        if self.rows == len(self._buffer):
            grown = values[0].new_empty(max(64, 2 * self.rows), len(values), len(values[0]))
            grown[: self.rows] = self._buffer[: self.rows] if self.rows else grown[:0]
            self._buffer = grown
        torch.stack([value.to(self._buffer) for value in values], out=self._buffer[self.rows])
        self.rows += 1

    def __getitem__(self, name: str) -> Tensor:
        """Return one column, shape (rows, N): a view."""
        return self._buffer[: self.rows, self._names.index(name)]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the columns."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self._names)

"""Storage of iterates in an HDF5 file, written during a run and read on demand."""

import os
from collections.abc import Iterator

import torch
from torch import Tensor

from stimsynth.engine.history import History
from stimsynth.engine.run import Run, Snapshots, Status
from stimuli_store.disk.stack import About, Stack
from stimuli_store.errors import InputError


class SnapshotFile(Snapshots):
    """Iterates by number in an HDF5 file; none are held in memory.

    Parameters
    ----------
    path
        Path of the file, which is created with the first entry.
    numbers
        Numbers of the iterates in the file, to continue a run; later entries in the file are dropped when the
        first entry of this run is written. None for a new run, which needs a new file.
    about
        Function that returns the description of the run in a new file: document and arrays of an archive.

    Raises
    ------
    InputError, ArchiveError
        If `numbers` is None and the file exists already, or its folder does not exist.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        numbers: list[int] | None = None,
        about: About | None = None,
    ) -> None:
        self._stack = Stack(path, about)
        self._row = {number: row for row, number in enumerate(numbers or [])}
        self._ready = False
        self._noted = 0  # rows of the history that are in the file
        if numbers is None:
            self.check()

    @property
    def path(self) -> str:
        """Absolute path of the file."""
        return str(self._stack.path)

    def check(self) -> None:
        """Check that the file holds the iterates of this run, and none of another run.

        Raises
        ------
        InputError
            If the file holds other iterates.
        """
        own, found = list(self._row), self._stack.numbers()
        if found and not own:
            raise InputError(
                f"{self.path} holds the iterates {_few(found)} of another run; give the name of a new file"
            )
        if found[: len(own)] != own:
            raise InputError(
                f"{self.path} does not hold the iterates {_few(own)} of this run; put the file back, or "
                "give its new path as progress_file"
            )

    def note(self, history: History) -> None:
        """Append the rows of `history` up to the last stored iterate to the file."""
        last = next(reversed(self._row), -1)
        if self._ready and last >= self._noted:
            self._stack.add_rows(history.names, history.numbers(self._noted, last + 1))
            self._noted = last + 1

    def close(self) -> None:
        """Close the file, so that other programs can open it."""
        self._stack.close()
        self._ready = False

    def remove(self) -> None:
        """Remove the file."""
        self._stack.remove()
        self._row, self._ready = {}, False

    def __setitem__(self, number: int, points: Tensor) -> None:
        """Write the iterate `number`, shape (N, …), after dropping any of this number or later."""
        if not self._ready or number in self._row:
            self._row = {n: row for n, row in self._row.items() if n < number}
            self.close()
            self._stack.cut(len(self._row))
        self._stack.append(number, points.detach().cpu().numpy())
        if not self._ready:
            self._noted, self._ready = len(self._stack.table()[1]), True
        self._row[number] = len(self._row)

    def __getitem__(self, number: int) -> Tensor:
        """Return the iterate `number` from the file, shape (N, …)."""
        return torch.from_numpy(self._stack.read(self._row[number]))

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers of the stored iterates."""
        return iter(self._row)

    def __len__(self) -> int:
        """Return the number of stored iterates."""
        return len(self._row)


def left_run(path: str | os.PathLike[str], like: Tensor) -> tuple[SnapshotFile, Run] | None:
    """Return the file and the run up to the last iterate that a killed process left; None if there is none.

    Parameters
    ----------
    path
        A file that a `SnapshotFile` wrote.
    like
        A tensor with the precision and device of the run.

    Returns
    -------
    SnapshotFile
        The file, to continue with.
    Run
        The run, without the state of a method, which a file of iterates does not hold.
    """
    stack = Stack(path)
    names, rows = stack.table()
    numbers = [number for number in stack.numbers() if number < len(rows)]
    if not numbers:
        return None
    file, last = SnapshotFile(path, numbers), numbers[-1]
    points = file[last].to(like)
    columns = torch.from_numpy(rows[: last + 1]).to(like.real.dtype)
    shaped = columns.reshape(last + 1, len(names), len(points))
    history = dict(zip(names, shaped.unbind(dim=1), strict=True))
    status = (Status.INTERRUPTED,) * len(points)
    return file, Run(points=points, status=status, history=history, snapshots=file, state=None)


def _few(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:3])) + (", …" if len(numbers) > 3 else "")

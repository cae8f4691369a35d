"""Iterates that go to a file while a run goes on, and come back from it when they are looked at."""

import os
from collections.abc import Iterator

import torch
from torch import Tensor

from stimsynth.engine.history import History
from stimsynth.engine.run import Run, Snapshots, Status
from stimuli_store.disk.stack import About, Stack
from stimuli_store.errors import InputError


class SnapshotFile(Snapshots):
    """Iterates under their numbers, in an HDF5 file; memory holds none of them.

    Parameters
    ----------
    path
        The file, made with the first entry.
    numbers
        Iterates that are there, when a run is continued. Whatever lies after them stays until the first
        entry of this run is written, and is dropped then. None for a new run, which takes a new file.
    about
        Returns what a new file is to say of the run: document and arrays of an archive.

    Raises
    ------
    InputError, ArchiveError
        If `numbers` is None and the file is there already, or its folder is not.
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
        """Where the file lies, from the root."""
        return str(self._stack.path)

    def check(self) -> None:
        """See that the file holds what it should, and nothing of another run.

        Raises
        ------
        InputError
            If it does not.
        """
        own, found = list(self._row), self._stack.numbers()
        if found and not own:
            raise InputError(
                f"{self.path} holds the iterates {_few(found)} of another run; give a file that is not there"
            )
        if found[: len(own)] != own:
            raise InputError(
                f"{self.path} no longer holds the iterates {_few(own)} of this run; put the file back, or "
                "give the place where it lies now as progress_file"
            )

    def note(self, history: History) -> None:
        """Write what was measured up to the last iterate that was written."""
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
        """Write an iterate, shape (N, …); one of this number or a later one is dropped."""
        if not self._ready or number in self._row:
            self._row = {n: row for n, row in self._row.items() if n < number}
            self.close()
            self._stack.cut(len(self._row))
        self._stack.append(number, points.detach().cpu().numpy())
        if not self._ready:
            self._noted, self._ready = len(self._stack.table()[1]), True
        self._row[number] = len(self._row)

    def __getitem__(self, number: int) -> Tensor:
        """Read an iterate."""
        return torch.from_numpy(self._stack.read(self._row[number]))

    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers."""
        return iter(self._row)

    def __len__(self) -> int:
        """Return how many iterates there are."""
        return len(self._row)


def left_run(path: str | os.PathLike[str], like: Tensor) -> tuple[SnapshotFile, Run] | None:
    """Return a run up to the last iterate that a killed process left in a file; None if there is none.

    Parameters
    ----------
    path
        What a `SnapshotFile` wrote.
    like
        Images of the run's precision and device.

    Returns
    -------
    SnapshotFile
        The file, to go on with.
    Run
        Without the state of a method: a file of iterates does not hold it.
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

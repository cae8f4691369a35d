"""Iterates that go to a file while a run goes on, and come back from it when they are looked at."""

import os
from collections.abc import Iterator

import torch
from torch import Tensor

from stimsynth.engine.run import Snapshots
from stimuli_store.archive import Stack
from stimuli_store.errors import InputError


class SnapshotFile(Snapshots):
    """Iterates under their numbers, in an HDF5 file; memory holds none of them.

    Parameters
    ----------
    path
        The file, made with the first entry. It must not hold a stack yet, unless `numbers` are in it.
    numbers
        Iterates that are expected there, when a run is continued; whatever lies after them is dropped.

    Raises
    ------
    InputError
        If the file is there already and holds something else.
    """

    def __init__(self, path: str | os.PathLike[str], numbers: list[int] | None = None) -> None:
        self._stack = Stack(path)
        found = self._stack.numbers()
        expected = numbers or []
        if found[: len(expected)] != expected or (found and not expected):
            raise InputError(
                f"{path} holds the iterates {_few(found)} of another run; give a file that is not there"
            )
        self._row = {number: row for row, number in enumerate(expected)}
        self._stack.cut(len(expected))

    @property
    def path(self) -> str:
        """Where the file lies."""
        return str(self._stack.path)

    def close(self) -> None:
        """Close the file, so that other programs can open it."""
        self._stack.close()

    def __setitem__(self, number: int, points: Tensor) -> None:
        """Write an iterate, shape (N, …); each number once."""
        self._stack.append(number, points.detach().cpu().numpy())
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


def _few(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:3])) + (", …" if len(numbers) > 3 else "")

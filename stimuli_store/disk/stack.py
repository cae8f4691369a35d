"""Stacks of arrays in an HDF5 file, which grow while a run continues.

A stack is appended to in HDF5's single-writer-multiple-reader mode, which keeps the file readable at every
moment: a killed process loses the last entry at most. Beside the arrays the file holds what they are, as an
archive does, and a table of numbers that grows with them.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from stimuli_store.disk.archive import opened, put_archive
from stimuli_store.disk.atomic import is_running, process, replacing, temporary_beside
from stimuli_store.disk.hdf5_bytes import HDF5_VERSIONS
from stimuli_store.disk.opening import IN_USE
from stimuli_store.disk.paths import as_path, reached
from stimuli_store.errors import ArchiveError, InputError

_GROWING = ("stack", "numbers", "table", "table_columns")
_WRITER = "writer"
About = Callable[[], tuple[Mapping[str, Any], Mapping[str, np.ndarray]]]


class Stack:
    """A growing stack of arrays of one shape in an HDF5 file, each with a number, in order of arrival.

    Close it when a run is over; the next `append` opens it again.

    Parameters
    ----------
    path
        The file. One that holds a stack already is continued, in a copy that takes its place.
    about
        Returns the document and the arrays of an archive that a new file is to begin with; None for none.
    """

    def __init__(self, path: str | os.PathLike[str], about: About | None = None) -> None:
        self.path = as_path(path).resolve()  # the folder may change while a run goes on
        self._about = about
        self._writing: h5py.File | None = None

    def append(self, number: int, array: np.ndarray) -> None:
        """Append `array` with its number to the stack, and flush it to the operating system."""
        if self._writing is None:
            with reached(self.path, "written"):
                self._writing = self._open(array)
        stack, numbers = self._writing["stack"], self._writing["numbers"]
        if stack.shape[1:] != array.shape or stack.dtype != array.dtype:
            raise InputError(
                f"{self.path} holds arrays of shape {stack.shape[1:]} and type {stack.dtype}; not "
                f"{array.shape} and {array.dtype}: give another file"
            )
        row = len(numbers)
        stack.resize(row + 1, axis=0)
        stack[row] = array
        stack.flush()
        numbers.resize(row + 1, axis=0)  # last: an entry without a number does not count
        numbers[row] = number
        numbers.flush()

    def add_rows(self, columns: Sequence[str], rows: np.ndarray) -> None:
        """Append rows of numbers, shape (rows, width), to the table; `append` has opened the file.

        Parameters
        ----------
        columns
            What the table's columns are called; those of the first call are kept.
        rows
            Numbers.
        """
        assert self._writing is not None
        table, names = self._writing["table"], self._writing["table_columns"]
        if not len(names):
            text = np.frombuffer("\n".join(columns).encode(), dtype=np.uint8)
            names.resize(len(text), axis=0)
            names[:] = text
            names.flush()
        before = len(table)
        table.resize((before + len(rows), rows.shape[1]))
        table[before:] = rows
        table.flush()

    def table(self) -> tuple[list[str], np.ndarray]:
        """Return the columns' names and the rows of the table, shape (rows, width)."""
        with self._reading() as file:
            text = file["table_columns"][()].tobytes().decode()
            return text.split("\n") if text else [], file["table"][()]

    def numbers(self) -> list[int]:
        """Return the numbers of all entries; an empty list if there is no file yet.

        Raises
        ------
        InputError
            If the folder does not exist.
        ArchiveError
            If the file is no stack.
        """
        with reached(self.path, "written"):
            if not self.path.parent.is_dir():
                raise InputError(
                    f"{self.path} cannot be written: there is no folder {self.path.parent}"
                )
            if not self.path.exists():
                return []
        with self._reading() as file:
            return [int(n) for n in file["numbers"][()]]

    def read(self, row: int) -> np.ndarray:
        """Return the array of entry `row`, counted from 0."""
        with self._reading() as file:
            if row >= len(file["numbers"]):
                raise ArchiveError(
                    f"{self.path} has no entry {row} any more: the file was removed or replaced"
                )
            return file["stack"][row]

    def cut(self, count: int) -> None:
        """Remove all entries but the first `count`, with the rows that came after them.

        Call it before anything is appended.
        """
        numbers = self.numbers()
        if len(numbers) <= count:
            return
        rows = numbers[count - 1] + 1 if count else 0
        lengths = {"stack": count, "numbers": count, "table": rows}
        with (
            replacing(self.path) as temporary,
            self._reading() as old,
            h5py.File(temporary, "w", libver=HDF5_VERSIONS) as new,
        ):
            self._refuse_shared(old)
            _copy(old, new, leave=tuple(lengths))
            for name, length in lengths.items():
                source = old[name]
                shape = (min(length, len(source)), *source.shape[1:])
                kept = new.create_dataset(
                    name, shape, source.dtype, maxshape=source.maxshape, chunks=source.chunks
                )
                for row in range(len(kept)):
                    kept[row] = source[row]

    def remove(self) -> None:
        """Remove the file with all its entries."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, so that other programs can open it."""
        writing, self._writing = (
            self._writing,
            None,
        )  # first, lest Ctrl-C leave a file that is closed
        if writing is not None:
            writing.close()

    def _open(self, array: np.ndarray) -> h5py.File:
        """Return the stack's file, open for writing; a new one is made for arrays such as `array`."""
        # HDF5 marks a file that it opens for writing, and no reader can open it if the process dies
        # before SWMR mode is on. So the file is opened under a temporary name.
        with temporary_beside(self.path) as temporary:
            file = h5py.File(temporary, "w", libver=HDF5_VERSIONS)
            try:
                self._fill(file, array)
                file.swmr_mode = True
                try:
                    temporary.replace(self.path)
                except PermissionError:  # Windows moves no open file
                    file.close()
                    temporary.replace(self.path)
                    file = h5py.File(self.path, "a", libver=HDF5_VERSIONS)
                    file.swmr_mode = True
            except BaseException:
                file.close()
                raise
        return file

    def _fill(self, file: h5py.File, array: np.ndarray) -> None:
        """Copy the file so far into a new one, or make an empty stack for arrays such as `array`."""
        file.attrs[_WRITER] = process()
        if self.path.exists():
            with self._reading() as old:
                self._refuse_shared(old)
                _copy(old, file)
            return
        if self._about:
            put_archive(file, *self._about())
        shape, numbers = array.shape, {"maxshape": (None,), "chunks": (1024,)}
        file.create_dataset(
            "stack", (0, *shape), array.dtype, maxshape=(None, *shape), chunks=(1, *shape)
        )
        file.create_dataset("numbers", (0,), np.int64, **numbers)
        file.create_dataset("table_columns", (0,), np.uint8, **numbers)
        file.create_dataset("table", (0, 0), np.float64, maxshape=(None, None), chunks=(128, 16))

    def _refuse_shared(self, file: h5py.File) -> None:
        """Refuse to write to a file that another process is writing to."""
        if file.swmr_mode and is_running(str(file.attrs[_WRITER])):
            raise ArchiveError(f"{self.path} {IN_USE}")

    @contextmanager
    def _reading(self) -> Iterator[h5py.File]:
        if self._writing is not None:
            yield self._writing
            return
        with opened(self.path) as file:
            if not set(_GROWING) <= set(file):
                raise ArchiveError(f"{self.path} is an HDF5 file, but no stack of images")
            yield file


def _copy(old: h5py.File, new: h5py.File, leave: Sequence[str] = ()) -> None:
    """Copy the parts of a file except those in `leave`, and the attributes that the new one does not have."""
    for name in set(old) - set(leave):
        old.copy(name, new)
    for name in set(old.attrs) - set(new.attrs):
        new.attrs[name] = old.attrs[name]


def iterates_in(path: str | os.PathLike[str]) -> list[int]:
    """Return the numbers of the arrays in a file; an empty list if it is an archive without a stack."""
    with opened(as_path(path)) as file:
        return [int(number) for number in file["numbers"]] if "numbers" in file else []

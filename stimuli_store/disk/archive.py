"""Archives (named arrays with one JSON document), and stacks of arrays that grow on the disk.

An archive is written completely or not at all: it is written to a temporary file and renamed when that
is on the disk. A stack is appended to during a run, in HDF5's single-writer-multiple-reader mode, which
keeps the file readable at every moment: a killed process loses the last entry at most.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from stimuli_store.disk.atomic import replacing, temporary_beside, write_atomically
from stimuli_store.disk.hdf5_bytes import HDF5_VERSIONS, hdf5_bytes
from stimuli_store.disk.opening import in_use, why_unreadable
from stimuli_store.errors import ArchiveError, InputError, StimsynthError, WrongType

_DOCUMENT = "document.json"
_ARRAYS = "arrays"
_DIGEST = "sha256"


def write_archive(
    path: str | os.PathLike[str], document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write an archive of a JSON document and named arrays, replacing an earlier file of this name.

    Parameters
    ----------
    path
        Where to write; its folder must exist.
    document
        Anything that JSON can hold.
    arrays
        Numbers of any shape; names without a slash.

    Raises
    ------
    InputError
        If the folder does not exist, or the path is a folder.
    ArchiveError
        If the disk is full, the folder cannot be written to, or what is read back is not what was
        written; an earlier file is not changed.
    """
    target = _as_path(path)
    if not target.parent.is_dir():
        raise InputError(f"{target} cannot be written: there is no folder {target.parent}")
    if target.is_dir():
        raise InputError(f"{target} cannot be written: it is a folder; give the name of a file")
    text = json.dumps(document, allow_nan=False).encode()

    def fill(file: h5py.File) -> None:
        file.create_dataset(_DOCUMENT, data=np.frombuffer(text, dtype=np.uint8))
        group = file.create_group(_ARRAYS)
        for name, array in arrays.items():
            group.create_dataset(name, data=array)
        file.attrs[_DIGEST] = _digest(text, arrays)

    content = hdf5_bytes(fill)
    try:
        write_atomically(target, content, check=partial(_read_back, target))
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror}") from error


def _read_back(target: Path, written: Path) -> None:
    """Refuse to put a file in the place of `target` whose content is not what was written."""
    try:
        read_archive(written)
    except ArchiveError as error:
        raise ArchiveError(
            f"{target} cannot be written: what is read back from the disk is not what was written; an "
            "earlier file is as it was. Save to another disk"
        ) from error


def read_archive(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the document and the arrays of an archive.

    Raises
    ------
    ArchiveError
        If there is no such file, it is no archive, or its content was changed.
    """
    with _opened(_as_path(path)) as file:
        if not {_DOCUMENT, _ARRAYS} <= set(file) or _DIGEST not in file.attrs:
            raise ArchiveError(f"{path} is an HDF5 file, but not an archive of a synthesis")
        text = file[_DOCUMENT][()].tobytes()
        arrays = {name: array[()] for name, array in file[_ARRAYS].items()}
        if file.attrs[_DIGEST] != _digest(text, arrays):
            raise ArchiveError(f"{path} is damaged: its content is not what was written")
        return json.loads(text), arrays


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading, with one sentence that names the cause if it cannot be read."""
    try:
        with _for_reading(path) as file:
            yield file
    # HDF5 may raise any of these errors on a damaged file.
    except (OSError, LookupError, AttributeError, ValueError, TypeError, RuntimeError) as error:
        if isinstance(error, StimsynthError):
            raise
        raise ArchiveError(f"{path} {why_unreadable(path, error)}") from error


def _digest(text: bytes, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.shape} {array.dtype.str}".encode())
        digest.update(array.data)
    return digest.hexdigest()


def _as_path(path: str | os.PathLike[str]) -> Path:
    try:
        found = Path(path)
    except TypeError as error:
        raise WrongType(f"a file is named by text or a path; not by {path!r}") from error
    if "\0" in str(found):
        raise InputError(f"no file can have the name {path!r}")
    return found


class Stack:
    """A growing stack of arrays of one shape in an HDF5 file, each with a number, in order of arrival.

    Close it when a run is over; the next `append` opens it again.

    Parameters
    ----------
    path
        The file. One that holds a stack already is continued, in a copy that takes its place.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = _as_path(path).resolve()  # the folder may change while a run goes on
        self._writing: h5py.File | None = None

    def append(self, number: int, array: np.ndarray) -> None:
        """Append `array` with its number to the stack, and flush it to the operating system."""
        if self._writing is None:
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

    def numbers(self) -> list[int]:
        """Return the numbers of all entries; an empty list if there is no file yet.

        Raises
        ------
        InputError
            If the folder does not exist.
        ArchiveError
            If the file is no stack.
        """
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
        """Remove all entries but the first `count`; call it before anything is appended."""
        if len(self.numbers()) > count:
            with (
                replacing(self.path) as temporary,
                self._reading() as old,
                h5py.File(temporary, "w", libver=HDF5_VERSIONS) as new,
            ):
                for name in ("stack", "numbers"):
                    chunks, kind = old[name].chunks, old[name].dtype
                    shape = (count, *old[name].shape[1:])
                    new.create_dataset(
                        name, shape, kind, maxshape=(None, *shape[1:]), chunks=chunks
                    )
                    for row in range(count):
                        new[name][row] = old[name][row]

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
        """Copy the entries so far into a new file, or make an empty stack for arrays such as `array`."""
        if self.path.exists():
            with self._reading() as old:
                for name in ("stack", "numbers"):
                    old.copy(name, file)
            return
        shape = array.shape
        file.create_dataset(
            "stack", (0, *shape), array.dtype, maxshape=(None, *shape), chunks=(1, *shape)
        )
        file.create_dataset("numbers", (0,), np.int64, maxshape=(None,), chunks=(1024,))

    @contextmanager
    def _reading(self) -> Iterator[h5py.File]:
        if self._writing is not None:
            yield self._writing
            return
        with _opened(self.path) as file:
            if "numbers" not in file or "stack" not in file:
                raise ArchiveError(f"{self.path} is an HDF5 file, but no stack of images")
            yield file


def _for_reading(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not in_use(error):
            raise  # opened as below, a file that was cut short gives zeros
        with suppress(OSError):  # a stack that is still being written, or whose writer was killed
            return h5py.File(path, "r", libver="latest", swmr=True)
        raise

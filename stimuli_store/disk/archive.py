"""Archives: named arrays with one JSON document.

An archive is written completely or not at all: it is written to a temporary file, read back, and renamed
when that is on the disk.
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

from stimuli_store.disk.atomic import write_atomically
from stimuli_store.disk.hdf5_bytes import hdf5_bytes
from stimuli_store.disk.opening import SPECIAL, in_use, is_special, why_unreadable
from stimuli_store.disk.paths import as_path, as_target
from stimuli_store.errors import ArchiveError, StimsynthError

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
    target = as_target(path)
    content = hdf5_bytes(partial(put_archive, document=document, arrays=arrays))
    try:
        write_atomically(target, content, check=partial(_read_back, target))
    except OSError as error:
        raise ArchiveError(f"{target} cannot be written: {error.strerror}") from error


def put_archive(
    file: h5py.File, document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write a document and arrays into a new, open file."""
    text = json.dumps(document, allow_nan=False).encode()
    file.create_dataset(_DOCUMENT, data=np.frombuffer(text, dtype=np.uint8))
    group = file.create_group(_ARRAYS)
    for name, array in arrays.items():
        group.create_dataset(name, data=array)
    file.attrs[_DIGEST] = _digest(text, arrays)


def _read_back(target: Path, written: Path) -> None:
    """Raise an error if the file `written` does not read back, before it replaces `target`."""
    try:
        read_archive(written)
    except ArchiveError as error:
        raise ArchiveError(
            f"{target} cannot be written: the new file reads back differently, and an earlier file is "
            "unchanged; save to another disk"
        ) from error


def read_archive(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the document and the arrays of an archive.

    Raises
    ------
    ArchiveError
        If there is no such file, it is no archive, or its content was changed.
    """
    with opened(as_path(path)) as file:
        if not {_DOCUMENT, _ARRAYS} <= set(file) or _DIGEST not in file.attrs:
            raise ArchiveError(f"{path} is an HDF5 file, but not an archive of a synthesis")
        text = file[_DOCUMENT][()].tobytes()
        arrays = {name: array[()] for name, array in file[_ARRAYS].items()}
        if file.attrs[_DIGEST] != _digest(text, arrays):
            raise ArchiveError(f"{path} is damaged: its content is not what was written")
        return json.loads(text), arrays


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
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


def _for_reading(path: Path) -> h5py.File:
    if is_special(path):  # HDF5 would wait for a pipe
        raise ArchiveError(f"{path} {SPECIAL}")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not in_use(error):
            raise  # opened as below, a file that was cut short gives zeros
        with suppress(OSError):  # a stack that is still being written, or whose writer was killed
            return h5py.File(path, "r", libver="latest", swmr=True)
        raise

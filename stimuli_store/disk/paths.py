"""Checks of file names, before anything is read or written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stimuli_store.errors import InputError, StimsynthError, WrongType


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return a path as a `Path`; raise if no file can have this name."""
    try:
        found = Path(path)
    except TypeError as error:
        raise WrongType(f"a file name must be text or a path; not {type(path).__name__}") from error
    if "\0" in str(found):
        raise InputError(f"no file can have the name {path!r}")
    return found


def as_target(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file to write; raise if it is a folder, or its own folder does not exist."""
    target = as_path(path)
    with reached(target, "written"):
        if not target.parent.is_dir():
            raise InputError(f"{target} cannot be written: there is no folder {target.parent}")
        if target.is_dir():
            raise InputError(f"{target} cannot be written: it is a folder; give the name of a file")
    return target


def is_file(path: Path) -> bool:
    """Return whether there is a file of this name; raise InputError where looking is not permitted."""
    with reached(path):
        return path.is_file()


def is_folder(path: Path) -> bool:
    """Return whether there is a folder of this name; raise InputError where looking is not permitted."""
    with reached(path):
        return path.is_dir()


@contextmanager
def reached(path: Path, done: str = "read") -> Iterator[None]:
    """Replace, in a block, the system's errors about a path by sentences: no permission, a name too long.

    Raises
    ------
    InputError
        Instead of an OSError.

    Examples
    --------
    >>> is_file(Path("a" * 10_000))
    Traceback (most recent call last):
    stimuli_store.errors.InputError: aaa... cannot be read: File name too long
    """
    try:
        yield
    except StimsynthError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be {done}: {error.strerror or error}") from error

"""Checks of file names, before anything is read or written."""

import os
from pathlib import Path

from stimuli_store.errors import InputError, WrongType


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
    if not target.parent.is_dir():
        raise InputError(f"{target} cannot be written: there is no folder {target.parent}")
    if target.is_dir():
        raise InputError(f"{target} cannot be written: it is a folder; give the name of a file")
    return target

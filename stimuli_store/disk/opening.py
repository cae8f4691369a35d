"""Reasons why an HDF5 file cannot be read: missing, in use, forbidden, of another kind, or damaged."""

import errno
import os
from pathlib import Path

from stimuli_store.disk.sorts import sort_of_file

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MAY_BEGIN_AT = (0, 512, 1024, 2048)  # HDF5 leaves room for a header of somebody else's
_IN_USE_ERRORS = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY, errno.ETXTBSY}
_IN_USE_WINDOWS = {32, 33}
#: What HDF5 says of a file that another program has open, or had when it was killed.
_IN_USE_WORDS = ("unable to lock file", "already open for write", "already open for SWMR")

IN_USE = (
    "is open in another program, or was left open by one that was killed; close it there, or take a copy "
    "that was saved"
)
SPECIAL = "is a device or a pipe; give the name of a file"


def why_unreadable(path: str | os.PathLike[str], error: BaseException | None = None) -> str:
    """Return the fault of an HDF5 file that could not be read, as the rest of a sentence.

    Parameters
    ----------
    path
        The file.
    error
        What reading it ended in; None if it was not tried.

    Returns
    -------
    str
        One of six: it is a folder, a device or a pipe, it is not there, it is open in another program, nobody
        gave permission, it is no HDF5 file (but a table, say), it is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".h5") as file:
    ...     _ = file.write(b"some text"), file.flush()
    ...     why_unreadable(file.name)
    'is no HDF5 file'
    """
    file = Path(path)
    try:
        if file.is_dir():
            return "is a folder; give the name of a file"
        if is_special(file):
            return SPECIAL
        with file.open("rb") as handle:
            head = handle.read(max(_MAY_BEGIN_AT) + len(_SIGNATURE))
    except FileNotFoundError:
        return "is not there"
    except OSError as denied:
        if in_use(denied):
            return IN_USE
        if isinstance(denied, PermissionError):
            return "cannot be read: there is no permission to; ask its owner, or take a copy"
        return f"cannot be read: {denied.strerror}"
    if error is not None and in_use(error):
        return IN_USE
    if not any(head.startswith(_SIGNATURE, place) for place in _MAY_BEGIN_AT):
        sort = sort_of_file(file)
        return f"is {sort}, no HDF5 file" if sort else "is no HDF5 file"
    reason = f" ({error})" if error is not None else ""
    return f"is damaged or cut short; take another copy{reason}"


def is_special(path: Path) -> bool:
    """Return whether a path names a device, a pipe or the like: neither a file nor a folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


def in_use(error: BaseException) -> bool:
    """Return whether an error says that another program has a file open, or had when it was killed."""
    return (
        getattr(error, "errno", None) in _IN_USE_ERRORS
        or getattr(error, "winerror", None) in _IN_USE_WINDOWS
        or any(words in str(error) for words in _IN_USE_WORDS)
    )

"""Files that are whole or absent: written beside their name, made durable, then moved there."""

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stimuli_store.disk.locks import lock_file
from stimuli_store.disk.opening import SPECIAL, is_special
from stimuli_store.errors import InputError

# The name contains the host, because process numbers of different machines can be equal, and a random part,
# because the threads of a process share its number.
_TEMPORARY = re.compile(r"(.+)\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.tmp")
Check = Callable[[Path], object]
_CANNOT_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}


def write_atomically(path: Path, content: bytes | memoryview, check: Check | None = None) -> None:
    """Write a file, over an earlier one of this name: complete and on the disk, or not at all.

    Parameters
    ----------
    path, content
        Where, and what.
    check
        Called with the temporary file, once it is on the disk; if it raises, nothing is replaced.

    Raises
    ------
    OSError
        If it cannot be written; an earlier file is as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "a.txt", b"all of it")
    ...     [path.name for path in Path(folder).iterdir()]
    ['a.txt']
    """
    with replacing(path, check) as temporary:
        temporary.write_bytes(content)


@contextmanager
def replacing(path: Path, check: Check | None = None) -> Iterator[Path]:
    """Yield a name to write a file under; it takes the place of `path` when the block ends without error.

    It gets the permissions of the earlier file. If `path` is a link, the file that it points to is replaced.

    Raises
    ------
    InputError
        If `path` is a device or a pipe.
    """
    place = Path(os.path.realpath(path))
    if is_special(place):
        raise InputError(f"{path} {SPECIAL}")
    with temporary_beside(place) as temporary:
        yield temporary
        make_durable(temporary)
        if check:
            check(temporary)
        if place.exists():
            shutil.copymode(place, temporary)
        temporary.replace(place)
        fsync_directory(place.parent)


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Yield a free name in the folder of `path`; a file under it is removed when the block ends.

    Files that dead processes left under such names are removed first.
    """
    sweep(path.parent, path.name)
    own = f"{process()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f"{path.name}.{own}.tmp")
    try:
        yield temporary
    finally:
        with suppress(OSError):
            _remove(temporary)


def sweep(directory: Path, name: str | None = None) -> None:
    """Remove temporary files and free locks of dead processes of this machine from a folder.

    Parameters
    ----------
    directory
        Where.
    name
        Name of the file that they were writing; None for all temporary files, but no locks.
    """
    for stale in directory.iterdir():
        match = _TEMPORARY.fullmatch(stale.name)
        if match and name in (None, match[1]) and match[2] == _host() and not _alive(int(match[3])):
            with suppress(OSError):
                _remove(stale)
        if name is not None and stale.name == f"{name}.lock":
            with suppress(OSError), lock_file(directory / name):
                pass  # a lock that is free goes when its block ends


def process() -> str:
    """Return a name that no other running process has."""
    return f"{_host()}-{os.getpid()}"


def is_running(name: str) -> bool:
    """Return whether `name` is the name of another process running on this machine."""
    host, _, pid = name.partition("-")
    # Windows replaces no file that is open elsewhere, and tells nothing of processes by signal.
    known = sys.platform != "win32" and name != process() and host == _host()
    return known and _alive(int(pid))


def make_durable(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def fsync_directory(path: os.PathLike[str]) -> None:
    """Make the entries of a directory durable (a no-op where directories cannot be synced)."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems sync files only
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 would interrupt there, so leave the file to a person
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

"""Locks on open files, durable directories, and the removal of stale temporary files."""

import contextlib
import os
import re
import sys
from pathlib import Path
from typing import IO


def lock_exclusively(handle: IO[bytes]) -> bool:
    """Lock an open file for this process; return False if another process holds the lock.

    The lock ends with the process, however it ends, so no stale lock remains.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            position = handle.tell()
            handle.seek(
                0x7FFF_FFFF
            )  # a byte far past the data: Windows locks bytes, and readers need theirs
            try:
                msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            finally:
                handle.seek(position)
        else:
            import fcntl

            fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def fsync_directory(path: os.PathLike[str]) -> None:
    """Flush the entries of a directory to the disk (a no-op where directories cannot be synced)."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(directory: Path, name: str = "") -> None:
    """Remove temporary files, of one name or all, whose writing process is dead."""
    for stale in directory.iterdir():
        match = re.fullmatch(rf"{re.escape(name) or '.*'}\.(\d+)\.tmp", stale.name)
        if match and not _alive(int(match[1])):
            with contextlib.suppress(OSError):
                stale.unlink()


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

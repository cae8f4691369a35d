"""An exclusive lock on an open file that the operating system drops when its process dies."""

import os
import sys
from typing import IO


def lock_exclusively(handle: IO[bytes]) -> bool:
    """Lock `handle` for this process; False if another process holds it.

    The lock ends with the process, however it ends, so nothing stale is left to clear away.
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
    """Make the entries of a directory durable (a no-op where directories cannot be synced)."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

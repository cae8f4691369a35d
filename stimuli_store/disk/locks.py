"""Locks on open files, which end with their process."""

import sys
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

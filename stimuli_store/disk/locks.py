"""Locks on open files, which end with their process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def lock_file(path: Path) -> Iterator[bool]:
    """Hold the lock file of `path` in a block; yield False if another process holds it.

    A lock file that a killed process left is free: it is taken over, and removed when the block ends.
    """
    lock = path.with_name(path.name + ".lock")
    with lock.open("ab") as handle:
        # A holder removes the file before it lets go: then the lock on what was opened here means nothing.
        held = lock_exclusively(handle) and _is_at(handle, lock)
        try:
            yield held
        finally:
            if held:
                with suppress(OSError):  # Windows removes no open file; it stays, and is free
                    lock.unlink()


def _is_at(handle: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except OSError:
        return False

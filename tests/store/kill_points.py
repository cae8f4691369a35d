"""Processes that kill themselves at each of their writes, syncs, links and renames in turn."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stimuli_store.disk import atomic

#: Calls that change a folder or wait for the disk, by the module that owns them.
CALLS = [(os, name) for name in ("fsync", "link", "replace", "rename", "chmod", "unlink", "mkdir")]
Act = Callable[[], object]


def no_links(*_: object) -> None:
    """`os.link` of a file system that has no hard links."""
    raise OSError(95, "Operation not supported")


def points(act: Act, *, links: bool = True) -> list[str]:
    """Return the names of all points at which `act` can die, after it ran in a child that lives.

    They are each call before and after it is made, and each write when nothing, half or all is in the file.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        names: list[str] = []
        plain = os.write
        code = _run(act, links, names, fatal=-1)
        plain(write, "\n".join(names).encode())
        os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe:
        names = pipe.read().split("\n")
    assert os.waitpid(child, 0)[1] == 0
    return names


def die(act: Act, fatal: int, *, links: bool = True) -> None:
    """Let `act` run in a fork of this process, which dies at one of its points."""
    child = os.fork()
    if not child:
        os._exit(_run(act, links, [], fatal))
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status


def _run(act: Act, links: bool, names: list[str], fatal: int) -> int:
    """Act with guarded calls, in a child that is thrown away; return its exit status."""

    def point(name: str) -> None:
        if len(names) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        names.append(name)

    if not links:
        os.link = no_links
    for owner, name in CALLS:
        setattr(owner, name, _guarded(getattr(owner, name), name, point))
    write_bytes = Path.write_bytes

    def torn(path: Path, content: Any) -> int:
        point("before a write")
        write_bytes(path, bytes(content)[: len(content) // 2])
        point("in a write")
        written = write_bytes(path, content)
        point("after a write")
        return written

    Path.write_bytes = torn  # type: ignore[method-assign]
    os.write = _torn_write(os.write, point)
    try:
        act()
    except BaseException:  # noqa: BLE001 - a child tells its parent by its status
        traceback.print_exc(file=sys.stderr)
        return 1
    return 0


def _torn_write(call: Callable[..., Any], point: Callable[[str], None]) -> Any:
    """`os.write` that may die before, in and after a write."""

    def torn(descriptor: int, content: Any) -> int:
        point("before a write")
        half = call(descriptor, bytes(content)[: len(content) // 2])
        point("in a write")
        rest = call(descriptor, bytes(content)[half:])
        point("after a write")
        return half + rest

    return torn


def _guarded(call: Callable[..., Any], name: str, point: Callable[[str], None]) -> Any:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        point(f"before {name}")
        result = call(*args, **kwargs)
        point(f"after {name}")
        return result

    return guarded


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Inode and content of every finished file in a folder, by its name."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not atomic._TEMPORARY.fullmatch(path.name) and path.suffix != ".lock"
    }

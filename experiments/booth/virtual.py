"""A display for machines without one: an Xvfb of our own, which ends when this process does."""

import atexit
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable

from stimuli_store.errors import DisplayError

_SECONDS = 20.0
_TRIES = 20
_PR_SET_PDEATHSIG = 1  # Linux: the signal that a process gets when its parent is gone
_SIGTERM = 15


def virtual_display(size: tuple[int, int] = (1280, 1024)) -> str:
    """Start an X server without a screen, point DISPLAY at it, and return its name (``":99"``).

    The server stays until this process ends, in whichever way. It cannot go earlier: PsychoPy and
    psychtoolbox keep connections to it for good, and a program whose X server goes away is ended by
    the X library.

    Parameters
    ----------
    size
        Width and height in pixels.

    Raises
    ------
    DisplayError
        If Xvfb is not installed or does not start.
    """
    program = shutil.which("Xvfb")
    if program is None:
        raise DisplayError(
            "a virtual display needs the program Xvfb, which this machine does not have; on Debian "
            "or Ubuntu install it with: apt install xvfb libgl1-mesa-dri libglu1-mesa"
        )
    first = 100 + os.getpid() % 5000
    for number in range(first, first + _TRIES):
        server = _start(program, number, size)
        if server is not None:
            atexit.register(server.poll if sys.platform == "linux" else server.terminate)
            os.environ["DISPLAY"] = f":{number}"
            return f":{number}"
    raise DisplayError(f"Xvfb did not start; run it by hand (Xvfb :{first}) to see why")


def _start(program: str, number: int, size: tuple[int, int]) -> "subprocess.Popen[bytes] | None":
    """Return a server that is ready on display `number`, or None if that one is taken."""
    read, write = os.pipe()
    words = ["-displayfd", str(write), "-screen", "0", f"{size[0]}x{size[1]}x24"]
    server = subprocess.Popen(
        [program, f":{number}", *words, "-noreset", "-nolisten", "tcp"],
        pass_fds=(write,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is for us, not for the server
        preexec_fn=_die_with_parent(),
    )
    os.close(write)
    with os.fdopen(read, "rb", buffering=0) as answers:
        if _first_line(answers.fileno()):
            return server
    server.kill()
    server.wait()
    return None


def _die_with_parent() -> Callable[[], object] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, _SIGTERM)


def _first_line(read: int) -> bytes:
    """Return what the server says when it is ready: its number, or nothing if it ended.

    The whole line is read, since a server whose reader goes away in the middle of it dies.
    """
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([read], [], [], _SECONDS)
        part = os.read(read, 32) if ready else b""
        if not part:
            return b""
        line += part
    return line

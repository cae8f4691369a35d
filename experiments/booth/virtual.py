"""Virtual display for machines without a screen: an Xvfb server that ends with this process."""

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


def virtual_display(size: tuple[int, int] = (1920, 1200)) -> str:
    """Start an Xvfb server, set DISPLAY to it, and return its name (``":99"``).

    The server runs until this process ends.

    Parameters
    ----------
    size
        Width and height in pixels.

    Raises
    ------
    DisplayError
        If Xvfb is not installed or does not start.
    """
    # It cannot end earlier: PsychoPy and psychtoolbox keep connections to it, and the X library ends a
    # program whose X server is gone.
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
    """Start a server on display `number` and return it when it is ready; None if the number is taken."""
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
    """Return the line that the server writes when it is ready, or empty bytes if it ended."""
    line = b""  # the whole line is read: a server whose reader closes too early dies
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([read], [], [], _SECONDS)
        part = os.read(read, 32) if ready else b""
        if not part:
            return b""
        line += part
    return line

"""Import PsychoPy on first use, without its output and its changes to the environment."""

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from stimuli_store.errors import DisplayError, missing_extra

#: Variable that names the folder in which PsychoPy keeps its preferences.
_HOME = "APPDATA" if sys.platform == "win32" else "HOME"


class PsychoPy(NamedTuple):
    """The parts of PsychoPy that the booth uses."""

    visual: ModuleType
    event: ModuleType
    core: ModuleType
    gl: Any
    version: str


def load_psychopy() -> PsychoPy:
    """Import PsychoPy and return the modules that the booth uses.

    PsychoPy adds its user folders to PYTHONPATH, PATH and PYTHONUSERBASE of the whole process and
    prints warnings about itself; the variables are restored, and its console log is silenced.

    Raises
    ------
    DisplayError
        If there is no display to open a window on.
    MissingExtra
        If PsychoPy is not installed.
    """
    _need_display()
    environment = dict(os.environ)
    os.environ[_HOME] = _home()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _connect()
            import psychopy
            from psychopy import core, event, logging, visual
            from pyglet import gl
    except ImportError as error:
        raise missing_extra(
            f"the booth needs PsychoPy on Python 3.11 or 3.12 ({error})", "booth"
        ) from error
    finally:
        _restore(environment)
    logging.console.setLevel(logging.CRITICAL)
    return PsychoPy(visual=visual, event=event, core=core, gl=gl, version=str(psychopy.__version__))


def _need_display() -> None:
    has_one = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY")
    if not has_one:
        raise DisplayError(
            "this machine has no display (DISPLAY is not set); use one that has a display, or "
            "add --virtual-display to try the session on an invisible screen"
        )


def _connect() -> None:
    if sys.platform in ("win32", "darwin"):
        return
    from pyglet import canvas
    from pyglet.canvas import xlib

    try:
        canvas.get_display()
    except xlib.NoSuchDisplayException as error:
        raise DisplayError(
            f"the display {os.environ.get('DISPLAY', '')!r} cannot be opened; check DISPLAY, or "
            "add --virtual-display to try the session on an invisible screen"
        ) from error


def _home() -> str:
    """Return a folder that can be written to, in which PsychoPy looks for preferences.

    PsychoPy does not load without one, and the account of a kiosk or a service may have none.
    """
    known = [os.environ.get(_HOME, "")]
    with suppress(RuntimeError):  # an account that no table of the system knows
        known.append(str(Path.home()))
    for folder in known:
        if folder and Path(folder).is_dir() and os.access(folder, os.W_OK):
            return folder
    made = tempfile.mkdtemp(prefix="stimsynth-psychopy-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _restore(environment: dict[str, str]) -> None:
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)

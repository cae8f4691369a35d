"""New processes in which torch is imported already: forks of one that has nothing of ours in it.

To import torch takes longer than most of what such a process is asked for. What it imports of our packages
it imports for itself, as a new interpreter does.
"""

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

SERVER = """
import json, os, runpy, signal, sys, traceback, types
import h5py, msgspec, scipy.ndimage, torch._dynamo, torch.fx.experimental.symbolic_shapes

def become(asked):
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    for number, path in enumerate((os.devnull, asked["out"], asked["err"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    os.closerange(3, 64)
    sys.path[:1] = ["", *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.stdin = open(0)
    signal.signal(signal.SIGINT, signal.default_int_handler)

def run(how, what, *more):
    sys.argv = [how, *more]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(what, vars(module))

for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child:
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    become(asked)
    code = 0
    try:
        run(*asked["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int | None) else 1
        code == 1 and isinstance(end.code, str) and print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)
"""


@cache
def _server() -> "subprocess.Popen[bytes]":
    """Return the process that is forked; it ends with this one, whose end of the pipe it reads."""
    # A fork waits forever for threads of OpenMP that its parent had, so the parent has none.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    made = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=tempfile.gettempdir(),  # where no package of ours lies
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(made.communicate)
    return made


class Fresh:
    """A process that was begun with the arguments of an interpreter: ``-c`` or ``-m``, and more."""

    def __init__(
        self,
        arguments: Sequence[object],
        cwd: Path | str = ".",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.arguments = [str(word) for word in arguments]
        self._server = _server()
        self._folder = tempfile.TemporaryDirectory()
        files = {name: os.path.join(self._folder.name, name) for name in ("out", "err")}  # noqa: PTH118
        asked: dict[str, Any] = {
            "arguments": self.arguments,
            "cwd": str(Path(cwd).resolve()),
            "env": dict(os.environ if env is None else env),
            **files,
        }
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(asked).encode() + b"\n")
        self._server.stdin.flush()
        self.pid = int(self._line())

    def _line(self) -> bytes:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        assert line, "the process that is forked has ended"
        return line

    def ended(self) -> bool:
        """Return whether the process has ended."""
        assert self._server.stdout is not None
        return bool(select.select([self._server.stdout], [], [], 0)[0])

    def wait(self) -> "subprocess.CompletedProcess[str]":
        """Wait for the end of the process, and return what it said."""
        code = int(self._line())
        said = {name: Path(self._folder.name, name).read_text() for name in ("out", "err")}
        self._folder.cleanup()
        return subprocess.CompletedProcess(self.arguments, code, said["out"], said["err"])


def run(
    arguments: Sequence[object], cwd: Path | str = ".", env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a process to its end, as `subprocess.run` does, and return what it said."""
    return Fresh(arguments, cwd, env).wait()

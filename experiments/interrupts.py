"""Turn signals that end a process into an exception, at a moment when no line is half written."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from experiments.ports import Interrupted

_NAMES = ("SIGTERM", "SIGHUP", "SIGINT", "SIGBREAK")  # those that this platform has


class Interrupts:
    """Context manager: SIGTERM, SIGHUP and Ctrl-C raise `Interrupted`, but never inside `shielded()`.

    A signal that arrives inside is raised at its end. If something (such as a callback of a C library)
    swallows the exception, `check` raises it again. Signals that are ignored stay ignored. Outside the main
    thread, where Python delivers no signals, nothing is changed.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._pending: Interrupted | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                # A background job ignores Ctrl-C, and nohup SIGHUP: both are meant for others then.
                if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Delay signals while the block runs; `check` raises one that came."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Delay signals while the block runs, and raise one that came when it ends."""
        with self.held():
            yield
        self.check()

    def check(self) -> None:
        """Raise the pending `Interrupted`, if there is one and signals are not delayed."""
        if self._pending is not None and not self._depth:
            raise self._pending

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._pending = Interrupted(signal.Signals(number).name, number)
        self.check()

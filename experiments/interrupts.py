"""Signals that end a process, turned into an exception at a moment when nothing is half written."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

from experiments.ports import Interrupted

_NAMES = ("SIGTERM", "SIGHUP", "SIGINT", "SIGBREAK")  # those that this platform has


class Interrupts:
    """While entered, SIGTERM, SIGHUP and Ctrl-C raise `Interrupted`, but never inside `shielded()`.

    A signal that arrives inside is raised at its end. One whose exception was swallowed on its way
    (a callback of a C library does that) is raised again by `check`. Off the main thread, where
    Python hands out no signals, nothing is changed.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._pending: Interrupted | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                if number is not None:
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
        """Hold signals back while the block runs; `check` raises one that came."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold signals back while the block runs; raise one that came when it ends."""
        with self.held():
            yield
        self.check()

    def check(self) -> None:
        """Raise the signal that came and was not acted upon, if there is one."""
        if self._pending is not None and not self._depth:
            raise self._pending

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._pending = Interrupted(signal.Signals(number).name, number)
        self.check()

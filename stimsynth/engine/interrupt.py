"""Ctrl-C as a request: what was done so far is kept."""

import signal
from typing import Any


class Interrupt:
    """Turn the first Ctrl-C into a request that a loop honours between two steps.

    Attributes
    ----------
    asked
        Whether Ctrl-C was pressed since the block was entered.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: Any = None

    def __enter__(self) -> "Interrupt":
        try:
            self._previous = signal.signal(signal.SIGINT, self._ask)
        except ValueError:  # not the main thread: signals are not ours to handle
            self._previous = None
        return self

    def _ask(self, number: int, frame: object) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, self._previous)  # a second Ctrl-C ends at once
        around = getattr(self._previous, "__self__", None)
        if isinstance(around, Interrupt):  # a loop within a loop: both have to end
            around._ask(number, frame)

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

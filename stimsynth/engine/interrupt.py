"""Handle Ctrl-C between two steps: a loop ends with its results, then Ctrl-C is passed to the caller."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupt:
    """Context manager that turns the first Ctrl-C into a request `asked`, which a loop checks between steps.

    The second Ctrl-C ends the loop at once. If Ctrl-C is ignored or not handled by Python, nothing changes.

    Attributes
    ----------
    asked
        Whether Ctrl-C was pressed since the outermost block was entered.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: Any = None

    def __enter__(self) -> "Interrupt":
        previous = signal.getsignal(signal.SIGINT)
        if not callable(previous):
            return self
        around = _interrupt_of(previous)
        self.asked = around is not None and around.asked
        try:
            signal.signal(signal.SIGINT, self._ask)
        except ValueError:  # only the main thread can handle signals
            return self
        self._previous = previous
        return self

    def _ask(self, number: int, frame: Any) -> None:
        again, self.asked = self.asked, True
        # A loop within a loop: both must end.
        if again or _interrupt_of(self._previous) is not None:
            self._previous(number, frame)

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def pass_on(self) -> None:
        """Call the previous handler if Ctrl-C was pressed: Python's raises KeyboardInterrupt."""
        if self.asked and self._previous is not None:
            self._previous(signal.SIGINT, None)


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Context manager in which loops end at Ctrl-C and return; Ctrl-C is passed on when the block ends.

    Examples
    --------
    >>> with interruptible():
    ...     kept = [1, 2]
    >>> kept
    [1, 2]
    """
    interrupt = Interrupt()
    try:
        with interrupt:
            yield interrupt
    finally:
        interrupt.pass_on()


def _interrupt_of(handler: Any) -> Interrupt | None:
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, Interrupt) else None

"""Signals end a session as an exception, but for those that whoever started it has ignored."""

import signal
from collections.abc import Callable, Iterator

import pytest

from experiments.interrupts import Interrupts
from experiments.ports import Interrupted

NAMES = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.fixture
def handle() -> Iterator[Callable[[int, object], None]]:
    """Sets handlers of signals, as whoever starts a session may have done; they are put back."""
    before: dict[int, object] = {}

    def set_handler(number: int, handler: object) -> None:
        before.setdefault(number, signal.signal(number, handler))  # type: ignore[arg-type]

    yield set_handler
    for number, handler in before.items():
        signal.signal(number, handler)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_ends_a_session(name: str, handle: Callable[[int, object], None]) -> None:
    number = signal.Signals[name]
    handle(number, signal.SIG_DFL)
    with pytest.raises(Interrupted), Interrupts():
        signal.raise_signal(number)
    assert signal.getsignal(number) == signal.SIG_DFL


@pytest.mark.parametrize("name", NAMES)
def test_an_ignored_signal_stays_ignored(name: str, handle: Callable[[int, object], None]) -> None:
    number = signal.Signals[name]
    handle(number, signal.SIG_IGN)
    with Interrupts() as interrupts:
        signal.raise_signal(number)
        interrupts.check()
    assert signal.getsignal(number) == signal.SIG_IGN

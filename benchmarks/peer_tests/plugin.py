"""pytest plugin: this project's names for plenoptic's, errors by their occurrence, outcomes in a file."""

import contextlib
import os
import signal
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peer_tests.errors import NotAtHand, NotOffered, TooLong
from benchmarks.peer_tests.names import install
from benchmarks.peer_tests.outcomes import ENDED, Outcome, add, read
from stimuli_store.errors import StimsynthError

_KINDS = {NotOffered: "not offered", NotAtHand: "not at hand", TooLong: "too long"}
_FILE = Path(os.environ["PEER_OUTCOMES"])
_LIMIT_S = float(os.environ["PEER_LIMIT_S"])
# A copy that no process adds to, so that all workers see the same tests.
_BEFORE = read(Path(os.environ["PEER_BEFORE"]))
_OUTCOMES: dict[str, Outcome] = {}
_raises = pytest.raises


def _raises_something(expected: Any, *args: Any, match: Any = None, **kwargs: Any) -> Any:
    """Return the check for an error; ours has words and classes of its own."""
    kinds = expected if isinstance(expected, tuple) else (expected,)
    return _raises((*kinds, StimsynthError), *args, **kwargs)


@contextlib.contextmanager
def _warns_or_not(*_: Any, **__: Any) -> Iterator[list[Any]]:
    """Let a block warn or not: outcomes that the peer warns of are values here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


@contextlib.contextmanager
def _limit() -> Iterator[None]:
    def end(*_: Any) -> None:
        raise TooLong(f"longer than {_LIMIT_S:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, _LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Prepare a test within its limit."""
    with _limit():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Run a test within its limit."""
    with _limit():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    """Note the outcome of each test with the first line of its error."""
    report = yield
    if call.excinfo is None:
        _OUTCOMES.setdefault(item.nodeid, ("passed", ""))
        return report
    error = call.excinfo.value
    kind = _KINDS.get(type(error), "differs")
    if isinstance(error, pytest.skip.Exception):
        kind = "not at hand"
    if call.when == "setup" and isinstance(error, AssertionError) and not str(error):
        kind = "not at hand"  # pytest's answer where a fixture that several tests share has failed
    if isinstance(error, AttributeError) and str(error.name).startswith(("_", "lo0mask")):
        kind = "not offered"  # it is not public in plenoptic either
    _OUTCOMES[item.nodeid] = (kind, f"{type(error).__name__}: {error}"[:400])
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: Any) -> Generator[None, Any, Any]:
    """Write each outcome when it is there, and before it that the test has begun."""
    add(_FILE, item.nodeid, (ENDED, "the process ended in it"))
    result = yield
    add(_FILE, item.nodeid, _OUTCOMES.pop(item.nodeid))
    return result


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Keep the tests that have no outcome from before."""
    items[:] = [item for item in items if item.nodeid not in _BEFORE]


# When this file is imported, since the tests' conftest.py is read before pytest calls any hook of ours.
install(Path(os.environ["PEER_CHECKOUT"]), Path(os.environ["PEER_PICTURES"]))
pytest.raises = _raises_something  # type: ignore[assignment]
pytest.warns = _warns_or_not  # type: ignore[assignment]

"""pytest plugin: this project's names for plenoptic's, errors by their occurrence, outcomes in a file."""

import contextlib
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peer_tests.errors import NotAtHand, NotOffered
from benchmarks.peer_tests.names import install
from stimuli_store.errors import StimsynthError

_OUTCOMES: dict[str, tuple[str, str]] = {}
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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
    """Note the outcome of each test with the first line of its error."""
    yield
    if call.excinfo is None:
        _OUTCOMES.setdefault(item.nodeid, ("passed", ""))
        return
    error = call.excinfo.value
    kind = {NotOffered: "not offered", NotAtHand: "not at hand"}.get(type(error), "differs")
    if isinstance(error, pytest.skip.Exception):
        kind = "skipped"
    if call.when == "setup" and isinstance(error, AssertionError) and not str(error):
        kind = "not at hand"  # pytest's answer where a fixture that several tests share has failed
    if isinstance(error, AttributeError) and str(error.name).startswith("_"):
        kind = "not offered"  # it is not public in plenoptic either
    _OUTCOMES[item.nodeid] = (kind, f"{type(error).__name__}: {error}"[:400])


def pytest_runtest_logfinish() -> None:
    """Write the outcomes so far, which remain if the run is ended."""
    Path(os.environ["PEER_OUTCOMES"]).write_text(json.dumps(_OUTCOMES, indent=1))


# When this file is imported, since the tests' conftest.py is read before pytest calls any hook of ours.
install(Path(os.environ["PEER_CHECKOUT"]), Path(os.environ["PEER_SCRATCH"]))
pytest.raises = _raises_something  # type: ignore[assignment]
pytest.warns = _warns_or_not  # type: ignore[assignment]

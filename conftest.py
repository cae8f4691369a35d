"""What every test and every example in a docstring begins with."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is the machine's affair.
settings.register_profile("stimsynth", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("stimsynth")


@pytest.fixture(autouse=True)
def known_random_state() -> None:
    """Objects that are given no seed draw one from torch; here it is the same in every run."""
    if "torch" in sys.modules:
        # Its `manual_seed` also formats the stack, once for each sort of device that is not there.
        sys.modules["torch"].default_generator.manual_seed(0)


@pytest.fixture(autouse=True, scope="session")
def no_wait_for_the_disk() -> Iterator[None]:
    """Files are handed to the system and not waited for, as no test cuts the power.

    Tests that need to know of it, or let it fail, put their own in its place; what runs in a process of its
    own waits as ever.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # it, too, refuses what is no open file
        yield


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study: a bank, a design, and the journals of three simulated people."""
    from tests.small_study import make_study

    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(autouse=True)
def a_readers_folder(request: pytest.FixtureRequest) -> None:
    """Examples in docstrings that name files of a study find copies of them in their working folder."""
    if (
        isinstance(request.node, pytest.DoctestItem)
        and "study-1.0.0.h5" in request.node.dtest.docstring
    ):
        folder = request.getfixturevalue("tmp_path") / "study"
        shutil.copytree(request.getfixturevalue("study"), folder)
        request.getfixturevalue("monkeypatch").chdir(folder)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is imported and collected out of the garbage collector, now and in the tests.

    It took a third of the time of collecting, and these objects live to the end.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()

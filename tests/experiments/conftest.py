"""A display for the window tests: the one there is, or a virtual one for the whole session."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.helpers import tiny_bank

ROOT_SIZE = (480, 360)


@pytest.fixture(scope="session")
def bank(tmp_path_factory):
    """Two targets, four levels, two members a set, 32 x 32 pixels."""
    return tiny_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="session")
def display(tmp_path_factory) -> Iterator[str]:
    """Name of an X display; PsychoPy's folders go to a temporary home."""
    if sys.platform != "linux":
        pytest.skip("the window tests take screenshots through X")
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb here: apt install xvfb libgl1-mesa-dri libglu1-mesa")
    pytest.importorskip("pyglet", reason="PsychoPy is not installed")
    from experiments.booth.virtual import virtual_display

    before = {name: os.environ.get(name) for name in ("HOME", "DISPLAY")}
    os.environ["HOME"] = str(tmp_path_factory.mktemp("home"))
    yield virtual_display(ROOT_SIZE)
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture
def virtual(display, monkeypatch):
    """PsychoPy on a virtual display of 60 Hz, whose clock and keys the test sets."""
    from tests.experiments import virtual_display

    return virtual_display.install(monkeypatch)


@pytest.fixture
def open_person_booth(display):
    """Open a booth for a person whose keys are pressed by the virtual display."""
    from experiments.booth.keyboard import EventKeyboard
    from experiments.booth.load import load_psychopy
    from experiments.booth.psychopy_booth import PsychopyBooth
    from experiments.booth.stage import open_stage

    stages = []

    def open_it(screen):
        psychopy = load_psychopy()
        stages.append(open_stage(psychopy, screen))
        stages[-1].measure(allow_unsynced=False)
        return PsychopyBooth(stages[-1], EventKeyboard(psychopy), screen.verify)

    yield open_it
    for stage in stages:
        stage.close()

"""What every test and every example in a docstring begins with."""

import sys

import pytest


@pytest.fixture(autouse=True)
def known_random_state() -> None:
    """Objects that are given no seed draw one from torch; here it is the same in every run."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)

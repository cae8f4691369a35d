"""What every test and every example in a docstring begins with."""

import sys

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is the machine's affair.
settings.register_profile("stimsynth", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("stimsynth")


@pytest.fixture(autouse=True)
def known_random_state() -> None:
    """Objects that are given no seed draw one from torch; here it is the same in every run."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)

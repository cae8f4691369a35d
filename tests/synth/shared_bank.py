"""The bank of every kind, which takes seconds to build, once for all processes of a run of the tests."""

import contextlib
import fcntl
import os
from pathlib import Path

import pytest

from stimsynth.banks.build import build
from stimuli_store.bank.reading import Bank, open_bank
from tests.synth.every_kind import plan_of_every_kind


def bank_of_every_kind(factory: pytest.TempPathFactory) -> tuple[Path, Bank]:
    """The folder of the plan, with its jobs, and the bank in it; tests leave both as they are."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / "every-kind"
    folder.mkdir(exist_ok=True)
    with (root / "every-kind.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "study-1.0.0.h5"
        if made.exists():
            return folder, open_bank(made)
        plan = plan_of_every_kind(folder)
        with contextlib.chdir(folder):
            return folder, build(plan, folder)

"""A publisher killed before any of its writes leaves no version or a complete one, and a retry works."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stimuli_store.bank.reading import open_bank
from stimuli_store.errors import BankExists
from tests.helpers import tiny_bank

ROOT = Path(__file__).parents[2]
CHILD = """
import os, signal, sys
from pathlib import Path
import h5py

fatal, seen = int(sys.argv[2]), 0

def guard(function):
    def wrapped(*args, **kwargs):
        global seen
        seen += 1
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return wrapped

for owner, name in [
    (h5py.h5d.DatasetID, "write"),
    (h5py.File, "__init__"), (h5py.File, "close"), (h5py.Group, "create_group"),
    (os, "fsync"), (os, "link"), (Path, "chmod"), (Path, "unlink"),
]:
    try:
        setattr(owner, name, guard(getattr(owner, name)))
    except TypeError:  # a type of the C layer; its callers are guarded below
        pass
h5py.Group.create_dataset = guard(h5py.Group.create_dataset)
h5py.Dataset.__setitem__ = guard(h5py.Dataset.__setitem__)

from tests.helpers import tiny_bank
tiny_bank(Path(sys.argv[1]), version="2.0.0", levels=(4.0,))
print(seen)
"""


def run_child(directory: Path, fatal: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(directory), str(fatal)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_moment_of_a_commit_can_be_its_last(tmp_path: Path) -> None:
    whole = run_child(tmp_path / "count", 0)
    points = int(whole.stdout)
    assert points > 10
    outcomes = set()
    for fatal in range(1, points + 1):
        directory = tmp_path / str(fatal)
        older = tiny_bank(directory, version="1.0.0")
        killed = run_child(directory, fatal)
        assert killed.returncode == -signal.SIGKILL
        assert open_bank(older.path, older.pin).pin == older.pin
        newer = directory / "tiny-2.0.0.h5"
        outcomes.add(newer.exists())
        if newer.exists():
            open_bank(newer)
            with pytest.raises(BankExists):
                tiny_bank(directory, version="2.0.0", levels=(4.0,))
        else:
            tiny_bank(directory, version="2.0.0", levels=(4.0,))
        assert sorted(p.name for p in directory.iterdir()) == ["tiny-1.0.0.h5", "tiny-2.0.0.h5"]
    assert outcomes == {True, False}

"""Whatever moment of a build with jobs is its last: finished jobs stay, and the next run makes the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("links", ["links", "no links"])
def test_every_moment_of_a_build_can_be_its_last(links: str, tmp_path: Path) -> None:
    """In a process with one thread: a fork of one with more may hang in a sum."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.synth.killed_builds", str(tmp_path / "work"), links],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 30

"""Type checkers of users see the types: each package says so, and the front door passes them on."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("stimsynth", "stimuli_store", "experiments", "analysis")
USER = """\
from stimsynth import fit, open_bank, run_session

reveal_type(open_bank("a.h5"))
reveal_type(fit)
reveal_type(run_session)
open_bank(3)
from stimsynth import open_bnak
"""
SEEN = (
    'Revealed type is "stimuli_store.bank.reading.Bank"',
    "-> analysis.fits.groups.Fits",
    "-> stimuli_store.session_events.Session",
    'incompatible type "int"',
    'no attribute "open_bnak"; maybe "open_bank"?',
)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").read_bytes() == b""


@pytest.mark.road
def test_mypy_sees_types_in_a_file_of_a_user(tmp_path: Path) -> None:
    """Mypy looks for installed packages where the user's Python has them; they must say so."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "v")], check=True)
    python = tmp_path / "v" / "bin" / "python"
    (site,) = (tmp_path / "v").rglob("site-packages")
    for package in PACKAGES:
        (site / package).symlink_to(ROOT / package)
    (tmp_path / "user.py").write_text(USER)
    words = [sys.executable, "-m", "mypy", "--python-executable", str(python), "--cache-dir", "c"]
    done = subprocess.run(
        [*words, "user.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(SEEN) + 1
    for line, words_seen in zip(lines, SEEN, strict=False):
        assert words_seen in line

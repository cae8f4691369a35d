"""Run plenoptic's test files one after another and count the outcomes: ``peer_tests CHECKOUT [FILE …]``."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLUMNS = ("passed", "differs", "not offered", "not at hand", "skipped")
FILES = "display eigendistortion mad metamers metric models steerable_pyr tools uploaded_files"


def main(args: Sequence[str]) -> int:
    """Print a table of the outcomes by file; return 0, since what differs is for people to judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks peer_tests", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a clone of github.com/plenoptic-org/plenoptic")
    parser.add_argument("files", nargs="*", default=FILES.split(), help="such as tools")
    parser.add_argument("--limit-s", type=float, default=3600, help="longest time for a file")
    parser.add_argument("--outcomes", type=Path, help="folder for the outcomes of each test")
    asked = parser.parse_args(args)
    with tempfile.TemporaryDirectory() as scratch:
        folder = (asked.outcomes or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        print(f"| file | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
        for name in asked.files:
            found = outcomes(asked.checkout.resolve(), name, folder, asked.limit_s)
            counts = Counter(kind for kind, _ in found.values())
            print(f"| `{name}` | {' | '.join(str(counts[kind]) for kind in COLUMNS)} |", flush=True)
    return 0


def outcomes(checkout: Path, name: str, folder: Path, limit_s: float) -> dict[str, tuple[str, str]]:
    """Return kind and error of each test of a file that ended within a time."""
    report = folder / f"{name}.json"
    report.unlink(missing_ok=True)
    environment = os.environ | {
        "PEER_CHECKOUT": str(checkout),
        "PEER_SCRATCH": str(folder),
        "PEER_OUTCOMES": str(report),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "MPLBACKEND": "Agg",
    }
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-W", "ignore"]
    command += ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=."]
    command += ["-p", "benchmarks.peer_tests.plugin", f"test_{name}.py"]
    try:
        subprocess.run(
            command,
            cwd=checkout / "tests",
            env=environment,
            timeout=limit_s,
            stdout=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"{name} was ended after {limit_s:g} s", file=sys.stderr)
    found: dict[str, tuple[str, str]] = json.loads(report.read_text()) if report.exists() else {}
    return found

"""Run plenoptic's test files and count the outcomes: ``peer_tests CHECKOUT [FILE …]``.

Each outcome is written when it is there; the same command with ``--continue`` goes on where a run ended.
"""

import contextlib
import importlib.util
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.peer_tests.outcomes import ENDED, Outcome, read, write
from benchmarks.peer_tests.pictures import write_test_images
from benchmarks.peer_tests.tables import table_of_files, table_of_reasons
from stimuli_store.tools.command_line import NamesTheNearest

ROOT = Path(__file__).parents[2]
FILES = "display eigendistortion mad metamers metric models steerable_pyr tools"
OPTIONS = "-q --tb=no -W ignore -p no:cacheprovider --rootdir=. -p benchmarks.peer_tests.plugin"


def main(args: Sequence[str]) -> int:
    """Print tables of the outcomes; return 1 if a test has none, or differs for no stated reason."""
    parser = NamesTheNearest(prog="python -m benchmarks peer_tests", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a clone of github.com/plenoptic-org/plenoptic")
    parser.add_argument("files", nargs="*", default=FILES.split(), help="such as tools")
    parser.add_argument("--limit-s", type=float, default=300, help="longest time for a test")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="with pytest-xdist")
    parser.add_argument("--outcomes", type=Path, default=ROOT / "build" / "peer_tests")
    parser.add_argument("--continue", dest="goes_on", action="store_true")
    asked = parser.parse_args(args)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended; --continue goes on"))
    folder = asked.outcomes.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "outcomes.jsonl"
    before = read(file) if asked.goes_on else {}
    write(file, {test: found for test, found in before.items() if found[0] != ENDED})
    environment = _environment(asked.checkout.resolve(), folder, asked.limit_s)
    tests = _names_of_tests(asked.files, environment)
    began, progress = time.monotonic(), _progress(tests, file)
    for name in asked.files:
        _run_file(name, tests, environment, asked.workers, progress)
    _say(f"{time.monotonic() - began:.0f} s, of CPUs {_cpu_time_s():.0f} s")
    outcomes = read(file)
    found = {test: outcomes.get(test, ("not run", "")) for test in tests}
    table, unexplained = table_of_reasons(found)
    print(table_of_files(found), table, sep="\n\n")
    for test, error in unexplained.items():
        print(f"no reason is stated for {test}: {error}")
    return int(bool(unexplained) or any(kind == "not run" for kind, _ in found.values()))


def _environment(checkout: Path, folder: Path, limit_s: float) -> dict[str, str]:
    """Return the environment of a run, of which the plugin reads `PEER_…`."""
    return os.environ | {
        "PEER_CHECKOUT": str(checkout),
        "PEER_PICTURES": str(write_test_images(checkout, folder / "test_images")),
        "PEER_OUTCOMES": str(folder / "outcomes.jsonl"),
        "PEER_BEFORE": str(folder / "before.jsonl"),
        "PEER_LIMIT_S": str(limit_s),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "MPLBACKEND": "Agg",
    }


def _command(*options: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *OPTIONS.split(), "-c", os.devnull, *options]


def _names_of_tests(files: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return the names of all tests of some files."""
    Path(environment["PEER_BEFORE"]).unlink(missing_ok=True)
    collected = subprocess.run(
        _command("--collect-only", *(f"test_{name}.py" for name in files)),
        cwd=Path(environment["PEER_CHECKOUT"]) / "tests",
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if collected.returncode:
        sys.exit(f"the tests cannot be read; is a package missing?\n{collected.stdout[-2000:]}")
    return [line for line in collected.stdout.splitlines() if "::" in line]


def _run_file(
    name: str,
    tests: Sequence[str],
    environment: Mapping[str, str],
    workers: int,
    progress: Callable[[], str],
) -> None:
    """Run a file, again where its process ended early, as long as that brings outcomes."""
    file, before = Path(environment["PEER_OUTCOMES"]), Path(environment["PEER_BEFORE"])
    asked = {test for test in tests if test.startswith(f"test_{name}.py::")}
    share = ["-n", str(workers), "--dist", "worksteal"]
    options = share if importlib.util.find_spec("xdist") else []
    while True:
        done: dict[str, Outcome] = read(file)
        write(before, done)
        if asked <= done.keys():
            return
        with (file.parent / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                _command(*options, f"test_{name}.py"),
                cwd=Path(environment["PEER_CHECKOUT"]) / "tests",
                env=environment,
                stdout=log,
                stderr=log,
            )
            _wait(process, lambda: _say(f"{name}: {progress()}"))
        if len(read(file)) == len(done):
            _say(f"{name} brings no more outcomes; its log is {log.name}")
            return


def _progress(tests: Sequence[str], file: Path) -> Callable[[], str]:
    """Return a function that says how many tests have an outcome, and how long the others take."""
    first, began = len(read(file)), time.monotonic()

    def said() -> str:
        done = len(read(file))
        left_s = (len(tests) - done) * (time.monotonic() - began) / max(done - first, 1)
        return f"{done:,} of {len(tests):,} tests, about {left_s / 60:.0f} min left"

    return said


def _wait(process: subprocess.Popen[bytes], each_half_minute: Callable[[], None]) -> None:
    """Wait for a process, which ends where this one is ended."""
    try:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
                return
            each_half_minute()
    finally:
        process.terminate()


def _cpu_time_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)

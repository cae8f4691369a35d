"""Run benchmarks by name: ``python -m benchmarks NAME``; the names are those of `SUITES`."""

import argparse
import os
import sys

os.environ["TQDM_DISABLE"] = "1"  # before anyone reads it: bars are not what is timed

from benchmarks import (
    analysis,
    booth,
    coverage,
    frontend,
    gpu,
    peer_tests,
    plots,
    populations,
    store,
    study,
    synthesis,
    vision,
)

SUITES = {
    "frontend": lambda _: frontend.main(),
    "vision": lambda _: vision.main(),
    "synthesis": synthesis.main,
    "gpu": gpu.main,
    "store": lambda _: store.main(),
    "study": study.main,
    "analysis": analysis.main,
    "coverage": coverage.main,
    "populations": populations.main,
    "booth": lambda _: booth.main(),
    "plots": lambda _: plots.main(),
    "peer_tests": peer_tests.main,
}


def main() -> int:
    """Run one suite and return 1 if it misses its target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    asked, rest = parser.parse_known_args()
    return SUITES[asked.suite](rest)


if __name__ == "__main__":
    sys.exit(main())

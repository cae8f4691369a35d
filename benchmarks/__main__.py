"""Run benchmarks by name: ``python -m benchmarks frontend``."""

import argparse
import sys

from benchmarks import frontend

SUITES = {"frontend": frontend.main}


def main() -> int:
    """Run one suite and return 1 if it misses its target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    return SUITES[parser.parse_args().suite]()


if __name__ == "__main__":
    sys.exit(main())

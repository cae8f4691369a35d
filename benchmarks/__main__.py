"""Run benchmarks by name: ``python -m benchmarks frontend | vision``."""

import argparse
import sys

from benchmarks import frontend, vision

SUITES = {"frontend": frontend.main, "vision": vision.main}


def main() -> int:
    """Run one suite and return 1 if it misses its target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    return SUITES[parser.parse_args().suite]()


if __name__ == "__main__":
    sys.exit(main())

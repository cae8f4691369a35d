"""The command ``stimsynth power``: how often planned studies would show what they are run for."""

import argparse
import sys
from collections.abc import Sequence


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command ``power`` to the parser."""
    parser = subparsers.add_parser(
        "power",
        help="simulate planned studies: how many trials, images and participants",
        description="Simulate the studies of a plan many times, and print how often each of them would show "
        "what it is for.",
    )
    parser.add_argument(
        "study", metavar="STUDY.toml", help="designs, truth and test (docs/analysis.md)"
    )
    parser.add_argument(
        "--studies", type=int, help="number of simulated studies (default: the plan's)"
    )
    parser.add_argument("--seed", type=int, help="seed of the simulation (default: the plan's)")
    parser.add_argument(
        "--out", metavar="TABLE.csv", help="where the table goes besides the terminal"
    )
    parser.set_defaults(run=run_power)


def run_power(args: argparse.Namespace) -> int:
    """Run ``power`` on the parsed arguments and return the exit code."""
    from analysis.planning.power import power_table
    from analysis.planning.study_file import read_study
    from stimuli_store.disk.atomic import write_atomically

    plan = read_study(args.study)
    n_studies = plan.n_studies if args.studies is None else args.studies
    seed = plan.seed if args.seed is None else args.seed
    table = power_table(plan.designs, plan.truth, plan.test, n_studies=n_studies, seed=seed)
    if args.out:
        write_atomically(args.out, table.to_csv(index=False, lineterminator="\n").encode())
    cells = [[_shown(value) for value in row] for row in table.to_dict("split")["data"]]
    shown = "\n".join(_narrow_table(list(table.columns), cells))
    sys.stdout.write(f"{plan.test_name}, {n_studies} simulated studies each\n\n{shown}\n")
    return 0


def _shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _narrow_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose headings have a word on each line, so that it fits a terminal.

    Examples
    --------
    >>> print("\\n".join(_narrow_table(["trials per cell", "power"], [["5", "0.65"]])))
    trials
       per
      cell  power
         5   0.65
    """
    words = [heading.split() for heading in headings]
    high = max(map(len, words))
    stacked = [[*[""] * (high - len(parts)), *parts] for parts in words]
    every = [*zip(*stacked, strict=True), *rows]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    ]

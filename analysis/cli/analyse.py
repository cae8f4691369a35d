"""The command ``stimsynth analyse``: from a table, or from journals and a bank, to results and a report."""

import argparse
import sys
from typing import TYPE_CHECKING

from stimuli_store.tools.terminal import LinesThatFit, write_lines

if TYPE_CHECKING:
    from analysis.report.results import Results

_EXAMPLES = """\
session journals and their bank:
  stimsynth analyse data/ --bank NAME-1.0.0.h5 --out report

any table of trials (docs/formats/roles.md):
  stimsynth analyse trials.csv --roles roles.toml --out report
  stimsynth analyse trials.csv --roles roles.toml --by condition --out report
"""
_WIDTH = 12


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``analyse`` to the parser."""
    parser = subparsers.add_parser(
        "analyse",
        aliases=["analyze"],
        help="fit thresholds, rank models, and write a report",
        description="Fit thresholds and rank models by how well they agree with the answers; "
        "write report.html, trials.csv and results.json.",
        epilog=_EXAMPLES,
        formatter_class=LinesThatFit,
    )
    parser.add_argument(
        "data",
        nargs="*",
        metavar="DATA",
        help="a table of trials or a folder of tables; with --bank, a folder of session journals (*.jsonl), "
        "or journals",
    )
    parser.add_argument(
        "--bank", metavar="BANK.h5", help="the bank that the journals were run with"
    )
    parser.add_argument("--roles", metavar="ROLES.toml", help="what the columns of the table mean")
    parser.add_argument("--out", required=True, metavar="DIR", help="where the report goes")
    parser.add_argument(
        "--by",
        nargs="+",
        metavar="COLUMN",
        help="columns whose values are conditions (default: comparison, if there is such a column)",
    )
    parser.add_argument(
        "--task",
        metavar="NAME",
        help="analyse only the answers to this task; of a table that states no task, the task itself",
    )
    parser.add_argument(
        "--rule",
        metavar="RULE",
        help="decision rule under which the answers are analysed, or 'all' (default: that of each trial)",
    )
    parser.add_argument(
        "--p",
        type=float,
        default=0.75,
        help="proportion correct that defines the threshold (default %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the resampling (default %(default)s)"
    )
    parser.set_defaults(run=run_analyse)


def run_analyse(args: argparse.Namespace) -> int:
    """Run ``analyse`` on the parsed arguments and return the exit code."""
    from pathlib import Path

    from analysis.cli.sources import material_of
    from analysis.report.write import REPORT, write_report
    from stimuli_store.errors import InputError

    if args.seed < 0:
        raise InputError(f"--seed must be 0 or more; not {args.seed}")
    found = material_of(args.data, bank=args.bank, roles=args.roles, task=args.task, tell=_tell)
    results = write_report(
        found.answers,
        args.out,
        bank=found.bank,
        sessions=found.sessions,
        by=args.by,
        p=args.p,
        rule=args.rule,
        seed=args.seed,
    )
    lines = [*summary_lines(results), f"{'report':<{_WIDTH}}{Path(args.out) / REPORT}"]
    write_lines(lines)
    return 0


def _tell(sentence: str) -> None:
    sys.stderr.write(f"stimsynth: {sentence}\n")


def summary_lines(results: "Results") -> list[str]:
    """Return the results of an analysis as a few lines of text for the terminal."""
    from analysis.report.headlines import answers_line, assumptions_of, sorts_line, statements_of

    lines = [f"{'answers':<{_WIDTH}}{answers_line(results)}"]
    lines += [_under(said) for said in (sorts_line(results), *assumptions_of(results)) if said]
    for statement in statements_of(results):
        lines.append(f"{statement.short:<{_WIDTH}}{statement.value}")
        lines += [_under(note.text) for note in statement.notes]
    if results.not_ranked:
        lines.append(f"{'models':<{_WIDTH}}not ranked: {results.not_ranked}")
    return lines


def _under(text: str) -> str:
    return f"{'':<{_WIDTH}}{text}"

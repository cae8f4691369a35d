"""The command ``stimsynth analyse``: from journals and a bank to thresholds, a model ranking and a report."""

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.report.conditions import Condition
    from analysis.report.results import Results


def register(subparsers: argparse._SubParsersAction) -> None:
    """Add the command ``analyse`` to the parser."""
    parser = subparsers.add_parser(
        "analyse",
        help="fit thresholds, rank models, and write a report",
        description="Fit thresholds and rank models by how well they agree with the answers; "
        "write report.html, trials.csv and results.json.",
    )
    parser.add_argument(
        "data",
        nargs="+",
        metavar="DATA",
        help="a folder of session journals (*.jsonl), or journals",
    )
    parser.add_argument(
        "--bank", required=True, metavar="BANK.h5", help="the bank they were run with"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="where the report goes")
    parser.add_argument(
        "--p",
        type=float,
        default=0.75,
        help="proportion correct that defines the threshold (default %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the resampling (default %(default)s)"
    )
    parser.add_argument(
        "--task",
        metavar="NAME",
        help="analyse only the sessions of this task; needed where DATA holds several",
    )
    parser.set_defaults(run=run_analyse)


def run_analyse(args: argparse.Namespace) -> int:
    """Run ``analyse`` on the parsed arguments and return the exit code."""
    from pathlib import Path

    from analysis.data.journals import read_sessions
    from analysis.report.results import sessions_of
    from analysis.report.write import REPORT, write_report
    from stimuli_store.bank.reading import open_bank
    from stimuli_store.errors import InputError

    if args.seed < 0:
        raise InputError(f"--seed must be 0 or more; not {args.seed}")
    bank = open_bank(args.bank)
    sessions = read_sessions(
        args.data, tell=lambda sentence: sys.stderr.write(f"stimsynth: {sentence}\n")
    )
    if args.task is not None:
        sessions = sessions_of(sessions, args.task)
    results = write_report(bank, sessions, args.out, p=args.p, seed=args.seed)
    lines = [*summary_lines(results), f"report      {Path(args.out) / REPORT}"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def summary_lines(results: "Results") -> list[str]:
    """Return the results of an analysis as a few lines of text for the terminal."""

    people = len(results.participants)
    lines = [
        f"answers     {results.n_trials} trials of {people} participant{'s' if people > 1 else ''}, "
        f"task {results.task.name}, rule {results.headline.rule}",
        *(_threshold_lines(results) if results.headline.fit else []),
    ]
    for condition in (results.headline, *results.others):
        if condition.fit is None:
            lines += _dprime_lines(condition)
    if results.ranking is None:
        lines.append("models      not ranked: the bank stores no predictions for these pairs")
    else:
        found = results.ranking
        label = "best model" if len(found.best) == 1 else "best models"
        lines.append(f"{label:<12}{found.headline}")
    lines += [f"{'note':<12}{check.sentence}" for check in results.diagnostics if check.alarming]
    return lines


def _threshold_lines(results: "Results") -> list[str]:
    from analysis.report import formatting

    fit, true, unit = (
        results.headline.fit,
        results.true_threshold,
        formatting.short_unit(results.unit),
    )
    assert fit is not None
    lines = [
        f"threshold   {formatting.level(fit.threshold)} {unit} at {results.p:.0%} correct, guess rate "
        f"{fit.function.guess:.3g}, 95 % interval {formatting.interval(fit.low, fit.high)} "
        f"({results.headline.name})",
    ]
    if fit.status.name != "CONVERGED":
        lines.append(f"            {fit.status.value}")
    if true is not None:
        where = formatting.inside(fit.low, true, fit.high)
        lines.append(f"true        {formatting.level(true)} {unit} (simulated observers): {where}")
    return lines


def _dprime_lines(condition: "Condition") -> list[str]:
    """Return a line for every level of a condition without a psychometric function."""
    from analysis.report import formatting

    lines = []
    for level, found, true in zip(
        condition.levels, condition.dprimes, condition.true_dprimes, strict=True
    ):
        where = formatting.with_unit(level, condition.unit)
        said = f"d'          {formatting.dprime_text(found)} ({condition.name}, level {where})"
        if condition.task.guess is not None:
            said += f", guess rate {condition.task.guess:.3g}"
        if found is not None and found.rates is not None:
            said += f": {formatting.rates(found)}"
        lines.append(said)
        if true is not None and found is not None:
            inside = formatting.inside(found.low, true, found.high)
            lines.append(f"true        {true:.2f} (simulated observers): {inside}")
    return lines

"""The command ``stimsynth build PLAN.toml``."""

import argparse
import sys
from pathlib import Path

from stimuli_store.errors import MissingExtra

_DESCRIPTION = """\
Synthesize the stimuli of a plan and publish them as one bank, NAME-VERSION.h5.

Finished stimuli are kept one by one under OUT/jobs; after an interruption the same command makes only
the rest. A published version is never overwritten: to change a plan, raise its version.
"""
_EXAMPLE = """\
a plan:
  [bank]
  name = "textures"
  version = "1.0.0"
  license = "CC0-1.0"

  [targets]
  images = ["grass", "my_photo.png"]   # bundled names, or files beside the plan
  size = 256

  [metamer]
  model = "UniformPooling"
  level = "window_px"                  # the argument of the model that varies
  levels = [4, 8, 16, 32]
  seeds = [0, 1]

  [[models]]                           # models whose predictions are stored, for analysis
  label = "onoff"
  model = "OnOff"
  params = { kernel_size = 31, pretrained = true }
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `build` to the parser."""
    parser = subparsers.add_parser(
        "build",
        help="synthesize the stimuli of a plan into a bank",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("plan", type=Path, metavar="PLAN.toml", help="the plan (example below)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the bank goes (default: beside the plan)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build the bank of a plan, print a summary, and return the exit code."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            'building needs torch, which is not installed: pip install "stimsynth[synth]"'
        ) from error
    from stimsynth.banks.build import build
    from stimsynth.banks.plan import prepare, read_plan

    plan = read_plan(arguments.plan)
    work = prepare(plan, beside=arguments.plan.parent)
    sys.stdout.write("".join(f"target {line}\n" for line in work.changes))
    sys.stdout.flush()  # before the long wait
    bank = build(work, arguments.out or arguments.plan.parent)
    metamers = [r for r in bank.records if r.kind != "reference"]
    worst = max(r.certificate.relative_distance for r in metamers)
    unfinished = sum("converged" not in r.certificate.status for r in metamers)
    sys.stdout.write(
        f"{bank.path}\n{bank.pin}\n"
        f"{len(bank.references)} targets, {len(metamers)} metamers, "
        f"{len(bank.predictions)} predictions of {len(bank.model_labels)} models\n"
        f"largest distance of a certified 8-bit frame to its target: {worst:.3%} of the target's output\n"
    )
    if unfinished:
        sys.stdout.write(
            f"{unfinished} of {len(metamers)} syntheses stopped at max_iter before they converged; see the "
            "distances in their certificates\n"
        )
    return 0

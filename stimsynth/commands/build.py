"""``stimsynth build PLAN.toml``."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from stimuli_store.errors import MissingExtra

_DESCRIPTION = """\
Synthesize the stimuli of a plan and publish them as one bank, NAME-VERSION.h5.

Finished batches are kept one by one under OUT/jobs; after any interruption the same command goes on
with the rest. A published version is never overwritten: to change a plan, raise its version.
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

  [models.pool]
  use = "UniformPooling"

  [models.onoff]
  use = "OnOff"
  params = { kernel_size = 31, pretrained = true }

  [[sets]]
  kind = "metamer"
  model = "pool"
  level = { window_px = [4, 8, 16, 32] }   # an argument of the model, and its values
  seeds = [0, 1]

  [predict]                            # whose distances are stored, for analysis
  models = ["onoff", "ssim", "mse"]
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "build",
        help="synthesize the stimuli of a plan into a bank",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("plan", type=Path, metavar="PLAN.toml", help="what to make")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the bank goes (default: beside the plan)"
    )
    parser.add_argument(
        "--device", default="cpu", help="where models run, as torch names it (default: cpu)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build a bank and say where it is."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            'building needs torch, which this machine lacks: pip install "stimsynth[synth]"'
        ) from error
    from stimsynth.banks.build import build

    bank = build(
        arguments.plan,
        arguments.out or arguments.plan.parent,
        device=arguments.device,
        say=lambda sentence: print(sentence, flush=True),  # noqa: T201
    )
    made = [record for members in bank.sets.values() for record in members]
    flagged = [record for record in made if record.flags]
    counts = Counter(record.kind for record in made)
    sys.stdout.write(
        f"{bank.path}\n{bank.pin}\n"
        f"{len(bank.references)} targets, {_counted(counts)}, "
        f"{len(bank.predictions)} predictions of {len(bank.model_labels)} models\n"
    )
    for record in flagged:
        sys.stdout.write(f"{record.name}: {'; '.join(record.flags)}\n")
    return 0


def _counted(counts: "Counter[str]") -> str:
    """Return counts by kind as text.

    Examples
    --------
    >>> _counted(Counter({"metamer": 4, "mad": 8}))
    '4 metamer, 8 mad'
    """
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())

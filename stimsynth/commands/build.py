"""``stimsynth build PLAN.toml``."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from stimuli_store.errors import missing_extra
from stimuli_store.tools.shown import number_of
from stimuli_store.tools.terminal import LinesThatFit, write_lines

_DESCRIPTION = """\
Synthesize the stimuli of a plan and publish them as one bank, NAME-VERSION.h5.

Finished batches are kept under OUT/jobs; after an interruption the same command continues with the rest.
A published version is never overwritten: to change a plan, raise its version.
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
  level = { window_px = [4, 8, 16, 32] }   # an argument of the model
  seeds = [0, 1]

  [predict]                            # whose distances are stored
  models = ["onoff", "ssim", "mse"]
"""


def kinds() -> Iterator[tuple[str, str]]:
    """Yield the kinds of stimuli, and a line on each; read from the files of recipes, which need torch."""
    folder = Path(__file__).parents[1] / "banks" / "recipes"
    for path in sorted(folder.glob("[a-z]*.py")):
        with path.open(encoding="utf-8") as file:
            yield path.stem, file.readline().strip().strip('"').partition(": ")[2]


def _epilog() -> str:
    listed = (f"  {kind:16} {line}\n" for kind, line in kinds())
    return f"kinds of stimuli, and what they are:\n{''.join(listed)}{_EXAMPLE}"


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "build",
        help="synthesize the stimuli of a plan into a bank",
        description=_DESCRIPTION,
        epilog=_epilog(),
        formatter_class=LinesThatFit,
    )
    parser.add_argument("plan", type=Path, metavar="PLAN.toml", help="what to make")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the bank goes (default: beside the plan)"
    )
    parser.add_argument(
        "--device", default="cpu", help="where models run, as torch names it (default: cpu)"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print counts, bytes and the time that it takes at most; write nothing",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build a bank from the arguments, print its place, and return the exit code."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise missing_extra("building needs torch", "synth") from error
    from stimsynth.banks.build import build

    if arguments.dry_run:
        return _dry_run(arguments)
    bank = build(
        arguments.plan,
        arguments.out or arguments.plan.parent,
        device=arguments.device,
        say=lambda sentence: print(sentence, flush=True),  # noqa: T201
    )
    made = [record for members in bank.sets.values() for record in members]
    flags = Counter((record.kind, flag) for record in made for flag in record.flags)
    counts = Counter(record.kind for record in made)
    sys.stdout.write(
        f"{bank.path}\n{bank.pin}\n"
        f"{number_of(len(bank.references), 'target')}, {_counted(counts)}, "
        f"{number_of(len(bank.predictions), 'prediction')} of "
        f"{number_of(len(bank.model_labels), 'model')}\n"
    )
    for (kind, flag), count in flags.items():
        sys.stdout.write(f"{count} {kind}: {flag}\n")
    return 0


def _dry_run(arguments: argparse.Namespace) -> int:
    from stimsynth.banks.build import work_of
    from stimsynth.banks.dry_run import forecast

    work, beside = work_of(arguments.plan, device=arguments.device)
    pixel_bytes = sum(reference.pixels.nbytes for reference in work.references)
    seconds, stimuli = 0.0, 0
    for part in forecast(work, arguments.out or beside):
        done = f", {part.finished} of them finished" if part.finished else ""
        sys.stdout.write(
            f"{part.kind:16} {part.stimuli:6} stimuli  {part.pixel_bytes / 1e6:9.2f} MB  "
            f"at most {_duration(part.seconds)}{done}\n"
        )
        sys.stdout.flush()
        pixel_bytes, seconds = pixel_bytes + part.pixel_bytes, seconds + part.seconds
        stimuli += part.stimuli
    last = (
        f"{number_of(len(work.references), 'target')} and {stimuli} stimuli, "
        f"{pixel_bytes / 1e6:.2f} MB of pixels, "
        f"at most {_duration(seconds)} on {arguments.device}, and then the predictions; nothing was written"
    )
    write_lines([last])
    return 0


def _duration(seconds: float) -> str:
    """Return a time as text.

    Examples
    --------
    >>> _duration(4.2), _duration(300), _duration(9000)
    ('4.2 s', '5.0 min', '2.5 h')
    """
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def _counted(counts: "Counter[str]") -> str:
    """Return counts by kind as text.

    Examples
    --------
    >>> _counted(Counter({"metamer": 4, "mad": 8}))
    '4 metamer, 8 mad'
    """
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())

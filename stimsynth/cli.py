"""``stimsynth …``: finds every package's commands by entry point and runs one of them.

Nothing heavy is imported to parse a command line; a command imports what it needs when it runs.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

from stimuli_store.errors import StimsynthError
from stimuli_store.tools.environment import environment

_GROUP = "stimsynth.commands"
_ORDER = ("demo", "build", "bank", "run", "analyse", "doctor")
_INTERRUPTED = 130
_ROAD = """\
the road from a photograph to a threshold:
  stimsynth build PLAN.toml                          synthesize stimuli into a versioned bank
  stimsynth bank check BANK.h5                       verify every pixel of it
  stimsynth run DESIGN.toml --participant S01        show it, keep every answer
  stimsynth analyse data/ --bank BANK.h5 --out DIR   fit, compare models, write report.html

`stimsynth demo` does all of it once, in a folder of its own, in under three minutes.
Each command explains itself: stimsynth COMMAND --help

exit codes: 0 done; 2 bad input; 3 a bank, 4 a journal, 5 the display, or 6 a missing part stands in
the way; 1 any other error; 128 + N ended by signal N (130: Ctrl-C). After any of them the same command
goes on where it stopped.
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser with the commands of all installed packages."""
    parser = argparse.ArgumentParser(
        prog="stimsynth",
        description=(
            "Psychophysics with synthesized stimuli: make them, show them, compare models with people."
        ),
        epilog=_ROAD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"stimsynth {environment()['stimsynth']}"
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    found = {entry.name: entry for entry in entry_points(group=_GROUP)}
    names = [n for n in _ORDER if n in found] + sorted(set(found) - set(_ORDER))
    for name in names:
        found[name].load()(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0 done; 1 to 6 an error of `stimuli_store.errors`, told in one sentence; 130 interrupted.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `stimsynth bank ls | head` ends quietly
    arguments = make_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except StimsynthError as error:
        sys.stderr.write(f"stimsynth: {error}\n")
        return error.exit_code
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        sys.stderr.write(
            f"stimsynth: the system refused ({error.strerror or error}){where}; what was finished is kept, "
            "and once that is mended the same command goes on\n"
        )
        return 1
    except MemoryError:
        sys.stderr.write(
            "stimsynth: this machine has too little memory for that; nothing was lost\n"
        )
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(
            "stimsynth: interrupted; what was finished is kept, and the same command continues\n"
        )
        return _INTERRUPTED

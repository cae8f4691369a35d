"""The command ``stimsynth``: find the commands of all packages by entry point and run one of them.

Parsing a command line imports no large package; a command imports what it needs when it runs.
"""

import argparse
import io
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import entry_points

from stimsynth.commands.import_folder import register_import
from stimsynth.commands.remake import register_remake
from stimuli_store.errors import StimsynthError
from stimuli_store.tools.command_line import NamesTheNearest
from stimuli_store.tools.environment import environment
from stimuli_store.tools.terminal import LinesThatFit

_GROUP = "stimsynth.commands"
_ORDER = ("new", "demo", "build", "bank", "run", "analyse", "power", "doctor")
_INTERRUPTED = 130
_ROAD = """\
from a photograph to a threshold:
  stimsynth new NAME                  plan, design and notebook of a new study
  stimsynth build PLAN.toml           synthesize stimuli into a versioned bank
  stimsynth bank check BANK.h5        verify every pixel of it
  stimsynth run DESIGN.toml --participant S01
                                      show the stimuli, record every answer
  stimsynth analyse data/ --bank BANK.h5 --out DIR
                                      fit, compare models, write report.html

`stimsynth demo` does all steps once, in a folder of its own, within minutes.
Help on each command: stimsynth COMMAND --help

exit codes: 0 done; 1 other error; 2 wrong input; 3 error of a bank; 4 error
of a journal; 5 error of the display; 6 a package is missing; 128 + N ended by
signal N (130: Ctrl-C). After any of them the same command continues where it
stopped.
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the argument parser with the commands of all installed packages."""
    parser = NamesTheNearest(
        prog="stimsynth",
        description=(
            "Psychophysics with synthesized stimuli: make them, show them, compare models with people."
        ),
        epilog=_ROAD,
        formatter_class=LinesThatFit,
    )
    parser.add_argument(
        "--version", action="version", version=f"stimsynth {environment()['stimsynth']}"
    )
    parser.set_defaults(run=lambda _: parser.print_help())
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    found = {entry.name: entry for entry in entry_points(group=_GROUP)}
    names = [n for n in _ORDER if n in found] + sorted(set(found) - set(_ORDER))
    added = {name: found[name].load()(subparsers) for name in names}
    if "bank" in added:  # the store, which has the command, knows no torch
        register_import(added["bank"])
        register_remake(added["bank"])
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0 done; 1 to 7 an error of `stimuli_store.errors`, printed as one sentence; 130 interrupted.
    """
    with _ended_by_a_closed_pipe():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    _show_what_can_be_shown()
    arguments = make_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except StimsynthError as error:
        sys.stderr.write(f"stimsynth: {error}\n")
        return error.exit_code
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        sys.stderr.write(
            f"stimsynth: error of the operating system ({error.strerror or error}){where}; finished work "
            "is kept, and once this is repaired the same command continues\n"
        )
        return 1
    except MemoryError:
        sys.stderr.write("stimsynth: this machine has too little memory; finished work is kept\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(
            "stimsynth: interrupted; finished work is kept, and the same command continues\n"
        )
        return _INTERRUPTED


@contextmanager
def _ended_by_a_closed_pipe() -> Iterator[None]:
    """Let a block end quietly when nobody reads its output any more, as in ``stimsynth bank ls | head``.

    Whoever calls `main` from Python has the signal's handler of before again: its process must not end.
    """
    if not hasattr(signal, "SIGPIPE"):
        yield
        return
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
    finally:
        with suppress(OSError):  # Python says so when it ends
            sys.stdout.flush()
        signal.signal(signal.SIGPIPE, before)


def _show_what_can_be_shown() -> None:
    """Write characters that a terminal or a file's encoding lacks (∞ in cp1252, say) as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

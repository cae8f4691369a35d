"""``stimsynth bank add | replace | retire``: a new version from an older one."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stimuli_store.bank.reading import Bank

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register_changes(actions: "Subparsers") -> None:
    """Add the actions to the command `bank`."""
    add = actions.add_parser(
        "add", help="make a version with further stimuli", description=_add.__doc__
    )
    _take_bank(add)
    add.add_argument(
        "names", nargs="*", metavar="NAME", help="sets or stimuli of DONOR (default: all)"
    )
    _take_donor(add)
    add.add_argument("--reason", default="", metavar="TEXT", help="kept with the change")
    add.set_defaults(run=_add)
    swap = actions.add_parser(
        "replace",
        help="make a version with other stimuli under the same names",
        description=_replace.__doc__,
    )
    _take_bank(swap)
    swap.add_argument(
        "names", nargs="+", metavar="NAME", help="sets or stimuli that both banks have"
    )
    _take_donor(swap)
    swap.add_argument("--reason", required=True, metavar="TEXT", help="kept with the change")
    swap.set_defaults(run=_replace)
    retire = actions.add_parser(
        "retire", help="make a version without some stimuli", description=_retire.__doc__
    )
    _take_bank(retire)
    retire.add_argument("names", nargs="+", metavar="NAME", help="sets or stimuli")
    retire.add_argument("--reason", required=True, metavar="TEXT", help="kept with the change")
    retire.set_defaults(run=_retire)


def _take_bank(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bank", type=Path, metavar="BANK.h5", help="the older version, which is not changed"
    )
    parser.add_argument("--version", required=True, metavar="X.Y.Z", help="of the new bank")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where the new version goes (default: beside the old)",
    )


def _take_donor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="donor",
        type=Path,
        required=True,
        metavar="DONOR.h5",
        help="another bank, or a finished batch under jobs/",
    )


def _add(arguments: argparse.Namespace) -> int:
    """Make a new version of a bank with further stimuli from another bank."""
    from stimuli_store.bank.lineage import add_stimuli

    return _with_donor(arguments, add_stimuli)


def _replace(arguments: argparse.Namespace) -> int:
    """Make a new version of a bank in which stimuli of another bank replace those with the same names."""
    from stimuli_store.bank.lineage import replace_stimuli

    return _with_donor(arguments, replace_stimuli)


def _with_donor(arguments: argparse.Namespace, change: "Callable[..., Bank]") -> int:
    from stimuli_store.bank.lineage import open_donor
    from stimuli_store.bank.reading import open_bank

    with closing(open_bank(arguments.bank)) as bank, closing(open_donor(arguments.donor)) as donor:
        made = change(
            bank,
            donor,
            arguments.version,
            names=arguments.names,
            reason=arguments.reason,
            directory=arguments.out,
        )
    return _told(made)


def _retire(arguments: argparse.Namespace) -> int:
    """Make a new version of a bank without some of its stimuli; all others are carried over."""
    from stimuli_store.bank.lineage import retire_stimuli
    from stimuli_store.bank.reading import open_bank

    with closing(open_bank(arguments.bank)) as bank:
        made = retire_stimuli(
            bank,
            arguments.version,
            names=arguments.names,
            reason=arguments.reason,
            directory=arguments.out,
        )
    return _told(made)


def _told(made: "Bank") -> int:
    made.close()
    sys.stdout.write(f"{made.path}\n{made.pin}\n" + "".join(f"{c}\n" for c in made.header.changes))
    return 0

"""The command ``stimsynth bank`` with the actions that look at a bank: ls, info, check and diff."""

import argparse
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli_store.commands.changes import register_changes
from stimuli_store.commands.exchange import register_exchange
from stimuli_store.errors import BankError, InputError
from stimuli_store.tools.command_line import NamesTheNearest
from stimuli_store.tools.terminal import write_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stimuli_store.bank.reading import Bank
    from stimuli_store.records.stimulus import StimulusRecord

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


class _AnyOrder(NamesTheNearest):
    """A parser that takes names before, between and after options."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # argparse has a method for this, but parsers of actions do not use it, and it calls this one.
        plain = NamesTheNearest(
            self.prog, description=self.description, parents=[self], add_help=False
        )
        return plain.parse_known_intermixed_args(args, namespace)


def register(subparsers: "Subparsers") -> "Subparsers":
    """Add the command `bank` to the parser, and return its subparsers for further actions."""
    parser = subparsers.add_parser(
        "bank",
        help="list, verify, compare, change and export banks",
        description="List, verify, compare, change and export stimulus banks.",
    )
    in_any_order: type[argparse.ArgumentParser] = _AnyOrder
    actions = parser.add_subparsers(title="actions", metavar="ACTION", parser_class=in_any_order)
    parser.set_defaults(run=lambda _: parser.print_help())
    ls = actions.add_parser("ls", help="list the banks in a folder", description=_list.__doc__)
    ls.add_argument("folder", type=Path, nargs="?", default=Path(), help="default: here")
    ls.set_defaults(run=_list)
    info = actions.add_parser("info", help="describe a bank", description=_info.__doc__)
    info.add_argument("bank", type=Path, metavar="BANK.h5")
    info.add_argument("--json", action="store_true", help="header and records as JSON")
    info.set_defaults(run=_info)
    check = actions.add_parser("check", help="verify banks", description=_check.__doc__)
    check.add_argument("banks", type=Path, nargs="+", metavar="BANK.h5")
    check.add_argument("--pin", help="name@version#hash that the bank must be")
    check.set_defaults(run=_check)
    diff = actions.add_parser("diff", help="compare two banks", description=_diff.__doc__)
    diff.add_argument("old", type=Path, metavar="OLD.h5")
    diff.add_argument("new", type=Path, metavar="NEW.h5")
    diff.set_defaults(run=_diff)
    register_changes(actions)
    register_exchange(actions)
    return actions


def _list(arguments: argparse.Namespace) -> int:
    """List the banks in a folder with their pins; files that cannot be read as banks are named too."""
    from stimuli_store.bank.reading import open_bank

    if not arguments.folder.is_dir():
        hint = "; `stimsynth bank info` describes a bank" if arguments.folder.is_file() else ""
        raise InputError(f"there is no folder {arguments.folder}{hint}")
    # Hidden files are other programs': macOS puts one beside each bank on other systems' disks.
    paths = [p for p in sorted(arguments.folder.glob("*.h5")) if not p.name.startswith(".")]
    widest = max((len(path.name) for path in paths), default=0)
    for path in paths:
        try:
            bank = open_bank(path, verify=False)
        except BankError as error:
            write_lines([f"{path.name:{widest}}  unreadable: {error}"])
            continue
        write_lines([f"{path.name:{widest}}  {bank.pin}  {len(bank.records)} stimuli"])
    if not paths:
        sys.stdout.write(f"no banks in {arguments.folder.resolve()}\n")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    """Print a description of a bank: its pin, targets, sets with certified distances, and models."""
    from stimuli_store.bank.reading import open_bank
    from stimuli_store.records.convert import to_json

    bank = open_bank(arguments.bank)
    if arguments.json:
        value = {"header": to_json(bank.header), "records": to_json(bank.records)}
        sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
        return 0
    write_lines(_description(bank))
    return 0


def _description(bank: "Bank") -> list[str]:
    header = bank.header
    kinds = [members[0].kind for members in bank.sets.values()]
    wide = max(map(len, bank.sets), default=3), max(map(len, kinds), default=4)
    lines = [
        f"pin       {bank.pin}",
        f"version   {bank.version_id}",
        f"license   {header.license}",
        f"values    {header.colour.space}, {header.colour.transfer} transfer, 0 to 1{_scale(header.ppd)}",
        f"targets   {', '.join(r.name for r in bank.references.values())}",
        f"models    {', '.join(bank.model_labels)} ({len(bank.predictions)} predictions)",
        "",
        f"{'set':{wide[0]}}  {'kind':{wide[1]}}  members  certified on the 8-bit frames",
    ]
    for (label, members), kind in zip(bank.sets.items(), kinds, strict=True):
        line = f"{label:{wide[0]}}  {kind:{wide[1]}}  {len(members):7}  {_figures(members)}"
        lines.append(line)
    return lines


def _scale(ppd: float | None) -> str:
    return "" if ppd is None else f", {ppd:g} pixels per degree"


def _figures(members: "Sequence[StimulusRecord]") -> str:
    """Return the range over a set of each figure of its certificates, as text."""
    values: dict[str, list[float]] = {}
    for member in members:
        for name, value in member.certificate.figures.items():
            values.setdefault(name.replace("_", " "), []).append(value)
    shown = []
    for name, numbers in values.items():
        low, high = f"{min(numbers):.3g}", f"{max(numbers):.3g}"
        shown.append(f"{name} {low}" if low == high else f"{name} {low} to {high}")
    return ", ".join(shown)


def _check(arguments: argparse.Namespace) -> int:
    """Check banks: structure, manifest, every image, and the agreement of records with pixels."""
    from stimuli_store.bank.pixel_checks import check_pixels
    from stimuli_store.bank.reading import open_bank

    for path in arguments.banks:
        bank = open_bank(path, arguments.pin)
        check_pixels(bank.records, bank.pixels)
        sys.stdout.write(f"{path}: {bank.pin} is sound ({len(bank.records)} stimuli)\n")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    """Compare two banks by stimulus and field: added (+), removed (-) and changed (~)."""
    from stimuli_store.bank.diff import diff_banks
    from stimuli_store.bank.reading import open_bank

    with closing(open_bank(arguments.old)) as old, closing(open_bank(arguments.new)) as new:
        write_lines([f"{old.pin} -> {new.pin}", *diff_banks(old, new).lines()])
    return 0

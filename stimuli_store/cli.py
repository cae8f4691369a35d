"""The commands ``stimsynth bank ls | info | check``."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli_store.errors import BankError, InputError

if TYPE_CHECKING:
    from stimuli_store.bank.reading import Bank


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `bank` to the parser."""
    parser = subparsers.add_parser(
        "bank",
        help="list, describe and verify banks",
        description="List, describe and verify stimulus banks.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
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


def _list(arguments: argparse.Namespace) -> int:
    """List the banks in a folder with their pins; files that cannot be read as banks are named too."""
    from stimuli_store.bank.reading import open_bank

    if not arguments.folder.is_dir():
        raise InputError(f"there is no folder {arguments.folder}")
    # Hidden files are other programs': macOS puts one beside each bank on other systems' disks.
    paths = [p for p in sorted(arguments.folder.glob("*.h5")) if not p.name.startswith(".")]
    for path in paths:
        try:
            bank = open_bank(path, verify=False)
        except BankError as error:
            sys.stdout.write(f"{path.name:32} unreadable: {error}\n")
            continue
        sys.stdout.write(f"{path.name:32} {bank.pin:44} {len(bank.records):6} stimuli\n")
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
    sys.stdout.write("\n".join(_description(bank)) + "\n")
    return 0


def _description(bank: "Bank") -> list[str]:
    header = bank.header
    lines = [
        f"pin       {bank.pin}",
        f"version   {bank.version_id}",
        f"license   {header.license}",
        f"values    {header.colour.space}, {header.colour.transfer} transfer, 0 to 1",
        f"targets   {', '.join(r.name for r in bank.references.values())}",
        f"models    {', '.join(bank.model_labels)} ({len(bank.predictions)} predictions)",
        "",
        f"{'set':36} {'members':>7}  certified distance of the 8-bit frame, relative to the target's output",
    ]
    for label, members in bank.sets.items():
        distances = ", ".join(f"{m.certificate.relative_distance:.3%}" for m in members)
        lines.append(f"{label:36} {len(members):7}  {distances}")
    return lines


def _check(arguments: argparse.Namespace) -> int:
    """Check banks: structure, manifest, and the hash of every image and of every certified frame."""
    from stimuli_store.bank.reading import open_bank

    for path in arguments.banks:
        bank = open_bank(path, arguments.pin)
        for record in bank.records:
            bank.frame(record.sha256)
        sys.stdout.write(f"{path}: {bank.pin} is sound ({len(bank.records)} stimuli)\n")
    return 0

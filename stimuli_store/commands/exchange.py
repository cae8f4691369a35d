"""``stimsynth bank export | contact-sheet``: stimuli of a bank as files."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def register_exchange(actions: "Subparsers") -> None:
    """Add the actions to the command `bank`."""
    export = actions.add_parser(
        "export", help="write the stimuli as image files", description=_export.__doc__
    )
    export.add_argument("bank", type=Path, metavar="BANK.h5")
    export.add_argument("folder", type=Path, metavar="FOLDER")
    form = export.add_mutually_exclusive_group(required=True)
    for name, text in (
        ("png8", "the certified frames"),
        ("png16", "the master pixels, clipped to [0, 1], with 16 bits"),
        ("tiff", "the master pixels as they are, float32"),
    ):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=text)
    export.set_defaults(run=_export)
    sheet = actions.add_parser(
        "contact-sheet", help="draw all stimuli on one sheet", description=_sheet.__doc__
    )
    sheet.add_argument("bank", type=Path, metavar="BANK.h5")
    sheet.add_argument("out", type=Path, metavar="OUT.png")
    sheet.add_argument(
        "sets", nargs="*", default=[], metavar="SET", help="sets to show (default: all)"
    )
    sheet.set_defaults(run=_sheet)


def _export(arguments: argparse.Namespace) -> int:
    """Write the stimuli of a bank into a folder as files, with a table stimuli.tsv of their records."""
    from stimuli_store.bank.reading import open_bank
    from stimuli_store.pictures.export import export_bank

    with closing(open_bank(arguments.bank)) as bank:
        paths = export_bank(bank, arguments.folder, arguments.form)
    sys.stdout.write(f"{len(paths)} files and stimuli.tsv in {arguments.folder}\n")
    return 0


def _sheet(arguments: argparse.Namespace) -> int:
    """Draw the frames of a bank on one sheet: a row for each set, targets first, members by level."""
    from stimuli_store.bank.reading import open_bank
    from stimuli_store.disk.atomic import write_atomically
    from stimuli_store.pictures.contact_sheet import contact_sheet
    from stimuli_store.pictures.encoding import png_bytes

    with closing(open_bank(arguments.bank)) as bank:
        sheet = contact_sheet(bank, arguments.sets)
    write_atomically(arguments.out, png_bytes(sheet))
    sys.stdout.write(f"{arguments.out}\n")
    return 0

"""``stimsynth bank import``: pictures from elsewhere as a bank."""

import argparse
import sys
from pathlib import Path

from stimuli_store.errors import InputError, missing_extra

_DESCRIPTION = """\
Publish the image files of a folder as a bank, one set of pictures from elsewhere. Each record names its file
and the SHA-256 of its bytes. What a file holds beyond 8 bits, colours and profiles is read as in a plan.
"""


def register_import(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action to the command `bank`."""
    parser = actions.add_parser(
        "import", help="make a bank of the pictures in a folder", description=_DESCRIPTION
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--name", required=True, help="of the bank")
    parser.add_argument("--license", required=True, help="of the pictures and the bank")
    parser.add_argument("--version", default="1.0.0", metavar="X.Y.Z", help="default: 1.0.0")
    parser.add_argument("--set", default="external", metavar="LABEL", help="default: external")
    parser.add_argument("--size", type=int, help="side of the square that pictures are brought to")
    parser.add_argument(
        "--colour", default="any", choices=("any", "gray", "rgb"), help="default: as in the files"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="where the bank goes (default: here)",
    )
    parser.set_defaults(run=run_import)


def run_import(arguments: argparse.Namespace) -> int:
    """Publish the pictures of a folder as a bank."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise missing_extra("importing needs torch", "synth") from error
    from stimsynth.banks.build import build_work, work_of
    from stimsynth.banks.jobs import remove_jobs

    if not arguments.folder.is_dir():
        raise InputError(f"there is no folder {arguments.folder}")
    settings = {"size": arguments.size} if arguments.size is not None else {}
    pictures = {
        "kind": "external",
        "name": arguments.set,
        "files": str(arguments.folder.resolve()),
        "license": arguments.license,
        "colour": arguments.colour,
        **settings,
    }
    names = {key: getattr(arguments, key) for key in ("name", "version", "license")}
    work, _ = work_of({"bank": names, "targets": {"images": []}, "sets": [pictures]})
    bank = build_work(work, arguments.out)
    bank.close()
    remove_jobs(arguments.out / "jobs", work)  # the pictures lie in FOLDER already
    sys.stdout.write(f"{bank.path}\n{bank.pin}\n{len(bank.records)} pictures\n")
    return 0

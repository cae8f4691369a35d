"""``stimsynth bank remake``: stimuli made again from their records."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli_store.errors import missing_extra
from stimuli_store.tools.terminal import LinesThatFit

if TYPE_CHECKING:
    from stimsynth.banks.remake import Remade

_DESCRIPTION = """\
Make stimuli again from the records of a bank, in the same batches and with the same number of threads, and
compare them. On the same machine the pixels are equal. On another machine figures should agree within a
factor of two, and the held value of a MAD image within 1e-4, and gates should be passed again. The exit code
is 1 if one of these does not hold.

Your own models, weights and picture files must be given, and must have the recorded hashes.
"""


def register_remake(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action to the command `bank`."""
    parser = actions.add_parser(
        "remake",
        help="make stimuli again from their records, and compare",
        description=_DESCRIPTION,
        formatter_class=LinesThatFit,
    )
    parser.add_argument("bank", type=Path, metavar="BANK.h5")
    parser.add_argument(
        "--stimulus",
        action="append",
        default=[],
        metavar="NAME",
        help="a set or stimulus (default: all)",
    )
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FILE",
        help="file with the code of your own models, or the plan's folder",
    )
    parser.add_argument(
        "--files", type=Path, metavar="FOLDER", help="external pictures and files of weights"
    )
    parser.add_argument("--device", help="where models run (default: as recorded)")
    parser.set_defaults(run=run_remake)


def run_remake(arguments: argparse.Namespace) -> int:
    """Make stimuli again from a bank's records, and print the comparisons."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise missing_extra("making stimuli again needs torch", "synth") from error
    from stimsynth.banks.code_identity import code_of_this_package
    from stimsynth.banks.remake import remake
    from stimuli_store.bank.reading import open_bank

    ours = code_of_this_package()["source_sha256"]
    same, faulty, total = 0, 0, 0
    with closing(open_bank(arguments.bank)) as bank:
        codes = {r.spec.code["source_sha256"] for r in bank.records if r.spec}
        if codes != {ours}:
            sys.stdout.write(f"{bank.pin} was made, at least in part, by other code of stimsynth\n")
        for one in remake(
            bank,
            arguments.stimulus,
            place=arguments.models,
            files=arguments.files,
            device=arguments.device,
        ):
            sys.stdout.write(_line(one))
            sys.stdout.flush()
            total, same, faulty = total + 1, same + one.same_pixels, faulty + bool(one.faults)
    sys.stdout.write(
        f"{total} stimuli made again: {same} with the same pixels, {faulty} out of bounds\n"
    )
    return 1 if faulty else 0


def _line(one: "Remade") -> str:
    if one.same_pixels and not one.faults:
        return f"{one.name}: same pixels\n"
    figures = ", ".join(f"{name} {new:.4g} ({old:.4g})" for name, (old, new) in one.figures.items())
    verdict = "; ".join(one.faults) or "within bounds"
    return f"{one.name}: other pixels; {figures}; {verdict}\n"

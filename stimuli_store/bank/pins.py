"""Pins of a bank that was built, written into the designs that wait for one."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from stimuli_store.bank.reading import Bank
from stimuli_store.disk.atomic import write_atomically

_EMPTY_PIN = re.compile(r"""^(\s*pin\s*=\s*)(""|'')""", re.MULTILINE)


def fill_pins(folder: str | os.PathLike[str], bank: Bank) -> tuple[Path, ...]:
    """Write the pin of a bank into all designs of a folder that name its file with an empty pin.

    A pin that is there is never changed: it says which bank the answers are about.

    Returns
    -------
    tuple of Path
        The designs that were filled in.
    """
    filled = tuple(_waiting(Path(folder), bank))
    for path, text in filled:
        write_atomically(path, text.encode())
    return tuple(path for path, _ in filled)


def _waiting(folder: Path, bank: Bank) -> Iterator[tuple[Path, str]]:
    """Yield each design that waits for the pin, with its text once it is filled in."""
    for path in sorted(folder.glob("*.toml")):
        try:
            text = path.read_bytes().decode()
            named = tomllib.loads(text)["bank"]
            waits = named["pin"] == "" and (folder / named["path"]).samefile(bank.path)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a plan, or another file that is no design
        if waits:
            yield path, _EMPTY_PIN.sub(rf'\g<1>"{bank.pin}"', text, count=1)

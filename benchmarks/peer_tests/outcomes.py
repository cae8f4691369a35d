"""Outcomes of tests in a file to which each process adds lines; the last line of a test counts."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

#: A kind (passed, differs, …) and the error.
Outcome = tuple[str, str]
#: The kind of a test in which its process ended, and of one that runs.
ENDED = "ended"


def add(file: Path, test: str, outcome: Outcome) -> None:
    """Add an outcome by one write, so that lines of several processes do not mix."""
    line = json.dumps([test, *outcome]) + "\n"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "wb", buffering=0) as to:
        to.write(line.encode())


def read(file: Path) -> dict[str, Outcome]:
    """Return the outcomes by test; none if there is no file."""
    if not file.exists():
        return {}
    whole = file.read_text().rpartition("\n")[0]  # a kill can leave half a line
    rows = [json.loads(line) for line in whole.splitlines()]
    return {test: (kind, error) for test, kind, error in rows}


def write(file: Path, outcomes: Mapping[str, Outcome]) -> None:
    """Write all outcomes in the place of those in a file."""
    rows = [json.dumps([test, *outcome]) + "\n" for test, outcome in outcomes.items()]
    part = file.with_name(file.name + ".tmp")
    part.write_text("".join(rows))
    part.replace(file)

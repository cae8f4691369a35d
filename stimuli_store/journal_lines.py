"""Lines of a journal: read one after the other, each checked by the checksum that chains it to the last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from stimuli_store.errors import InputError, JournalError
from stimuli_store.records.canonical import canonical_json, sha256

MAX_EVENT_BYTES = 2**20
_START = "0" * 16


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of a journal: the name of the event and its content as JSON values."""

    event: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of a journal that count, and how many bytes do not.

    Attributes
    ----------
    events
        One for every whole line.
    total
        Checksum of the last one.
    counted, uncounted
        Number of bytes of whole lines, and of bytes after them.
    unended
        Whether the last whole line lacks its newline.
    """

    events: tuple[Event, ...]
    total: str
    counted: int
    uncounted: int
    unended: bool


def read_lines(handle: Any, path: Path) -> Lines:
    """Return the lines of an open journal; `path` is used in error messages.

    Raises
    ------
    JournalError
        If a line that is not the last, or one that ends with a newline, is not what was written.
    """
    events: list[Event] = []
    total, counted = _START, 0
    stream: BinaryIO = handle
    while line := _next(stream):
        ended = line.endswith(b"\n")
        found = _parsed(line.removesuffix(b"\n"), total, len(events))
        if found is None:
            left = stream.read()
            if ended or left:
                raise JournalError(
                    f"{path} is damaged at line {len(events) + 1}: the line is not the one that was "
                    "written; restore the file from a copy, or keep it and start a session under another "
                    "number"
                )
            return Lines(
                events=tuple(events),
                total=total,
                counted=counted,
                uncounted=len(line),
                unended=False,
            )
        event, total = found
        events.append(event)
        counted += len(line)
        if not ended:
            return Lines(
                events=tuple(events), total=total, counted=counted, uncounted=0, unended=True
            )
    return Lines(events=tuple(events), total=total, counted=counted, uncounted=0, unended=False)


def chained(before: str, row: Mapping[str, Any]) -> str:
    """Return the checksum of a row, chained to the checksum of the line before."""
    return sha256(before.encode() + canonical_json(row))[:16]


def _next(stream: BinaryIO) -> bytes:
    """Return the next line with its newline, at most one byte more than a line may have."""
    line = b""
    while len(line) <= MAX_EVENT_BYTES:
        more = stream.readline(MAX_EVENT_BYTES + 1 - len(line))
        line += more
        if not more or more.endswith(b"\n"):
            break
    return line


def _parsed(line: bytes, before: str, number: int) -> tuple[Event, str] | None:
    """Return the event of a line and its checksum, or None if a byte of it differs from the written line."""
    if len(line) >= MAX_EVENT_BYTES:
        return None
    try:
        row = json.loads(line)
        if canonical_json(row) != line:  # also finds a key that comes twice
            return None
        stated = row.pop("sum")
        total = chained(before, row)
        event = Event(event=row["event"], body=row["body"])
        intact = stated == total and row["n"] == number and len(row) == 3
    except (InputError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return (event, total) if intact else None

"""Session journals: one JSON line per event, on the disk before the next trial begins.

A journal is only appended to. Each line carries a checksum of itself and of the checksum of the line
before it, so an altered, lost or reordered line is found. (This detects accidents, not somebody who
computes new checksums; and if lines are missing at the very end, the session seems to have stopped there.)
A process killed during a write leaves at most an incomplete last line, which belongs to a trial that had
not finished; when the session is continued, this line is moved to a file beside the journal.

Line format (stimjournal/1): canonical JSON of ``{"event": …, "n": line number, "body": …, "sum": …}``, with
``sum`` the first 16 digits of SHA-256 over the previous line's ``sum`` and the line without its own.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from stimuli_store.disk.atomic import fsync_directory
from stimuli_store.disk.locks import lock_exclusively
from stimuli_store.errors import JournalError
from stimuli_store.records.canonical import canonical_json, sha256
from stimuli_store.records.convert import from_json, to_json
from stimuli_store.records.trials import SessionHeader, TrialRecord

_START = "0" * 16


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of a journal."""

    event: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Session:
    """The content of a journal: its header, the finished trials in order, and the reason it ended.

    `ended` is the reason of the last end event (``"completed"``, ``"escape"``, …) or None if the
    session is unfinished or was killed.
    """

    header: SessionHeader
    records: tuple[TrialRecord, ...]
    events: tuple[Event, ...]
    ended: str | None

    @property
    def booths(self) -> tuple[Mapping[str, Any], ...]:
        """Descriptions of the booth (frames, times, keys), one for every sitting in order."""
        resumed = (e.body.get("booth") for e in self.events if e.event == "resumed")
        return (self.header.booth, *(booth for booth in resumed if booth is not None))


class Journal:
    """An open journal, locked for this process. Use it as a context manager.

    Parameters
    ----------
    path
        The file; made (with its folders) if it is not there.

    Raises
    ------
    JournalError
        If another process is writing this journal, or a line in its middle is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self.path.exists()
        self._handle: IO[bytes] = self.path.open("a+b")
        try:
            self._take_over(fresh)
        except BaseException:
            self._handle.close()
            raise

    def _take_over(self, fresh: bool) -> None:
        if not lock_exclusively(self._handle):
            raise JournalError(
                f"{self.path} is being written by another running session; end that one first"
            )
        if fresh:
            fsync_directory(self.path.parent)
        self._handle.seek(0)
        data = self._handle.read()
        self.events, self._sum, good = _parse(data, self.path)
        if good < len(
            data
        ):  # nothing is thrown away: the torn bytes go to a file beside the journal
            with self.path.with_name(self.path.name + ".torn").open("ab") as torn:
                torn.write(data[good:] + b"\n")
            self._handle.truncate(good)

    def append(self, event: str, body: Any) -> None:
        """Write one event and wait until it is on the disk."""
        row = {"event": event, "n": len(self.events), "body": to_json(body)}
        total = _sum(self._sum, row)
        self._handle.write(canonical_json({**row, "sum": total}) + b"\n")
        self._handle.flush()
        os.fsync(self._handle.fileno())
        self._sum = total
        self.events.append(Event(event=event, body=row["body"]))

    def close(self) -> None:
        """Close the file and drop the lock."""
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read_session(path: str | os.PathLike[str]) -> Session:
    """Return the session in a journal file; an incomplete last line is ignored.

    Raises
    ------
    JournalError
        If the file is missing, empty, or damaged before its end.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error
    events, _, _ = _parse(data, path)
    return session_of(events, path)


def session_of(events: list[Event], path: Path) -> Session:
    """Return a list of events as a session; `path` is used in error messages (see `read_session`)."""
    if not events or events[0].event != "header":
        raise JournalError(f"{path} holds no session: its first line is not a header")
    ends = [e.body.get("reason") for e in events if e.event in ("end", "resumed")]
    return Session(
        header=from_json(SessionHeader, events[0].body, "the journal's header"),
        records=tuple(
            from_json(TrialRecord, e.body, "a journal's trial")
            for e in events
            if e.event == "trial"
        ),
        events=tuple(events),
        ended=ends[-1] if ends else None,
    )


def _parse(data: bytes, path: Path) -> tuple[list[Event], str, int]:
    """Return the events of a journal's bytes, the checksum of the last line, and the number of good bytes."""
    events: list[Event] = []
    total, good = _START, 0
    for number, line in enumerate(data.split(b"\n")[:-1]):  # after the last newline: torn, or empty
        try:
            row = json.loads(line)
            stated = row.pop("sum")
            total = _sum(total, row)
            event = Event(event=row["event"], body=row["body"])
            intact = stated == total and row["n"] == number
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            intact = False
        if not intact:
            raise JournalError(
                f"{path} is damaged at line {number + 1}: the checksum of the line is wrong; restore "
                "the file from a copy, or keep it and start a session under another number"
            )
        events.append(event)
        good += len(line) + 1
    return events, total, good


def _sum(before: str, row: Mapping[str, Any]) -> str:
    return sha256(before.encode() + canonical_json(row))[:16]

"""Session journals: one JSON line per event, on the disk before the next trial begins.

A journal is only appended to. Each line carries a checksum of itself and of the checksum of the line
before it, so an altered, lost or reordered line is found. (This detects accidents, not somebody who
computes new checksums; and if lines are missing at the very end, the session seems to have stopped there.)
A process killed during a write leaves at most an incomplete last line, which belongs to an event that did
not happen; when the session is continued, this line is moved to a file beside the journal. A last line that
is whole and only lacks its newline counts.

Line format (stimjournal/1): canonical JSON of ``{"event": …, "n": line number, "body": …, "sum": …}``, with
``sum`` the first 16 digits of SHA-256 over the previous line's ``sum`` and the line without its own.
docs/formats/stimjournal-1.md describes the events and their bodies. A line has at most 1 MiB.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stimuli_store.disk.atomic import fsync_directory
from stimuli_store.disk.locks import lock_exclusively
from stimuli_store.disk.sorts import JOURNAL, TABLE, sort_of_file
from stimuli_store.errors import InputError, JournalError
from stimuli_store.journal_lines import MAX_EVENT_BYTES, Event, Lines, chained, read_lines
from stimuli_store.records.canonical import canonical_json
from stimuli_store.records.convert import from_json, to_json
from stimuli_store.session_events import TYPES, Session, gaze_at_nothing, session_of

__all__ = ["Event", "Journal", "Session", "has_begun", "read_session", "session_of"]


class Journal:
    """An open journal, locked for this process. Use it as a context manager.

    Parameters
    ----------
    path
        The file; made (with its folders) if it is not there.

    Attributes
    ----------
    events
        All events that count, in order.

    Raises
    ------
    JournalError
        If another process is writing this journal, or a line in its middle is damaged.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import find_journals
    >>> with Journal(find_journals("data")[0]) as journal:
    ...     print(journal.session.header.participant)
    S01
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self.path.exists()
        self._handle = self.path.open("a+b", buffering=0)
        self._sound = True
        try:
            self._take_over(fresh)
        except BaseException:
            self._handle.close()
            raise

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r}, {len(self.events)} events)"

    def _take_over(self, fresh: bool) -> None:
        if not lock_exclusively(self._handle):
            raise JournalError(
                f"{self.path} is being written by another running session; end that one first"
            )
        if fresh:
            fsync_directory(self.path.parent)
        lines = _lines_of(self.path)
        self.events = list(lines.events)
        self._total, self._newline = lines.total, lines.unended
        if lines.uncounted:  # nothing is thrown away: these bytes go to a file beside the journal
            self._handle.seek(lines.counted)
            rest = self._handle.read(lines.uncounted)
            with self.path.with_name(self.path.name + ".torn").open("ab") as torn:
                torn.write(rest + b"\n")
            self._handle.truncate(lines.counted)

    def append(self, event: str, body: Any) -> None:
        """Write one event and wait until it is on the disk.

        Raises
        ------
        JournalError
            If an earlier write failed: nothing may follow a line that may be incomplete.
        InputError
            If the body is not one of this event, is gaze during a trial that was not begun, or makes a line
            of more than 1 MiB.
        """
        if not self._sound:
            raise JournalError(
                f"a write to {self.path} failed, so nothing is added to it; continue the session once the "
                "disk is well"
            )
        row = {"event": event, "n": len(self.events), "body": _body(event, body)}
        total = chained(self._total, row)
        line = canonical_json({**row, "sum": total}) + b"\n"
        if len(line) > MAX_EVENT_BYTES:
            raise InputError(
                f"an event {event!r} of {len(line)} bytes does not fit into a line of a journal, which has "
                f"at most {MAX_EVENT_BYTES}"
            )
        added = Event(event=event, body=row["body"])
        if event == "gaze" and (fault := next(gaze_at_nothing([*self.events, added]), None)):
            raise InputError(f"this cannot be added to {self.path}: {fault}")
        self._sound = False
        _write_all(self._handle.fileno(), b"\n" + line if self._newline else line)
        os.fsync(self._handle.fileno())
        self._sound = True
        self._total, self._newline = total, False
        self.events.append(added)

    @property
    def sound(self) -> bool:
        """True if every write succeeded, so that more may be appended."""
        return self._sound

    @property
    def session(self) -> Session:
        """The session that the events so far make."""
        return session_of(self.events, self.path)

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
    """Return the session in a journal file; an incomplete last line does not count, but is reported.

    Parameters
    ----------
    path
        The journal, as ``sub-S01_ses-01_task-abx_run-1_beh.jsonl``.

    Raises
    ------
    JournalError
        If the file is missing, empty, damaged before its end, of another format, or holds trials twice or
        out of order.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import find_journals
    >>> session = read_session(find_journals("data")[0])
    >>> session.header.participant, len(session.records)
    ('S01', 64)
    """
    path = Path(path)
    sort = sort_of_file(path)
    if sort not in (None, JOURNAL):
        hint = "; read it with read_trials" if sort == TABLE else ""
        raise JournalError(f"{path} is {sort}, not a session journal{hint}")
    lines = _lines_of(path)
    return session_of(lines.events, path, uncounted_bytes=lines.uncounted)


def has_begun(path: str | os.PathLike[str]) -> bool:
    """Return whether a journal is there and holds at least one whole line.

    Raises
    ------
    JournalError
        If it cannot be read, or is damaged.
    """
    path = Path(path)
    return path.exists() and bool(_lines_of(path).events)


def _lines_of(path: Path) -> Lines:
    try:
        with path.open("rb") as handle:
            return read_lines(handle, path)
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error


def _body(event: str, body: Any) -> Any:
    value = to_json(body)
    if event not in TYPES:
        raise InputError(f"a journal has the events {', '.join(TYPES)}; not {event!r}")
    if not isinstance(body, TYPES[event]):
        from_json(TYPES[event], value, f"a journal's {event}")
    return value


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]

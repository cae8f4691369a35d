"""The session that a journal's events make: header, trials, sittings, and trials that were broken off."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from stimuli_store.errors import InputError, JournalError
from stimuli_store.journal_lines import Event
from stimuli_store.records.convert import from_json
from stimuli_store.records.events import Began, End, Gaze, Page, Resumed
from stimuli_store.records.trials import SessionHeader, TrialRecord
from stimuli_store.tools.shown import FactSheet

JOURNAL_FORMAT = "stimjournal/1"
#: The events and the records that are their bodies.
TYPES: Mapping[str, type] = {
    "header": SessionHeader,
    "began": Began,
    "trial": TrialRecord,
    "display_mismatch": TrialRecord,
    "page": Page,
    "gaze": Gaze,
    "end": End,
    "resumed": Resumed,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Session(FactSheet):
    """The content of a journal: its header, the finished trials in order, and the reason it ended.

    Attributes
    ----------
    header
        The first line.
    records
        Finished trials, in the order in which they were shown.
    events
        All lines.
    ended
        Reason of the last end event (``"completed"``, ``"escape"``, …), or None if the session is
        unfinished or was killed.
    broken_off
        Index and attempt of every trial that was begun and not finished.
    pages
        The pages of text that were read.
    gaze
        Samples of gaze, or the files that hold them, in the order in which they were written.
    sittings
        The begin of every sitting after the first.
    uncounted_bytes
        Number of bytes at the end of the file that are no whole line.
    """

    header: SessionHeader
    records: tuple[TrialRecord, ...]
    events: tuple[Event, ...]
    ended: str | None
    broken_off: tuple[tuple[int, int], ...] = ()
    pages: tuple[Page, ...] = ()
    gaze: tuple[Gaze, ...] = ()
    sittings: tuple[Resumed, ...] = ()
    uncounted_bytes: int = 0

    def _facts(self) -> list[tuple[str, object]]:
        done = len({record.trial.index for record in self.records})
        right = [record.correct for record in self.records if record.response is not None]
        flags = Counter(flag for record in self.records for flag in record.flags)
        return [
            ("participant", self.header.participant),
            ("session", self.header.session),
            ("task", self.header.task.name),
            ("trials", f"{done} of {self.header.n_trials}"),
            ("correct", f"{sum(right) / len(right):.0%}" if right else ""),
            ("ended", self.ended or "unfinished"),
            ("flags", ", ".join(f"{number} {flag}" for flag, number in flags.items())),
            ("simulated", (self.header.observer or {}).get("model", "")),
            ("bank", self.header.pin),
            ("begun", self.header.created),
        ]

    @property
    def booths(self) -> tuple[Mapping[str, Any], ...]:
        """Descriptions of the booth (frames, times, keys), one for every sitting in order."""
        return (self.header.booth, *(sitting.booth for sitting in self.sittings))


def session_of(events: Sequence[Event], path: Path, *, uncounted_bytes: int = 0) -> Session:
    """Return a list of events as a session; `path` is used in error messages.

    Raises
    ------
    JournalError
        If the first event is no header, the format is another, an event is unknown, its body is not as it
        should be, a trial comes twice or out of order, or gaze is of a trial that was not begun.
    """
    if not events or events[0].event != "header":
        raise JournalError(f"{path} holds no session: its first line is not a header")
    said = events[0].body.get("format") if isinstance(events[0].body, Mapping) else None
    if said not in (None, JOURNAL_FORMAT):
        raise JournalError(f"{path} is in format {said}; this release reads {JOURNAL_FORMAT}")
    bodies = [_typed(event, number, path) for number, event in enumerate(events)]
    named = list(zip((event.event for event in events), bodies, strict=True))
    fault = next(chain(_disorder(named), gaze_at_nothing(events)), None)
    if fault:
        raise JournalError(f"{path} is no sound journal: {fault}")
    ends = [(body.reason if name == "end" else None) for name, body in named if name in _BORDERS]
    return Session(
        header=bodies[0],
        records=tuple(body for name, body in named if name == "trial"),
        events=tuple(events),
        ended=ends[-1] if ends else None,
        broken_off=tuple(_broken_off(named)),
        pages=tuple(body for name, body in named if name == "page"),
        gaze=tuple(body for name, body in named if name == "gaze"),
        sittings=tuple(body for name, body in named if name == "resumed"),
        uncounted_bytes=uncounted_bytes,
    )


_BORDERS = ("end", "resumed")


def _typed(event: Event, number: int, path: Path) -> Any:
    if event.event not in TYPES or (number > 0) != (event.event != "header"):
        raise JournalError(
            f"{path} has the event {event.event!r} in line {number + 1}, which this release does not know "
            "there; read it with the release that wrote it"
        )
    try:
        return from_json(TYPES[event.event], event.body, f"a journal's {event.event}")
    except InputError as error:
        raise JournalError(f"{path}, line {number + 1}: {error}") from error


def _disorder(named: Sequence[tuple[str, Any]]) -> Iterator[str]:
    """Yield a sentence for every trial that comes twice, or not in its turn."""
    shown: Counter[int] = Counter()
    open_trial: tuple[int, int] | None = None
    for name, body in named:
        if name == "began":
            open_trial = (body.index, body.attempt)
        elif name in ("trial", "display_mismatch"):
            trial = (body.trial.index, body.trial.attempt)
            if open_trial is not None:
                if trial != open_trial:
                    yield f"trial {trial[0]} follows the begin of trial {open_trial[0]}"
                open_trial = None
                continue
            body = Began(index=trial[0], attempt=trial[1], at="")
        else:
            continue
        if body.attempt != shown[body.index]:
            yield (
                f"trial {body.index} stands there as attempt {body.attempt}, after "
                f"{shown[body.index]} before it"
            )
        elif not body.attempt and body.index != len(shown):
            yield f"trial {body.index} is out of order"
        shown[body.index] += 1


def gaze_at_nothing(events: Sequence[Event]) -> Iterator[str]:
    """Yield a sentence for gaze during a trial that had not begun."""
    begun: set[tuple[Any, Any]] = set()
    for event in events:
        index, attempt = event.body.get("index"), event.body.get("attempt")
        if event.event == "began":
            begun.add((index, attempt))
        elif event.event == "gaze" and index is not None and (index, attempt) not in begun:
            yield f"gaze is during trial {index}, attempt {attempt}, before its begin"


def _broken_off(named: Sequence[tuple[str, Any]]) -> Iterator[tuple[int, int]]:
    open_trial: tuple[int, int] | None = None
    for name, body in named:
        if name == "began":
            if open_trial is not None:
                yield open_trial
            open_trial = (body.index, body.attempt)
        elif name == "trial":
            open_trial = None
    if open_trial is not None:
        yield open_trial

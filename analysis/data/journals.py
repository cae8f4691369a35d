"""Session journals found in a folder and read."""

import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from stimuli_store.disk.sorts import JOURNAL, TABLE, sort_of_file
from stimuli_store.errors import JournalError
from stimuli_store.journal import Session, read_session
from stimuli_store.tools.gates import a_function, a_list, a_path, takes
from stimuli_store.tools.shown import ShownTuple

_PathLike = str | os.PathLike[str]


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=3)


def _places(value: Any, name: str) -> list[Path]:
    """Return the paths that were given, one or several."""
    alone = isinstance(value, str | os.PathLike)
    return [a_path(one, name) for one in ([value] if alone else a_list(value, name))]


def find_journals(data: _PathLike | Iterable[_PathLike]) -> tuple[Path, ...]:
    """Return the paths of all journals in a folder (``*.jsonl``, searched recursively) or of named files.

    Files of a folder that are hidden, or are no session journals, are left out.

    Parameters
    ----------
    data
        A folder, a journal, or a list of either.

    Raises
    ------
    JournalError
        If a path does not exist, or no journal is found.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> [path.name[:7] for path in find_journals("data")]
    ['sub-S01', 'sub-S02', 'sub-S03']
    """
    return _sorted_out(data)[0]


@takes(tell=a_function)
def read_sessions(
    data: _PathLike | Iterable[_PathLike], *, tell: Callable[[str], object] = _warn
) -> tuple[Session, ...]:
    """Return the sessions of all journals in a folder, or of the named journals.

    Parameters
    ----------
    data
        A folder, or journals.
    tell
        Called with a sentence for each file that is passed over: in a folder, hidden files and files of
        other programs, and beside others a journal whose session had not begun; a warning by default.

    Raises
    ------
    JournalError
        If there is none, one is damaged, or two journals claim the same participant, session, task and run.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> [session.header.participant for session in read_sessions("data")]
    ['S01', 'S02', 'S03']
    """
    by_name: dict[tuple[str, int, str, int], Path] = {}
    sessions = []
    journals, remarks = _sorted_out(data)
    for remark in remarks:
        tell(remark)
    for file in journals:
        session = read_session(file)
        header = session.header
        name = (header.participant, header.session, header.task.name, header.run)
        if name in by_name:
            raise JournalError(
                f"{file} and {by_name[name]} both hold session {header.session} of participant "
                f"{header.participant}, task {header.task.name}, run {header.run}; keep one of them, or "
                "give one another session or run number"
            )
        by_name[name] = file
        sessions.append(session)
    return ShownTuple(sessions)


def _sorted_out(data: Any) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Return the journals among the files meant, and a sentence for each file that is left out."""
    named = _places(data, "data")
    reasons: dict[Path, str | None] = {}
    for place in named:
        if not place.exists():
            raise JournalError(
                f"{place} does not exist; give a folder of session journals, or journal files"
            )
        if place.is_dir():
            for file in sorted(place.rglob("*.jsonl")):
                reasons.setdefault(file.resolve(), _why_no_journal(file.relative_to(place), file))
        else:
            if _first_line(place).strip()[:1] not in (b"", b"{"):
                raise JournalError(_no_journal(place))
            reasons[place.resolve()] = None
    journals = [path for path, reason in reasons.items() if reason is None]
    begun = [path for path in journals if _first_line(path).endswith(b"\n")]
    if begun:  # else the one that is there says itself what is wrong with it
        reasons |= dict.fromkeys(set(journals) - set(begun), "its session had not begun")
        journals = begun
    if not journals:
        where = ", ".join(str(path) for path in named) or "an empty list of paths"
        raise JournalError(
            f"{where} holds no session journal (*.jsonl); a session writes one for each participant"
        )
    return tuple(journals), tuple(
        f"{path} is passed over: {reason}" for path, reason in reasons.items() if reason
    )


def _no_journal(path: Path) -> str:
    """Return the sentence about a named file that does not begin like a journal."""
    sort = sort_of_file(path)
    if sort in (None, JOURNAL):
        return f"{path} is no session journal; if it is a table of trials, read it with read_trials"
    hint = "; read it with read_trials" if sort == TABLE else ""
    return f"{path} is {sort}, not a session journal{hint}"


def _why_no_journal(inside: Path, file: Path) -> str | None:
    """Return why a file that was found in a folder is no journal, or None if it is one, sound or damaged."""
    if any(part.startswith(".") for part in inside.parts):
        return "it is hidden, like the files that macOS and synchronised folders put beside others"
    if file.name.startswith("sub-"):  # the name that a session gives its journal
        return None
    first = _first_line(file)
    ours = not first.endswith(b"\n") or b'"sum":' in first or b'"event":' in first
    return None if ours else "it is not a session journal, but a file of another program"


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.readline()
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error

"""Data named on the command line: a table with its roles, or journals with their bank."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.data.answers import Answers
from analysis.data.journals import read_sessions
from analysis.data.reading import read_trials
from analysis.data.table_files import SUFFIXES, is_journal
from analysis.data.tables import answers_of
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.journal import Session

_ROLES = ".toml"


@dataclass(frozen=True, kw_only=True)
class Material:
    """Answers, with the bank and the sessions that they are of, or neither for a table."""

    answers: Answers
    bank: Bank | None = None
    sessions: tuple[Session, ...] = ()


def material_of(
    data: Sequence[str],
    *,
    bank: str | None,
    roles: str | None,
    task: str | None,
    tell: Callable[[str], object],
) -> Material:
    """Return the answers, and the bank and sessions if any, that the arguments of the command name.

    Parameters
    ----------
    data
        Journals or folders of them, or one table or folder of tables.
    bank, roles
        Path of the bank of the journals; path of the table's roles.
    task
        Name of the task to analyse, or of that of a table that states none; None for all.
    tell
        Called with a sentence for each file that is passed over.

    Raises
    ------
    InputError
        If the arguments do not belong together, or there is no such task.
    """
    paths = [Path(name) for name in data]
    _check(paths, bank, roles)
    if bank is not None:
        return _from_journals(paths, bank, task, tell)
    return Material(answers=_from_table(paths[0], roles, task))


def _check(paths: Sequence[Path], bank: str | None, roles: str | None) -> None:
    """Check that data, bank and roles belong together."""
    given = [path for path in paths if path.suffix.lower() == _ROLES]
    if given:
        raise InputError(
            f"{given[0]} holds roles, not trials; give the table too: stimsynth analyse TABLE.csv --roles "
            f"{given[0]}"
        )
    if not paths:
        what = (
            "the table that --roles is about" if roles else "a table of trials, or session journals"
        )
        raise InputError(f"there is nothing to analyse; give {what}")
    if bank is not None and roles is not None:
        raise InputError(
            "--roles explains the columns of a table, and --bank goes with session journals, which need no "
            "roles; give one of them"
        )
    if roles is not None and Path(roles).name.lower().endswith(SUFFIXES):
        raise InputError(
            f"--roles {roles} is a table; roles are a TOML file (docs/formats/roles.md)"
        )
    named = [p for p in paths if p.is_file() and p.name.lower().endswith(SUFFIXES)]
    tables = [p for p in named if not is_journal(p)]
    if bank is not None and tables:
        raise InputError(
            f"{tables[0]} is a table of trials, not a session journal; a table is analysed without --bank, "
            "with --roles ROLES.toml"
        )
    if bank is None:
        _check_table(paths, roles)


def _check_table(paths: Sequence[Path], roles: str | None) -> None:
    journals = [path for path in paths if _holds_journals(path)]
    if journals:
        also = ", and no --roles" if roles else ""
        raise InputError(
            f"{journals[0]} holds session journals, which need the bank they were run with: --bank "
            f"BANK.h5{also}"
        )
    if len(paths) > 1:
        raise InputError(
            f"{len(paths)} tables were given; give one, or a folder of tables with the same columns"
        )


def _holds_journals(path: Path) -> bool:
    if path.is_dir():
        tables = any(p.name.lower().endswith(SUFFIXES) for p in path.rglob("*"))
        return not tables and any(path.rglob("*.jsonl"))
    return path.is_file() and is_journal(path)


def _from_journals(
    paths: Sequence[Path], bank: str, task: str | None, tell: Callable[[str], object]
) -> Material:
    opened = open_bank(bank)
    sessions = read_sessions(paths, tell=tell)
    if task is not None:
        known = sorted({session.header.task.name for session in sessions})
        if task not in known:
            raise unknown_name("task of these sessions", task, known)
        sessions = tuple(s for s in sessions if s.header.task.name == task)
    return Material(answers=answers_of(opened, sessions), bank=opened, sessions=sessions)


def _from_table(path: Path, roles: str | None, task: str | None) -> Answers:
    answers = read_trials(path, roles)
    if task is None:
        return answers
    if not answers.tasks:
        return read_trials(path, roles, task=task)
    if task not in answers.tasks:
        raise unknown_name("task of this table", task, sorted(answers.tasks))
    return answers.only(task=task)

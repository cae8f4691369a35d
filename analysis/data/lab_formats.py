"""Files of laboratories: PsychoPy's data files, behaviour in BIDS, and folders of tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.copies import notes_on_files
from analysis.data.table_files import SUFFIXES, is_journal, read_table
from stimuli_store.errors import InputError
from stimuli_store.tools.shown import number_of

_SUBJECT, _SESSION, _FILE = "sub", "ses", "file"
_BIDS_NAME = re.compile(r"sub-[A-Za-z0-9]+_.*(beh|events)\.tsv(\.gz)?")
_TIMES = ("rt_s", "rt_ms")
_BIDS_TIME, _PSYCHOPY_TIME = "response_time", ".rt"
_PSYCHOPY = ("psychopyVersion", "expName")
_SCORE = ".corr"
_LOOP = ".thisN"


@dataclass(frozen=True, kw_only=True)
class LabTable:
    """A table as it was found, role to column where the format says it, and sentences on its files.

    `in_time` tells that the format has its rows in the order of time.
    """

    frame: pd.DataFrame
    roles: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_time: bool = False


def read_path(path: Path, named: Mapping[str, str]) -> LabTable:
    """Return the table in a file, or the tables of a folder below each other.

    Parameters
    ----------
    path
        A file, or a folder: of behaviour in BIDS, of PsychoPy's data files, or of tables with the same
        columns. In a folder of tables the column ``file`` names each row's file.
    named
        Role to column, as the user said.

    Raises
    ------
    InputError
        If there is no table, a session journal, or a folder with two copies of a file.
    """
    if not _exists(path):
        first, *_ = str(path)[:200].splitlines()
        raise InputError(f"{first} does not exist; give a file or a folder of tables")
    if path.is_dir():
        return _read_folder(path, named)
    if is_journal(path):
        raise InputError(
            f"{path} is a session journal, not a table; read it with answers_of(bank, read_sessions(...))"
        )
    found = filled(LabTable(frame=read_table(path, _text(named))), path.name)
    known = _known(_with_entities(path, found.frame), named)
    return replace(known, notes=(*found.notes, *known.notes))


def filled(found: LabTable, source: str) -> LabTable:
    """Return a table without rows that hold no value at all, as spreadsheets leave them, and their number."""
    empty = np.ones(len(found.frame), dtype=bool)
    for place in range(found.frame.shape[1]):
        if not empty.any():
            break
        empty &= found.frame.iloc[:, place].isna().to_numpy()
    n = int(empty.sum())
    if not n or n == len(empty):
        return found
    said = "holds no value and was" if n == 1 else "hold no value and were"
    said = f"{number_of(n, 'row')} of {source} {said} passed over"
    return replace(found, frame=found.frame[~empty], notes=(*found.notes, said))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have, as the text of a table
        return False


def _text(named: Mapping[str, str]) -> frozenset[str]:
    """Return the columns of names, which are read as text."""
    return frozenset({_SUBJECT, *(named.get(role) or role for role in ("participant", "image"))})


def _read_folder(path: Path, named: Mapping[str, str]) -> LabTable:
    inside = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
    files = [p for p in inside if p.name.lower().endswith(SUFFIXES)]
    if not files:
        journals = any(p.suffix == ".jsonl" for p in inside)
        raise InputError(
            f"{path} holds no table"
            + (" but session journals; read them with read_sessions" if journals else "")
            + "; tables are CSV, TSV or Parquet"
        )
    bids = [p for p in files if _BIDS_NAME.fullmatch(p.name)]
    chosen = [p for p in bids if "_beh." in p.name] or bids or files
    read = {p: filled(LabTable(frame=read_table(p, _text(named))), p.name) for p in chosen}
    frames = {p: found.frame for p, found in read.items()}
    of_psychopy = {p: frame for p, frame in frames.items() if is_of_psychopy(frame)}
    if bids:
        frame = _stacked([_with_entities(p, frame) for p, frame in frames.items()])
    elif of_psychopy:
        frames, frame = of_psychopy, _stacked(list(of_psychopy.values()))
    else:
        frame = _alike(frames, path, named)
    passed = [note for found in read.values() for note in found.notes]
    if len(passed) > 1:
        passed = [f"{passed[0]}; so were some of {number_of(len(passed) - 1, 'more file')}"]
    known = _known(frame, named)
    notes = notes_on_files(frames, _telling(frame, named))
    return replace(known, notes=(*passed, *notes, *known.notes))


def _telling(frame: pd.DataFrame, named: Mapping[str, str]) -> set[str]:
    """Return names of columns with response times or the participant."""
    roles = [named.get(role) or role for role in (*_TIMES, "participant")]
    clocks = [name for name in map(str, frame.columns) if name.endswith(_PSYCHOPY_TIME)]
    return {*roles, *clocks, _BIDS_TIME}


def _alike(
    frames: Mapping[Path, pd.DataFrame], path: Path, named: Mapping[str, str]
) -> pd.DataFrame:
    """Return tables of the same columns below each other, with the name of each one's file."""
    first, *others = frames
    known = set(frames[first].columns)
    for other in others:
        if set(frames[other].columns) != known:
            raise InputError(
                f"{other} has other columns than {first}; give one of the files, or a folder of tables with "
                "the same columns"
            )
    if others and not named.get("participant") and "participant" not in known:
        raise InputError(
            f"the tables in {path} do not say whose they are; name the column of participants, or say "
            f'participant = "{_FILE}" if each file is of one'
        )
    return _stacked([frame.assign(**{_FILE: p.stem}) for p, frame in frames.items()])


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if len(frames) == 1:
        return frames[0]
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    # A column without a value has no type of its own, and must not decide on the type of the whole.
    held = [frame.dropna(axis=1, how="all") for frame in frames if len(frame)]
    stacked = pd.concat(held, ignore_index=True) if held else frames[0]
    return stacked.reindex(columns=names)


def _with_entities(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table in a file, with the entities in a BIDS name as columns."""
    if not _BIDS_NAME.fullmatch(path.name):
        return frame
    parts = (part.partition("-") for part in path.name.split("_")[:-1])
    entities = {key: label for key, _, label in parts}
    if "task" in entities:  # its label is the laboratory's own
        entities["task_label"] = entities.pop("task")
    return frame.assign(**{k: v for k, v in entities.items() if k not in frame.columns})


def _known(frame: pd.DataFrame, named: Mapping[str, str]) -> LabTable:
    if is_of_psychopy(frame):
        return _psychopy(frame, named)
    return _bids(frame) if _SUBJECT in frame.columns else LabTable(frame=frame)


def is_of_psychopy(frame: pd.DataFrame) -> bool:
    """Return whether a table is a data file of a PsychoPy experiment."""
    return any(name in frame.columns for name in _PSYCHOPY)


def _psychopy(frame: pd.DataFrame, named: Mapping[str, str]) -> LabTable:
    """Return the rows that a keyboard or mouse scored: the one that a role names, or the only one.

    Rows of instructions and breaks hold no score.
    """
    scored = [str(name).removesuffix(_SCORE) for name in frame.columns if _is_score(name)]
    chosen = {named.get(role, "").rpartition(".")[0] for role in ("correct", "response")}
    components = [name for name in scored if name in chosen] or scored
    if len(components) != 1:
        return LabTable(frame=frame)
    correct, keys, rt = (components[0] + end for end in (_SCORE, ".keys", _PSYCHOPY_TIME))
    trials = frame[frame[correct].notna()].reset_index(drop=True)
    if (
        keys in frame.columns
    ):  # a key that never came is a missing answer, though it was scored as wrong
        trials = trials.assign(**{correct: trials[correct].mask(trials[keys].isna())})
    roles = {"correct": correct, **({"rt_s": rt} if rt in frame.columns else {})}
    return LabTable(frame=trials, roles=roles, notes=_note_on_loops(trials), in_time=True)


def _note_on_loops(trials: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence on trials of loops that never run together, as of practice and experiment."""
    counters = [name for name in trials.columns if str(name).endswith(_LOOP)]
    within = trials[counters].notna()
    used = [str(name) for name in counters if within[name].any()]
    counted = {
        name: int(within[name].sum())
        for name in used
        if not all((within[name] & within[other]).any() for other in used)
    }
    if len(counted) < 2:
        return ()
    told = " and ".join(f"{name.removesuffix(_LOOP)} ({n})" for name, n in counted.items())
    first = min(counted, key=counted.__getitem__)
    return (
        f"the trials are of the loops {told}; leave practice out, as with answers.exclude('practice', "
        f"answers.table[{first!r}].notna())",
    )


def _is_score(name: object) -> bool:
    return str(name).endswith(_SCORE)


def _bids(frame: pd.DataFrame) -> LabTable:
    roles = {"participant": _SUBJECT}
    if _SESSION in frame.columns:
        roles["session"] = _SESSION
    if _BIDS_TIME in frame.columns:
        roles["rt_s"] = _BIDS_TIME
    return LabTable(frame=frame, roles=roles, in_time=True)

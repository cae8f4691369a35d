"""Trials that are there twice: in two files with the same rows, or in a table without numbers of trials."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.answers import EVIDENCE
from stimuli_store.errors import InputError

_FEWEST_TIMES = 4  # response times, or rows of files, that agree by chance do not agree in so many
_MS = 1e3
_EXACT = 1e-6  # ms, below which a response time is a whole number of them
_NEAR = 0.1  # share of a step, within which differences of response times are whole steps


def notes_on_files(
    frames: Mapping[Path, pd.DataFrame], telling: Collection[str]
) -> tuple[str, ...]:
    """Return a sentence about files with the rows of an earlier one, if there are any.

    Parameters
    ----------
    frames
        Tables as they stand in the files.
    telling
        Columns that tell files of four rows or more apart: response times, which do not repeat themselves,
        or a participant, who would have answered alike twice.

    Raises
    ------
    InputError
        If two such files have the same rows.
    """
    first: dict[tuple[object, ...], Path] = {}
    copies = []
    for path, frame in frames.items():
        names = sorted(map(str, frame.columns))
        rows = pd.util.hash_pandas_object(frame[names], index=False).to_numpy().tobytes()
        earlier = first.setdefault((*names, rows), path)
        if earlier is path or not len(frame):
            continue
        tells = [name for name in names if name in telling and frame[name].notna().any()]
        if len(frame) >= _FEWEST_TIMES and tells:
            raise InputError(
                f"{path} holds the same {len(frame)} rows as {earlier}; remove one of them, or add a column "
                "that tells them apart, such as that of the session"
            )
        copies.append(f"{path.name} the same rows as {earlier.name}")
    if not copies:
        return ()
    more = f" (and {len(copies) - 1} more)" if len(copies) > 1 else ""
    return (f"the folder holds in {copies[0]}{more}; if that is a copy, remove it",)


def notes_on_copies(table: pd.DataFrame, source: str) -> tuple[str, ...]:
    """Return a sentence about rows of a table of answers that equal an earlier one, if there are any.

    Without numbers of trials, equal rows may be repetitions. Their response times would differ, if the clock
    is finer than a millisecond and its times do not come in steps, such as frames.

    Raises
    ------
    InputError
        If rows of a participant are copies: they agree to a fine response time, or each of them with a
        response time has a copy, as in a file that was read twice.
    """
    evidence = [name for name in table.columns if str(name).startswith(EVIDENCE)]
    compared = table.drop(columns=["order"])
    # Evidence is many columns, and tells only those rows apart that are alike in all others.
    compared = compared[np.asarray(compared.drop(columns=evidence).duplicated(keep=False))]
    copies = np.asarray(compared.duplicated())
    if not copies.any():
        return ()
    twice = compared[np.asarray(compared.duplicated(keep=False)) & compared.rt_s.notna()]
    timed = table[table.rt_s.notna()].drop(columns=["order"])
    counted = twice.groupby("participant", observed=True).size()
    whole = len(twice) == len(timed) >= _FEWEST_TIMES
    read_twice = [
        name
        for name, n in counted.items()
        if whole or _are_copies(twice[twice.participant == name], timed[timed.participant == name])
    ]
    if read_twice:
        name = read_twice[0]
        n = int(twice[twice.participant == name].duplicated().sum())
        more = f" (and {len(read_twice) - 1} more)" if len(read_twice) > 1 else ""
        trials = "1 trial" if n == 1 else f"{n} trials"
        raise InputError(
            f"participant {name!r}{more} has {trials} of {source} more than once, to the very response time; "
            "remove the copies, as by table.drop_duplicates(), or name the column that numbers the trials "
            "with the role order"
        )
    n = int(copies.sum())
    said = "1 row equals" if n == 1 else f"{n} rows equal"
    return (
        f"{said} an earlier one in every column, as repeated trials do; if trials were read twice, remove "
        "them, and name the column that numbers trials with the role order",
    )


def _are_copies(twice: pd.DataFrame, timed: pd.DataFrame) -> bool:
    """Return whether rows of a participant that equal others are copies, by all rows with response times."""
    if len(twice) == len(timed) >= _FEWEST_TIMES:
        return True
    ms = _MS * twice.rt_s.to_numpy()
    if (np.abs(ms - np.round(ms)) < _EXACT).all():
        return False
    # A coarse clock gives the same time to trials that differ, or times in steps.
    alone = timed.drop_duplicates()
    return not alone.rt_s.duplicated().any() and not _in_steps(alone.rt_s.to_numpy())


def _in_steps(times: np.ndarray) -> bool:
    """Return whether differences of neighbouring times, all distinct, are multiples of the smallest one."""
    gaps = np.diff(np.sort(times))
    steps = gaps / gaps.min() if gaps.size else gaps
    return bool((np.abs(steps - np.round(steps)) < _NEAR).all())

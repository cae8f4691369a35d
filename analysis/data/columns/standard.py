"""Standard columns of a table of answers: who, when, which image, at which level, how fast."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.data.columns.meanings import categories_of, distinct, levels, numbers, truths
from stimuli_store.errors import InputError

#: Participant of a table that does not say whose answers it holds.
SOMEBODY = "all"
_LONGEST_S = 120.0


def labelled(names: Sequence[str], codes: np.ndarray) -> pd.Categorical:
    """Return names by code, which may repeat, as categorical text (n,)."""
    known = list(dict.fromkeys(names))
    place = np.array([known.index(name) for name in names])
    return pd.Categorical.from_codes(place[codes], categories=known)


def standard_columns(
    columns: Mapping[str, pd.Series], everyone: str | None, n: int
) -> dict[str, Any]:
    """Return the columns participant, image, session, order, level, rt_s and simulated, of n rows.

    Parameters
    ----------
    columns
        Role to column.
    everyone
        Name of the only participant, or None.
    n
        Number of rows.

    Raises
    ------
    InputError
        If a column does not hold what its role asks for, or a participant has two trials of one order.
    """
    participant = _participants(columns.get("participant"), everyone, n)
    session = _sessions(columns.get("session"), n)
    image = (
        categories_of(columns["image"])
        if "image" in columns
        else pd.Categorical.from_codes(np.full(n, -1), categories=[])
    )
    return {
        "participant": participant,
        "image": image,
        "session": session,
        "order": _orders(columns.get("order"), participant, session),
        "level": levels(columns["level"]) if "level" in columns else np.full(n, np.nan),
        "rt_s": _times(columns, n),
        "simulated": _simulated(columns.get("simulated"), n),
    }


def _participants(column: pd.Series | None, everyone: str | None, n: int) -> pd.Categorical:
    if column is None or everyone is not None:
        return labelled([everyone or SOMEBODY], np.zeros(n, dtype=np.intp))
    made = categories_of(column)
    lacking = np.flatnonzero(made.codes < 0)
    if len(lacking):
        raise InputError(
            f"row {lacking[0] + 1} has no participant in the column {column.name!r}; give everyone a name"
        )
    return made


def _sessions(column: pd.Series | None, n: int) -> np.ndarray:
    """Return numbers of sessions; words are numbered as they first appear, and 1 is the only session."""
    if column is None:
        return np.ones(n, dtype=np.int64)
    codes, found = distinct(column)
    if (codes < 0).any():
        raise InputError(f"the column {column.name!r} (role 'session') lacks the session of a row")
    known = [_whole(value) for value in found]
    if None in known:
        return codes.astype(np.int64) + 1
    return np.array(known, dtype=np.int64)[codes]


def _whole(value: Any) -> int | None:
    try:
        return int(value) if float(value).is_integer() else None
    except (TypeError, ValueError):
        return None


def _orders(
    column: pd.Series | None, participant: pd.Categorical, session: np.ndarray
) -> np.ndarray:
    """Return the position of each row in its participant's session, as given or counted."""
    keys = pd.DataFrame({"participant": np.asarray(participant.codes), "session": session})
    if column is None:
        return keys.groupby(["participant", "session"]).cumcount().to_numpy(dtype=np.int64)
    made = numbers(column, "order", whole=True)
    if np.isnan(made).any():
        raise InputError(f"the column {column.name!r} (role 'order') lacks the position of a row")
    twice = np.flatnonzero(keys.assign(order=made).duplicated())
    if len(twice):
        row = int(twice[0])
        raise InputError(
            f"participant {participant[row]} has two trials with order {made[row]:g} in session "
            f"{session[row]}; remove one, name the column that tells them apart by the role session, or say "
            'order = "" if this column is no order'
        )
    return made.astype(np.int64)


def _times(columns: Mapping[str, pd.Series], n: int) -> np.ndarray:
    role = next((role for role in ("rt_s", "rt_ms") if role in columns), None)
    if role is None:
        return np.full(n, np.nan)
    times = numbers(columns[role], role)
    if (times < 0).any():
        row = int(np.flatnonzero(times < 0)[0])
        raise InputError(f"response times must not be negative; row {row + 1} has {times[row]:g}")
    if role == "rt_ms":
        return times / 1000
    if (known := times[~np.isnan(times)]).size and np.median(known) > _LONGEST_S:
        raise InputError(
            f"half of the response times are above {np.median(known):g} s; if they are milliseconds, give "
            f"their column {columns[role].name!r} the role rt_ms"
        )
    return times


def _simulated(column: pd.Series | None, n: int) -> np.ndarray:
    if column is None:
        return np.zeros(n, dtype=bool)
    known = truths(column, "simulated")
    if np.isnan(known).any():
        raise InputError(f"the column {column.name!r} (role 'simulated') must say so in every row")
    return known == 1

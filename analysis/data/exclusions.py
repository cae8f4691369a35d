"""Reasons for which answers are left out: declared, counted, and taken back.

A row keeps all of its reasons as one text, so taking one back leaves a row out that has another.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stimuli_store.errors import InputError, unknown_name

NO_ANSWER = "no answer"
WRONG_FRAME = "wrong frame"
UNVERIFIED_FRAME = "unverified frame"
DROPPED_FRAMES = "dropped frames"
PRACTICE = "practice"
SHOWN_AGAIN = "shown again"
RESPONSE_TIME = "response time"
PARTICIPANT = "participant"

_BETWEEN = "; "


def excluded_of(n: int, reasons: Mapping[str, np.ndarray]) -> pd.Series:
    """Return the reasons of n rows as texts, from masks (n,) by reason; "" where a row has none.

    Examples
    --------
    >>> excluded_of(3, {"no answer": np.array([True, False, False])}).tolist()
    ['no answer', '', '']
    """
    excluded = pd.Series(pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), categories=[""]))
    for reason, mask in reasons.items():
        excluded = with_reason(excluded, reason, mask)
    return excluded


def outside(times: np.ndarray, min_s: float, max_s: float) -> np.ndarray:
    """Return which response times (n,), in seconds and NaN where unknown, lie outside two bounds.

    Raises
    ------
    InputError
        If the bounds are not in order, there is no time, or all of them lie outside.
    """
    if not min_s < max_s:
        raise InputError(
            f"response times are kept from min_s to max_s seconds; not from {min_s} to {max_s}"
        )
    known = times[~np.isnan(times)]
    if not len(known):
        raise InputError(
            "no answer has a response time; name its column with the role rt_s or rt_ms"
        )
    found = (times < min_s) | (times > max_s)
    if found.sum() == len(known):
        raise InputError(
            f"all {len(known)} response times lie outside {min_s:g} to {max_s:g} s, half of them "
            f"{'below' if np.median(known) < min_s else 'above'} {np.median(known):.3g} s; the role of their "
            "column says their unit (rt_s or rt_ms), and bounds are in seconds"
        )
    return np.asarray(found)


def with_reason(excluded: pd.Series, reason: str, mask: np.ndarray) -> pd.Series:
    """Return the reasons of all rows, with one more for the rows of a mask (n,) that lack it.

    Raises
    ------
    InputError
        If the reason is empty or holds a semicolon, which stands between reasons.
    """
    if not reason.strip() or ";" in reason:
        raise InputError(
            f"a reason to leave answers out is a few words without a semicolon; not {reason!r}"
        )
    old = [str(text) for text in excluded.cat.categories]
    more = [text if reason in _split(text) else _joined([*_split(text), reason]) for text in old]
    codes = excluded.cat.codes.to_numpy()
    return _recoded(old + more, codes + np.where(mask, len(old), 0), excluded.index)


def without_reason(excluded: pd.Series, reason: str) -> pd.Series:
    """Return the reasons of all rows, with one of the reasons taken out.

    Raises
    ------
    InputError
        If no row has this reason; the nearest one that there is is given.
    """
    known = list(reason_counts(excluded).reason)
    if reason not in known:
        raise unknown_name("reason to leave answers out", reason, known)
    old = [str(text) for text in excluded.cat.categories]
    left = [_joined([part for part in _split(text) if part != reason]) for text in old]
    return _recoded(left, excluded.cat.codes.to_numpy(), excluded.index)


def reason_counts(excluded: pd.Series) -> pd.DataFrame:
    """Return every reason with the number of rows that have it; a row may have several.

    Examples
    --------
    >>> reason_counts(excluded_of(2, {"practice": np.array([True, True])})).values.tolist()
    [['practice', 2]]
    """
    found: dict[str, int] = {}
    for text, n in excluded.value_counts(sort=False).items():
        for reason in _split(str(text)) if n else ():
            found[reason] = found.get(reason, 0) + int(n)
    return pd.DataFrame({"reason": pd.Series(list(found), dtype=object), "trials": found.values()})


def rows_without(excluded: pd.Series, reasons: frozenset[str]) -> np.ndarray:
    """Return a mask (n,) of the rows that have none of some reasons."""
    free = [not reasons.intersection(_split(str(text))) for text in excluded.cat.categories]
    return np.asarray(free, dtype=bool)[excluded.cat.codes.to_numpy()]


def _split(text: str) -> list[str]:
    return text.split(_BETWEEN) if text else []


def _joined(reasons: list[str]) -> str:
    return _BETWEEN.join(reasons)


def _recoded(labels: list[str], codes: np.ndarray, index: pd.Index) -> pd.Series:
    """Return labels by code as a categorical column that has each label once, and "" first."""
    used = np.bincount(codes, minlength=len(labels)) > 0
    known = list(dict.fromkeys(["", *(t for t, u in zip(labels, used, strict=True) if u)]))
    place = np.array([known.index(text) if text in known else 0 for text in labels])
    return pd.Series(pd.Categorical.from_codes(place[codes], categories=known), index=index)

"""Columns of other people's tables understood: text, numbers, levels, and right or wrong.

Each distinct value is looked at once, so a million rows take milliseconds.
"""

import re
from typing import Any

import numpy as np
import pandas as pd

from stimuli_store.errors import InputError

#: Words that stand for a missing value, in small letters.
MISSING = frozenset(
    {"", ".", "-", "na", "n/a", "nan", "none", "null", "<na>", "missing", "timeout", "time out"}
    | {"no response", "no_response", "no answer", "no_answer"}
)
YES = frozenset(("1", "true", "yes", "y", "t"))
NO = frozenset(("0", "false", "no", "n", "f"))
RIGHT = YES | {"correct", "right", "hit"}
WRONG = NO | {"incorrect", "wrong", "miss", "error"}
#: A number that is written with a decimal comma, and one whose commas may stand between thousands.
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
WRITE_PLAINLY = "write a thousand as 1000, and one as 1.000"


def distinct(values: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Return the place of each value among the distinct ones, (n,), -1 where missing, and these.

    Raises
    ------
    InputError
        If the column holds lists or other values that cannot be compared.
    """
    try:
        codes, found = pd.factorize(values)
    except TypeError as error:
        raise InputError(
            f"the column {values.name!r} holds values that are neither numbers nor text; give one value a row"
        ) from error
    return np.asarray(codes), list(found)


def word(value: Any) -> str:
    """Return a value as text without blanks around it; a whole number has no decimal point.

    Examples
    --------
    >>> word(1.0), word("2.00"), word(" left "), word(True)
    ('1', '2', 'left', 'true')
    """
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    text = str(value).strip()
    whole, point, rest = text.partition(".")
    return whole if point and whole.lstrip("-").isdigit() and not rest.strip("0") else text


def categories_of(values: pd.Series) -> pd.Categorical:
    """Return a column as categorical text; numbers are in their order, blanks count as missing."""
    codes, found = distinct(values)
    words = [word(value) for value in found]
    known = sorted({w for w in words if w}, key=_natural)
    place = {w: i for i, w in enumerate(known)}
    at = np.array([*(place.get(w, -1) for w in words), -1], dtype=np.int32)
    return pd.Categorical.from_codes(at[codes], categories=known)


def _natural(text: str) -> tuple[float, str]:
    number = as_number(text)
    return (np.inf if number is None else number, text)


def as_number(value: Any) -> float | None:
    """Return a value as a number; None if it is none."""
    try:
        return None if isinstance(value, complex) else float(value)
    except (TypeError, ValueError):
        return None


def numbers(values: pd.Series, role: str, *, whole: bool = False) -> np.ndarray:
    """Return a column as float64 (n,), NaN where it is missing.

    Parameters
    ----------
    values
        The column.
    role
        What it is, for errors.
    whole
        Whether only whole numbers are taken.

    Raises
    ------
    InputError
        If a value is no finite number; a decimal comma is pointed out.
    """
    if values.dtype.kind in "iuf":
        made = values.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        codes, found = distinct(values)
        known = [np.nan if is_missing(value) else as_number(value) for value in found]
        for value, number in zip(found, known, strict=True):
            if number is None:
                raise InputError(_no_number(values, role, value))
        made = np.array([*known, np.nan], dtype=np.float64)[codes]
    if np.isinf(made).any():
        raise InputError(f"{_named(values, role)} holds an infinite number; give finite ones")
    if whole and (made != np.round(made))[~np.isnan(made)].any():
        odd = made[(made != np.round(made)) & ~np.isnan(made)][0]
        raise InputError(f"{_named(values, role)} must hold whole numbers; not {odd:g}")
    return made


def levels(values: pd.Series) -> pd.Series:
    """Return levels: float64 if they are numbers, else words as objects, None if missing.

    Raises
    ------
    InputError
        If it mixes numbers and words, or numbers are written with a decimal comma.
    """
    codes, found = distinct(values)
    words = [value for value in found if not is_missing(value) and as_number(value) is None]
    if not words:
        return pd.Series(numbers(values, "level"))
    commas = [value for value in words if DECIMAL_COMMA.fullmatch(str(value).strip())]
    if commas or len(words) < sum(not is_missing(value) for value in found):
        raise InputError(_no_number(values, "level", (commas or words)[0]))
    known = [None if is_missing(value) else word(value) for value in found]
    return pd.Series(np.array([*known, None], dtype=object)[codes], dtype=object)


def _no_number(values: pd.Series, role: str, value: Any) -> str:
    said = f"{_named(values, role)} must hold numbers; {str(value)!r} is none"
    if THOUSANDS.fullmatch(str(value).strip()):
        return (
            f"{said}, for its comma may stand between thousands or before decimals: {WRITE_PLAINLY}"
        )
    if DECIMAL_COMMA.fullmatch(str(value).strip()):
        return (
            f"{said}: write it with a decimal point, or give the file, whose commas are understood"
        )
    return said + (", so give only numbers, or only words" if role == "level" else "")


def _named(values: pd.Series, role: str) -> str:
    same = str(values.name) == role
    return f"the column {role!r}" if same else f"the column {str(values.name)!r} (role {role!r})"


def is_missing(value: Any) -> bool:
    """Return whether a value stands for a missing one."""
    return isinstance(value, str) and value.strip().lower() in MISSING


def truths(values: pd.Series, role: str) -> np.ndarray:
    """Return a column of 0/1, booleans or words like correct and incorrect as 1.0 and 0.0, NaN if missing.

    Raises
    ------
    InputError
        If it holds anything else.

    Examples
    --------
    >>> truths(pd.Series(["correct", "wrong", None, "1"]), "correct").tolist()
    [1.0, 0.0, nan, 1.0]
    """
    codes, found = distinct(values)
    known = []
    for value in found:
        text = word(value).lower()
        if text not in RIGHT | WRONG and not is_missing(value):
            raise InputError(
                f"{_named(values, role)} must hold 1 and 0 (or true and false, yes and no, correct and "
                f"incorrect); not {word(value)!r}"
            )
        known.append(1.0 if text in RIGHT else 0.0 if text in WRONG else np.nan)
    return np.array([*known, np.nan])[codes]

"""Columns of other people's tables understood: text, numbers, levels, and right or wrong.

Each distinct value is looked at once, so a million rows take milliseconds.
"""

import re
from collections.abc import Collection, Iterable
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
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_WITH_UNIT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*([^\d\s.,:;/x×-][^\d\s]*)")
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


def unit_hint(words: Iterable[object]) -> str:
    """Return advice on levels that are numbers with one unit; "" for other words.

    Examples
    --------
    >>> unit_hint(["32 px", "16 px"])
    "'32 px' is a number with its unit: write 32 alone, and say unit='px'"
    >>> unit_hint(["near", "8 px"]), unit_hint(["2x"]), unit_hint(["1st", "2nd"])
    ('', '', '')
    """
    texts = [str(value).strip() for value in words]
    parts = [
        found.groups() if (found := _WITH_UNIT.fullmatch(text)) else ("", "") for text in texts
    ]
    units = {unit for _, unit in parts}
    if len(units) != 1 or not (unit := units.pop()):
        return ""
    return (
        f"{texts[0]!r} is a number with its unit: write {parts[0][0]} alone, and say unit={unit!r}"
    )


def notes_on_words(table: pd.DataFrame) -> tuple[str, ...]:
    """Return sentences on people whose names differ in case only, and on levels with a unit."""
    alike: dict[str, list[str]] = {}
    for name in table["participant"].cat.categories:
        alike.setdefault(name.lower(), []).append(name)
    twice = [names for names in alike.values() if len(names) > 1]
    notes = []
    if twice:
        more = f" (and {len(twice) - 1} more)" if len(twice) > 1 else ""
        notes.append(
            f"the participants {' and '.join(map(repr, twice[0]))}{more} differ in small and large letters "
            "only, and count as different people; write each name in one way if they are not"
        )
    words = table["level"].dropna().unique() if table["level"].dtype == object else ()
    return (*notes, hint) if (hint := unit_hint(words)) else tuple(notes)


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
    if role != "level":
        return said
    hint = unit_hint([value])
    return f"{said}; {hint}" if hint else f"{said}, so give only numbers, or only words"


def _named(values: pd.Series, role: str) -> str:
    same = str(values.name) == role
    return f"the column {role!r}" if same else f"the column {str(values.name)!r} (role {role!r})"


def is_missing(value: Any) -> bool:
    """Return whether a value stands for a missing one."""
    return isinstance(value, str) and value.strip().lower() in MISSING


def truths(values: pd.Series, role: str, missing: Collection[str] = ()) -> np.ndarray:
    """Return a column of 0/1, booleans or words like correct and incorrect as 1.0 and 0.0, NaN if missing.

    Other words that are in `missing`, in small letters, stand for a missing value too.

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
    texts = {word(value).lower() for value in found}
    coded = bool(texts & RIGHT) and bool(texts & WRONG)  # else the odd value may stand for wrong
    known = []
    for value in found:
        text = word(value).lower()
        if text not in RIGHT | WRONG and text not in missing and not is_missing(value):
            meant = (
                f', and answers = {{"{word(value)}" = ""}} where that says that there was no answer'
            )
            raise InputError(
                f"{_named(values, role)} must hold 1 and 0 (or true and false, yes and no, correct and "
                f"incorrect); not {word(value)!r}{meant if coded and role == 'correct' else ''}"
            )
        known.append(1.0 if text in RIGHT else 0.0 if text in WRONG else np.nan)
    return np.array([*known, np.nan])[codes]

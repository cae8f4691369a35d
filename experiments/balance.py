"""Balanced Latin squares: the order of conditions for each participant and session."""

import re
from collections.abc import Sequence

from stimuli_store.errors import InputError

_DIGITS = re.compile(r"([0-9]+)$")


def latin_square(n: int) -> tuple[tuple[int, ...], ...]:
    """Return the rows of a balanced Latin square of n conditions: n rows, or 2 n if n is odd.

    Every condition is at every place equally often, and follows every other equally often (Williams 1949,
    Australian Journal of Scientific Research 2, 149-168).

    Examples
    --------
    >>> latin_square(4)
    ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))
    >>> len(latin_square(3)), len(latin_square(1))
    (6, 1)
    """
    if n < 1:
        raise InputError(f"a Latin square needs a condition; {n} was given")
    first = [0]
    for step in range(1, n):
        first.append(first[-1] + (step if step % 2 else -step))
    rows = [tuple((value + row) % n for value in first) for row in range(n)]
    mirrored = [row[::-1] for row in rows] if n % 2 and n > 1 else []
    return (*rows, *mirrored)


def row_of(participant: str, session: int, latin: str | Sequence[str]) -> int:
    """Return the row, from 0, of a participant and session: the next session has the next row.

    Parameters
    ----------
    participant, session
        Of this session.
    latin
        ``"number"`` for the digits at the end of the participant's name, else the participants in order.

    Raises
    ------
    InputError
        If the name has no digits at its end, or is not in the list.

    Examples
    --------
    >>> row_of("S01", 1, "number"), row_of("S01", 2, "number"), row_of("ann", 1, ["bea", "ann"])
    (0, 1, 1)
    """
    if isinstance(latin, str):
        digits = _DIGITS.search(participant)
        if digits is None:
            raise InputError(
                f"the participant {participant!r} has no number at the end of the name, by which the Latin "
                'square is ordered; give one, or the list of participants as `latin = ["…", …]`'
            )
        place = int(digits[1]) - 1
    elif participant in latin:
        place = list(latin).index(participant)
    else:
        raise InputError(
            f"the participant {participant!r} is not in the list by which the Latin square is ordered "
            f"({', '.join(latin)})"
        )
    return place + session - 1

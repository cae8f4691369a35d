"""Results of checks of the answers behind a ranking, and words that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stimuli_store.tools.shown import FieldTable


@dataclass(frozen=True, kw_only=True)
class Diagnostic(FieldTable):
    """Result of a check of answers.

    Attributes
    ----------
    name
        Name of the check.
    sentence
        The finding, without a full stop.
    p
        The p-value; None if there is only an interval, or nothing could be tested.
    value, low, high
        The quantity in question with its 95 % interval; None if there is only a p-value.
    alarming
        True if this needs a look.

    Examples
    --------
    >>> from stimsynth import answers_of, open_bank, read_sessions
    >>> bank = open_bank("study-1.0.0.h5")
    >>> answers = answers_of(bank, read_sessions("data"))
    >>> from stimsynth import diagnose
    >>> [check.name for check in diagnose(answers)][:2]
    ['below chance', 'interval bias']
    """

    name: str
    sentence: str
    p: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    alarming: bool = False


def not_checked(name: str, reason: str) -> Diagnostic:
    """Return the result of a check that could not be made."""
    return Diagnostic(name=name, sentence=f"not checked, since {reason}")


def listed(words: Sequence[str]) -> str:
    """Return several words as they are listed in a sentence.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def names_of(columns: Sequence[str], key: Sequence[Any]) -> str:
    """Return the values of a group's columns in words, the first without the name of its column.

    Examples
    --------
    >>> names_of(["participant", "level"], ("P1", 4.0))
    'P1 at level 4'
    """
    first, *rest = key
    more = "".join(
        f" at {name} {value:g}" if isinstance(value, float) else f" at {name} {value}"
        for name, value in zip(columns[1:], rest, strict=True)
    )
    return f"{columns[0]} {first}{more}" if columns[0] != "participant" else f"{first}{more}"

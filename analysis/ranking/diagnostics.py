"""Checks of the answers behind a ranking, each a sentence with a p-value or an interval."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A check of answers.

    Attributes
    ----------
    name
        Name of the check.
    sentence
        What was found, with the p-value or interval.
    p
        The p-value; None where there is an interval or nothing could be tested.
    value, low, high
        The quantity in question with its 95 % interval; None where there is only a p-value.
    alarming
        Whether this needs a look.
    """

    name: str
    sentence: str
    p: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    alarming: bool = False

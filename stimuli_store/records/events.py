"""Bodies of the events of a journal that are neither header nor trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Began:
    """A trial that was begun: its index, how often it was begun before, and the time of day (ISO 8601)."""

    index: int
    attempt: int
    at: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of text: which, from when until when on the clock of the flips, and the time of its end."""

    which: str
    from_s: float
    until_s: float
    at: str


@dataclass(frozen=True, kw_only=True)
class End:
    """End of a sitting: the reason and the time of day (ISO 8601)."""

    reason: str
    at: str = ""


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """Begin of a later sitting: finished trials, booth, software, and the time of day (ISO 8601).

    `accepted` names what differs from the sitting before and was accepted; `design` is then the design of
    this sitting.
    """

    done: int
    booth: Mapping[str, Any]
    software: Mapping[str, str]
    created: str
    design: Mapping[str, Any] | None = None
    accepted: tuple[str, ...] = ()

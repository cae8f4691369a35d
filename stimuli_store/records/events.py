"""Bodies of the events of a journal that are neither header nor trial."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from stimuli_store.errors import InputError

_SHA256 = re.compile(r"[0-9a-f]{64}")


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
class Gaze:
    """Samples of gaze, or the file of an eye tracker that holds them.

    Attributes
    ----------
    eye
        ``"left"``, ``"right"``, or ``"both"`` for the mean of the two.
    t_s
        Times on the clock of the flips, in seconds (N,), each later than the one before.
    x_px, y_px
        Gaze in pixels from the middle of the window, x to the right and y up (N,); None where the eye tracker
        gave no position.
    valid
        Whether the eye tracker found the eye (N,); then there is a position.
    index, attempt
        Trial during which the samples were taken, as in its `Began`; None between trials.
    file, sha256
        Name of a file in the folder of the journal, and the SHA-256 of its bytes; None where the samples
        stand here.

    Raises
    ------
    InputError
        If samples and file are both given or both missing, columns differ in length, times do not ascend, a
        valid sample has no position, or the name of the file is a path.

    Examples
    --------
    >>> Gaze(eye="left", t_s=(0.5, 0.502), x_px=(3.0, None), y_px=(-1.5, None), valid=(True, False)).x_px
    (3.0, None)
    """

    eye: Literal["left", "right", "both"]
    t_s: tuple[float, ...] = ()
    x_px: tuple[float | None, ...] = ()
    y_px: tuple[float | None, ...] = ()
    valid: tuple[bool, ...] = ()
    index: int | None = None
    attempt: int | None = None
    file: str | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        faults = [*self._samples(), *self._names()]
        if faults:
            raise InputError("\n".join(f"gaze: {fault}" for fault in faults))

    def _samples(self) -> Iterator[str]:
        if len({len(self.t_s), len(self.x_px), len(self.y_px), len(self.valid)}) > 1:
            yield (
                "t_s, x_px, y_px and valid must have one entry for each sample; they have "
                f"{len(self.t_s)}, {len(self.x_px)}, {len(self.y_px)} and {len(self.valid)}"
            )
        elif any(v and None in at for v, *at in zip(self.valid, self.x_px, self.y_px, strict=True)):
            yield "a valid sample needs its position, x_px and y_px"
        numbers = [
            v for column in (self.t_s, self.x_px, self.y_px) for v in column if v is not None
        ]
        if not all(map(math.isfinite, numbers)):
            yield "times and positions must be finite"
        if any(later <= earlier for earlier, later in pairwise(self.t_s)):
            yield "each time t_s must be later than the one before"

    def _names(self) -> Iterator[str]:
        if bool(self.t_s) == (self.file is not None):
            yield "give either samples with their times t_s, or the file that holds them"
        if (self.index is None) != (self.attempt is None):
            yield "a trial is named by its index and its attempt together"
        if (self.file is None) != (self.sha256 is None):
            yield "a file is named with the SHA-256 of its bytes"
        elif self.file is not None and (self.file in ("", ".", "..") or set("/\\") & {*self.file}):
            yield f"a file is in the folder of the journal, and named without it; not {self.file!r}"
        elif self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            yield f"sha256 must be 64 hexadecimal digits; not {self.sha256!r}"


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

"""A design: which bank, which task, which pairs, how often, on which screen. Read from DESIGN.toml.

Everything in the file counts for the identity of the design (`design_sha256`) except where the bank
lies on this machine's disk.
"""

import math
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from experiments.tasks.abx import ANSWERS, CELLS, AbxTask, phases
from stimuli_store.bank.format import parse_pin
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.canonical import canonical_json, key_of, sha256
from stimuli_store.records.convert import from_json, to_json

KEY_NAMES = (
    *("left", "right", "up", "down", "space", "return", "escape", "tab", "backspace"),
    *(f"num_{digit}" for digit in range(10)),
    *"abcdefghijklmnopqrstuvwxyz0123456789",
)
MAX_REPEATS = 4096
COMPARISONS = ("reference-metamer", "metamer-metamer")
_PARTICIPANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_SEED_DIGITS = 13  # hexadecimal: 52 bits, which every JSON reader holds exactly


@dataclass(frozen=True, kw_only=True)
class BankChoice:
    """Where the bank is, relative to the design file, and exactly which one it must be."""

    path: str
    pin: str

    def __post_init__(self) -> None:
        parse_pin(self.pin)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which pairs are compared, and how often.

    `repeats` is the number of trials per pair, a multiple of the four balance cells; `levels` and
    `targets` choose some of the bank's (None: all). `break_every` offers a rest after so many
    trials (0: never).
    """

    comparisons: tuple[str, ...]
    repeats: int
    seed: int
    levels: tuple[float, ...] | None = None
    targets: tuple[str, ...] | None = None
    break_every: int = 0

    def __post_init__(self) -> None:
        if not self.comparisons or len(set(self.comparisons)) != len(self.comparisons):
            raise InputError(
                f"comparisons names one or both of {', '.join(COMPARISONS)}, each once; "
                f"{list(self.comparisons)} was given"
            )
        for name in self.comparisons:
            if name not in COMPARISONS:
                raise unknown_name("comparison", name, list(COMPARISONS))
        if self.repeats > MAX_REPEATS:
            raise InputError(
                f"repeats is {self.repeats}; {MAX_REPEATS} trials per pair are the most"
            )
        if self.repeats < 1 or self.repeats % len(CELLS):
            raise InputError(
                f"repeats is {self.repeats}, but every pair is balanced over {len(CELLS)} cells "
                f"(order x which is X); give a multiple of {len(CELLS)}"
            )
        if self.break_every < 0:
            raise InputError(
                f"break_every is a number of trials, 0 for never; not {self.break_every}"
            )


@dataclass(frozen=True, kw_only=True)
class Screen:
    """The screen a session is planned for: refresh rate (Hz), window size (pixels), background (0
    to 1)."""

    refresh_hz: float = 60.0
    size: tuple[int, int] = (800, 600)
    fullscreen: bool = False
    screen: int = 0
    background: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.refresh_hz) and self.refresh_hz > 0):
            raise InputError(f"refresh_hz is a positive number of hertz; not {self.refresh_hz}")
        if min(self.size) < 1:
            raise InputError(f"size is width and height in pixels; not {list(self.size)}")
        if self.screen < 0:
            raise InputError(f"screen counts from 0; not {self.screen}")
        if not 0.0 <= self.background <= 1.0:
            raise InputError(
                f"background lies between 0 (black) and 1 (white); not {self.background}"
            )


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Key names, as PsychoPy spells them: one for each answer, and one that ends the sitting."""

    A: str = "left"
    B: str = "right"
    quit: str = "escape"

    def __post_init__(self) -> None:
        for key in (self.A, self.B, self.quit):
            if key not in KEY_NAMES:
                raise unknown_name("key", key, list(KEY_NAMES))
        if len({self.A, self.B, self.quit}) < 3:
            raise InputError(
                f"the keys for A, B and quit must differ; {self.A!r}, {self.B!r}, {self.quit!r} "
                "were given"
            )

    def answers(self) -> dict[str, str]:
        """Return answer by key name."""
        return {self.A: ANSWERS[0], self.B: ANSWERS[1]}


@dataclass(frozen=True, kw_only=True)
class Design:
    """All that a design file says."""

    bank: BankChoice
    design: Sampling
    task: AbxTask = field(default_factory=AbxTask)
    screen: Screen = field(default_factory=Screen)
    keys: Keys = field(default_factory=Keys)

    def __post_init__(self) -> None:
        phases(self.task, self.screen.refresh_hz)  # a duration below one frame is refused here

    @property
    def design_sha256(self) -> str:
        """SHA-256 of the design's canonical JSON, without the bank's place on the disk."""
        value = to_json(self)
        value["bank"] = {"pin": self.bank.pin}
        return key_of(value)


def load_design(path: str | os.PathLike[str]) -> Design:
    """Return the design that a TOML file holds.

    Raises
    ------
    InputError
        If the file cannot be read or parsed, or holds an unknown key or a value that makes no
        sense; the message begins with the file's name.
    """
    path = Path(path)
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the design {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # a TOML or UTF-8 error
        raise InputError(f"{path} is not a TOML file: {error}") from error
    try:
        return from_json(Design, value, "the design")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def check_participant(participant: str) -> str:
    """Return `participant` if it can stand in a file name.

    Examples
    --------
    >>> check_participant("S01")
    'S01'
    """
    if not _PARTICIPANT.fullmatch(participant):
        raise InputError(
            "a participant's name is 1 to 32 letters, digits, '-' or '_' and begins with a letter "
            f"or digit, because it becomes part of a file name; {participant!r} was given"
        )
    return participant


def check_session(session: int) -> int:
    """Return `session` if it can number a session: 1, 2, … 99."""
    if not 1 <= session <= 99:
        raise InputError(f"sessions are numbered from 1 to 99; {session} was given")
    return session


def seed_of(design: Design, participant: str, session: int) -> int:
    """Return the seed of a session: the same on every machine, another one for every participant.

    It is the first 52 bits of the SHA-256 of the design's seed, the participant and the session.
    """
    parts = [design.design.seed, check_participant(participant), check_session(session)]
    return int(sha256(canonical_json(parts))[:_SEED_DIGITS], 16)

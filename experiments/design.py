"""Designs, read from DESIGN.toml: bank, task, pairs, repeats, screen and keys.

The identity of a design (`design_sha256`) covers everything in the file except the path of the bank.
"""

import math
import os
import re
from dataclasses import dataclass, field

from experiments.tasks.abx import ANSWERS, CELLS, AbxTask, phases
from stimuli_store.bank.format import parse_pin
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.canonical import canonical_json, key_of, sha256
from stimuli_store.records.convert import to_json
from stimuli_store.records.toml_file import read_toml
from stimuli_store.tools.whole import whole

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
    """Path of the bank, relative to the design file, and the pin that it must have."""

    path: str
    pin: str

    def __post_init__(self) -> None:
        parse_pin(self.pin)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Pairs to compare, and the number of trials for each.

    `repeats` is the number of trials per pair, a multiple of the four balance cells; `levels` and
    `targets` select from the bank (None: all). `break_every` is the number of trials between breaks
    (0: no breaks).
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
                f"comparisons must name one or both of {', '.join(COMPARISONS)}, each once; "
                f"{list(self.comparisons)} was given"
            )
        for name in self.comparisons:
            if name not in COMPARISONS:
                raise unknown_name("comparison", name, list(COMPARISONS))
        if self.repeats > MAX_REPEATS:
            raise InputError(
                f"repeats is {self.repeats}; give at most {MAX_REPEATS} trials per pair"
            )
        if self.repeats < 1 or self.repeats % len(CELLS):
            raise InputError(
                f"repeats is {self.repeats}, but every pair is balanced over {len(CELLS)} cells "
                f"(order x which is X); give a multiple of {len(CELLS)}"
            )
        if self.break_every < 0:
            raise InputError(
                f"break_every must be a number of trials, or 0 for no breaks; not {self.break_every}"
            )


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Screen that a session is planned for: refresh rate (Hz), window size (pixels), background (0 to 1)."""

    refresh_hz: float = 60.0
    size: tuple[int, int] = (800, 600)
    fullscreen: bool = False
    screen: int = 0
    background: float = 0.5

    def __post_init__(self) -> None:
        if not (math.isfinite(self.refresh_hz) and self.refresh_hz > 0):
            raise InputError(f"refresh_hz must be a positive number; not {self.refresh_hz}")
        if min(self.size) < 1:
            raise InputError(f"size must be width and height in pixels; not {list(self.size)}")
        if self.screen < 0:
            raise InputError(f"screen must be 0 or more; not {self.screen}")
        if not 0.0 <= self.background <= 1.0:
            raise InputError(
                f"background must lie between 0 (black) and 1 (white); not {self.background}"
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
        """Return the answers ("A", "B") by key name."""
        return {self.A: ANSWERS[0], self.B: ANSWERS[1]}


@dataclass(frozen=True, kw_only=True)
class Design:
    """Content of a design file: bank, pairs, task, screen, keys."""

    bank: BankChoice
    design: Sampling
    task: AbxTask = field(default_factory=AbxTask)
    screen: Screen = field(default_factory=Screen)
    keys: Keys = field(default_factory=Keys)

    def __post_init__(self) -> None:
        phases(self.task, self.screen.refresh_hz)  # a duration below one frame is refused here

    @property
    def design_sha256(self) -> str:
        """SHA-256 of the design's canonical JSON, without the path of the bank."""
        value = to_json(self)
        value["bank"] = {"pin": self.bank.pin}
        return key_of(value)


def load_design(path: str | os.PathLike[str]) -> Design:
    """Return the design in a TOML file.

    Raises
    ------
    InputError
        If the file cannot be read or parsed, or holds an unknown key or a value that is not valid;
        the message begins with the file's name.
    """
    return read_toml(path, Design, "the design")


def check_participant(participant: str) -> str:
    """Return `participant` if it can be part of a file name; raise InputError if not.

    Examples
    --------
    >>> check_participant("S01")
    'S01'
    """
    if not _PARTICIPANT.fullmatch(participant):
        raise InputError(
            "a participant's name becomes part of a file name, so it must have 1 to 32 letters, "
            f"digits, '-' or '_' and begin with a letter or digit; {participant!r} was given"
        )
    return participant


def check_session(session: int) -> int:
    """Return `session` if it is a number from 1 to 99; raise InputError if not."""
    number = whole(session, "session")
    if not 1 <= number <= 99:
        raise InputError(f"sessions are numbered from 1 to 99; {number} was given")
    return number


def seed_of(design: Design, participant: str, session: int) -> int:
    """Return the seed of a session, which depends only on the design's seed, participant and session.

    It is the first 52 bits of the SHA-256 of the design's seed, the participant and the session.
    """
    parts = [design.design.seed, check_participant(participant), check_session(session)]
    return int(sha256(canonical_json(parts))[:_SEED_DIGITS], 16)

"""Designs, read from DESIGN.toml: bank, task, comparisons, order, screen, keys and texts.

The identity of a design (`design_sha256`) covers everything in the file except the path of the bank.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.keys import QUIT, keys_of
from experiments.sampling import Sampling
from experiments.screen import Screen
from experiments.task_choice import TaskChoice, check_durations, resolved
from experiments.texts import check_texts
from stimuli_store.bank.format import parse_pin
from stimuli_store.errors import InputError
from stimuli_store.records.canonical import canonical_json, key_of, sha256
from stimuli_store.records.convert import to_json
from stimuli_store.records.toml_file import read_toml
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task
from stimuli_store.tools.shown import FactSheet, size_of
from stimuli_store.tools.whole import whole

_PARTICIPANT = re.compile(r"[0-9A-Za-z+]{1,32}")
_SEED_DIGITS = 13  # hexadecimal: 52 bits, which every JSON reader holds exactly


@dataclass(frozen=True, kw_only=True)
class BankChoice:
    """Path of the bank, relative to the design file, and the pin that it must have.

    Attributes
    ----------
    path
        Path of the bank's file, relative to the folder of the design file.
    pin
        ``name@version#hash``, the exact name of the bank.

    Raises
    ------
    InputError
        If the pin has another form.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> BankChoice(path="study-1.0.0.h5", pin=bank.pin).path
    'study-1.0.0.h5'
    """

    path: str
    pin: str

    def __post_init__(self) -> None:
        parse_pin(self.pin)


@dataclass(frozen=True, kw_only=True, repr=False)
class Design(FactSheet):
    """A design that was checked.

    Attributes
    ----------
    bank
        Where the stimuli are.
    design
        What is compared how often in which order.
    task, rule
        The task, and the decision rule that observers are assumed to follow.
    screen
        The screen that the session is planned for.
    keys
        Answer, or ``"quit"``, to key.
    texts
        Texts that replace those of the task, by name.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import read_design
    >>> design = read_design("design.toml")
    >>> design.task.name, design.rule
    ('abx', 'independent')
    """

    bank: BankChoice
    design: Sampling
    task: Task
    rule: str
    screen: Screen = field(default_factory=Screen)
    keys: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def _facts(self) -> list[tuple[str, object]]:
        chosen = self.design
        return [
            ("task", self.task.name),
            ("rule", self.rule),
            ("comparisons", ", ".join(chosen.comparisons)),
            ("repeats", chosen.repeats),
            ("blocks", chosen.blocks if chosen.blocks > 1 else ""),
            ("seed", chosen.seed),
            ("bank", self.bank.pin),
            ("screen", f"{size_of(self.screen.size)} at {self.screen.refresh_hz:g} Hz"),
        ]

    def _pictures(self) -> str:
        return self.task._pictures()

    @property
    def content(self) -> dict[str, Any]:
        """All of it but the task and the path of the bank, as JSON values for a journal's header."""
        value = {**to_json(self), "bank": {"pin": self.bank.pin}}
        del value["task"]
        return value

    @property
    def design_sha256(self) -> str:
        """SHA-256 of the design's canonical JSON, without the path of the bank."""
        return key_of({**self.content, "task": to_json(self.task)})

    @property
    def answer_keys(self) -> dict[str, str]:
        """The answers by key."""
        return {key: answer for answer, key in self.keys.items() if answer != QUIT}

    @property
    def quit_key(self) -> str:
        """The key that ends the sitting."""
        return self.keys[QUIT]


@dataclass(frozen=True, kw_only=True, repr=False)
class DesignFile(FactSheet):
    """The tables of a design file as they are written.

    Attributes
    ----------
    bank
        Where the stimuli are.
    design
        What is compared how often in which order.
    task
        A declared task with its changes, or a task that the design declares; ``abx`` without it.
    screen
        The screen that sessions are planned for.
    keys
        Answer, or ``"quit"``, to the name of its key; answers have default keys if none of them has one here.
    texts
        Texts that replace those of the task, by name.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import BankChoice, Sampling, TaskChoice, design_from
    >>> file = DesignFile(
    ...     bank=BankChoice(path=bank.path.name, pin=bank.pin),
    ...     task=TaskChoice(name="oddity"),
    ...     design=Sampling(comparisons=("reference-member",), repeats=6, seed=1),
    ... )
    >>> design_from(file).task.name
    'oddity'
    """

    bank: BankChoice
    design: Sampling
    task: TaskChoice = field(default_factory=lambda: TaskChoice(name=ABX.name))
    screen: Screen = field(default_factory=Screen)
    keys: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("task", self.task.name),
            ("comparisons", ", ".join(self.design.comparisons)),
            ("repeats", self.design.repeats),
            ("seed", self.design.seed),
            ("bank", self.bank.pin),
        ]


def design_from(file: DesignFile) -> Design:
    """Return the checked design of a file's tables.

    Parameters
    ----------
    file
        The tables, of which only ``bank`` and ``design`` must be given.

    Raises
    ------
    InputError
        With one line for each fault: a task that does not hold, a duration that the screen cannot show,
        repeats that do not fill the cells, an answer without a key, an unknown text.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import BankChoice, DesignFile, Sampling
    >>> chosen = BankChoice(path=bank.path.name, pin=bank.pin)
    >>> sampling = Sampling(comparisons=("reference-member",), repeats=4, seed=1)
    >>> design_from(DesignFile(bank=chosen, design=sampling)).rule
    'independent'
    """
    task, rule = resolved(file.task)
    faults: list[str] = []
    keys: dict[str, str] = {}

    def keep(act: Any, *given: Any) -> Any:
        try:
            return act(*given)
        except InputError as error:
            faults.append(str(error))
            return None

    keep(check_durations, task, file.screen.refresh_hz, file.screen.tolerance_ms)
    keep(file.design.check_counts, len(task.cells))
    keys = keep(keys_of, file.keys, task.answers) or {}
    if keys:
        keep(check_texts, file.texts, task, keys)
    if faults:
        raise InputError("\n".join(faults))
    return Design(
        bank=file.bank,
        design=file.design,
        task=task,
        rule=rule,
        screen=file.screen,
        keys=keys,
        texts=dict(file.texts),
    )


def read_design(path: str | os.PathLike[str]) -> Design:
    """Return the design in a TOML file.

    Parameters
    ----------
    path
        A file with the tables of `DesignFile`. The bank that it names is not opened.

    Raises
    ------
    InputError
        If the file is missing, is no TOML, or is no design; all faults are named together.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> design = read_design("design.toml")
    >>> design.bank.pin == bank.pin, design.design.repeats
    (True, 4)
    """
    file = read_toml(path, DesignFile, "the design")
    try:
        return design_from(file)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def check_participant(participant: str) -> str:
    """Return `participant` if it can be part of a file name of BIDS; raise InputError if not.

    Examples
    --------
    >>> check_participant("S01")
    'S01'
    """
    if not _PARTICIPANT.fullmatch(participant):
        raise InputError(
            "a participant's name becomes part of a file name, for which BIDS allows 1 to 32 letters, "
            f"digits or '+'; {participant!r} was given"
        )
    return participant


def check_session(session: int) -> int:
    """Return `session` if it is a number from 1 to 99; raise InputError if not."""
    return _numbered(session, "session")


def check_run(run: int) -> int:
    """Return `run` if it is a number from 1 to 99; raise InputError if not."""
    return _numbered(run, "run")


def _numbered(value: int, what: str) -> int:
    number = whole(value, what)
    if not 1 <= number <= 99:
        raise InputError(f"{what}s are numbered from 1 to 99; {number} was given")
    return number


def seed_of(design: Design, participant: str, session: int, run: int = 1) -> int:
    """Return the seed of a session, which depends only on the design's seed, participant, session and run.

    It is the first 52 bits of the SHA-256 of the design's seed, the participant, the session, and the run
    if it is not the first.

    Parameters
    ----------
    design
        The design, of which only the seed counts.
    participant
        Name of the participant, 1 to 32 letters, digits or ``+``.
    session
        Number of the session, 1 to 99.
    run
        Number of the run, 1 to 99, if the same task is done again in one session.

    Raises
    ------
    InputError
        If the name or a number is another.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import read_design
    >>> design = read_design("design.toml")
    >>> seed_of(design, "S01", 1) == seed_of(design, "S01", 1) != seed_of(design, "S02", 1)
    True
    """
    parts = [design.design.seed, check_participant(participant), check_session(session)]
    if check_run(run) != 1:
        parts.append(run)
    return int(sha256(canonical_json(parts))[:_SEED_DIGITS], 16)

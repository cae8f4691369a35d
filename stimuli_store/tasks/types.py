"""Types of a task: roles, intervals, phases and cells, as plain data for TOML files and journals."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from stimuli_store.tools import html
from stimuli_store.tools.shown import FactSheet

#: Role of the image that two others are compared with. It is at 0 on the axis, like the lower of the two.
REFERENCE = "reference"
CENTRE = "centre"
WHOLE = "whole"
PARTS = (WHOLE, "left-half", "right-half", "top-half", "bottom-half")


@dataclass(frozen=True, kw_only=True)
class Role:
    """Role that a stimulus plays, and where its percept lies on the axis of d': at 0, or d' above at 1."""

    name: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Show:
    """Place at which the stimulus of an interval is on the screen, and the part of it that is shown.

    Percepts of different parts are never compared: only the left half of one picture with the left half of
    another.
    """

    interval: str
    place: str = CENTRE
    part: str = WHOLE


@dataclass(frozen=True, kw_only=True)
class PhaseSpec:
    """Phase of a trial: its duration in milliseconds, and the intervals on the screen (none: a blank).

    `ms` may be a pair, for a duration drawn between the two, or None for one that lasts until the answer.
    An answer counts from the onset of the first phase that listens.
    """

    name: str
    ms: float | tuple[float, float] | None = None
    shows: tuple[Show, ...] = ()
    listens: bool = False

    @property
    def lasts(self) -> str:
        """Words for the duration."""
        match self.ms:
            case None:
                return "until the answer"
            case (least, most):
                return f"{least:g} to {most:g} ms"
            case ms:
                return f"{ms:g} ms"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One arrangement of a trial: the role that fills each interval, and the right answer."""

    fills: Mapping[str, str]
    answer: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Task(FactSheet):
    """A task: what is shown where and when, what may be answered, and which answer is right.

    Attributes
    ----------
    name
        Name in designs, journals and tables.
    roles
        Roles of the stimuli that are compared.
    intervals
        Names of the places in a trial that are filled by a stimulus.
    answers
        What the participant may answer.
    phases
        What is shown in which order and for how long.
    cells
        All arrangements, each shown equally often.
    rules
        Decision rules by which observers may answer, the default first (`analysis.observers.rules`).
    ramp_ms
        Duration over which the contrast of a picture rises at its onset and falls at its end; 0 for none.
    mask_ms
        Duration of a mask after each picture, taken from the blank that follows; 0 for none.
    criterion
        Whether an observer needs a criterion (yes/no, same-different), so that the guess rate is free.
    """

    name: str
    roles: tuple[Role, ...]
    intervals: tuple[str, ...]
    answers: tuple[str, ...]
    phases: tuple[PhaseSpec, ...]
    cells: tuple[Cell, ...]
    rules: tuple[str, ...]
    ramp_ms: float = 0.0
    mask_ms: float = 0.0
    criterion: bool = False

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("name", self.name),
            ("roles", ", ".join(role.name for role in self.roles)),
            ("intervals", ", ".join(self.intervals)),
            ("answers", ", ".join(self.answers)),
            ("cells", len(self.cells)),
            ("rules", ", ".join(self.rules)),
            ("guess rate", "free" if self.guess is None else f"{self.guess:.3g}"),
        ]

    def _pictures(self) -> str:
        """Return the phases of a trial as a table with their pictures and durations."""
        rows = [
            (phase.name, ", ".join(show.interval for show in phase.shows), phase.lasts)
            for phase in self.phases
        ]
        return html.table(("phase", "shows", "duration"), rows)

    @property
    def guess(self) -> float | None:
        """Proportion correct of an observer who sees no difference; None with a criterion."""
        return None if self.criterion else 1 / len(self.answers)

    def at(self, role: str) -> float:
        """Return where the percept of a role lies: 0, or 1 for d'."""
        return next(known.at for known in self.roles if known.name == role)

    def part(self, interval: str) -> str:
        """Return the part of its stimulus that an interval shows."""
        shown = (show for phase in self.phases for show in phase.shows)
        return next(show.part for show in shown if show.interval == interval)

    @cached_property
    def contrast(self) -> tuple[str, str]:
        """Names of the roles that differ by d', the lower first; the reference is neither."""
        named = [role for role in self.roles if role.name != REFERENCE]
        low = next(role.name for role in named if role.at == 0)
        return low, next(role.name for role in named if role.at == 1)

    @cached_property
    def directed(self) -> bool:
        """True if the answer tells which stimulus is the higher (2IFC), not only which are alike (ABX)."""
        low, high = self.contrast
        swap = {low: high, high: low}
        known = [(dict(cell.fills), cell.answer) for cell in self.cells]
        swapped = [
            ({name: swap.get(role, role) for name, role in fills.items()}, answer)
            for fills, answer in known
        ]
        return any(cell not in known for cell in swapped)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Phase of one trial, in whole frames.

    `requested_ms` and `n_frames` are None for a phase that lasts until the answer. With `mask` it shows
    masks at the places of the pictures.
    """

    name: str
    shows: tuple[Show, ...] = ()
    requested_ms: float | None = None
    n_frames: int | None = None
    listens: bool = False
    mask: bool = False

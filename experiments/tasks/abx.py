"""ABX task: two pictures are shown, then one of them again; the participant says which one it was.

Timings default to those of Freeman & Simoncelli (2011, Nature Neuroscience 14, 1195-1201): A 200
ms, blank 500 ms, B 200 ms, blank 1000 ms, X 200 ms, then up to 2000 ms to answer. A blank of 500
ms opens every trial; the pictures are loaded in it.

An answer is accepted from the onset of X on, X is always shown for its whole duration, and the guess
rate is 1/2. Every pair of stimuli is balanced over four cells: which of the two is A, times which of
the two is X.
"""

import math
from dataclasses import dataclass

from stimuli_store.errors import InputError, unknown_name
from stimuli_store.records.trials import Phase

NAME = "abx"
GUESS_RATE = 0.5
ANSWERS = ("A", "B")
RULES = ("independent", "differencing")
CELLS = ((0, 0), (0, 1), (1, 0), (1, 1))
ITI = "iti"
RESPOND = "respond"

# Phase, the interval whose picture it shows, and the field of `AbxTask` that says how long.
_PLAN = (
    (ITI, None, "iti_ms"),
    ("A", "A", "a_ms"),
    ("gap_ab", None, "gap_ab_ms"),
    ("B", "B", "b_ms"),
    ("gap_bx", None, "gap_bx_ms"),
    ("X", "X", "x_ms"),
    (RESPOND, None, "respond_ms"),
)


@dataclass(frozen=True, kw_only=True)
class AbxTask:
    """ABX task: durations of the phases in milliseconds, and the decision rule that the analysis assumes.

    `rule` is ``"independent"`` (A and B tell the observer two categories, and X is one of them) or
    ``"differencing"`` (the observer compares X with A and X with B); d' depends on it.
    """

    name: str = NAME
    rule: str = "independent"
    a_ms: float = 200.0
    gap_ab_ms: float = 500.0
    b_ms: float = 200.0
    gap_bx_ms: float = 1000.0
    x_ms: float = 200.0
    respond_ms: float = 2000.0
    iti_ms: float = 500.0

    def __post_init__(self) -> None:
        if self.name != NAME:
            raise unknown_name("task", self.name, [NAME])
        if self.rule not in RULES:
            raise unknown_name("rule", self.rule, list(RULES))


def plan_phase(name: str, image: str | None, requested_ms: float, refresh_hz: float) -> Phase:
    """Return a phase with its duration rounded to whole frames.

    Parameters
    ----------
    name
        Name of the phase in records.
    image
        The interval whose picture is on the screen, or None for a blank.
    requested_ms
        Duration asked for, in milliseconds.
    refresh_hz
        Refresh rate of the screen, in hertz.

    Raises
    ------
    InputError
        If the duration is not a number, or shorter than one frame.

    Examples
    --------
    >>> plan_phase("A", "A", 200, 60).n_frames, plan_phase("A", "A", 200, 144).n_frames
    (12, 29)
    """
    frames = requested_ms * refresh_hz / 1000.0
    if not math.isfinite(frames) or frames < 1.0 - 1e-9:
        raise InputError(
            f"the phase {name!r} should last {requested_ms:g} ms, but one frame at {refresh_hz:g} "
            f"Hz lasts {1000.0 / refresh_hz:.3f} ms; give at least that"
        )
    n_frames = math.floor(frames + 0.5)
    return Phase(name=name, image=image, requested_ms=float(requested_ms), n_frames=n_frames)


def phases(task: AbxTask, refresh_hz: float) -> tuple[Phase, ...]:
    """Return the phases of an ABX trial, in whole frames at a refresh rate in hertz.

    Examples
    --------
    >>> [phase.n_frames for phase in phases(AbxTask(), 60.0)]
    [30, 12, 30, 12, 60, 12, 120]
    """
    return tuple(
        plan_phase(name, image, getattr(task, field), refresh_hz) for name, image, field in _PLAN
    )


def intervals(pair: tuple[str, str], cell: tuple[int, int]) -> tuple[dict[str, str], str]:
    """Return the picture of each interval, as interval name to pixel id, and the right answer.

    Parameters
    ----------
    pair
        Pixel ids of the two stimuli.
    cell
        Which of the pair is A, and which of the pair is X.

    Examples
    --------
    >>> intervals(("p", "q"), (1, 0))
    ({'A': 'q', 'B': 'p', 'X': 'p'}, 'B')
    """
    first, x = cell
    shown = {"A": pair[first], "B": pair[1 - first], "X": pair[x]}
    return shown, "A" if x == first else "B"

"""Check that a task can be run and balanced; all faults are reported together."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from stimuli_store.errors import InputError
from stimuli_store.tasks.types import PARTS, PhaseSpec, Task

#: Longest phase with a duration; more is a slip, and would never end.
_LONGEST_MS = 3_600_000


def check(task: Task) -> None:
    """Check that every interval is shown and filled, every role used, and every answer right equally often.

    Raises
    ------
    InputError
        With one line for each fault.
    """
    faults = dict.fromkeys([*_names(task), *_cells(task), *_contradictions(task), *_phases(task)])
    if faults:
        raise InputError("\n".join(f"the task {task.name!r}: {fault}" for fault in faults))


def _names(task: Task) -> Iterator[str]:
    for what, names in (
        ("roles", [role.name for role in task.roles]),
        ("intervals", task.intervals),
        ("answers", task.answers),
        ("phases", [phase.name for phase in task.phases]),
        ("rules", task.rules),
        ("cells", [f"{dict(c.fills)} {c.answer}" for c in task.cells]),
    ):
        if not names:
            yield f"it has no {what}; declare at least one"
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            yield f"{what} must differ, but {twice[0]!r} stands there twice"
        for name in names:
            if not name.strip() or not name.isprintable():
                yield f"{what} need names of one line of text; not {name!r}"
    if len(task.answers) == 1:
        yield "it has one answer; a choice needs two or more"
    ats = {role.at for role in task.roles}
    if ats != {0.0, 1.0}:
        yield f"roles lie at 0 or at 1, some at each; not at {sorted(ats)}"


def _cells(task: Task) -> Iterator[str]:
    roles = {role.name for role in task.roles}
    used: set[str] = set()
    for cell in task.cells:
        if set(cell.fills) != set(task.intervals):
            yield f"a cell fills {_list(cell.fills)}, but the intervals are {_list(task.intervals)}"
        unknown = set(cell.fills.values()) - roles
        if unknown:
            yield f"a cell has the role {min(unknown)!r}; the roles are {_list(roles)}"
        if cell.answer not in task.answers:
            yield f"a cell has the answer {cell.answer!r}; the answers are {_list(task.answers)}"
        used |= set(cell.fills.values())
    for role in sorted(roles - used):
        yield f"no cell uses the role {role!r}"
    counts = Counter(dict.fromkeys(task.answers, 0))
    counts.update(cell.answer for cell in task.cells)
    if len(set(counts.values())) > 1 and not task.criterion:
        said = ", ".join(f"{answer} in {count}" for answer, count in counts.items())
        yield f"every answer must be right in as many cells as the others; it is {said}"
    if 0 in counts.values() and task.criterion:
        yield "every answer must be right in some cell"


def _contradictions(task: Task) -> Iterator[str]:
    """Yield a sentence for every arrangement in which two answers are right."""
    right: dict[frozenset[tuple[str, str]], str] = {}
    for cell in task.cells:
        other = right.setdefault(frozenset(cell.fills.items()), cell.answer)
        if other != cell.answer:
            yield (
                f"two cells are filled alike ({_list(map(' = '.join, cell.fills.items()))}), but the right "
                f"answer is {other!r} in one and {cell.answer!r} in the other"
            )


def _phases(task: Task) -> Iterator[str]:
    for phase in task.phases:
        yield from _durations(phase)
        spots = Counter((show.place, show.part) for show in phase.shows)
        if any(count > 1 for count in spots.values()):
            yield f"the phase {phase.name!r} shows two intervals at one place"
    yield from _shows(task)
    if task.phases and task.phases[0].shows:
        yield "the first phase must be a blank: it is the time between trials"
    listening = [phase.listens for phase in task.phases]
    if not any(listening):
        yield "no phase listens for an answer"
    elif False in listening[listening.index(True) :]:
        yield "every phase after the first that listens must listen too"
    for length, what in ((task.ramp_ms, "ramp_ms"), (task.mask_ms, "mask_ms")):
        if not (math.isfinite(length) and length >= 0):
            yield f"{what} must be 0 or more; not {length:g}"


def _shows(task: Task) -> Iterator[str]:
    shown: dict[str, str] = {}
    for where, show in ((phase.name, show) for phase in task.phases for show in phase.shows):
        if show.interval not in task.intervals:
            yield (
                f"a phase shows the interval {show.interval!r}; the intervals are "
                f"{_list(task.intervals)}"
            )
        if show.part not in PARTS:
            yield f"the part {show.part!r} of a picture is unknown; there are {_list(PARTS)}"
        if show.interval in shown:  # an interval is one percept: observers have one look at it
            yield (
                f"the interval {show.interval!r} is shown in the phase {shown[show.interval]!r} and again "
                f"in {where!r}; give the second showing an interval of its own"
            )
        shown[show.interval] = where
    for interval in task.intervals:
        if interval not in shown:
            yield f"the interval {interval!r} is never shown"


def _durations(phase: PhaseSpec) -> Iterator[str]:
    if phase.ms is None:
        if not phase.listens:
            yield f"the phase {phase.name!r} lasts until the answer, but does not listen for one"
        return
    ends = phase.ms if isinstance(phase.ms, tuple) else (phase.ms, phase.ms)
    if not (all(math.isfinite(end) for end in ends) and 0 < ends[0] <= ends[1]):
        yield f"the phase {phase.name!r} must last a positive time, the shorter first; not {phase.ms}"
    elif ends[1] > _LONGEST_MS:
        yield f"the phase {phase.name!r} must last an hour at most, {_LONGEST_MS:g} ms; not {phase.ms}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)

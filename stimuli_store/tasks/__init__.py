"""Tasks as values: what is shown where and when, what may be answered, and which answer is right.

A task is plain data. Guess rate, balance, phases in frames, decision rules and texts follow from it, so a
task that a laboratory declares in its design works like those that are declared here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from stimuli_store.errors import unknown_name
from stimuli_store.tasks.abx import ABX, MATCH_TO_SAMPLE
from stimuli_store.tasks.forced_choice import (
    MAD_PAIR,
    PAIR_OF_PLACES,
    PAIR_WITH_REFERENCE,
    TWO_INTERVALS,
    forced_choice,
)
from stimuli_store.tasks.oddity import oddity, ring_oddity
from stimuli_store.tasks.same_different import FOUR_INTERVALS, SAME_DIFFERENT, YES_NO
from stimuli_store.tasks.split_screen import SPLIT_SCREEN
from stimuli_store.tasks.types import Task

#: The declared tasks by name.
TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            ABX,
            MATCH_TO_SAMPLE,
            TWO_INTERVALS,
            PAIR_OF_PLACES,
            PAIR_WITH_REFERENCE,
            MAD_PAIR,
            *(forced_choice(m) for m in (3, 4, 5, 6)),
            *(oddity(m) for m in (3, 4, 5, 6)),
            *(ring_oddity(m) for m in (3, 4, 5, 6)),
            YES_NO,
            SAME_DIFFERENT,
            FOUR_INTERVALS,
            SPLIT_SCREEN,
        )
    }
)

#: Other names that people use.
ALIASES: Mapping[str, str] = MappingProxyType({"2afc": TWO_INTERVALS.name, "triangle": "oddity"})


def task_named(name: str) -> Task:
    """Return the declared task of a name, or of another name that people use for it.

    Raises
    ------
    InputError
        If there is none; the nearest name is given.

    Examples
    --------
    >>> task_named("2afc").name, task_named("abx").guess
    ('2ifc', 0.5)
    """
    known = ALIASES.get(name, name)
    if known not in TASKS:
        raise unknown_name("task", name, sorted([*TASKS, *ALIASES]))
    return TASKS[known]

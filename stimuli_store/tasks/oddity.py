"""Oddity: all pictures are the same but one, which may be either of the two stimuli.

Timings are those of Wallis et al. (2019, eLife 8, e42512): three pictures of 200 ms with blanks of 1000 ms,
then up to 1200 ms to answer.
"""

from dataclasses import replace

from stimuli_store.tasks.abx import ORDERS, PAIR
from stimuli_store.tasks.forced_choice import at_once, in_intervals
from stimuli_store.tasks.types import Cell, Show, Task


def oddity(m: int = 3) -> Task:
    """Return the oddity task with m pictures, one after the other.

    Examples
    --------
    >>> oddity().name, len(oddity().cells), oddity(4).name
    ('oddity', 6, 'oddity-4')
    """
    names = tuple(str(i + 1) for i in range(m))
    return Task(
        name="oddity" if m == 3 else f"oddity-{m}",
        roles=PAIR,
        intervals=names,
        answers=names,
        phases=in_intervals(names, 1200.0),
        cells=_cells(names),
        rules=("differencing", "likelihood"),
    )


def ring_oddity(m: int = 3) -> Task:
    """Return the oddity task with m pictures at places on a ring, all at the same time.

    The places are named ``ring-1`` to ``ring-m``, the first at the top and the others clockwise.
    """
    task = oddity(m)
    shows = tuple(Show(interval=name, place=f"ring-{name}") for name in task.intervals)
    return replace(task, name=f"ring-{task.name}", phases=at_once(shows, 500.0))


def _cells(names: tuple[str, ...]) -> tuple[Cell, ...]:
    return tuple(
        Cell(fills={name: odd if name == at else common for name in names}, answer=at)
        for common, odd in ORDERS
        for at in names
    )

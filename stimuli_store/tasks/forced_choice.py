"""Forced choice: which of two or more pictures is the one that differs, or lies further from the reference?

Timings of the intervals are those of Wallis et al. (2019, eLife 8, e42512): pictures 200 ms, blank 1000 ms,
then up to 1200 ms to answer.
"""

from stimuli_store.tasks.abx import ORDERS, PAIR
from stimuli_store.tasks.types import REFERENCE, Cell, PhaseSpec, Role, Show, Task

LEFT_RIGHT = (Show(interval="left", place="left"), Show(interval="right", place="right"))


def in_intervals(names: tuple[str, ...], respond_ms: float) -> tuple[PhaseSpec, ...]:
    """Return the phases of a trial that shows one picture after the other in the centre."""
    phases = [PhaseSpec(name="iti", ms=500.0)]
    for number, name in enumerate(names):
        last = number + 1 == len(names)
        phases.append(PhaseSpec(name=name, ms=200.0, shows=(Show(interval=name),), listens=last))
        if not last:
            phases.append(PhaseSpec(name=f"gap_{number + 1}", ms=1000.0))
    return (*phases, PhaseSpec(name="respond", ms=respond_ms, listens=True))


def at_once(shows: tuple[Show, ...], ms: float) -> tuple[PhaseSpec, ...]:
    """Return the phases of a trial that shows all pictures at the same time."""
    return (
        PhaseSpec(name="iti", ms=500.0),
        PhaseSpec(name="pictures", ms=ms, shows=shows, listens=True),
        PhaseSpec(name="respond", ms=2000.0, listens=True),
    )


TWO_INTERVALS = Task(
    name="2ifc",
    roles=PAIR,
    intervals=("first", "second"),
    answers=("first", "second"),
    phases=in_intervals(("first", "second"), 1200.0),
    cells=tuple(
        Cell(fills={"first": a, "second": b}, answer="first" if a == "q" else "second")
        for a, b in ORDERS
    ),
    rules=("likelihood",),
)

PAIR_OF_PLACES = Task(
    name="pair",
    roles=PAIR,
    intervals=("left", "right"),
    answers=("left", "right"),
    phases=at_once(LEFT_RIGHT, 500.0),
    cells=tuple(
        Cell(fills={"left": a, "right": b}, answer="left" if a == "q" else "right")
        for a, b in ORDERS
    ),
    rules=("likelihood",),
)

PAIR_WITH_REFERENCE = Task(
    name="pair-with-reference",
    roles=PAIR,
    intervals=("middle", "left", "right"),
    answers=("left", "right"),
    phases=at_once((Show(interval="middle"), *LEFT_RIGHT), 500.0),
    cells=tuple(
        Cell(fills={"middle": "p", "left": a, "right": b}, answer="left" if a == "q" else "right")
        for a, b in ORDERS
    ),
    rules=("likelihood", "differencing"),
)

MAD_PAIR = Task(
    name="mad-pair",
    roles=(Role(name=REFERENCE, at=0.0), Role(name="near", at=0.0), Role(name="far", at=1.0)),
    intervals=("middle", "left", "right"),
    answers=("left", "right"),
    phases=at_once((Show(interval="middle"), *LEFT_RIGHT), 500.0),
    cells=tuple(
        Cell(
            fills={"middle": REFERENCE, "left": a, "right": b},
            answer="left" if a == "near" else "right",
        )
        for a, b in (("near", "far"), ("far", "near"))
    ),
    rules=("differencing", "likelihood"),
)


def forced_choice(m: int) -> Task:
    """Return the task of finding the one of m pictures, one after the other, that is `q` among `p`.

    Examples
    --------
    >>> forced_choice(4).name, len(forced_choice(4).cells)
    ('4afc', 4)
    """
    names = tuple(str(i + 1) for i in range(m))
    return Task(
        name=f"{m}afc",
        roles=PAIR,
        intervals=names,
        answers=names,
        phases=in_intervals(names, 2000.0),
        cells=tuple(
            Cell(fills={name: "q" if name == odd else "p" for name in names}, answer=odd)
            for odd in names
        ),
        rules=("likelihood", "differencing"),
    )

"""ABX and its relatives: is the last picture, or the first, the same as this one or that one?

Timings of ABX are those of Freeman & Simoncelli (2011, Nature Neuroscience 14, 1195-1201): A 200 ms, blank
500 ms, B 200 ms, blank 1000 ms, X 200 ms, then up to 2000 ms to answer.
"""

from stimuli_store.tasks.types import Cell, PhaseSpec, Role, Show, Task

PAIR = (Role(name="p", at=0.0), Role(name="q", at=1.0))
ORDERS = (("p", "q"), ("q", "p"))

ABX = Task(
    name="abx",
    roles=PAIR,
    intervals=("A", "B", "X"),
    answers=("A", "B"),
    phases=(
        PhaseSpec(name="iti", ms=500.0),
        PhaseSpec(name="A", ms=200.0, shows=(Show(interval="A"),)),
        PhaseSpec(name="gap_ab", ms=500.0),
        PhaseSpec(name="B", ms=200.0, shows=(Show(interval="B"),)),
        PhaseSpec(name="gap_bx", ms=1000.0),
        PhaseSpec(name="X", ms=200.0, shows=(Show(interval="X"),), listens=True),
        PhaseSpec(name="respond", ms=2000.0, listens=True),
    ),
    cells=tuple(
        Cell(fills={"A": a, "B": b, "X": x}, answer="A" if x == a else "B")
        for a, b in ORDERS
        for x in ("p", "q")
    ),
    rules=("independent", "differencing", "likelihood"),
)

MATCH_TO_SAMPLE = Task(
    name="match-to-sample",
    roles=PAIR,
    intervals=("sample", "left", "right"),
    answers=("left", "right"),
    phases=(
        PhaseSpec(name="iti", ms=500.0),
        PhaseSpec(name="sample", ms=200.0, shows=(Show(interval="sample"),)),
        PhaseSpec(name="gap", ms=500.0),
        PhaseSpec(
            name="choices",
            ms=500.0,
            shows=(Show(interval="left", place="left"), Show(interval="right", place="right")),
            listens=True,
        ),
        PhaseSpec(name="respond", ms=2000.0, listens=True),
    ),
    cells=tuple(
        Cell(
            fills={"sample": sample, "left": left, "right": right},
            answer="left" if sample == left else "right",
        )
        for left, right in ORDERS
        for sample in ("p", "q")
    ),
    rules=("differencing", "likelihood"),
)

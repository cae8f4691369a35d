"""Split screen: a picture comes back with one of its halves exchanged; which half changed?

Timings are those of Broderick et al. (2025): picture 200 ms, blank 500 ms, picture 200
ms, then as long as the participant needs.
"""

from stimuli_store.tasks.abx import ORDERS, PAIR
from stimuli_store.tasks.types import Cell, PhaseSpec, Show, Task

SPLIT_SCREEN = Task(
    name="split-screen",
    roles=PAIR,
    intervals=("before-left", "before-right", "after-left", "after-right"),
    answers=("left", "right"),
    phases=(
        PhaseSpec(name="iti", ms=500.0),
        PhaseSpec(
            name="before",
            ms=200.0,
            shows=(
                Show(interval="before-left", part="left-half"),
                Show(interval="before-right", part="right-half"),
            ),
        ),
        PhaseSpec(name="gap", ms=500.0),
        PhaseSpec(
            name="after",
            ms=200.0,
            shows=(
                Show(interval="after-left", part="left-half"),
                Show(interval="after-right", part="right-half"),
            ),
            listens=True,
        ),
        PhaseSpec(name="respond", listens=True),
    ),
    cells=tuple(
        Cell(
            fills={
                "before-left": before,
                "before-right": before,
                "after-left": changed if half == "left" else before,
                "after-right": changed if half == "right" else before,
            },
            answer=half,
        )
        for before, changed in ORDERS
        for half in ("left", "right")
    ),
    rules=("differencing", "likelihood"),
)

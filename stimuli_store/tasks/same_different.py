"""Tasks that ask whether there is a difference: yes-no, same-different, and four intervals in two pairs."""

from itertools import product

from stimuli_store.tasks.abx import ORDERS, PAIR
from stimuli_store.tasks.forced_choice import in_intervals
from stimuli_store.tasks.types import Cell, Task

YES_NO = Task(
    name="yes-no",
    roles=PAIR,
    intervals=("picture",),
    answers=("no", "yes"),
    phases=in_intervals(("picture",), 2000.0),
    cells=(
        Cell(fills={"picture": "p"}, answer="no"),
        Cell(fills={"picture": "q"}, answer="yes"),
    ),
    rules=("likelihood",),
    criterion=True,
)

SAME_DIFFERENT = Task(
    name="same-different",
    roles=PAIR,
    intervals=("first", "second"),
    answers=("same", "different"),
    phases=in_intervals(("first", "second"), 2000.0),
    cells=tuple(
        Cell(fills={"first": a, "second": b}, answer="same" if a == b else "different")
        for a, b in product("pq", repeat=2)
    ),
    rules=("differencing", "likelihood"),
    criterion=True,
)

FOUR_INTERVALS = Task(
    name="4iax",
    roles=PAIR,
    intervals=("1", "2", "3", "4"),
    answers=("first", "second"),
    phases=in_intervals(("1", "2", "3", "4"), 2000.0),
    cells=tuple(
        Cell(fills=dict(zip("1234", pairs, strict=True)), answer=answer)
        for (a, b), same in product(ORDERS, "pq")
        for pairs, answer in (((a, b, same, same), "first"), ((same, same, a, b), "second"))
    ),
    rules=("differencing", "likelihood"),
)

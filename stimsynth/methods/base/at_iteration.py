"""State of a synthesis at one iteration: measurements, and the nearest iterate that is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from stimsynth.engine.run import Run
from stimsynth.validate.iterations import iterate_number
from stimuli_store.errors import unknown_name

Selection = Literal["floor", "ceiling", "round"]
_MEASURED = ("objective", "gradient_norm", "pixel_change_norm")


@dataclass(frozen=True, kw_only=True)
class IterateRecord:
    """Measurements of a synthesis at one iteration, and an iterate.

    Attributes
    ----------
    iteration
        Number of the iteration, counted from the start.
    losses, gradient_norm, pixel_change_norm
        Row `iteration` of the synthesis's attribute of the same name, shape (batch,).
    terms
        Further columns of the history by name, such as the terms of the objective, shape (batch,) each.
    points_iteration
        Number of the iterate in `points`: `iteration`, or the nearest one that is kept.
    points
        The iterate, shape (batch, channel, height, width), or the interior frames of sequences; on the CPU.
    """

    iteration: int
    losses: Tensor
    gradient_norm: Tensor
    pixel_change_norm: Tensor
    terms: Mapping[str, Tensor]
    points_iteration: int
    points: Tensor


def record_at(
    run: Run | None, origin: Tensor, iteration: int | None, iteration_selection: Selection
) -> IterateRecord:
    """Return the state of a run at one iteration; see `OptimizedSynthesis.get_progress`."""
    if iteration_selection not in _SELECTIONS:
        raise unknown_name("iteration_selection", iteration_selection, list(_SELECTIONS))
    last = -1 if run is None else run.n_steps
    number = iterate_number(iteration, last)
    assert run is not None
    row = {name: column[number].clone() for name, column in run.history.items()}
    kept = sorted({0, last, *run.snapshots})
    chosen = _SELECTIONS[iteration_selection](kept, number)
    ends = {0: origin, last: run.points}
    points = ends[chosen] if chosen in ends else run.snapshots[chosen]
    return IterateRecord(
        iteration=number,
        losses=row["objective"],
        gradient_norm=row["gradient_norm"],
        pixel_change_norm=row["pixel_change_norm"],
        terms={name: value for name, value in row.items() if name not in _MEASURED},
        points_iteration=chosen,
        points=points.detach().cpu().clone(),
    )


_SELECTIONS: Mapping[str, Callable[[list[int], int], int]] = {
    "floor": lambda kept, number: max(n for n in kept if n <= number),
    "ceiling": lambda kept, number: min(n for n in kept if n >= number),
    "round": lambda kept, number: min(kept, key=lambda n: abs(n - number)),
}

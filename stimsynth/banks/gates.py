"""Quality gates: what must hold of a stimulus, and what is done where it does not."""

from collections.abc import Mapping

from stimsynth.banks.recipe import Recipe
from stimuli_store.errors import StimsynthError

#: Ends of a synthesis that ran out of steps, in part.
UNFINISHED = ("out of steps", "interrupted", "not finite")


def misses(recipe: Recipe, figures: Mapping[str, float], status: str) -> tuple[str, ...]:
    """Return a sentence for every gate that a stimulus misses.

    Raises
    ------
    StimsynthError
        If a gate names a figure that the kind does not have.
    """
    found = []
    for name, bound in recipe.gates.items():
        if name not in figures:
            raise StimsynthError(
                f"a gate on {name!r}, which a {recipe.kind} does not have (it has {', '.join(figures)})"
            )
        if not abs(figures[name]) <= bound:
            found.append(f"{name} is {figures[name]:.3g}, over the gate of {bound:g}")
    if any(sign in status for sign in UNFINISHED):
        found.append(f"unfinished: {status}")
    return tuple(found)

"""Check of the axes that are given to plots."""

from typing import Any

from stimuli_store.errors import WrongType
from stimuli_store.tools.gates import briefly


def check_axes(axes: Any, name: str = "ax") -> None:
    """Raise WrongType if `axes` is neither None nor matplotlib axes.

    Raises
    ------
    WrongType
        (also a TypeError).
    """
    if axes is not None and not hasattr(axes, "plot"):
        raise WrongType(f"{name} must be None or axes of matplotlib; not {briefly(axes)}")

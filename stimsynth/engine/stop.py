"""When to stop: pure functions of the history and of the method's state, with nothing to reset."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from stimuli_store.errors import InputError

#: From the history and the method's state to which items are to stop, bool (N,).
StopRule = Callable[[Mapping[str, np.ndarray], Any], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class LossConvergence:
    """Stop an item when its objective changed too little over the last `window` steps.

    Too little means at most ``criterion * (|objective now| + 1e-4 * |objective at the start|)``: the
    tolerance is relative, so it means the same for a loss of 1 and a loss of 1e-6, and a loss that has
    fallen a thousandfold further than anyone can use does not have to fall on.

    Examples
    --------
    >>> import numpy as np
    >>> rule = LossConvergence(criterion=0.01, window=1)
    >>> rule({"objective": np.array([[1.0, 1.0], [0.999, 0.5]])}).tolist()
    [True, False]
    """

    criterion: float
    window: int

    def __post_init__(self) -> None:
        _check(self.criterion)

    def __call__(self, history: Mapping[str, np.ndarray], state: Any = None) -> np.ndarray:
        """Return which items have converged, shape (N,)."""
        objective = history["objective"]
        if len(objective) <= self.window:
            return np.zeros(objective.shape[1:], dtype=bool)
        first, before, now = objective[0], objective[-1 - self.window], objective[-1]
        return abs(before - now) <= self.criterion * (abs(now) + 1e-4 * abs(first))


@dataclass(frozen=True, kw_only=True)
class PixelChangeConvergence:
    """Stop an item when every one of its last `window` steps moved it by less than `criterion` (L2 norm).

    Examples
    --------
    >>> import numpy as np
    >>> rule = PixelChangeConvergence(criterion=0.1, window=2)
    >>> rule({"pixel_change_norm": np.array([[0.0, 0.0], [0.05, 0.05], [0.01, 0.2]])}).tolist()
    [True, False]
    """

    criterion: float
    window: int

    def __post_init__(self) -> None:
        _check(self.criterion)

    def __call__(self, history: Mapping[str, np.ndarray], state: Any = None) -> np.ndarray:
        """Return which items have converged, shape (N,)."""
        moved = history["pixel_change_norm"]
        if len(moved) <= self.window:
            return np.zeros(moved.shape[1:], dtype=bool)
        return np.all(moved[-self.window :] < self.criterion, axis=0)


def _check(criterion: Any) -> None:
    if not isinstance(criterion, Real) or not float(criterion) >= 0:
        raise InputError(f"stop_criterion is a number of 0 or more; not {criterion!r}")

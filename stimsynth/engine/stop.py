"""When to stop: pure functions of the history and of the method's state, with nothing to reset."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from stimuli_store.errors import InputError

StopRule = Callable[[Mapping[str, Tensor], Any], Tensor]


@dataclass(frozen=True, kw_only=True)
class LossConvergence:
    """Stop an item when its objective changed too little over the last `window` steps.

    Too little means at most ``criterion * (|objective now| + 1e-4 * |objective at the start|)``: the
    tolerance is relative, so it means the same for a loss of 1 and a loss of 1e-6, and a loss that has
    fallen a thousandfold further than anyone can use does not have to fall on.

    Examples
    --------
    >>> import torch
    >>> rule = LossConvergence(criterion=0.01, window=1)
    >>> rule({"objective": torch.tensor([[1.0, 1.0], [0.999, 0.5]])}).tolist()
    [True, False]
    """

    criterion: float
    window: int

    def __post_init__(self) -> None:
        _check(self.criterion)

    def __call__(self, history: Mapping[str, Tensor], state: Any = None) -> Tensor:
        """Return which items have converged, shape (N,)."""
        objective = history["objective"]
        now = objective[-1]
        if len(objective) <= self.window:
            return torch.zeros_like(now, dtype=torch.bool)
        change = (objective[-1 - self.window] - now).abs()
        return change <= self.criterion * (now.abs() + 1e-4 * objective[0].abs())


@dataclass(frozen=True, kw_only=True)
class PixelChangeConvergence:
    """Stop an item when every one of its last `window` steps moved it by less than `criterion` (L2 norm).

    Examples
    --------
    >>> import torch
    >>> rule = PixelChangeConvergence(criterion=0.1, window=2)
    >>> rule({"pixel_change_norm": torch.tensor([[0.0, 0.0], [0.05, 0.05], [0.01, 0.2]])}).tolist()
    [True, False]
    """

    criterion: float
    window: int

    def __post_init__(self) -> None:
        _check(self.criterion)

    def __call__(self, history: Mapping[str, Tensor], state: Any = None) -> Tensor:
        """Return which items have converged, shape (N,)."""
        moved = history["pixel_change_norm"]
        if len(moved) <= self.window:
            return torch.zeros_like(moved[-1], dtype=torch.bool)
        return (moved[-self.window :] < self.criterion).all(dim=0)


def _check(criterion: Any) -> None:
    if not isinstance(criterion, Real) or not float(criterion) >= 0:
        raise InputError(f"stop_criterion is a number of 0 or more; not {criterion!r}")

"""When to stop: pure functions of the history, with nothing to reset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

StopRule = Callable[[Sequence[Tensor]], Tensor]


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
    >>> rule([torch.tensor([1.0, 1.0]), torch.tensor([0.999, 0.5])]).tolist()
    [True, False]
    """

    criterion: float
    window: int

    def __call__(self, objective: Sequence[Tensor]) -> Tensor:
        """Return which items have converged, shape (N,), given the objective at every iterate."""
        now = objective[-1]
        if len(objective) <= self.window:
            return torch.zeros_like(now, dtype=torch.bool)
        change = (objective[-1 - self.window] - now).abs()
        return change <= self.criterion * (now.abs() + 1e-4 * objective[0].abs())

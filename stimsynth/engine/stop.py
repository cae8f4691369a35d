"""When to stop: pure functions of the history and of the method's state, with nothing to reset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from stimsynth.engine.history import Rows
from stimuli_store.errors import InputError

#: From the history and the method's state to which items are to stop, one bool for each.
StopRule = Callable[[Rows, Any], Sequence[bool]]


@dataclass(frozen=True, kw_only=True)
class LossConvergence:
    """Stop an item when its objective changed too little over the last `window` steps.

    Too little means at most ``criterion * (|objective now| + 1e-4 * |objective at the start|)``: the
    tolerance is relative, so it means the same for a loss of 1 and a loss of 1e-6, and a loss that has
    fallen a thousandfold further than anyone can use does not have to fall on.

    Examples
    --------
    >>> import torch
    >>> from stimsynth.engine.history import History
    >>> rule = LossConvergence(criterion=0.01, window=1)
    >>> rule(History({"objective": torch.tensor([[1.0, 1.0], [0.999, 0.5]])}))
    [True, False]
    """

    criterion: float
    window: int

    def __post_init__(self) -> None:
        _check(self.criterion)

    def __call__(self, history: Rows, state: Any = None) -> list[bool]:
        """Return which items have converged."""
        now = history.row("objective", -1)
        if history.rows <= self.window:
            return [False] * len(now)
        first, before = history.row("objective", 0), history.row("objective", -1 - self.window)
        return [
            abs(b - n) <= self.criterion * (abs(n) + 1e-4 * abs(f))
            for f, b, n in zip(first, before, now, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class PixelChangeConvergence:
    """Stop an item when every one of its last `window` steps moved it by less than `criterion` (L2 norm).

    Examples
    --------
    >>> import torch
    >>> from stimsynth.engine.history import History
    >>> moved = torch.tensor([[0.0, 0.0], [0.05, 0.05], [0.01, 0.2]])
    >>> PixelChangeConvergence(criterion=0.1, window=2)(History({"pixel_change_norm": moved}))
    [True, False]
    """

    criterion: float
    window: int

    def __post_init__(self) -> None:
        _check(self.criterion)

    def __call__(self, history: Rows, state: Any = None) -> list[bool]:
        """Return which items have converged."""
        still = [moved < self.criterion for moved in history.row("pixel_change_norm", -1)]
        if history.rows <= self.window:
            return [False] * len(still)
        for back in range(2, self.window + 1):
            if True not in still:
                break
            moved = history.row("pixel_change_norm", -back)
            still = [s and m < self.criterion for s, m in zip(still, moved, strict=True)]
        return still


def _check(criterion: Any) -> None:
    if not isinstance(criterion, Real) or not float(criterion) >= 0:
        raise InputError(f"stop_criterion is a number of 0 or more; not {criterion!r}")

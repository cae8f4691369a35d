"""Stop rules: pure functions of the history and of the method's state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from stimsynth.engine.history import Rows
from stimsynth.numerics.numbers import real_number

#: Function of the history and the method's state that returns which problems stop, one bool for each.
StopRule = Callable[[Rows, Any], Sequence[bool]]


@dataclass(frozen=True, kw_only=True)
class LossConvergence:
    """Stop rule: the objective changed too little over the last `window` steps.

    Too little means at most ``criterion * (|objective now| + 1e-4 * |objective at the start|)``. The
    tolerance is relative to the current loss, and a loss far below 1e-4 of its start need not fall further.

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
        real_number(self.criterion, "stop_criterion", 0, infinite=True)

    def __call__(self, history: Rows, state: Any = None) -> list[bool]:
        """Return which problems have converged, one bool for each."""
        if history.rows <= self.window:
            return [False] * history.items
        stopped, value = [], history.value
        for item in range(history.items):
            now, before = value("objective", -1, item), value("objective", -1 - self.window, item)
            size = abs(now) + 1e-4 * abs(value("objective", 0, item))
            stopped.append(abs(before - now) <= self.criterion * size)
        return stopped


@dataclass(frozen=True, kw_only=True)
class PixelChangeConvergence:
    """Stop rule: each of the last `window` steps had a norm (L2) below `criterion`.

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
        real_number(self.criterion, "stop_criterion", 0, infinite=True)

    def __call__(self, history: Rows, state: Any = None) -> list[bool]:
        """Return which problems have converged, one bool for each."""
        if history.rows <= self.window:
            return [False] * history.items
        # The last step is checked first: usually it alone decides.
        return [
            all(
                history.value("pixel_change_norm", -back, item) < self.criterion
                for back in range(1, self.window + 1)
            )
            for item in range(history.items)
        ]


@dataclass(frozen=True, kw_only=True)
class LossReached:
    """Stop rule: the objective is at most `level`.

    Examples
    --------
    >>> import torch
    >>> from stimsynth.engine.history import History
    >>> LossReached(level=0.5)(History({"objective": torch.tensor([[0.5, 0.75]])}))
    [True, False]
    """

    level: float

    def __post_init__(self) -> None:
        real_number(self.level, "stop_loss, if not None,", infinite=True)

    def __call__(self, history: Rows, state: Any = None) -> list[bool]:
        """Return which problems have reached the level, one bool for each."""
        return [history.value("objective", -1, i) <= self.level for i in range(history.items)]


def loss_goal(stop_loss: float | None) -> LossReached | None:
    """Return the rule that ends a problem at a loss of at most `stop_loss`; None for none."""
    return None if stop_loss is None else LossReached(level=stop_loss)


def of_own_steps(rule: StopRule, moved: Tensor, waited: Sequence[int]) -> StopRule:
    """Return a rule for a later leg that ignores the steps in which a problem only waited for others.

    Parameters
    ----------
    rule
        The rule.
    moved
        Norms of all steps of earlier legs, shape (rows, N).
    waited
        Problems that had ended before the others.

    Examples
    --------
    >>> import torch
    >>> from stimsynth.engine.history import History
    >>> moved = torch.tensor([[0.0, 0.0], [0.2, 0.2], [0.0, 0.2]])
    >>> rule = PixelChangeConvergence(criterion=0.1, window=1)
    >>> history = History({"pixel_change_norm": moved})
    >>> rule(history), of_own_steps(rule, moved, [0])(history, None)
    ([True, False], [False, False])
    """
    ends = {item: moved[:, item].nonzero().flatten()[-1:].tolist() for item in waited}
    gaps = {item: (last[0] + 1 if last else 1, len(moved)) for item, last in ends.items()}
    gaps = {item: gap for item, gap in gaps.items() if gap[0] < gap[1]}
    if not gaps:
        return rule

    def judged(history: Rows, state: Any) -> list[bool]:
        stopped = list(rule(history, state))
        for item, gap in gaps.items():
            stopped[item] = rule(_Without(history=history, gap=gap), state)[item]
        return stopped

    return judged


@dataclass(frozen=True, kw_only=True)
class _Without:
    """A history without the rows from `gap[0]` up to `gap[1]`."""

    history: Rows
    gap: tuple[int, int]

    @property
    def rows(self) -> int:
        """Number of remaining rows."""
        return self.history.rows - (self.gap[1] - self.gap[0])

    @property
    def items(self) -> int:
        """Number of problems."""
        return self.history.items

    def value(self, name: str, index: int, item: int) -> float:
        """Return the value of one problem in one remaining row."""
        index = index if index >= 0 else self.rows + index
        first, end = self.gap
        return self.history.value(name, index if index < first else index + end - first, item)

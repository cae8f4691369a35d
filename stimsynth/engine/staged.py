"""Stages: several problems one after another, each batch entry at its own pace, with any method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from stimsynth.engine.history import Rows
from stimsynth.engine.loop import Method, State
from stimsynth.engine.problem import Problem, Terms
from stimsynth.engine.stop import StopRule


@dataclass(frozen=True, kw_only=True)
class Stages(Problem):
    """A list of problems that are solved in order.

    Attributes
    ----------
    terms, weights
        Terms and weights of the last problem.
    parts
        All problems; their terms have the same names and weights.
    """

    parts: Sequence[Problem]

    def at(self, stage: Tensor) -> Problem:
        """Return the problem in which entry i is at stage ``stage[i]``."""

        def terms(points: Tensor, items: Tensor) -> Terms:
            of_each = stage[items]
            groups = [(of_each == s).nonzero().squeeze(1) for s in of_each.unique()]
            found = [
                self.parts[int(of_each[rows[0]])].terms(points[rows], items[rows])
                for rows in groups
            ]
            if len(found) == 1:
                return found[0]
            back = torch.cat(groups).argsort()
            return {name: torch.cat([one[name] for one in found])[back] for name in found[0]}

        return Problem(terms=terms, weights=self.weights)


@dataclass(frozen=True, kw_only=True)
class StagedState:
    """State of a staged method: the inner state, and the stage of each batch entry.

    Attributes
    ----------
    inner
        State of the inner method.
    stage
        Stage of each entry, shape (N,).
    began
        Number of steps at the start of each stage of each entry, shape (N, stages); -1 for later stages.
    opening
        Objective of each entry at the start of its stage, shape (N,).
    due
        Mask (N,) of entries that begin their next stage with the next step.
    recent
        Objective of the last steps, newest last, shape (rows, N).
    taken
        Number of steps so far.
    """

    inner: State
    stage: Tensor
    began: Tensor
    opening: Tensor
    due: Tensor
    recent: Tensor
    taken: int

    @property
    def points(self) -> Tensor:
        """Points of the inner state, shape (N, …)."""
        return self.inner.points

    @property
    def objective(self) -> Tensor:
        """Objective of the stage of each entry, shape (N,)."""
        return self.inner.objective

    @property
    def terms(self) -> Terms:
        """Terms of the stage of each entry, each (N,)."""
        return self.inner.terms

    @property
    def gradient_norm(self) -> Tensor:
        """Gradient norm of the stage of each entry, shape (N,)."""
        return self.inner.gradient_norm

    @property
    def exhausted(self) -> Tensor:
        """Mask (N,) of entries at the last stage that the inner method cannot improve."""
        return self.inner.exhausted & self.last

    @property
    def last(self) -> Tensor:
        """Mask (N,) of entries at the last stage."""
        return (self.stage == self.began.shape[1] - 1) & ~self.due

    @property
    def avoided(self) -> Tensor | None:
        """The inner state's mask of steps shortened for missing gradients; None if there is none."""
        return self.inner.avoided

    @property
    def unreached(self) -> Tensor | None:
        """The inner state's mask of unreached held terms; None if there is none."""
        return self.inner.unreached

    @property
    def optimizer(self) -> Any:
        """Torch optimizer of the inner state, or None."""
        return self.inner.optimizer

    @property
    def scheduler(self) -> Any:
        """Learning-rate scheduler of the inner state, or None."""
        return self.inner.scheduler


@dataclass(frozen=True, kw_only=True)
class Staged:
    """Method that solves `Stages` with an inner method.

    Parameters
    ----------
    inner
        The inner method.
    criterion
        An entry begins its next stage when its objective changed over the last `window` steps by less than
        this fraction of its value at the start of the stage; None for always after `window` steps.
    window
        Number of steps.
    before
        Number of steps in the history that were taken before this method began.
    """

    inner: Method
    criterion: float | None
    window: int
    before: int = 0

    def init(self, problem: Stages, start: Tensor) -> StagedState:
        """Return the state at the start, with all entries at the first stage."""
        count, stages = len(start), len(problem.parts)
        stage = torch.zeros(count, dtype=torch.int64, device=start.device)
        inner = self.inner.init(problem.at(stage), start)
        began = torch.full((count, stages), -1, device=start.device)
        began[:, 0] = self.before
        return StagedState(
            inner=inner,
            stage=stage,
            began=began,
            opening=inner.objective,
            due=torch.zeros_like(stage, dtype=torch.bool),
            recent=inner.objective[None],
            taken=self.before,
        )

    def step(self, problem: Stages, state: StagedState, active: Tensor) -> StagedState:
        """Return the state after one step, after moving due entries to their next stage."""
        inner, stage, began = state.inner, state.stage + state.due, state.began
        opening = state.opening
        if state.due.any():
            inner = self.inner.restart(problem.at(stage), inner, state.due)
            began = began.clone()
            began[state.due, stage[state.due]] = state.taken
            opening = torch.where(state.due, inner.objective, opening)
        inner = self.inner.step(problem.at(stage), inner, active)
        recent = torch.cat([state.recent, inner.objective[None]])[-(self.window + 1) :]
        moved = replace(
            state,
            inner=inner,
            stage=stage,
            began=began,
            opening=opening,
            recent=recent,
            taken=state.taken + 1,
        )
        return replace(moved, due=self._due(moved) & active)

    def restart(self, problem: Stages, state: StagedState, which: Tensor) -> StagedState:
        """Return the state with the entries in `which` evaluated anew at their stages."""
        return replace(state, inner=self.inner.restart(problem.at(state.stage), state.inner, which))

    def undone(self, state: StagedState) -> StagedState:
        """Return `state` with its inner state restored after an interrupted step."""
        return replace(state, inner=self.inner.undone(state.inner))

    def record(self, state: StagedState) -> dict[str, Any]:
        """Return the state as tensors and numbers, for a file."""
        own = {**vars(state)}
        inside = self.inner.record(own.pop("inner"))
        return {**own, **{f"inner.{name}": value for name, value in inside.items()}}

    def revive(self, record: Mapping[str, Any]) -> StagedState:
        """Return the state from its `record`."""
        inside = {k.removeprefix("inner."): v for k, v in record.items() if k.startswith("inner.")}
        own = {k: v for k, v in record.items() if not k.startswith("inner.")}
        return StagedState(inner=self.inner.revive(inside), **own)

    def _due(self, state: StagedState) -> Tensor:
        """Return a mask (N,) of entries that have finished a stage before the last one."""
        spent = state.taken - state.began.gather(1, state.stage[:, None]).squeeze(1) >= self.window
        if self.criterion is not None and len(state.recent) > self.window:
            change = (state.recent[-1 - self.window] - state.recent[-1]).abs()
            spent &= change <= self.criterion * state.opening.abs()
        return (spent | state.inner.exhausted) & (state.stage < state.began.shape[1] - 1)


@dataclass(frozen=True, kw_only=True)
class OnLastStage:
    """Stop rule that applies another rule to the steps of the last stage only.

    Attributes
    ----------
    rule
        The rule; it sees the history of the last stage.
    at_least
        Smallest number of steps in the last stage.
    """

    rule: StopRule
    at_least: int

    def __call__(self, history: Rows, state: StagedState) -> list[bool]:
        """Return which entries have converged."""
        stopped = [False] * len(state.due)
        for item in state.last.nonzero().squeeze(1).tolist():
            # The first row of the last stage was measured on the stage before.
            since = int(state.began[item, -1]) + 1 if state.began.shape[1] > 1 else 0
            if state.taken + 1 - since >= self.at_least:
                own = _Since(history=history, first=since, item=item)
                stopped[item] = self.rule(own, state)[0]
        return stopped


@dataclass(frozen=True, kw_only=True)
class _Since:
    """History of one entry from row `first` on."""

    history: Rows
    first: int
    item: int
    items = 1

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.history.rows - self.first

    def value(self, name: str, index: int, item: int) -> float:
        """Return the value of the entry in one row."""
        index = index if index < 0 else self.first + index
        return self.history.value(name, index, self.item + item)

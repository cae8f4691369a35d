"""The only loop: it steps a method, keeps the history, and knows when and how to stop."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from stimsynth.engine.interrupt import Interrupt
from stimsynth.engine.problem import Problem, Terms
from stimsynth.engine.run import Run, Status
from stimsynth.engine.stop import StopRule


class State(Protocol):
    """What every method's state shows to the loop. All have one entry per item along dimension 0."""

    points: Tensor
    objective: Tensor
    terms: Terms
    gradient_norm: Tensor
    exhausted: Tensor  # bool: no step of this method lowers this item's objective any more


class Method(Protocol):
    """An update rule. It knows nothing of images; `active` says which items are still to be moved."""

    def init(self, problem: Problem, start: Tensor) -> Any:
        """Return the state at the start."""

    def step(self, problem: Problem, state: Any, active: Tensor) -> Any:
        """Return the state one step on, inactive items unchanged."""


@dataclass
class _History:
    columns: dict[str, list[Tensor]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run | None) -> "_History":
        return cls({k: list(v.unbind(0)) for k, v in run.history.items()} if run else {})

    def add(self, state: State, moved: Tensor) -> None:
        row = dict(state.terms)
        row["objective"] = state.objective
        row["gradient_norm"] = state.gradient_norm
        row["pixel_change_norm"] = moved
        for name, value in row.items():
            self.columns.setdefault(name, []).append(value)

    def stacked(self) -> dict[str, Tensor]:
        return {name: torch.stack(values) for name, values in self.columns.items()}


def iterate(
    problem: Problem,
    method: Method,
    start: Tensor,
    *,
    max_steps: int,
    stop: StopRule,
    resume: Run | None = None,
    snapshot_every: int = 0,
    on_step: Callable[[int, State], None] | None = None,
) -> Run:
    """Run a method on N independent problems until each has stopped or `max_steps` are taken.

    Parameters
    ----------
    problem, method
        What to minimize, and how.
    start
        Points of shape (N, …); not used when resuming.
    max_steps
        Steps to take now, beyond those of `resume`.
    stop
        Rule over the history of the objective.
    resume
        An earlier run to continue; two legs give what one run would have given.
    snapshot_every
        Keep a copy of the points on every k-th iterate (0: never).
    on_step
        Called with (steps taken, state) after every step, for progress display.

    Returns
    -------
    Run
        Also after Ctrl-C: then items that had not finished have the status INTERRUPTED.
    """
    state = resume.state if resume else method.init(problem, start)
    history, snapshots = _History.of(resume), dict(resume.snapshots) if resume else {}
    if not resume:
        history.add(state, torch.zeros_like(state.gradient_norm))
        if snapshot_every:
            snapshots[0] = state.points.detach().cpu().clone()
    objective = history.columns["objective"]
    statuses = _judge(state, objective, stop)
    ended = Status.OUT_OF_STEPS
    with Interrupt() as interrupt:
        for _ in range(max_steps):
            active = [not s.finished for s in statuses]
            if interrupt.asked:
                ended = Status.INTERRUPTED
            if interrupt.asked or not any(active):
                break
            before = state.points.detach().clone()
            mask = torch.tensor(active, device=before.device)
            state = method.step(problem, state, mask)
            history.add(state, _norm(state.points.detach() - before))
            taken = len(objective) - 1
            if snapshot_every and taken % snapshot_every == 0:
                snapshots[taken] = state.points.detach().cpu().clone()
            statuses = _judge(state, objective, stop, statuses)
            if on_step:
                on_step(taken, state)
    return Run(
        points=state.points.detach().clone(),
        status=tuple(s if s.finished else ended for s in statuses),
        history=history.stacked(),
        snapshots=snapshots,
        state=state,
    )


def _judge(
    state: State,
    objective: list[Tensor],
    stop: StopRule,
    before: list[Status] | None = None,
) -> list[Status]:
    """Return each item's status; one that had finished stays as it ended."""
    flags = torch.stack([~torch.isfinite(state.objective), state.exhausted, stop(objective)])
    sentences = (Status.NOT_FINITE, Status.PRECISE, Status.CONVERGED)
    found = [
        next((s for s, flag in zip(sentences, item, strict=True) if flag), Status.RUNNING)
        for item in flags.T.tolist()
    ]
    if before is None:
        return found
    return [old if old.finished else new for old, new in zip(before, found, strict=True)]


def _norm(points: Tensor) -> Tensor:
    return points.flatten(1).norm(dim=1)

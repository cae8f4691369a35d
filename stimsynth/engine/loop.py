"""The only loop: it steps a method, keeps the history, and knows when and how to stop."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from stimsynth.engine.history import History
from stimsynth.engine.interrupt import Interrupt
from stimsynth.engine.norms import Distance
from stimsynth.engine.problem import Problem, Terms
from stimsynth.engine.run import Run, Snapshots, Status
from stimsynth.engine.stop import StopRule

_NONE = torch.zeros(1, dtype=torch.bool)


class State(Protocol):
    """What every method's state shows to the loop. All have one entry per item along dimension 0.

    The points are not written to by later steps.
    """

    points: Tensor
    objective: Tensor
    terms: Terms
    gradient_norm: Tensor
    exhausted: Tensor  # bool: no step of this method lowers this item's objective any more


class Method(Protocol):
    """An update rule. It knows nothing of images; `active` says which items are still to be moved."""

    def init(self, problem: Any, start: Tensor) -> Any:
        """Return the state at the start."""

    def step(self, problem: Any, state: Any, active: Tensor) -> Any:
        """Return the state one step on, inactive items unchanged."""

    def restart(self, problem: Any, state: Any, which: Tensor) -> Any:
        """Return the state at the same points, measured anew for the items whose problem has changed."""

    def record(self, state: Any) -> dict[str, Any]:
        """Return the state as tensors, numbers, and lists and dicts of them."""

    def revive(self, record: Mapping[str, Any]) -> Any:
        """Return the state that `record` was made of."""


def iterate(
    problem: Problem,
    method: Method,
    start: Tensor,
    *,
    max_steps: int,
    stop: StopRule,
    resume: Run | None = None,
    snapshot_every: int = 0,
    snapshots: Snapshots | None = None,
    on_step: Callable[[History, Any], None] | None = None,
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
        Rule over the history and the method's state.
    resume
        An earlier run to continue; two legs give what one run would have given.
    snapshot_every
        Keep a copy of the points on every k-th iterate (0: never).
    snapshots
        Where they go: memory if None, or what puts them on a disk.
    on_step
        Called with (history, state) after every step, for progress display.

    Returns
    -------
    Run
        Also after Ctrl-C: then items that had not finished have the status INTERRUPTED.
    """
    state = resume.state if resume else method.init(problem, start)
    history = History(resume.history if resume else None)
    kept: Snapshots | dict[int, Tensor]
    kept = snapshots if snapshots is not None else dict(resume.snapshots) if resume else {}
    if not resume:
        _measure(history, state, torch.zeros_like(state.gradient_norm))
        if snapshot_every:
            kept[0] = _copied(state)
    statuses = _judge(state, history, stop)
    ended = Status.OUT_OF_STEPS
    distance = Distance(state.points)
    with Interrupt() as interrupt:
        for _ in range(max_steps):
            active = [not s.finished for s in statuses]
            if interrupt.asked:
                ended = Status.INTERRUPTED
            if interrupt.asked or not any(active):
                break
            before = state.points
            state = method.step(problem, state, torch.tensor(active, device=before.device))
            _measure(history, state, distance(state.points, before))
            if snapshot_every and (history.rows - 1) % snapshot_every == 0:
                kept[history.rows - 1] = _copied(state)
            statuses = _judge(state, history, stop, statuses)
            if on_step:
                on_step(history, state)
    return Run(
        points=state.points.detach().clone(),
        status=tuple(s if s.finished else ended for s in statuses),
        history=history.tensors(),
        snapshots=kept,
        state=state,
    )


def _judge(
    state: State,
    history: History,
    stop: StopRule,
    before: list[Status] | None = None,
) -> list[Status]:
    """Return each item's status; one that had finished stays as it ended."""
    statuses = before or [Status.RUNNING] * len(state.objective)
    now, stopped = history.latest("objective"), stop(history, state)
    # Only methods that hold terms can fail to get them where they are asked to be.
    unreached = getattr(state, "unreached", _NONE)
    if np.isfinite(now).all() and not (stopped.any() or state.exhausted.any() or unreached.any()):
        return statuses  # as in nearly every step
    ends = (
        (Status.NOT_FINITE, (~np.isfinite(now)).tolist()),
        (Status.UNREACHED, unreached.expand(len(now)).tolist()),
        (Status.PRECISE, state.exhausted.tolist()),
        (Status.CONVERGED, stopped.tolist()),
    )
    return [
        old if old.finished else next((s for s, flags in ends if flags[item]), Status.RUNNING)
        for item, old in enumerate(statuses)
    ]


def _measure(history: History, state: State, moved: Tensor) -> None:
    known = {"objective": state.objective, "gradient_norm": state.gradient_norm}
    history.add({**state.terms, **known, "pixel_change_norm": moved})


def _copied(state: State) -> Tensor:
    return state.points.detach().to("cpu", copy=True)

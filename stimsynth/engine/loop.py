"""The optimization loop: it steps a method, records the history, and applies stop rules."""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Protocol

import torch
from torch import Tensor

from stimsynth.engine.history import History
from stimsynth.engine.interrupt import Interrupt
from stimsynth.engine.problem import Problem, Terms
from stimsynth.engine.run import Run, Snapshots, Status
from stimsynth.engine.stop import StopRule, of_own_steps
from stimsynth.numerics.reductions import norms


class State(Protocol):
    """Interface of a method's state for loop, progress bar and run: tensors with a row for every problem.

    Attributes
    ----------
    points
        Shape (N, …); not written to by later steps.
    objective, gradient_norm
        Shape (N,).
    terms
        Name to values of shape (N,).
    exhausted
        Bool (N,): no step of this method lowers the objective of this problem any more.
    avoided
        Bool (N,): the last step was shortened because the objective is lower, but has no finite gradient, at
        the end of the whole step. None for methods that take such steps.
    unreached
        Bool (N,): the held terms of this problem could not be brought to their targets. None for methods
        without held terms.
    optimizer, scheduler
        Torch optimizer that moves the points, and its learning-rate scheduler; None for methods without.
    """

    points: Tensor
    objective: Tensor
    terms: Terms
    gradient_norm: Tensor
    exhausted: Tensor
    avoided: Tensor | None
    unreached: Tensor | None
    optimizer: Any
    scheduler: Any


class Method(Protocol):
    """Interface of an optimization method: an update rule for batches; `active` (N,) marks problems to
    move.
    """

    def init(self, problem: Any, start: Tensor) -> Any:
        """Return the state of a problem at the points `start`."""

    def step(self, problem: Any, state: Any, active: Tensor) -> Any:
        """Return the state after one step of the problems in `active`; the others do not change."""

    def restart(self, problem: Any, state: Any, which: Tensor) -> Any:
        """Return the state with the changed problems in `which` evaluated anew at the same points."""

    def undone(self, state: Any) -> Any:
        """Return `state` restored after a step from it that was interrupted."""

    def record(self, state: Any) -> dict[str, Any]:
        """Return the state as tensors, numbers, and lists and dicts of them."""

    def revive(self, record: Mapping[str, Any]) -> Any:
        """Return the state from its `record`."""


def iterate(
    problem: Problem,
    method: Method,
    start: Tensor,
    *,
    max_steps: int,
    stop: StopRule,
    goal: StopRule | None = None,
    resume: Run | None = None,
    snapshot_every: int = 0,
    snapshots: Snapshots | None = None,
    on_step: Callable[[History, Any], None] | None = None,
    on_error: Callable[[Run], None] | None = None,
) -> Run:
    """Run a method on N independent problems until each has stopped, or for `max_steps` steps.

    Parameters
    ----------
    problem, method
        The problem to minimize, and the method.
    start
        Points of shape (N, …); not used when resuming.
    max_steps
        Number of steps to take now, in addition to the steps of `resume`.
    stop
        Rule that ends a problem because it changes too little: a function of the history and the method's
        state.
    goal
        Rule that ends a problem because it is as good as wanted; None for none.
    resume
        An earlier run to continue; two legs give the same result as one run.
    snapshot_every
        Keep a copy of the points at every k-th iterate (0: never).
    snapshots
        Store of the copies; None for memory.
    on_step
        Called with (history, state) after every step, for progress display.
    on_error
        Called with the run up to the last complete step if an error interrupts a step, before it is raised.

    Returns
    -------
    Run
        Also after Ctrl-C: then unfinished problems have the status INTERRUPTED. The caller must pass
        Ctrl-C on (`stimsynth.engine.interrupt.interruptible`).
    """
    state = resume.state if resume else method.init(problem, start)
    history = History(resume.history if resume else None)
    kept: Snapshots | dict[int, Tensor]
    kept = snapshots if snapshots is not None else dict(resume.snapshots) if resume else {}
    if resume:
        ended_before = [item for item, status in enumerate(resume.status) if status.finished]
        stop = of_own_steps(stop, resume.history["pixel_change_norm"], ended_before)
    else:
        _measure(history, state, torch.zeros_like(state.gradient_norm))
    rows, statuses = history.rows, _statuses(resume, len(state.objective))

    def so_far(ended: Status) -> Run:
        return Run(
            points=state.points.detach().clone(),
            status=tuple(s if s.finished else ended for s in statuses),
            history={name: column[:rows] for name, column in history.tensors().items()},
            snapshots=kept,
            state=state,
        )

    try:
        with Interrupt() as interrupt:
            # Also the last iterate of an earlier leg, if it could not be written.
            _keep(kept, rows - 1, state, snapshot_every)
            statuses = _judge(statuses, state, history, stop, goal)
            active = _unfinished(statuses, state)
            for _ in range(max_steps):
                if interrupt.asked or active is None:
                    break
                moved = method.step(problem, state, active)
                _measure(history, moved, norms(moved.points - state.points))
                state, rows = moved, history.rows  # from here on the step counts
                _keep(kept, rows - 1, state, snapshot_every)
                judged = _judge(statuses, state, history, stop, goal)
                if judged is not statuses:
                    statuses, active = judged, _unfinished(judged, state)
                if on_step:
                    on_step(history, state)
        return so_far(Status.INTERRUPTED if interrupt.asked else Status.OUT_OF_STEPS)
    except BaseException:
        state = method.undone(state)
        if on_error:
            on_error(so_far(Status.INTERRUPTED))
        raise


def _statuses(resume: Run | None, count: int) -> list[Status]:
    """Return the statuses at the start of a leg: RUNNING, but NOT_FINITE stays."""
    # A problem that stays at its last finite point does not change, which would count as converged.
    lost = [resume is not None and resume.status[i] is Status.NOT_FINITE for i in range(count)]
    return [Status.NOT_FINITE if one else Status.RUNNING for one in lost]


def _judge(
    statuses: list[Status], state: State, history: History, stop: StopRule, goal: StopRule | None
) -> list[Status]:
    """Return the status of each problem after a step; `statuses` itself if nothing changed."""
    never = [False] * history.items
    stopped, exhausted = stop(history, state), state.exhausted.tolist()
    reached = never if goal is None else goal(history, state)
    unreached = never if state.unreached is None else state.unreached.tolist()
    # Without a finite gradient no step is possible, even if the objective is finite.
    lost = [not _finite(history, item) for item in range(history.items)]
    if not any(True in flags for flags in (stopped, exhausted, reached, unreached, lost)):
        return statuses  # as in nearly every step
    # A problem at rest has not converged if only missing gradients keep it from a lower objective.
    avoided = never if state.avoided is None else state.avoided.tolist()
    ends = (
        (Status.NOT_FINITE, lost),
        (Status.UNREACHED, unreached),
        (Status.CONVERGED, reached),
        (
            Status.NOT_FINITE,
            [a and (s or e) for a, s, e in zip(avoided, stopped, exhausted, strict=True)],
        ),
        (Status.PRECISE, exhausted),
        (Status.CONVERGED, stopped),
    )
    return [
        old if old.finished else next((s for s, flags in ends if flags[item]), Status.RUNNING)
        for item, old in enumerate(statuses)
    ]


def _finite(history: History, item: int) -> bool:
    """Return whether the last objective and gradient norm of a problem are finite."""
    return all(isfinite(history.value(name, -1, item)) for name in ("objective", "gradient_norm"))


def _unfinished(statuses: list[Status], state: State) -> Tensor | None:
    """Return a mask (N,) of the problems that are not finished, or None if all are."""
    active = [not status.finished for status in statuses]
    return torch.tensor(active, device=state.points.device) if any(active) else None


def _measure(history: History, state: State, moved: Tensor) -> None:
    history.add(
        {
            **state.terms,
            "objective": state.objective,
            "gradient_norm": state.gradient_norm,
            "pixel_change_norm": moved,
        }
    )


def _keep(
    kept: Snapshots | dict[int, Tensor], number: int, state: State, snapshot_every: int
) -> None:
    """Store a copy of an iterate if its number is due and none is stored."""
    if snapshot_every and number % snapshot_every == 0 and number not in list(kept):
        kept[number] = state.points.detach().to("cpu", copy=True)

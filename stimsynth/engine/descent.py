"""Gradient descent by any torch optimizer, with an optional learning-rate scheduler."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from stimsynth.engine.problem import Evaluation, Problem, Terms, column, evaluate
from stimsynth.numerics.reductions import norms
from stimuli_store.errors import InputError, WrongType

OptimizerFactory = Callable[[list[Tensor]], torch.optim.Optimizer]
SchedulerFactory = Callable[[torch.optim.Optimizer], Any]


#: Settings of torch's schedulers; the rest of their state changes as they run.
_SETTINGS = {
    "step_size",
    "gamma",
    "T_max",
    "eta_min",
    "factor",
    "patience",
    "total_iters",
    "power",
    "milestones",
}


@dataclass(frozen=True, kw_only=True)
class DescentState:
    """State of a torch optimizer: points, evaluation there, the leaf tensor that it moves, and the optimizer.

    `before` is empty until a step from this state begins; then it holds the state dicts of optimizer and
    scheduler before the step.
    """

    points: Tensor
    objective: Tensor
    terms: Terms
    gradient: Tensor
    gradient_norm: Tensor
    exhausted: Tensor
    leaf: Tensor
    optimizer: torch.optim.Optimizer
    scheduler: Any
    before: dict[str, Any] = field(default_factory=dict)
    avoided: ClassVar[None] = None
    unreached: ClassVar[None] = None


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Gradient descent of a batch by a torch optimizer.

    The optimizer minimizes the sum of the objectives. The problems stay independent for optimizers that
    treat every value separately (SGD, Adam, …); for `torch.optim.LBFGS` they are one problem with N parts.

    Parameters
    ----------
    optimizer
        Function of a list with one tensor that returns a torch optimizer, e.g. `torch.optim.Adam`.
    scheduler
        Function of the optimizer that returns a scheduler; its ``step()`` is called after every step, for
        `ReduceLROnPlateau` with the mean objective.
    """

    optimizer: OptimizerFactory
    scheduler: SchedulerFactory | None = None

    def init(self, problem: Problem, start: Tensor) -> DescentState:
        """Return the state at `start`; a `start` that is a leaf with gradient is itself optimized."""
        leaf = start if start.requires_grad else start.detach().clone().requires_grad_(True)
        optimizer = self.optimizer([leaf])
        scheduler = self.scheduler(optimizer) if self.scheduler else None
        for what, made in (("optimizer", optimizer), ("scheduler", scheduler)):
            lacks = [name for name in ("step", "state_dict") if not hasattr(made, name)]
            if lacks and not (made is None and what == "scheduler"):
                raise WrongType(
                    f"the function for the {what} returned a {type(made).__name__}, which has no {lacks[0]}()"
                )
        count = len(leaf)
        at = evaluate(problem, leaf, torch.arange(count, device=leaf.device))
        return DescentState(
            points=leaf.detach().clone(),
            **_measured(at),
            exhausted=torch.zeros(count, dtype=torch.bool, device=leaf.device),
            leaf=leaf,
            optimizer=optimizer,
            scheduler=scheduler,
        )

    def step(self, problem: Problem, state: DescentState, active: Tensor) -> DescentState:
        """Return the state after one optimizer step; the gradient of the last evaluation is reused."""
        leaf, items = state.leaf, torch.arange(len(state.leaf), device=state.leaf.device)
        known = [(state.objective, state.gradient)]
        state.before.update(_copied(_learned(state)))

        def closure() -> Tensor:
            # Optimizers such as LBFGS evaluate several times per step; the first result is known.
            if known:
                objective, gradient = known.pop()
            else:
                at = evaluate(problem, leaf, items)
                objective, gradient = at.objective, at.gradient
            # A problem without gradient must not spoil sums over all problems in the optimizer.
            lost = ~torch.isfinite(norms(gradient))
            leaf.grad = torch.where(column(lost, gradient), 0, gradient)
            return torch.where(lost & ~active, 0, objective).sum()

        state.optimizer.step(closure)  # type: ignore[arg-type]
        _restore(leaf, state.points, ~active)
        at = evaluate(problem, leaf, items)
        if isinstance(state.scheduler, ReduceLROnPlateau):
            state.scheduler.step(at.objective.mean())
        elif state.scheduler is not None:
            state.scheduler.step()
        # The last point with a finite objective stays; the objective itself stays non-finite.
        _restore(leaf, state.points, ~torch.isfinite(at.objective))
        return replace(
            state,
            points=leaf.detach().clone(),
            **_measured(at),
            before={},
        )

    def restart(self, problem: Problem, state: DescentState, which: Tensor) -> DescentState:
        """Return the state evaluated anew; the optimizer keeps its own state."""
        items = torch.arange(len(state.leaf), device=state.leaf.device)
        return replace(state, **_measured(evaluate(problem, state.leaf, items)))

    def undone(self, state: DescentState) -> DescentState:
        """Return `state` with leaf, optimizer and scheduler restored to it, after an interrupted step."""
        with torch.no_grad():
            state.leaf.copy_(state.points)
        for owner, learned in ((state.optimizer, "optimizer"), (state.scheduler, "scheduler")):
            if learned in state.before:
                owner.load_state_dict(state.before[learned])
        return replace(state, before={})

    def record(self, state: DescentState) -> dict[str, Any]:
        """Return the state as tensors and numbers, for a file."""
        own = ("leaf", "optimizer", "scheduler", "before")
        known = {name: value for name, value in vars(state).items() if name not in own}
        made = {"made": makers(state.optimizer, state.scheduler)}
        return {**known, "optimizer": None, "scheduler": None, **_learned(state), **made}

    def revive(self, record: Mapping[str, Any]) -> DescentState:
        """Return the state from its `record`, with an optimizer that holds its points.

        Raises
        ------
        InputError
            If this method makes another optimizer or scheduler than the recorded ones.
        """
        leaf = record["points"].detach().clone().requires_grad_(True)
        optimizer = self.optimizer([leaf])
        scheduler = self.scheduler(optimizer) if self.scheduler else None
        made, wanted = makers(optimizer, scheduler), record["made"]
        if made != wanted:
            raise InputError(
                f"this run began with optimizer {wanted['optimizer']} and scheduler {wanted['scheduler']}; "
                f"it cannot continue with {made['optimizer']} and {made['scheduler']}"
            )
        if scheduler is not None:
            _check_settings(scheduler, record["scheduler"])
        # A reused optimizer object still holds its old points and moments.
        optimizer.param_groups[0]["params"] = [leaf]
        optimizer.state.clear()
        optimizer.load_state_dict(record["optimizer"])
        if scheduler is not None:
            scheduler.load_state_dict(record["scheduler"])
        owned = {"leaf": leaf, "optimizer": optimizer, "scheduler": scheduler}
        known = {name: value for name, value in record.items() if name != "made"}
        return DescentState(**{**known, **owned})


def _check_settings(scheduler: Any, recorded: Mapping[str, Any]) -> None:
    """Raise an error if a scheduler has other settings than the one whose state was recorded."""
    own = scheduler.state_dict()
    for name in _SETTINGS & own.keys() & recorded.keys():
        if own[name] != recorded[name]:
            raise InputError(
                f"this run began with a scheduler of {name}={recorded[name]}; it cannot continue with "
                f"{name}={own[name]}"
            )


def makers(optimizer: Any, scheduler: Any) -> dict[str, str | None]:
    """Return the class names of an optimizer and a scheduler; torch's own begin with ``torch.optim``.

    Examples
    --------
    >>> points = [torch.zeros(1, requires_grad=True)]
    >>> makers(torch.optim.SGD(points), None)
    {'optimizer': 'torch.optim.SGD', 'scheduler': None}
    """
    return {"optimizer": _maker(optimizer), "scheduler": scheduler and _maker(scheduler)}


def _maker(made: Any) -> str:
    kind = type(made)
    theirs = kind.__module__.startswith("torch.optim.")
    name = f"torch.optim.{kind.__name__}" if theirs else kind.__qualname__
    inside = [
        _maker(one) for one in getattr(made, "_schedulers", ())
    ]  # in SequentialLR, ChainedScheduler
    return f"{name}({', '.join(inside)})" if inside else name


def _measured(at: Evaluation) -> dict[str, Any]:
    return {**vars(at), "gradient_norm": norms(at.gradient)}


def _learned(state: DescentState) -> dict[str, Any]:
    """Return the state dicts of optimizer and scheduler by name."""
    owners = {"optimizer": state.optimizer, "scheduler": state.scheduler}
    return {name: owner.state_dict() for name, owner in owners.items() if owner is not None}


def _copied(tree: Any) -> Any:
    """Return a deep copy of a tree of dicts, lists and tensors."""
    if isinstance(tree, Tensor):
        return tree.detach().clone()
    if type(tree) is dict:
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if type(tree) is list else deepcopy(tree)


def _restore(points: Tensor, kept: Tensor, which: Tensor) -> None:
    """Restore the points (N, …) of the problems in `which` (bool, (N,)) from `kept`, in place."""
    if True in which.tolist():
        with torch.no_grad():
            points.copy_(torch.where(column(which, points), kept, points))

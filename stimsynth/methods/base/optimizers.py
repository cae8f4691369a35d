"""Conversion of the `optimizer` and `scheduler` arguments of ``synthesize`` to a method of the engine."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from stimsynth.engine.constrained.descent import Constrained
from stimsynth.engine.descent import Descent
from stimsynth.engine.lbfgs import LBFGS
from stimsynth.engine.loop import Method
from stimsynth.validate.functions import function_name
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import briefly

#: The Adam of the field's synthesis scripts, for `torch.optim.Adam` without arguments of its own.
ADAM: Mapping[str, Any] = {"lr": 0.01, "amsgrad": True}


def choose_method(
    optimizer: Any,
    scheduler: Any,
    optimizer_kwargs: Mapping[str, Any] | None,
    start: Tensor,
    default: Method,
) -> Method:
    """Return the engine's method for the optimizer and scheduler arguments of ``synthesize``.

    Parameters
    ----------
    optimizer
        None for `default`; a method of the engine; a torch optimizer class, or another function that makes
        an optimizer from a list with one tensor; or a torch optimizer built on ``[start]``.
    scheduler
        Function that makes a scheduler from the optimizer, or a scheduler built on it; None for none.
    optimizer_kwargs
        Arguments for an optimizer class. `torch.optim.Adam` gets ``lr=0.01, amsgrad=True`` if None.
    start
        The tensor that the optimizer will change.
    default
        The method if `optimizer` is None.

    Raises
    ------
    InputError
        If the arguments do not fit together.
    """
    if not (scheduler is None or callable(scheduler) or _built(scheduler)):
        raise InputError(
            "scheduler must be None, a scheduler, or a function that makes one from the optimizer; not "
            f"{briefly(scheduler)}"
        )
    if _built(scheduler) and getattr(scheduler, "optimizer", None) is not optimizer:
        raise InputError(
            "this scheduler was built on another optimizer and would have no effect; build it on the "
            "optimizer that you give, or give a function of the optimizer, such as "
            "functools.partial(torch.optim.lr_scheduler.StepLR, step_size=100)"
        )
    if optimizer is None or hasattr(optimizer, "init"):
        if scheduler is not None or optimizer_kwargs is not None:
            raise InputError(
                "scheduler and optimizer_kwargs need a torch optimizer; give an optimizer too, or leave both "
                "out"
            )
        return default if optimizer is None else optimizer
    if isinstance(optimizer, torch.optim.Optimizer):
        if optimizer_kwargs is not None:
            raise InputError(
                "optimizer_kwargs need an optimizer class, and this optimizer is an instance; leave them out"
            )
        held = [p for group in optimizer.param_groups for p in group["params"]]
        if len(held) != 1 or held[0] is not start:
            raise InputError(
                "the optimizer must have exactly one parameter, the tensor that synthesis changes; build it "
                "on [metamer.metamer] or [geodesic.interior]"
            )
        return Descent(optimizer=lambda _: optimizer, scheduler=_as_factory(scheduler))
    if not callable(optimizer):
        raise InputError(
            "optimizer must be None, a torch optimizer class such as torch.optim.Adam, or an instance of "
            f"one; not {briefly(optimizer)}"
        )
    if optimizer_kwargs is None and optimizer is torch.optim.Adam:
        optimizer_kwargs = ADAM
    factory = partial(optimizer, **optimizer_kwargs) if optimizer_kwargs else optimizer
    return Descent(optimizer=partial(_made, factory), scheduler=_as_factory(scheduler))


def describe_method(method: Method) -> dict[str, Any]:
    """Return the class name and settings of a method, from which `method_from` makes it again."""
    # The factories of a Descent are code; the record of its state names the classes they made.
    plain = is_dataclass(method) and not isinstance(method, Descent)
    settings = asdict(method) if plain else {}  # type: ignore[call-overload]
    return {"name": _class_name(type(method)), "settings": settings}


def method_from(
    description: Mapping[str, Any], state: Mapping[str, Any], default: Method
) -> Method | None:
    """Return the method that a file describes, or None if the user must pass it again.

    Parameters
    ----------
    description
        The description that `describe_method` returned.
    state
        The record of the method's state, which may be nested in the record of another method's state.
    default
        The method of the object that loads the file.
    """
    if description["name"] == _class_name(Descent):
        made = next(value for name, value in state.items() if name.rpartition(".")[2] == "made")
        home, _, name = made["optimizer"].rpartition(".")
        if home != "torch.optim" or made["scheduler"] is not None:
            return None
        return Descent(optimizer=getattr(torch.optim, name))
    kinds: tuple[Any, ...] = (LBFGS, Constrained, type(default))
    return next(
        (k(**description["settings"]) for k in kinds if _class_name(k) == description["name"]), None
    )


def _class_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _as_factory(scheduler: Any) -> Any:
    if scheduler is None:
        return None
    return (lambda _: scheduler) if _built(scheduler) else partial(_made, scheduler)


def _made(factory: Callable[[Any], Any], of: Any) -> Any:
    """Return the optimizer or scheduler made by a factory; a failure becomes an `InputError`."""
    try:
        return factory(of)
    except (TypeError, ValueError) as error:
        whole = factory.func if isinstance(factory, partial) else factory
        raise InputError(
            f"{function_name(whole)} cannot be made: {error}; give optimizer_kwargs for an optimizer "
            "class, and a function of the optimizer for a scheduler"
        ) from error


def _built(scheduler: Any) -> bool:
    """Return whether `scheduler` is a scheduler instance, not a class or function that makes one."""
    return hasattr(scheduler, "step") and not isinstance(scheduler, type)

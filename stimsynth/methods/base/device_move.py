"""Checks of the device and dtype that a synthesis is moved to."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from stimuli_store.errors import InputError


def goal_of_move(like: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Return an empty tensor with the dtype and device of ``like.to(...)``; refuse unusable ones.

    Parameters
    ----------
    like
        The tensor to move.
    args, kwargs
        As for `torch.Tensor.to`.

    Raises
    ------
    InputError
        If the device or dtype does not exist, cannot hold images, or would make real images complex.
    """
    try:
        goal = torch.empty(0, dtype=like.dtype, device=like.device).to(*args, **kwargs)
    except (AssertionError, RuntimeError, TypeError) as why:
        raise InputError(
            "to() needs a device of this machine, a floating-point dtype, both, or a tensor that has them: "
            f"{why}"
        ) from why
    if not (goal.is_floating_point() or goal.is_complex()):
        raise InputError(f"images must have a floating-point dtype; not {goal.dtype}")
    if goal.is_complex() and not like.is_complex():
        raise InputError(f"the images are real and cannot become {goal.dtype}; give a real dtype")
    if goal.is_meta:
        raise InputError("the device meta holds no values; give a device that does, such as 'cpu'")
    return goal


def moved_copy(module: nn.Module, goal: Tensor) -> nn.Module:
    """Return a copy of a module in the precision and on the device of `goal`.

    A copy, because other syntheses may share the module, and would no longer fit it if it were moved.

    Raises
    ------
    InputError
        If the module cannot be copied.

    Examples
    --------
    >>> shared = nn.Linear(1, 1)
    >>> moved_copy(shared, torch.empty(0).double()).weight.dtype, shared.weight.dtype
    (torch.float64, torch.float32)
    """
    try:
        own = copy.deepcopy(module)
    except (RuntimeError, TypeError) as why:
        raise InputError(
            f"{type(module).__name__} cannot be copied, and is not moved itself because others may share it; "
            f"move it, and make the synthesis anew: {why}"
        ) from why
    return own.to(device=goal.device, dtype=goal.dtype)

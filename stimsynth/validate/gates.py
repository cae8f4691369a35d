"""Gates of arguments that only torch knows: types, devices, generators, modules and bands of a pyramid.

A gate is a function of a value and the name of its argument (`stimuli_store.tools.gates`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stimsynth.validate.inputs import as_tensor
from stimuli_store.errors import InputError, WrongDevice, WrongType
from stimuli_store.tools.gates import as_float, briefly


def a_dtype(value: Any, name: str) -> torch.dtype:
    """Return `value` after checking that it is a floating-point type of torch."""
    if not isinstance(value, torch.dtype) or not value.is_floating_point:
        raise WrongType(
            f"{name} must be a floating-point type, such as torch.float32; not {briefly(value)}"
        )
    return value


def a_device(value: Any, name: str) -> torch.device:
    """Return the device that `value` names, after checking that torch has it on this machine."""
    try:
        return torch.empty(0, device=value or "").device
    except (TypeError, RuntimeError, AssertionError, ValueError) as error:
        raise WrongDevice(
            f"{name} must be a device that torch has here, such as 'cpu'; not {briefly(value)}"
        ) from error


def a_generator(value: Any, name: str) -> torch.Generator:
    """Return `value` after checking that it is a generator of torch."""
    if not isinstance(value, torch.Generator):
        raise WrongType(f"{name} must be a torch.Generator; not {briefly(value)}")
    return value


def a_module(value: Any, name: str) -> nn.Module:
    """Return `value` after checking that it is a module of torch."""
    if not isinstance(value, nn.Module):
        raise WrongType(f"{name} must be a torch.nn.Module; not {briefly(value)}")
    return value


def some_bands(value: Any, name: str) -> Mapping[Any, Tensor]:
    """Return `value` after checking that it is a mapping, such as a pyramid's coefficients by level."""
    if not isinstance(value, Mapping):
        raise WrongType(
            f"{name} must be a dictionary of tensors, as a pyramid's forward returns it; not "
            f"{briefly(value)}"
        )
    return value


def two_numbers(value: Any, name: str) -> tuple[float, float]:
    """Return `value` as two floats, such as (row, column), after checking that both are finite.

    Examples
    --------
    >>> two_numbers([1, 2.5], "fixation")
    (1.0, 2.5)
    """
    try:
        numbers = [as_float(one) for one in value]
    except TypeError:
        numbers = []
    first, second = numbers if len(numbers) == 2 else (None, None)
    if first is None or second is None or not abs(first) + abs(second) < float("inf"):
        raise InputError(f"{name} must be two finite numbers; not {briefly(value)}")
    return first, second


def some_numbers(
    value: Any, name: str, *, like: Tensor | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """Return real numbers as a floating-point tensor.

    It has the type and device of `like`, or `dtype`; without both, the type of a tensor or an array that is
    floating-point, and torch's default for anything else.

    Examples
    --------
    >>> some_numbers([1, 2], "std")
    tensor([1., 2.])
    """
    try:
        array = value if isinstance(value, Tensor) else np.asarray(value)
        given = as_tensor(array, name)
    except (WrongType, TypeError, ValueError, RuntimeError) as error:
        raise WrongType(f"{name} must be a number, or several; not {briefly(value)}") from error
    if given.is_complex():
        raise InputError(f"{name} must be real; not {briefly(value)}")
    if like is not None:
        return given.to(like)
    typed = isinstance(value, Tensor | np.ndarray | np.generic) and given.is_floating_point()
    return given.to(dtype or (given.dtype if typed else torch.get_default_dtype()))

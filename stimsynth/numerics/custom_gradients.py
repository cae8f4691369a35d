"""Functions with hand-written derivatives, for automatic differentiation in every mode."""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch._C import _functorch
from torch.autograd import Function


class CustomGradient(Function):
    """Base of `torch.autograd.Function`s that torch vectorizes and that take positional arguments only."""

    # torch inspects the signature of ``forward`` at every call to fill in defaults, which takes longer than
    # the arithmetic of a small image. So no argument may be left out here.

    generate_vmap_rule = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.forward.__signature__ = _AsGiven()  # type: ignore[attr-defined]


def applied(function: type[Function]) -> Callable[..., Any]:
    """Return the callable of a nonlinear function: with its own derivatives or with torch's."""
    # In nested forward mode torch silently treats the results of a custom derivative as constants, and second
    # derivatives are wrong; it differentiates ``forward`` itself correctly.
    return function.forward if _forward_over_forward() else function.apply


def _forward_over_forward() -> bool:
    """Return whether forward-mode differentiation runs inside forward-mode differentiation."""
    # A compiler cannot trace this question.
    if torch.compiler.is_compiling() or _functorch.peek_interpreter_stack() is None:
        return False
    stack = _functorch.get_interpreter_stack()
    return sum(level.key() == _functorch.TransformType.Jvp for level in stack) > 1


class _AsGiven(inspect.Signature):
    def bind(self, *args: Any, **kwargs: Any) -> Any:
        return SimpleNamespace(args=args, kwargs=kwargs, apply_defaults=lambda: None)

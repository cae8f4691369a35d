"""Functions whose derivatives are written out, for automatic differentiation in every mode."""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch._C import _functorch
from torch.autograd import Function


class CustomGradient(Function):
    """A `torch.autograd.Function` that is vectorized by torch, and takes arguments by position alone.

    torch looks up the signature of ``forward`` at every call, to fill in what was left out, which takes
    longer than the arithmetic of a small image. Here nothing may be left out.
    """

    generate_vmap_rule = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.forward.__signature__ = _AsGiven()  # type: ignore[attr-defined]


def applied(function: type[Function]) -> Callable[..., Any]:
    """Return how to call a function that is not linear: as written out, or for torch to differentiate.

    Inside forward mode inside forward mode torch takes what a written-out derivative computes for constant,
    without a word, and second derivatives come out wrong; what ``forward`` does it differentiates rightly.
    """
    return function.forward if forward_over_forward() else function.apply


def forward_over_forward() -> bool:
    """Return whether forward mode is at work inside forward mode, which a compiler cannot see."""
    if torch.compiler.is_compiling() or _functorch.peek_interpreter_stack() is None:
        return False
    stack = _functorch.get_interpreter_stack()
    return sum(level.key() == _functorch.TransformType.Jvp for level in stack) > 1


class _AsGiven(inspect.Signature):
    def bind(self, *args: Any, **kwargs: Any) -> Any:
        return SimpleNamespace(args=args, kwargs=kwargs, apply_defaults=lambda: None)

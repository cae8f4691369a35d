"""Functions whose derivatives are written out, for automatic differentiation in every mode."""

import inspect
from types import SimpleNamespace
from typing import Any

from torch.autograd import Function


class WrittenOut(Function):
    """A `torch.autograd.Function` that is vectorized by torch, and takes arguments by position alone.

    torch looks up the signature of ``forward`` at every call, to fill in what was left out, which takes
    longer than the arithmetic of a small image. Here nothing may be left out.
    """

    generate_vmap_rule = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.forward.__signature__ = _AsGiven()  # type: ignore[attr-defined]


class _AsGiven(inspect.Signature):
    def bind(self, *args: Any, **kwargs: Any) -> Any:
        return SimpleNamespace(args=args, kwargs=kwargs, apply_defaults=lambda: None)

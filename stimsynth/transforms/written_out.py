"""Functions whose derivatives are written out, for automatic differentiation in every mode."""

import inspect
from typing import Any

from torch.autograd import Function


class WrittenOut(Function):
    """A `torch.autograd.Function` that is vectorized by torch and looks up its signature once.

    torch inspects the signature of ``forward`` at every call, which takes longer than the arithmetic of a
    small image; a signature that is at hand is not inspected again.
    """

    generate_vmap_rule = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.forward.__signature__ = inspect.signature(cls.forward)  # type: ignore[attr-defined]

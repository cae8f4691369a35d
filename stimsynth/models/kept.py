"""Kernels and transfer functions that are made once and used until what they depend on changes."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor


class Kept:
    """The last value of a function of some tensors and a key.

    A value is used again only for an equal key and the very same tensors, neither written to, cast nor
    moved since; so that loading parameters or moving a model makes it anew. (What is written through
    ``tensor.data`` torch does not tell of.) Copies of a model start with nothing kept.

    Examples
    --------
    >>> kept, std = Kept(), torch.ones(1)
    >>> kept.get("a", [std], lambda: 2 * std) is kept.get("a", [std], lambda: 2 * std)
    True
    >>> _ = std.fill_(3)
    >>> kept.get("a", [std], lambda: 2 * std)
    tensor([6.])
    """

    def __init__(self) -> None:
        self._held: tuple[Hashable, list[Tensor], list[tuple[Any, ...]], Tensor] | None = None

    @property
    def value(self) -> Tensor | None:
        """What was made last, whether or not it still holds."""
        return self._held[3] if self._held else None

    def get(self, key: Hashable, tensors: Sequence[Tensor], make: Callable[[], Tensor]) -> Tensor:
        """Return ``make()``, or what it returned last time if nothing changed."""
        if torch.is_inference_mode_enabled() or any(t.is_inference() for t in tensors):
            return make()  # such tensors cannot be used in a backward pass later
        held, states = self._held, [(t._version, t.dtype, t.device) for t in tensors]
        if (
            held is not None
            and held[0] == key
            and len(held[1]) == len(tensors)
            and all(a is b for a, b in zip(held[1], tensors, strict=True))
            and held[2] == states
        ):
            return held[3]
        value = make()
        if _is_plain(value):
            self._held = (key, list(tensors), states, value)
        return value

    def __deepcopy__(self, memo: dict[int, Any]) -> "Kept":
        return Kept()

    def __reduce__(self) -> tuple[type["Kept"], tuple[()]]:
        return Kept, ()


def _is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor outlives the function transform (jvp, grad) it was made in, if any.

    Inside one, tensors are wrappers that end with it, and have no storage.
    """
    try:
        tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        return False
    return True

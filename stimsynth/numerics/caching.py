"""Caches of tensors that are constant until their arguments change: functions, tables, kernels."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, wraps
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


def made_outside_transforms(make: Callable[[], T]) -> T:
    """Return ``make()``, called outside the caller's torch modes and function transforms.


    Examples
    --------
    >>> with torch.inference_mode():
    ...     made_outside_transforms(lambda: torch.ones(3)).is_inference()
    False
    """
    # While `torch.compile` traces there are none, and a thread would break its graph.
    if torch.compiler.is_compiling() or not (torch.is_inference_mode_enabled() or _transforming()):
        return make()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(make).result()


# Torch has no public function for this; if the private one is gone, the thread is always used.
_transforming = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def cached_tensors(maxsize: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator like `functools.lru_cache`, for functions that return tensors.

    Parameters
    ----------
    maxsize
        Number of results to keep.

    Examples
    --------
    >>> @cached_tensors(maxsize=4)
    ... def table(n: int) -> torch.Tensor:
    ...     return torch.arange(n)
    >>> with torch.inference_mode():
    ...     made = table(3)
    >>> made.is_inference(), table(3) is made
    (False, True)
    """

    def decorate(make: Callable[..., T]) -> Callable[..., T]:
        @lru_cache(maxsize=maxsize)
        @wraps(make)
        def made(*args: Hashable, **kwargs: Hashable) -> T:
            return made_outside_transforms(lambda: make(*args, **kwargs))

        return made

    return decorate


Tables = Mapping[str, Tensor]


class ExactTables(nn.Module):
    """Module with tables of constants: stored in float64, available in the module's type and device.

    Tables of integers, such as indices, keep their type.

    ``module.double()`` converts the exact tables again, so no rounding to float32 remains; an image of a
    different type gets tables of its own type, at the cost of a conversion.
    """

    def __init__(self, exact: Tables) -> None:
        super().__init__()
        self._exact = dict(exact)
        # An empty tensor that follows the module's type and device.
        self.register_buffer("_kind", torch.empty(0), persistent=False)
        self._tables = _like(self._exact, self._kind)

    _kind: Tensor

    def tables_for(self, x: Tensor) -> Tables:
        """Return the tables in the precision and on the device of `x` (real or complex)."""
        same = x.real.dtype == self._kind.dtype and x.device == self._kind.device
        return self._tables if same else _like(self._exact, x.real)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self._tables = _like(self._exact, self._kind)
        return self


def _like(exact: Tables, like: Tensor) -> Tables:
    return {
        name: table.to(like.device, like.dtype if table.is_floating_point() else table.dtype)
        for name, table in exact.items()
    }


class LastValue:
    """Cache of the last value of a function of some tensors and a key.

    A value is used again only for an equal key and the same tensor objects, if they were not written to, cast
    or moved since. So loading parameters or moving a model gives a new value. (Writes through ``tensor.data``
    are not noticed.) Copies of a model start with an empty cache.

    Examples
    --------
    >>> kept, std = LastValue(), torch.ones(1)
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
        """The cached value, even if it is out of date; None if there is none."""
        return self._held[3] if self._held else None

    def get(self, key: Hashable, tensors: Sequence[Tensor], make: Callable[[], Tensor]) -> Tensor:
        """Return ``make()``, or its last value if key and tensors have not changed."""
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

    def __deepcopy__(self, memo: dict[int, Any]) -> "LastValue":
        return LastValue()

    def __reduce__(self) -> tuple[type["LastValue"], tuple[()]]:
        return LastValue, ()


def _is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor stays valid after the function transform (jvp, grad) in which it was made."""
    # Inside a transform, tensors are wrappers without storage, which end with it.
    try:
        tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        return False
    return True

"""Constants that are made once and used until what they depend on changes: functions, tables, kernels."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, wraps
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


def made_outside_transforms(make: Callable[[], T]) -> T:
    """Return ``make()``, made outside all modes and transforms of the caller.

    While `torch.compile` traces, there are none, and what it traces stays in one piece.

    Examples
    --------
    >>> with torch.inference_mode():
    ...     made_outside_transforms(lambda: torch.ones(3)).is_inference()
    False
    """
    if torch.compiler.is_compiling() or not (torch.is_inference_mode_enabled() or _transforming()):
        return make()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(make).result()


# Torch has no public way to ask; where this one is gone, the thread makes everything.
_transforming = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def cached_tensors(maxsize: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator like `functools.lru_cache` for functions that make tensors.

    Parameters
    ----------
    maxsize
        How many results to keep.

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
    """A module with tables of constants: kept in float64, at hand in the module's own type and device.

    Tables of integers, places say, keep their type.

    ``module.double()`` makes tables from the exact ones, so nothing that was rounded to float32 is left;
    an image of another type than the module's gets tables of its type, at the cost of a conversion.
    """

    def __init__(self, exact: Tables) -> None:
        super().__init__()
        self._exact = dict(exact)
        # Holds no values: its type and device are those that the module was moved to.
        self.register_buffer("_kind", torch.empty(0), persistent=False)
        self._tables = _like(self._exact, self._kind)

    _kind: Tensor

    def tables_for(self, x: Tensor) -> Tables:
        """Return the tables in the precision and on the device of a real or complex `x`."""
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
    """The last value of a function of some tensors and a key.

    A value is used again only for an equal key and the very same tensors, neither written to, cast nor
    moved since; so that loading parameters or moving a model makes it anew. (What is written through
    ``tensor.data`` torch does not tell of.) Copies of a model start with nothing kept.

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

    def __deepcopy__(self, memo: dict[int, Any]) -> "LastValue":
        return LastValue()

    def __reduce__(self) -> tuple[type["LastValue"], tuple[()]]:
        return LastValue, ()


def _is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor outlives the function transform (jvp, grad) it was made in, if any.

    Inside one, tensors are wrappers that end with it, and have no storage.
    """
    try:
        tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):
        return False
    return True

"""Constants that are made once and remembered, wherever they are first asked for.

What is made inside a transform (`torch.func.vjp`, say) or an inference mode belongs to it, and is of no
use when it has ended. These modes are a thread's own, so inside them another thread makes the constants.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, wraps
from typing import TypeVar

import torch

T = TypeVar("T")


def made_apart(make: Callable[[], T]) -> T:
    """Return ``make()``, made outside all modes and transforms of the caller.

    While `torch.compile` traces, there are none, and what it traces stays in one piece.

    Examples
    --------
    >>> with torch.inference_mode():
    ...     made_apart(lambda: torch.ones(3)).is_inference()
    False
    """
    if torch.compiler.is_compiling() or not (torch.is_inference_mode_enabled() or _transforming()):
        return make()
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(make).result()


# Torch has no public way to ask; where this one is gone, the thread makes everything.
_transforming = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def remembered(maxsize: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator like `functools.lru_cache` for functions that make tensors.

    Parameters
    ----------
    maxsize
        How many results to keep.

    Examples
    --------
    >>> @remembered(maxsize=4)
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
            return made_apart(lambda: make(*args, **kwargs))

        return made

    return decorate

"""Gates: the kinds of values that public functions take, each checked at one place.

A gate is a function of a value and the name of its argument. It returns the value as the function uses it, or
raises InputError in one sentence. `takes` puts gates before a function, `check_fields` into a record.
"""

import inspect
import math
import os
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.whole import whole

Gate = Callable[[Any, str], Any]
_P = ParamSpec("_P")
_R = TypeVar("_R")
_LONGEST = 60
_HUGE = 1e100  # numbers beyond this are slips too
_MOST = 10**7  # repetitions, draws and sizes beyond this are slips


def takes(**gates: Gate) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Return a decorator that passes the named arguments of a function through gates.

    Examples
    --------
    >>> @takes(share=a_share)
    ... def doubled(share):
    ...     return 2 * share
    >>> doubled("x")
    Traceback (most recent call last):
    stimuli_store.errors.InputError: share must be a number above 0 and below 1; not 'x'
    """

    def gated(function: Callable[_P, _R]) -> Callable[_P, _R]:
        signature = inspect.signature(function)
        for name in gates:
            signature.parameters[name]  # a gate without an argument is a slip of ours

        @wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            bound = signature.bind(*args, **kwargs)
            for name, gate in gates.items():
                if name in bound.arguments:
                    bound.arguments[name] = gate(bound.arguments[name], name)
            return function(*bound.args, **bound.kwargs)

        return call

    return gated


def check_fields(record: Any, **gates: Gate) -> None:
    """Check named fields of a record by gates, as its `__post_init__` does."""
    for name, gate in gates.items():
        gate(getattr(record, name), name)


def briefly(value: object) -> str:
    """Return a value as text on one line, cut if it is long.

    Examples
    --------
    >>> briefly([1] * 100)
    '[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,…'
    """
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3].rstrip() + "…"


def optional(gate: Gate) -> Gate:
    """Return a gate that lets None through, and other values through `gate`."""
    return lambda value, name: None if value is None else gate(value, name)


def _ranged(said: str, holds: Callable[[float], bool], *, infinite: bool = False) -> Gate:
    """Return the gate of the numbers for which `holds` is true, which `said` describes."""

    def gate(value: Any, name: str) -> float:
        number = as_float(value)
        open_end = infinite and number is not None and math.isinf(number)
        if number is None or not holds(number) or (abs(number) > _HUGE and not open_end):
            raise InputError(f"{name} must be a {said}; not {briefly(value)}")
        return number

    return gate


def as_float(value: Any) -> float | None:
    """Return a number of Python or numpy as a float; None for text, booleans, lists and other things.

    Examples
    --------
    >>> as_float(2), as_float("2"), as_float(True)
    (2.0, None, None)
    """
    if isinstance(value, bool | str | bytes | type) or "bool" in str(getattr(value, "dtype", "")):
        return None
    if getattr(value, "ndim", 0) or not hasattr(value, "__float__"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


#: Numbers by their range; all but one kind are finite.
a_number = _ranged("finite number", lambda v: not math.isnan(v))
a_positive = _ranged("finite number above 0", lambda v: v > 0)
a_not_negative = _ranged("finite number of 0 or more", lambda v: v >= 0)
a_not_negative_or_infinite = _ranged("number of 0 or more", lambda v: v >= 0, infinite=True)
a_share = _ranged("number above 0 and below 1", lambda v: 0 < v < 1)
a_rate = _ranged("number of at least 0 and below 1", lambda v: 0 <= v < 1)


def up_to(most: float) -> Gate:
    """Return the gate of the numbers from 0 to `most`."""
    return _ranged(f"number from 0 to {most:g}", lambda v: 0 <= v <= most)


def within(most: float) -> Gate:
    """Return the gate of the numbers from −`most` to `most`."""
    return _ranged(f"number from -{most:g} to {most:g}", lambda v: abs(v) <= most)


def a_seed(value: Any, name: str) -> int:
    """Return a seed after checking that it is a whole number from 0 to 2¹²⁸ − 1, as numpy draws them."""
    return whole(value, name, 0, 2**128 - 1)


def a_seed_or_generator(value: Any, name: str) -> Any:
    """Return a checked seed, or a generator of numpy unchanged."""
    return value if hasattr(value, "standard_normal") else a_seed(value, name)


def a_count(value: Any, name: str) -> int:
    """Return a number of repetitions after checking that it is whole, from 1 to ten million."""
    made = whole(value, name, 1)
    if made > _MOST:
        raise InputError(f"{name} must be at most {_MOST:,}; not {briefly(value)}")
    return made


def a_yes_or_no(value: Any, name: str) -> bool:
    """Return `value` as a bool, after checking that it is True or False of Python or numpy."""
    if isinstance(value, bool):
        return value
    if str(getattr(value, "dtype", "")) != "bool" or value.ndim:
        raise InputError(f"{name} must be True or False; not {briefly(value)}")
    return bool(value)


def a_text(value: Any, name: str) -> str:
    """Return `value` after checking that it is a text."""
    if not isinstance(value, str):
        raise InputError(f"{name} must be a text; not {briefly(value)}")
    return value


def one_of(*known: str) -> Gate:
    """Return the gate of some names; the error for another one gives the nearest."""

    def gate(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise InputError(f"{name} must be {_either(known)}; not {briefly(value)}")
        if value not in known:
            raise unknown_name(name, value, list(known))
        return value

    return gate


def _either(known: Collection[str]) -> str:
    *most, last = map(repr, known)
    return f"{', '.join(most)} or {last}" if most else last


def some_names(value: Any, name: str) -> tuple[str, ...]:
    """Return one name or several as a tuple, each once.

    Examples
    --------
    >>> some_names("level", "by"), some_names(["a", "b", "a"], "by")
    (('level',), ('a', 'b'))
    """
    if isinstance(value, str):
        return (value,)
    given: list[Any] = list(value) if _is_list(value) else [None]
    if not all(isinstance(one, str) for one in given):
        raise InputError(f"{name} must be a name, or a list of names; not {briefly(value)}")
    return tuple(dict.fromkeys(given))


def a_list(value: Any, name: str) -> list[Any]:
    """Return the items of a list, an array, or another iterable that is no text and no mapping."""
    if not _is_list(value):
        raise InputError(f"{name} must be a list; not {briefly(value)}")
    return list(value)


def some_values(value: Any, name: str) -> list[Any]:
    """Return the items of a list, a tuple or a set, or a value alone in a list; they can be compared."""
    given = list(value) if isinstance(value, list | tuple | set) else [value]
    if not all(isinstance(one, Hashable) for one in given):
        raise InputError(f"{name} must be a value, or a list of values; not {briefly(value)}")
    return given


def some_labels(value: Any, name: str) -> tuple[str, ...]:
    """Return labels, which are texts or whole numbers, as a tuple of texts; one may stand alone.

    Examples
    --------
    >>> some_labels("ann", "names"), some_labels([1, "ben"], "names")
    (('ann',), ('1', 'ben'))
    """
    given = list(value) if _is_list(value) else [value]
    if not all(isinstance(one, str) or as_float(one) is not None for one in given):
        raise InputError(f"{name} must be a name, or a list of names; not {briefly(value)}")
    return tuple(str(one) for one in given)


def _is_list(value: Any) -> bool:
    if isinstance(value, str | bytes | Mapping | type) or getattr(value, "ndim", 1) == 0:
        return False
    return isinstance(value, Iterable)


def a_mapping(value: Any, name: str) -> dict[Any, Any]:
    """Return `value` as a dict, after checking that it is a mapping."""
    if not isinstance(value, Mapping):
        raise InputError(
            f"{name} must be a mapping, such as {{'name': value}}; not {briefly(value)}"
        )
    return dict(value)


def a_path(value: Any, name: str) -> Path:
    """Return `value` as a Path, after checking that it is a text or a path, and not empty."""
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise InputError(f"{name} must be a path, as text or a Path; not {briefly(value)}")
    return Path(value)


def a_function(value: Any, name: str) -> Callable[..., Any]:
    """Return `value` after checking that it can be called."""
    if not callable(value):
        raise InputError(f"{name} must be a function; not {briefly(value)}")
    return value


def like(said: str, *attributes: str) -> Gate:
    """Return the gate of objects that have some attributes, such as the records of one kind.

    Examples
    --------
    >>> like("a path, such as Path('x')", "suffix")(3, "file")
    Traceback (most recent call last):
    stimuli_store.errors.InputError: file must be a path, such as Path('x'); not 3
    """

    def gate(value: Any, name: str) -> Any:
        if isinstance(value, type) or not all(hasattr(value, a) for a in attributes):
            raise InputError(f"{name} must be {said}; not {briefly(value)}")
        return value

    return gate

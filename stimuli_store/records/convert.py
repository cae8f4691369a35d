"""Convert frozen records to JSON values and back; unknown keys are refused."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

from stimuli_store.errors import InputError, unknown_name

R = TypeVar("R")
#: From a JSON value, and where it stands (for sentences about it), to the value of a field.
Reader = Callable[[Any, str], Any]
#: Types of most values, which JSON has too: they are told first, since a journal holds very many.
_PLAIN = frozenset({str, int, float, bool, types.NoneType})


def to_json(record: Any) -> Any:
    """Return a record (or a container of records) as plain JSON values; fields that are None are left out."""
    if type(record) in _PLAIN:
        return record
    names = _names(type(record))  # type: ignore[arg-type]
    if names is not None:
        pairs = ((name, getattr(record, name)) for name in names)
        return {name: to_json(value) for name, value in pairs if value is not None}
    if isinstance(record, Mapping):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [to_json(value) for value in record]
    return record


def from_json(cls: type[R], value: Any, where: str = "") -> R:
    """Return the JSON object `value` as a record of type `cls`.

    Raises
    ------
    InputError
        If keys are unknown (the nearest known one is named), missing, or of another type: one line for each.
        A missing optional is None. Keys that begin with ``x_`` are extensions of others and are ignored.
    """
    where = where or cls.__name__
    if not isinstance(value, Mapping):
        raise InputError(f"{where} must be a table of keys and values; not {value!r}")
    keys = _keys(cls)  # type: ignore[arg-type]
    faults = [
        str(unknown_name(f"key in {where}", str(key), list(keys)))
        for key in value
        if key not in keys and not str(key).startswith("x_")
    ]
    known: dict[str, Any] = {}
    wrong: list[str] = []
    for name, key in keys.items():
        try:
            if name in value:
                known[name] = key.read(value[name], f"{where}.{name}")
            elif key.needed:
                if not key.optional:
                    raise InputError(f"{where} needs the key {name!r}")
                known[name] = None  # `to_json` leaves absent optionals out
        except InputError as error:
            wrong.append(str(error))
    try:
        made = None if wrong else cls(**known)
    except InputError as error:
        made, wrong = None, [str(error)]
    if faults or made is None:
        raise InputError("\n".join([*faults, *wrong]))
    return made


def is_needed(field: "dataclasses.Field[Any]") -> bool:
    """Return whether a field of a record has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@dataclass(frozen=True, kw_only=True)
class _Key:
    """A key of a record: how its value is read, whether it must be there, and whether it may be None."""

    read: Reader
    needed: bool
    optional: bool


# Cached, as `_names` is: resolving type hints is slow, and a journal holds thousands of records.
@lru_cache(maxsize=64)
def _keys(cls: type) -> Mapping[str, _Key]:
    """Return the keys of a record class, by name."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: _Key(
            read=_reader(hints[field.name]),
            needed=is_needed(field),
            optional=types.NoneType in typing.get_args(hints[field.name]),
        )
        for field in dataclasses.fields(cls)
    }


@lru_cache(maxsize=256)
def _names(cls: type) -> tuple[str, ...] | None:
    """Return the names of the fields of a record class; None for a class of other values."""
    if not dataclasses.is_dataclass(cls):
        return None
    return tuple(field.name for field in dataclasses.fields(cls))


def _reader(hint: Any) -> Reader:
    """Return what reads values of a type; the type is looked at once, not at every value."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union([a for a in args if a is not types.NoneType])
    if dataclasses.is_dataclass(hint):
        return partial(from_json, typing.cast(type, hint))
    if origin is typing.Literal:
        return _choice(args)
    if origin is tuple:
        return _many(_reader(args[0])) if args[-1] is Ellipsis else _few([*map(_reader, args)])
    if origin is not None and issubclass(origin, Mapping):
        return _table(_reader(args[1]))
    return _plain(hint)


def _union(hints: list[Any]) -> Reader:
    readers = [_reader(hint) for hint in hints]

    def read(value: Any, where: str) -> Any:
        if value is None:
            return None
        given = (r for h, r in zip(hints, readers, strict=True) if _is_of(h, value))
        return next(given, readers[0])(value, where)

    def read_one(value: Any, where: str) -> Any:
        return None if value is None else readers[0](value, where)

    return read if len(readers) > 1 else read_one


def _is_of(hint: Any, value: Any) -> bool:
    if hint in (str, bool):
        return isinstance(value, hint)
    origin = typing.get_origin(hint)
    if origin is Mapping:
        return isinstance(value, Mapping)
    return origin is tuple and isinstance(value, (list, tuple))


def _choice(choices: tuple[Any, ...]) -> Reader:
    def read(value: Any, where: str) -> Any:
        if value not in choices:
            raise InputError(
                f"{where} must be one of {', '.join(map(str, choices))}; not {value!r}"
            )
        return value

    return read


def _many(entry: Reader) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where} must be a list; not {value!r}")
        return tuple([entry(v, f"{where}[{i}]") for i, v in enumerate(value)])

    return read


def _few(entries: list[Reader]) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where} must be a list; not {value!r}")
        if len(entries) != len(value):
            raise InputError(f"{where} must have {len(entries)} entries; not {len(value)}")
        places = enumerate(zip(entries, value, strict=True))
        return tuple([entry(v, f"{where}[{i}]") for i, (entry, v) in places])

    return read


def _table(entry: Reader) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, Mapping):
            raise InputError(f"{where} must be a table of keys and values; not {value!r}")
        return {key: entry(v, f"{where}.{key}") for key, v in value.items()}

    return read


def _plain(hint: Any) -> Reader:
    def read(value: Any, where: str) -> Any:
        if type(value) is hint:
            return value
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        wrong_bool = isinstance(value, bool) and hint in (int, float)
        if hint in (int, float, str, bool) and (not isinstance(value, hint) or wrong_bool):
            raise InputError(f"{where} must have type {hint.__name__}; not {value!r}")
        return value

    return read

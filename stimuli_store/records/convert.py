"""Convert frozen records to JSON values and back; unknown keys are refused."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from stimuli_store.errors import InputError, unknown_name

R = TypeVar("R")


def to_json(record: Any) -> Any:
    """Return a record (or a container of records) as plain JSON values; fields that are None are left out."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        pairs = ((f.name, getattr(record, f.name)) for f in dataclasses.fields(record))
        return {name: to_json(value) for name, value in pairs if value is not None}
    if isinstance(record, Mapping):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
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
    hints, fields = _shape(cls)  # type: ignore[arg-type]
    faults = [
        str(unknown_name(f"key in {where}", str(key), list(fields)))
        for key in value
        if key not in fields and not str(key).startswith("x_")
    ]
    known: dict[str, Any] = {}
    wrong: list[str] = []
    for name, field in fields.items():
        try:
            if name in value:
                known[name] = _convert(hints[name], value[name], f"{where}.{name}")
            elif _is_needed(field):
                if types.NoneType not in typing.get_args(hints[name]):
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


def _is_needed(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@lru_cache(maxsize=64)
def _shape(cls: type) -> tuple[dict[str, Any], dict[str, dataclasses.Field[Any]]]:
    """Return the types and the fields of a record class, each by name."""
    # Cached: resolving type hints is slow, and there are many records.
    return typing.get_type_hints(cls), {f.name: f for f in dataclasses.fields(cls)}


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        hints = [a for a in args if a is not types.NoneType]
        given = [h for h in hints if _is_of(h, value)]
        return _convert((given or hints)[0], value, where)
    if dataclasses.is_dataclass(hint):
        return from_json(typing.cast(type, hint), value, where)
    if origin is typing.Literal:
        if value not in args:
            raise InputError(f"{where} must be one of {', '.join(map(str, args))}; not {value!r}")
        return value
    if origin is tuple:
        return _convert_tuple(args, value, where)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise InputError(f"{where} must be a table of keys and values; not {value!r}")
        return {key: _convert(args[1], v, f"{where}.{key}") for key, v in value.items()}
    return _convert_plain(hint, value, where)


def _is_of(hint: Any, value: Any) -> bool:
    if hint in (str, bool):
        return isinstance(value, hint)
    return typing.get_origin(hint) is tuple and isinstance(value, list | tuple)


def _convert_tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InputError(f"{where} must be a list; not {value!r}")
    hints = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
    if len(hints) != len(value):
        raise InputError(f"{where} must have {len(hints)} entries; not {len(value)}")
    return tuple(
        _convert(h, v, f"{where}[{i}]") for i, (h, v) in enumerate(zip(hints, value, strict=True))
    )


def _convert_plain(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wrong_bool = isinstance(value, bool) and hint in (int, float)
    if hint in (int, float, str, bool) and (not isinstance(value, hint) or wrong_bool):
        raise InputError(f"{where} must have type {hint.__name__}; not {value!r}")
    return value

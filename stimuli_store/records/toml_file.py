"""TOML files as editors write them, read into records."""

import codecs
import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from stimuli_store.disk.sorts import SETTINGS, sort_of_file
from stimuli_store.errors import InputError
from stimuli_store.records.convert import from_json

T = TypeVar("T")
#: What a file is called, the tables of which only it has two or more, and the command that takes it.
_SORTS = {
    "the plan": (frozenset({"targets", "models", "sets", "predict"}), "stimsynth build"),
    "the design": (frozenset({"task", "design", "screen", "keys"}), "stimsynth run"),
}
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_toml_table(path: str | os.PathLike[str], what: str) -> dict[str, Any]:
    """Return the table that a TOML file holds.

    Raises
    ------
    InputError
        If the file cannot be read, is no TOML, or is a plan where a design is asked for, or the reverse.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {what} {path}: {error.strerror}") from error
    try:
        text = content.decode(_MARKS.get(content[:2], "utf-8-sig"))
        table = tomllib.loads(text.replace("\r\n", "\n").replace("\r", "\n"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} {_why_no_toml(Path(path), content, error)}") from error
    _check_sort(path, table, what)
    return table


def _check_sort(path: str | os.PathLike[str], table: dict[str, Any], what: str) -> None:
    for sort, (tables, command) in _SORTS.items():
        if what in _SORTS and sort != what and len(tables & table.keys()) > 1:
            asked, given = (name.replace("the ", "a ") for name in (what, sort))
            if not _SORTS[what][0] & table.keys():
                raise InputError(
                    f"{path} is {given}, and {asked} is asked for; `{command}` takes it"
                )


def _why_no_toml(path: Path, content: bytes, error: Exception) -> str:
    """Return the fault of a file that could not be read as TOML, as the rest of a sentence."""
    sort = sort_of_file(path)
    if sort not in (None, SETTINGS):
        return f"is {sort}, not a TOML file"
    if isinstance(error, UnicodeDecodeError):
        return "is not valid TOML: it is not UTF-8; save it as UTF-8"
    if b"\0" in content and not content.startswith(tuple(_MARKS)):  # half the bytes of UTF-16
        return (
            "is not valid TOML: it holds zero bytes, as UTF-16 without a byte order mark does; save it as "
            "UTF-8"
        )
    hint = "; in double quotes write \\\\ or / for a backslash" if b"\\" in content else ""
    return f"is not valid TOML: {error}{hint}"


def read_toml(path: str | os.PathLike[str], kind: type[T], what: str) -> T:
    """Return the record of a class that a TOML file holds.

    Files may begin with a byte order mark, be in UTF-16 and have the line ends of any system, as
    editors on Windows write them.

    Parameters
    ----------
    path
        The file.
    kind
        Class of the record.
    what
        What errors call it, as in ``"the plan"``.

    Raises
    ------
    InputError
        If the file cannot be read, is not TOML, or holds an unknown key or an invalid value.

    Examples
    --------
    >>> import tempfile
    >>> from stimuli_store.bank.format import Colour
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "colour.toml"
    ...     _ = file.write_text('space = "gray"', encoding="utf-16")
    ...     read_toml(file, Colour, "the colour").space
    'gray'
    """
    table = read_toml_table(path, what)
    try:
        return from_json(kind, table, what)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error

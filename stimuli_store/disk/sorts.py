"""Sorts of files, named in errors about a file given in another's place."""

import codecs
import os
from pathlib import Path

_READ_BYTES = 2**16
_TABLES = (".csv", ".tsv", ".parquet", ".csv.gz", ".tsv.gz")
JOURNAL, BANK, TABLE, SETTINGS = "a session journal", "a bank", "a table", "a TOML file"


def sort_of_file(path: str | os.PathLike[str]) -> str | None:
    """Return the sort of a file in words, told by its first lines and its name; None if it is unknown.

    Returns
    -------
    str or None
        `JOURNAL`, `BANK` (any HDF5 file), `SETTINGS` (TOML) or `TABLE`, words for a sentence.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".txt") as file:
    ...     _ = file.write(b"level,correct\\n8,1\\n"), file.flush()
    ...     sort_of_file(file.name)
    'a table'
    """
    name = Path(path).name.lower()
    try:
        with Path(path).open("rb") as handle:
            start = handle.read(_READ_BYTES).removeprefix(codecs.BOM_UTF8)
    except OSError:
        return None
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return BANK
    first, *more = start.splitlines()[:2] or [b""]
    if first.startswith(b"{") or b'"sum":' in first or b'"event":' in first:
        return JOURNAL if b'"event":' in first or name.endswith(".jsonl") else None
    if name.endswith(".toml"):
        return SETTINGS
    fields = [[line.count(mark) for mark in (b",", b"\t", b";")] for line in (first, *more)]
    columns = len(fields) == 2 and max(fields[0]) > 0 and fields[0] == fields[1]
    return TABLE if name.endswith(_TABLES) or columns else None

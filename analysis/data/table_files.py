"""Tables in files: separated text as any program writes it, and Parquet."""

import codecs
import csv
import gzip
import os
import warnings
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data.columns.meanings import DECIMAL_COMMA, THOUSANDS, WRITE_PLAINLY, as_number
from stimuli_store.disk.sorts import BANK, JOURNAL, SETTINGS, sort_of_file
from stimuli_store.errors import InputError, MissingExtra

SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".csv.gz", ".tsv.gz", ".parquet")
#: Texts that files hold in place of a missing value; the meaning of others depends on the column.
_MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "None", "NULL", "null", "<NA>", "."]
_MARKS: dict[bytes, str] = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_SAMPLE_BYTES = 1 << 16
_SAMPLE_LINES = 50
_UNNAMED = "Unnamed: "
_GIVE = "give CSV, TSV or Parquet, with one row for each trial"
_RAGGED = (
    "its lines do not have the same number of fields; give each column a name and a value a row"
)
_COUNTS = ("level", "n_correct", "n_trials")


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """Form of a text file: encoding, lines before the table, delimiter, decimal sign, column names."""

    encoding: str
    skipped: int
    delimiter: str
    decimal: str
    names: tuple[str, ...]
    headless: bool


def read_table(path: Path, text: Collection[str] = ()) -> pd.DataFrame:
    """Return the table in a file.

    Delimiter (comma, semicolon, tab, |, blanks), decimal comma and encoding are found out. Three columns of
    numbers without a header are levels, numbers correct and numbers of trials.

    Parameters
    ----------
    path
        A file of separated values, ``.gz`` or not, or of Parquet.
    text
        Columns that are read as text, so that names like 007 and NA stay as they are.

    Raises
    ------
    InputError
        If the file cannot be read or is no table.
    MissingExtra
        If it is Parquet, and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        return _read_parquet(path)
    start = _start(path)
    if start.startswith(b"PK\x03\x04"):
        raise InputError(
            f"{path} is no text file but a workbook or an archive; save its table as CSV"
        )
    dialect = _dialect(start, path)
    return _read_text(path, dialect, text)


def is_journal(path: Path) -> bool:
    """Return whether a file begins like a session journal."""
    return sort_of_file(path) == JOURNAL


def _start(path: Path) -> bytes:
    try:
        with _opened(path) as handle:
            return bytes(handle.read(_SAMPLE_BYTES))
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or "it is not a whole gzip file"
        raise InputError(f"cannot read the table {path}: {why}") from error


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _dialect(start: bytes, path: Path) -> _Dialect:
    encoding, lines = _lines(start, path)
    skipped = next((i for i, line in enumerate(lines) if not _is_note(line)), len(lines))
    sample = [line for line in lines[skipped : skipped + _SAMPLE_LINES] if line.strip()]
    if not sample:
        raise InputError(f"{path} is empty; give a table with a row for each trial")
    delimiter, rows = _delimited(sample, path)
    header: tuple[str, ...] = tuple(name.strip() for name in rows[0])
    headless = all(as_number(name.replace(",", ".")) is not None for name in header)
    if headless and len(header) != len(_COUNTS):
        raise InputError(
            f"{path} has no line of column names; only a table of {', '.join(_COUNTS)} may lack it"
        )
    longer = len(rows) > 1 and all(len(row) == len(header) + 1 for row in rows[1:])
    if longer:  # R writes names of rows, and others a delimiter at the end of each row
        row_names = any(row[-1].strip() for row in rows[1:])
        header = ("", *header) if row_names else (*header, "")
    names = tuple(name or f"{_UNNAMED}{i}" for i, name in enumerate(header))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path} has two columns called {twice!r}; give each its own name")
    commas = [f.strip() for row in rows for f in row if DECIMAL_COMMA.fullmatch(f.strip())]
    if delimiter != ";" and commas and all(map(THOUSANDS.fullmatch, commas)):
        raise InputError(
            f"{path} holds {commas[0]!r}, whose comma may stand between thousands or before decimals; "
            f"{WRITE_PLAINLY}, or part the columns by semicolons if it stands before decimals"
        )
    return _Dialect(
        encoding=encoding,
        skipped=skipped,
        delimiter=delimiter,
        decimal="," if commas else ".",
        names=_COUNTS if headless else names,
        headless=headless,
    )


def _lines(start: bytes, path: Path) -> tuple[str, list[str]]:
    """Return the encoding of a text that begins so, and its first whole lines."""
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "utf-8")
    whole = len(start) < _SAMPLE_BYTES
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start, final=whole)
    except UnicodeDecodeError:
        encoding, text = "cp1252", start.decode("cp1252", errors="replace")
    if sort_of_file(path) in (BANK, SETTINGS):
        raise InputError(f"{path} is {sort_of_file(path)}, not a table; {_GIVE}")
    if "\0" in text:
        raise InputError(f"{path} is no table: it holds binary data; {_GIVE}")
    lines = text.splitlines()
    return encoding, lines if whole else lines[:-1]


def _is_note(line: str) -> bool:
    """Return whether a line before the table is a remark, or Excel's line about its delimiter."""
    return line.startswith(("#", "sep=")) or not line.strip()


def _delimited(lines: list[str], path: Path) -> tuple[str, list[list[str]]]:
    """Return the delimiter by which most lines have most fields, and the fields of the lines."""
    best: tuple[float, int, str, list[list[str]]] = (0.0, 1, "", [])
    for delimiter in "\t;,| ":
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == " "))
        (width, n), *_ = Counter(len(row) for row in rows if row).most_common(1)
        agreeing = (n / len(rows), width, delimiter, rows)
        if width > 1 and agreeing[:2] > best[:2]:
            best = agreeing
    share, _, delimiter, rows = best
    if not rows:
        raise InputError(
            f"{path} is no table: it has one column only; give CSV, TSV or Parquet, with column names in "
            "the first line"
        )
    if share <= 0.5:
        raise InputError(f"{path} is no table: {_RAGGED}")
    return delimiter, rows


def _read_text(path: Path, dialect: _Dialect, text: Collection[str]) -> pd.DataFrame:
    missing = {name: [""] if name in text else _MISSING for name in dialect.names}
    how: dict[str, Any] = {
        "sep": r"\s+" if dialect.delimiter == " " else dialect.delimiter,
        "decimal": dialect.decimal,
        "skiprows": dialect.skipped,
        "header": None if dialect.headless else 0,
        "names": list(dialect.names),
        "index_col": False,
        "dtype": {name: str for name in text if name in dialect.names},
        "keep_default_na": False,
        "na_values": missing,
        "skipinitialspace": True,
        "low_memory": False,
        "compression": "gzip" if path.suffix == ".gz" else None,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = _decoded(path, dialect.encoding, how)
    except pd.errors.ParserWarning as error:
        raise InputError(f"{path} cannot be read as a table: {_RAGGED}") from error
    except (ValueError, OSError, EOFError) as error:  # pandas' own errors are ValueErrors
        why = str(error).splitlines()[0].removeprefix("Error tokenizing data. C error: ")
        raise InputError(f"{path} cannot be read as a table: {why}") from error
    unnamed = [name for name in frame.columns if str(name).startswith(_UNNAMED)]
    return frame.drop(columns=unnamed).reset_index(drop=True)


def _decoded(path: Path, encoding: str, how: dict[str, Any]) -> pd.DataFrame:
    try:
        return pd.read_csv(path, encoding=encoding, **how)
    except UnicodeDecodeError:
        return pd.read_csv(path, encoding="cp1252", **how)


def _read_parquet(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"cannot read the table {path}: {os.strerror(2)}")
    try:
        return pd.read_parquet(path).reset_index(drop=True)
    except ImportError as error:
        raise MissingExtra(
            f"reading {path} needs pyarrow, which this machine lacks: pip install pyarrow, or save the table "
            "as CSV"
        ) from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is no Parquet file, or a damaged one; save it again") from error

"""Export of a bank to a folder of pictures, with a table of their records."""

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stimuli_store.bank.reading import Bank
from stimuli_store.bank.table import stimuli_rows
from stimuli_store.disk.atomic import write_atomically
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.pictures.encoding import png_bytes, tiff_bytes
from stimuli_store.records.stimulus import StimulusRecord

TABLE = "stimuli.tsv"
_MOST = 150  # characters of a file's name
_TOP = 2**16 - 1


def _frame(bank: Bank, record: StimulusRecord) -> bytes:
    return png_bytes(bank.frame(record.sha256).pixels)


def _sixteen_bits(bank: Bank, record: StimulusRecord) -> bytes:
    values = np.clip(bank.pixels(record.sha256).astype(np.float64), 0, 1)
    return png_bytes(np.rint(values * _TOP).astype(np.uint16))


def _master(bank: Bank, record: StimulusRecord) -> bytes:
    return tiff_bytes(bank.pixels(record.sha256))


#: Form to the ending of its files and its bytes.
FORMS: Mapping[str, tuple[str, Callable[[Bank, StimulusRecord], bytes]]] = {
    "png8": (".png", _frame),
    "png16": (".png", _sixteen_bits),
    "tiff": (".tif", _master),
}


def export_bank(bank: Bank, folder: str | os.PathLike[str], form: str) -> list[Path]:
    """Write the stimuli of a bank into a folder, with a table ``stimuli.tsv`` of their records.

    Parameters
    ----------
    bank
        The bank.
    folder
        Made if missing; must not hold an export already.
    form
        ``"png8"`` for the certified 8-bit frames; ``"png16"`` for the master pixels, clipped to [0, 1] and
        rounded to 16 bits; ``"tiff"`` for the master pixels themselves, float32. Unit distortions are no
        pictures, and only TIFF files hold them.

    Returns
    -------
    list of Path
        Of the pictures, in the bank's order.

    Raises
    ------
    InputError
        If there is no such form, or the folder holds an export.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> paths = export_bank(bank, "pictures", "png8")
    >>> len(paths) >= len(bank.records)
    True
    """
    if form not in FORMS:
        raise unknown_name("form of files", form, list(FORMS))
    target = Path(folder)
    if (target / TABLE).exists():
        raise InputError(f"{target} holds an export already; give another folder")
    target.mkdir(parents=True, exist_ok=True)
    ending, encode = FORMS[form]
    rows: list[dict[str, Any]] = []
    paths: list[Path] = []
    taken: set[str] = set()
    for record, row in zip(bank.records, stimuli_rows(bank.records), strict=True):
        if not record.certificate.frame_sha256 and form != "tiff":
            rows.append({"file": None, **row})
            continue
        name = _file_name(record, ending, taken)
        write_atomically(target / name, encode(bank, record))
        paths.append(target / name)
        rows.append({"file": name, **row})
    write_atomically(target / TABLE, _tsv(rows).encode())
    return paths


def _file_name(record: StimulusRecord, ending: str, taken: set[str]) -> str:
    """Return a file name for a record, valid on every file system, and unique regardless of case."""
    plain = re.sub(r"[^A-Za-z0-9.=+-]", "_", record.name.replace("/", "__"))[:_MOST].lstrip(".")
    if not plain or plain.lower() in taken:
        plain = f"{plain}-{record.sha256[:8]}-{len(taken)}"
    taken.add(plain.lower())
    return plain + ending


def _tsv(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(column)) for column in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    missing = value is None or value == "" or (isinstance(value, float) and math.isnan(value))
    return "n/a" if missing else " ".join(str(value).split())

"""JSON files of results: written whole or not at all, and errors of the disk in one sentence."""

import json
import math
from pathlib import Path
from typing import Any

from stimuli_store.disk.atomic import write_atomically
from stimuli_store.errors import InputError


def write_json(value: Any, path: Path, what: str) -> Path:
    """Write plain JSON values to a file, over an earlier one, and return its path.

    Raises
    ------
    InputError
        If it cannot be written; `what` names the result.

    Examples
    --------
    >>> write_json({}, Path("/no/such/folder/fit.json"), "the fit")
    Traceback (most recent call last):
    stimuli_store.errors.InputError: the fit cannot be written to /no/such/folder/fit.json: No such file or
    directory
    """
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    try:
        write_atomically(path, f"{text}\n".encode())
    except OSError as error:
        raise InputError(f"{what} cannot be written to {path}: {error.strerror}") from error
    return path


def read_json(path: Path, what: str, *, form: str, version: int) -> dict[str, Any]:
    """Return the object in a JSON file, whose keys ``format`` and ``version`` are checked.

    Raises
    ------
    InputError
        If it cannot be read, is no JSON, or another object or version than `what`.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{what} cannot be read from {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is not {what} that was saved: it is no JSON") from error
    if not isinstance(content, dict) or content.get("format") != form:
        raise InputError(f"{path} is not {what} that was saved; its format is not {form!r}")
    if content.get("version") != version:
        raise InputError(
            f"{path} is {what} of version {content.get('version')!r}; this program reads {version}"
        )
    return content


def as_text(number: float) -> float | str:
    """Return a number as JSON has it: one that is not finite as the text that `float` reads.

    Examples
    --------
    >>> as_text(1.5), as_text(-math.inf), as_text(math.nan)
    (1.5, '-inf', 'nan')
    """
    return number if math.isfinite(number) else str(float(number))

"""Files of rankings: one JSON object, in which null stands for an end of an interval that is infinite.

A file MUST have the keys ``format`` ("ranking"), ``version`` (1) and ``ranking``, an object with the fields
of `analysis.ranking.records.Ranking`.
"""

import json
import math
from pathlib import Path
from typing import Any

from analysis.ranking.records import Ranking
from stimuli_store.disk.atomic import write_atomically
from stimuli_store.errors import InputError
from stimuli_store.records.convert import from_json, to_json

_FORMAT, _VERSION = "ranking", 1
_ENDS = {"low": -math.inf, "high": math.inf}


def save_ranking(ranking: Ranking, path: str | Path) -> Path:
    """Write a ranking to a JSON file and return its path; a file that is there is replaced."""
    content = {"format": _FORMAT, "version": _VERSION, "ranking": _finite(to_json(ranking))}
    target = Path(path)
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    try:
        write_atomically(target, f"{text}\n".encode())
    except OSError as error:
        raise InputError(f"the ranking cannot be written to {target}: {error.strerror}") from error
    return target


def load_ranking(path: str | Path) -> Ranking:
    """Return the ranking in a file of `save_ranking`.

    Raises
    ------
    InputError
        If the file cannot be read, or is no ranking of this version.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"no ranking can be read from {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is no saved ranking: it is not JSON") from error
    known = isinstance(content, dict) and content.get("format") == _FORMAT
    if not known or content.get("version") != _VERSION:
        raise InputError(f"{path} is no saved ranking of version {_VERSION}")
    return from_json(Ranking, _infinite(content.get("ranking")), "ranking")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _infinite(value: Any) -> Any:
    """Return the value with infinity for every end of an interval that is null."""
    if isinstance(value, list):
        return [_infinite(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _ENDS[key.rpartition("_")[2]]
        if v is None and key.rpartition("_")[2] in _ENDS
        else _infinite(v)
        for key, v in value.items()
    }

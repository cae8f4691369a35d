"""Files of rankings: one JSON object, in which null stands for an end of an interval that is infinite.

A file MUST have the keys ``format`` ("ranking"), ``version`` (1) and ``ranking``, an object with the fields
of `analysis.ranking.records.Ranking`.
"""

import math
from pathlib import Path
from typing import Any

from analysis.ranking.records import Ranking
from stimuli_store.disk.json_file import read_json, write_json
from stimuli_store.records.convert import from_json, to_json
from stimuli_store.tools.gates import a_path, takes

_FORMAT, _VERSION = "ranking", 1
_ENDS = {"low": -math.inf, "high": math.inf}


@takes(path=a_path)
def save_ranking(ranking: Ranking, path: str | Path) -> Path:
    """Write a ranking to a JSON file and return its path; a file that is there is replaced."""
    content = {"format": _FORMAT, "version": _VERSION, "ranking": _finite(to_json(ranking))}
    return write_json(content, Path(path), "the ranking")


@takes(path=a_path)
def load_ranking(path: str | Path) -> Ranking:
    """Return the ranking in a file of `save_ranking`.

    Raises
    ------
    InputError
        If the file cannot be read, or is no ranking of this version.
    """
    content = read_json(Path(path), "a ranking", form=_FORMAT, version=_VERSION)
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

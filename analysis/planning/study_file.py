"""Plans of studies in TOML: designs to compare, the truth that is supposed, and the test."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analysis.planning.power import Test
from analysis.planning.study import StudyDesign
from analysis.planning.tests import named_test
from analysis.planning.truths import ScalingTruth, ThresholdTruth, Truth
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tasks import task_named

_TRUTHS: Mapping[str, Callable[..., Truth]] = MappingProxyType(
    {"threshold": ThresholdTruth, "critical": ScalingTruth}
)
_COUNTS = {"participants": "n_participants", "images": "n_images", "trials": "n_trials"}
_DESIGN = ("task", "rule", "levels", "placement", *_COUNTS)
_TABLES = ("design", "truth", "test", "studies", "seed")


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """A plan as it was read: designs to compare, the truth, the test, number of studies and seed."""

    designs: tuple[StudyDesign, ...]
    truth: Truth | Mapping[str, Truth]
    test: Test
    test_name: str
    n_studies: int
    seed: int


def read_study(path: str | os.PathLike[str]) -> StudyFile:
    """Return the plan of a study from a TOML file (`docs/analysis.md`).

    Raises
    ------
    InputError
        If the file is missing or no TOML, or a key or value is not valid; the sentence names the file.
    """
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"the study {path} cannot be read: {why}") from error
    try:
        return _study_of(given)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _study_of(given: Mapping[str, Any]) -> StudyFile:
    _check(given, _TABLES, "table")
    for table in ("design", "truth", "test"):
        if not isinstance(given.get(table), Mapping):
            raise InputError(f"a study needs a table [{table}]")
    test = dict(given["test"])
    if "name" not in test:
        raise InputError("the table [test] needs a name, such as 'above chance'")
    name = str(test.pop("name"))
    return StudyFile(
        designs=_designs(given["design"]),
        truth=_truth(given["truth"]),
        test=named_test(name, test),
        test_name=name,
        n_studies=given.get("studies", 200),
        seed=given.get("seed", 0),
    )


def _designs(given: Mapping[str, Any]) -> tuple[StudyDesign, ...]:
    """Return a design for each combination of the numbers that are lists."""
    _check(given, _DESIGN, "key of [design]")
    missing = [key for key in ("task", "levels", *_COUNTS) if key not in given]
    if missing:
        raise InputError(f"the table [design] needs {', '.join(missing)}")
    lists = [given[key] if isinstance(given[key], list) else [given[key]] for key in _COUNTS]
    levels = given["levels"]
    if not isinstance(levels, list) or not all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in levels
    ):
        raise InputError(f"levels must be a list of numbers; not {levels!r}")
    return tuple(
        StudyDesign(
            task=task_named(str(given["task"])),
            rule=given.get("rule"),
            levels=tuple(float(v) for v in levels),
            images=given.get("placement", "crossed"),
            **dict(zip(_COUNTS.values(), numbers, strict=True)),
        )
        for numbers in product(*lists)
    )


def _truth(given: Mapping[str, Any]) -> Truth | Mapping[str, Truth]:
    if given and all(isinstance(one, Mapping) for one in given.values()):
        return {name: _one_truth(one, f"[truth.{name}]") for name, one in given.items()}
    return _one_truth(given, "[truth]")


def _one_truth(given: Mapping[str, Any], where: str) -> Truth:
    kinds = [kind for key, kind in _TRUTHS.items() if key in given]
    if len(kinds) != 1:
        raise InputError(f"{where} needs either a threshold, or a critical level with its gain")
    known = [field.name for field in fields(kinds[0])]  # type: ignore[arg-type]
    _check(given, known, f"key of {where}")
    for key, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{key} in {where} must be a number; not {value!r}")
    try:
        return kinds[0](**given)
    except TypeError as error:
        raise InputError(f"{where} is not whole: {error}") from error


def _check(given: Mapping[str, Any], known: Any, what: str) -> None:
    for key in given:
        if key not in known:
            raise unknown_name(what, key, list(known))

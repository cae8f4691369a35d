"""Hierarchies as JSON, read without fitting again; `docs/formats/hierarchy-1.md` has the format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from analysis.fits.hierarchy_result import Hierarchy, HierarchyStatus, Member
from analysis.infer.estimates import Estimate
from analysis.infer.population import PopulationEstimate
from analysis.infer.predictive import PredictiveChecks
from stimuli_store.disk.json_file import as_text, read_json, write_json
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_path, takes

HIERARCHY_FORMAT = "stimsynth-hierarchy"
_VERSION = 1
_TEXTS = ("for_whom", "caution")
_SIZES = ("n_participants", "n_images")
_R = TypeVar("_R", Estimate, PopulationEstimate)


@takes(path=a_path)
def save_hierarchy(found: Hierarchy, path: str | Path) -> Path:
    """Write a hierarchy to a JSON file, complete or not at all, and return its path.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    content = {
        "format": HIERARCHY_FORMAT,
        "version": _VERSION,
        "population": {name: _written(one) for name, one in found.population.items()},
        "these": {name: _written(one) for name, one in found.these.items()},
        "spread": [
            {"parameter": parameter, "factor": factor, **_written(one)}
            for (parameter, factor), one in found.spread.items()
        ],
        "members": [
            {
                "factor": one.factor,
                "label": one.label,
                "parameter": one.parameter,
                **_written(one.estimate),
            }
            for one in found.members
        ],
        "method": found.method,
        "status": found.status.name,
        "diagnostics": {name: as_text(float(v)) for name, v in found.diagnostics.items()},
        "checks": {
            "overall": as_text(found.checks.overall),
            "by_level": {
                name: [as_text(float(share)) for share in shares]
                for name, shares in found.checks.by_level.items()
            },
            "n_draws": found.checks.n_draws,
        },
        "n_trials": found.n_trials,
    }
    return write_json(content, Path(path), "the hierarchy")


@takes(path=a_path)
def load_hierarchy(path: str | Path) -> Hierarchy:
    """Return the hierarchy of a file of `save_hierarchy`; nothing is fitted again.

    Raises
    ------
    InputError
        If the file cannot be read, is no saved hierarchy, or of a later version.
    """
    value = read_json(Path(path), "a hierarchy", form=HIERARCHY_FORMAT, version=_VERSION)
    try:
        return _read(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path} is a damaged saved hierarchy: {error} is missing or wrong"
        ) from None


def _read(value: Mapping[str, Any]) -> Hierarchy:
    checks = value["checks"]
    return Hierarchy(
        population={n: _estimate(PopulationEstimate, v) for n, v in value["population"].items()},
        these={n: _estimate(PopulationEstimate, v) for n, v in value["these"].items()},
        spread={(v["parameter"], v["factor"]): _ends(v) for v in value["spread"]},
        members=tuple(
            Member(
                factor=v["factor"], label=v["label"], parameter=v["parameter"], estimate=_ends(v)
            )
            for v in value["members"]
        ),
        method=value["method"],
        status=HierarchyStatus[value["status"]],
        diagnostics={name: float(v) for name, v in value["diagnostics"].items()},
        checks=PredictiveChecks(
            overall=float(checks["overall"]),
            by_level={
                name: np.array(shares, dtype=np.float64)
                for name, shares in checks["by_level"].items()
            },
            n_draws=int(checks["n_draws"]),
        ),
        n_trials=int(value["n_trials"]),
    )


def _written(found: Estimate | PopulationEstimate) -> dict[str, Any]:
    """Return the fields of an estimate; numbers that are not finite become texts."""
    kept = (*_TEXTS, *_SIZES)
    return {
        name: value if name in kept else as_text(float(value))
        for name, value in vars(found).items()
    }


def _ends(value: Mapping[str, Any]) -> Estimate:
    return _estimate(Estimate, {name: value[name] for name in ("value", "low", "high")})


def _estimate(kind: type[_R], value: Mapping[str, Any]) -> _R:
    kept = (*_TEXTS, *_SIZES)
    made: dict[str, Any] = {n: v if n in kept else float(v) for n, v in value.items()}
    return kind(**made)

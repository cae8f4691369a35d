"""Conversion of the state of an `Eigendistortion` to named tensors and plain values, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from torch import Tensor

from stimsynth.engine.eigen.eigenpairs import Eigenpairs
from stimsynth.engine.eigen.eigenspaces import Eigenspace
from stimsynth.engine.eigen.lanczos import Krylov
from stimsynth.engine.run import Status
from stimsynth.methods.eigen.solvers import EigenSolution

_KRYLOV_TENSORS = ("basis", "projected", "nodes", "weights", "previous")
_PAIRS = tuple(field.name for field in fields(Eigenpairs))

#: Last parts of the names of tensors with the image's precision and device; the others are small and are
#: not moved.
LIKE_THE_IMAGE = ("basis", "vectors")


def pack_eigenpairs(
    found: Sequence[EigenSolution], krylov: Sequence[Krylov]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return results and Krylov states as tensors by name, and values that JSON can hold."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {"found": [], "krylov": []}
    for i, result in enumerate(found):
        tensors |= {f"found/{i}/{name}": getattr(result.pairs, name) for name in _PAIRS}
        tensors[f"found/{i}/index"] = result.index
        plain["found"].append(
            {
                "outcome": result.outcome.name,
                "n_products": result.n_products,
                "spaces": {end: asdict(space) for end, space in result.spaces.items()},
            }
        )
    for i, state in enumerate(krylov):
        values = {**vars(state)}
        tensors |= {f"krylov/{i}/{name}": values.pop(name) for name in _KRYLOV_TENSORS}
        plain["krylov"].append({**values, "outcome": state.outcome.name})
    return tensors, plain


def unpack_eigenpairs(
    tensors: Mapping[str, Tensor], plain: Mapping[str, Any]
) -> tuple[tuple[EigenSolution, ...], tuple[Krylov, ...]]:
    """Return the results and Krylov states that `pack_eigenpairs` converted."""
    found = tuple(
        EigenSolution(
            pairs=Eigenpairs(**{name: tensors[f"found/{i}/{name}"] for name in _PAIRS}),
            index=tensors[f"found/{i}/index"],
            outcome=Status[result["outcome"]],
            n_products=result["n_products"],
            spaces={end: Eigenspace(**space) for end, space in result["spaces"].items()},
        )
        for i, result in enumerate(plain["found"])
    )
    krylov = tuple(_krylov(tensors, i, values) for i, values in enumerate(plain["krylov"]))
    return found, krylov


def _krylov(tensors: Mapping[str, Tensor], number: int, values: Mapping[str, Any]) -> Krylov:
    arrays: dict[str, Any] = {
        name: tensors[f"krylov/{number}/{name}"].clone() for name in _KRYLOV_TENSORS
    }
    claimed = values["claimed"]
    return Krylov(
        **arrays,
        **{
            **values,
            "outcome": Status[values["outcome"]],
            "claimed": None if claimed is None else tuple(claimed),
        },
    )

"""Penalties: weighted functions of one image that are added to an objective."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from torch import Tensor

from stimsynth.validate import validate_penalty
from stimsynth.validate.functions import function_name, weighted
from stimsynth.validate.probing import check_slopes, graded, slope_of
from stimuli_store.errors import InputError, WrongType
from stimuli_store.tools.gates import briefly

Penalty = Callable[[Tensor], Tensor]
GivenPenalties = (
    Sequence[Penalty | tuple[float, Penalty]] | Mapping[str, Penalty | tuple[float, Penalty]]
)

#: Columns of every history; no penalty can have their names.
COLUMNS = ("penalty", "objective", "gradient_norm", "pixel_change_norm")


@dataclass(frozen=True, kw_only=True)
class Penalties:
    """Weights by name, and the penalty functions in the same order."""

    weights: dict[str, float]
    functions: tuple[Penalty, ...]


def as_penalties(given: GivenPenalties | None, like: Tensor, taken: Iterable[str]) -> Penalties:
    """Return the user's list or dict of penalties, checked, with a name and a weight for each.

    Parameters
    ----------
    given
        Functions of one image (batch of 1) that return a scalar, or pairs of weight and function.
    like
        Start images.
    taken
        Names of other columns of the history, besides `COLUMNS`.

    Raises
    ------
    WrongType
        (also a TypeError) if `given` is neither a list nor a dict.
    InputError
        (a ValueError) if a penalty cannot be used, or two columns would have one name.

    Examples
    --------
    >>> import torch
    >>> as_penalties([torch.mean, (2, torch.mean)], torch.zeros(1, 1, 2, 2), ["loss"]).weights
    {'mean': 1.0, 'mean 2': 2.0}
    """
    given, taken = {} if given is None else given, {*COLUMNS, *taken}
    if isinstance(given, str) or not isinstance(given, Sequence | Mapping):
        raise WrongType(
            "penalties must be a list of functions or of pairs of weight and function, or a dict of them by "
            f"name; not {briefly(given)}"
        )
    pairs: Any = given.values() if isinstance(given, Mapping) else given
    checked = [_checked(penalty, like) for penalty in pairs]
    names = list(given) if isinstance(given, Mapping) else _named(checked, set(taken))
    if twice := sorted(taken.intersection(names)):
        raise InputError(
            f"the name {', '.join(twice)} is used twice in the history; give every penalty and every held "
            "function a name of its own"
        )
    weights = {name: weight for name, (weight, _) in zip(names, checked, strict=True)}
    return Penalties(weights=weights, functions=tuple(function for _, function in checked))


def _checked(penalty: Any, like: Tensor) -> tuple[float, Penalty]:
    weight, function = weighted(penalty)
    validate_penalty(function, (1, *like.shape[1:]), like.dtype, like.device)
    check_slopes(
        function_name(function), (slope_of(graded(function, start[None])) for start in like)
    )
    return weight, function


def _named(penalties: list[tuple[float, Penalty]], taken: set[str]) -> list[str]:
    """Return a unique column name for each penalty, after its function: "size", "size 2"."""
    names = []
    for _, function in penalties:
        name = function_name(function)
        numbered = (f"{name} {place}" for place in count(2))
        names.append(next(each for each in chain([name], numbered) if each not in taken))
        taken.add(names[-1])
    return names

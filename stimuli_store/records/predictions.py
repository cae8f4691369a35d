"""Predictions: distances of models between two stimuli, stored so that no reader needs the model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The distance between two stimuli under one model, measured on their display frames.

    `a` and `b` are pixel ids; `model` is the label of a model in the bank's header.
    """

    model: str
    a: str
    b: str
    distance: float


Distances = Mapping[frozenset[str], float]


def distances_of(predictions: Iterable[Prediction], model: str) -> Distances:
    """Return the distances of one model by unordered pair of pixel ids.

    Examples
    --------
    >>> rows = [Prediction(model="mse", a="p", b="q", distance=0.5)]
    >>> distances_of(rows, "mse")[frozenset({"q", "p"})]
    0.5
    """
    return {frozenset((p.a, p.b)): p.distance for p in predictions if p.model == model}

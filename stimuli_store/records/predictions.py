"""Predictions of models for pairs and triples of stimuli, stored so that readers need no models."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Distances = Mapping[frozenset[str], float]
Preferences = Mapping[tuple[str, str, str], float]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Distances of pairs and preferences within triples, one column of values for each model.

    Attributes
    ----------
    pairs
        Pixel ids (a, b) of two stimuli, each pair once.
    distances
        Label of a model to its distance for every pair, 0 or more; None where it does not take the images.
    triples
        Pixel ids (reference, a, b).
    preferences
        Label of a model to a value for every triple: how much nearer to the reference `a` is than `b`, the
        distance of `b` minus that of `a`. Positive if `a` is nearer.

    Examples
    --------
    >>> said = Predictions(pairs=(("p", "q"),), distances={"mse": (0.5,)})
    >>> said.distances_of("mse")[frozenset({"q", "p"})]
    0.5
    """

    pairs: tuple[tuple[str, str], ...] = ()
    distances: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    triples: tuple[tuple[str, str, str], ...] = ()
    preferences: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pairs) * len(self.distances) + len(self.triples) * len(self.preferences)

    def distances_of(self, model: str) -> Distances:
        """Return the distances of one model by the unordered pair of pixel ids."""
        values = self.distances.get(model, ())
        pairs = zip(self.pairs, values, strict=False)
        return {frozenset(pair): value for pair, value in pairs if value is not None}

    def preferences_of(self, model: str) -> Preferences:
        """Return the preferences of one model by (reference, a, b)."""
        triples = zip(self.triples, self.preferences.get(model, ()), strict=False)
        return {triple: value for triple, value in triples if value is not None}


def predictions_from(rows: Iterable[tuple[str, str, str, float]]) -> Predictions:
    """Return distances given one by one as (model, a, b, distance); every model speaks of every pair.

    Parameters
    ----------
    rows
        Label of a model, pixel ids of two stimuli, and the model's distance between them, 0 or more. All
        models have the same pairs in the same order.

    Examples
    --------
    >>> predictions_from([("mse", "p", "q", 0.5), ("ssim", "p", "q", 0.1)]).distances
    {'mse': (0.5,), 'ssim': (0.1,)}
    """
    pairs: dict[tuple[str, str], None] = {}
    columns: dict[str, list[float]] = {}
    for model, a, b, distance in rows:
        pairs.setdefault((a, b))
        columns.setdefault(model, []).append(distance)
    return Predictions(
        pairs=tuple(pairs), distances={model: tuple(values) for model, values in columns.items()}
    )

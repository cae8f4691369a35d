"""Predictions: the distance of every model for every pair of stimuli that a design can show."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations, product

import torch

from stimsynth.banks.context import BankContext
from stimsynth.banks.measures import metric_value, outputs
from stimsynth.banks.models import METRICS
from stimuli_store.errors import InputError
from stimuli_store.frames import Frame, quantize
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import ModelRef
from stimuli_store.records.stimulus import Stimulus, StimulusRecord
from stimuli_store.tasks.types import REFERENCE
from stimuli_store.tools.progress import progress_bar

Distance = Callable[[str, str], float | None]


def predict(
    models: Sequence[ModelRef],
    stimuli: Sequence[Stimulus],
    context: BankContext,
    *,
    other_targets: bool = False,
) -> Predictions:
    """Return each model's distances and preferences, measured in float64 on 8-bit frames.

    A model's distance is the root-mean-square difference of its outputs, and None for images that it does not
    take (of another number of channels, say). Pairs are those of a target with a
    member of a set, and of two members, with `other_targets` also of each member with all targets of its
    shape; triples are a target and two members of a set.
    """
    records = [s.record for s in stimuli if s.record.certificate.frame_sha256]
    frames = {s.record.sha256: quantize(s.pixels) for s in stimuli}
    pairs = tuple(_pairs(records, other_targets))
    triples = tuple(_triples(records))
    distances: dict[str, tuple[float | None, ...]] = {}
    preferences: dict[str, tuple[float | None, ...]] = {}
    with progress_bar(len(models), "model", title="predictions") as bar:
        for model in models:
            distance = _distance_of(model, frames, context)
            distances[model.label] = tuple(distance(a, b) for a, b in pairs)
            preferences[model.label] = tuple(
                _nearer(distance(target, a), distance(target, b)) for target, a, b in triples
            )
            bar.update()
    return Predictions(pairs=pairs, distances=distances, triples=triples, preferences=preferences)


def _nearer(to_a: float | None, to_b: float | None) -> float | None:
    return None if to_a is None or to_b is None else to_b - to_a


def _by_set(records: Sequence[StimulusRecord]) -> list[list[StimulusRecord]]:
    sets: dict[str, list[StimulusRecord]] = {}
    for record in records:
        if record.kind != REFERENCE:
            sets.setdefault(record.set, []).append(record)
    return list(sets.values())


def _pairs(records: Sequence[StimulusRecord], other_targets: bool) -> Iterator[tuple[str, str]]:
    """Yield every pair of pixel ids of one shape inside each set, its targets included, once."""
    shapes = {record.sha256: record.shape for record in records}
    known = [record.sha256 for record in records if record.kind == REFERENCE]
    seen = set()
    for members in _by_set(records):
        targets = dict.fromkeys(target for m in members for target in m.targets)
        ids = [m.sha256 for m in members]
        inside = combinations(dict.fromkeys([*targets, *ids]), 2)
        for a, b in chain(inside, product(known, ids) if other_targets else ()):
            if a != b and frozenset((a, b)) not in seen and shapes.get(a) == shapes.get(b):
                seen.add(frozenset((a, b)))
                yield a, b


def _triples(records: Sequence[StimulusRecord]) -> Iterator[tuple[str, str, str]]:
    seen = set()
    for members in _by_set(records):
        for one, two in combinations(members, 2):
            triple = (one.target, one.sha256, two.sha256)
            alike = one.target == two.target and one.shape == two.shape
            if alike and triple not in seen and len(set(triple)) == 3:
                seen.add(triple)
                yield triple


def _distance_of(ref: ModelRef, frames: dict[str, Frame], context: BankContext) -> Distance:
    """Return a function of two pixel ids that returns a model's distance and stores what it computed."""
    measure = _of_metric(ref, context) if ref.name in METRICS else _of_model(ref, context)
    seen: dict[tuple[str, str], float] = {}
    refused: dict[tuple[int, ...], InputError] = {}

    def distance(a: str, b: str) -> float | None:
        shape = frames[a].pixels.shape
        if shape in refused:
            return None
        if (a, b) not in seen:
            try:
                seen[a, b] = measure((a, frames[a]), (b, frames[b]))
            except InputError as error:
                refused[shape] = error
                if len(refused) == len({frame.pixels.shape for frame in frames.values()}):
                    raise
                return None
        return seen[a, b]

    return distance


NamedFrame = tuple[str, Frame]


def _of_metric(ref: ModelRef, context: BankContext) -> Callable[[NamedFrame, NamedFrame], float]:
    metric = context.metric(ref)
    return lambda a, b: metric_value(metric, a[1], b[1])


def _of_model(ref: ModelRef, context: BankContext) -> Callable[[NamedFrame, NamedFrame], float]:
    kept: dict[str, torch.Tensor] = {}

    def output(sha: str, frame: Frame) -> torch.Tensor:
        if sha not in kept:
            try:
                (kept[sha],) = outputs(context, ref, [frame])
            except RuntimeError as error:  # torch's own word on a shape
                raise InputError(f"{ref.label} fails on an image: {error}") from error
        return kept[sha]

    return lambda a, b: float((output(*a) - output(*b)).abs().square().mean().sqrt())

"""Forecast of a build: number of stimuli, bytes and time, without writing anything."""

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

from stimsynth.banks.context import BankContext
from stimsynth.banks.jobs import measured
from stimsynth.banks.recipe import picture_key
from stimsynth.banks.work import BatchSpec, Work

_FEW, _MORE = 2, 8
_BYTES = 4  # of a value, float32


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Forecast for one table ``[[sets]]`` of a plan: stimuli, bytes and time.

    Attributes
    ----------
    kind
        Kind of its stimuli.
    stimuli, finished
        How many there are, and how many of them earlier runs have finished.
    pixel_bytes
        Bytes of their pixels in the bank.
    seconds
        Largest time that the rest takes here, from one timed batch.
    """

    kind: str
    stimuli: int
    finished: int
    pixel_bytes: int
    seconds: float


def forecast(work: Work, directory: Path) -> Iterator[Forecast]:
    """Yield a `Forecast` for every table of a plan's sets; nothing is written.

    The first batch of each is run for a few steps, twice, and the time of a step is multiplied by the largest
    number of steps; batches that converge before take less. Of kinds without steps one batch is made.

    Parameters
    ----------
    work
        What `stimsynth.banks.work.prepare` returned.
    directory
        Where the bank would go; finished batches lie in its folder ``jobs``.
    """
    pixels = {r.record.sha256: r.pixels for r in work.references}
    context = BankContext(pixels, work.pictures, work.models)
    shapes = {sha: image.shape for sha, image in pixels.items()}
    for recipe in work.plan.sets:
        batches = [batch for batch in work.batches if batch.recipe is recipe]
        left = [b for b in batches if not (directory / "jobs" / f"{b.key}.h5").exists()]
        members = [spec for batch in batches for spec in batch.members]
        values = 0
        for spec in members:
            file = work.pictures.get(picture_key(spec.recipe) or "")
            values += prod(file.pixels.shape if file else shapes[spec.targets[0]])
        yield Forecast(
            kind=recipe.kind,
            stimuli=len(members),
            finished=len(members) - sum(len(batch.members) for batch in left),
            pixel_bytes=values * _BYTES,
            seconds=_seconds(left[0], context) * len(left) if left else 0.0,
        )


def _seconds(batch: BatchSpec, context: BankContext) -> float:
    """Return an upper estimate of the time that a batch takes, in seconds."""
    steps = getattr(batch.recipe, "max_iter", 0)
    if steps <= _MORE:
        return _timed(batch, context)
    _timed(batch, context, max_iter=_FEW)  # what is loaded and prepared once counts once
    few, more = (_timed(batch, context, max_iter=n) for n in (_FEW, _MORE))
    return few + max(more - few, 0.0) / (_MORE - _FEW) * (steps - _FEW)


def _timed(batch: BatchSpec, context: BankContext, **settings: Any) -> float:
    recipe = replace(batch.recipe, **settings)  # type: ignore[type-var]
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so few steps do not converge
        for _ in measured(recipe, batch.members, context):
            pass
    return time.perf_counter() - began

"""Jobs: one batch made, certified, and kept in a file of its own."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from stimsynth.banks.context import BankContext
from stimsynth.banks.gates import misses
from stimsynth.banks.model_identity import same_probe
from stimsynth.banks.recipe import Made, Recipe
from stimsynth.banks.work import BatchSpec, Work
from stimuli_store.bank.pixel_checks import pixel_range
from stimuli_store.bank.publish import read_job, write_job
from stimuli_store.errors import BankError, StimsynthError
from stimuli_store.frames import BITS, Frame, quantize
from stimuli_store.records.canonical import as_master, pixel_id
from stimuli_store.records.spec import StimulusSpec
from stimuli_store.records.stimulus import Batch, Certificate, Stimulus, StimulusRecord
from stimuli_store.tools.environment import environment

Job = tuple[tuple[Stimulus, ...], float]


def finished(folder: Path, batch: BatchSpec) -> Job | None:
    """Return the stimuli of a batch that an earlier run finished, and the seconds they took.

    A damaged file, one of other specs, or one whose models give other outputs is set aside.
    """
    path = folder / f"{batch.key}.h5"
    if not path.exists():
        return None
    try:
        stimuli, seconds = read_job(path)
    except BankError:
        path.replace(path.with_suffix(".damaged"))
        return None
    if _answers(stimuli, batch):
        return stimuli, seconds
    path.replace(path.with_suffix(".other"))
    return None


def make_job(folder: Path, batch: BatchSpec, work: Work, context: BankContext, began: float) -> Job:
    """Make the stimuli of a batch, write them to the disk, and return them with the seconds they took."""
    stimuli = tuple(_made(batch, work, context))
    seconds = time.perf_counter() - began
    targets = {target for s in stimuli for target in s.record.targets}
    references = [r for r in work.references if r.record.sha256 in targets]
    write_job(folder / f"{batch.key}.h5", references, stimuli, seconds)
    return stimuli, seconds


def _answers(stimuli: Sequence[Stimulus], batch: BatchSpec) -> bool:
    """Return whether stimuli are those that a batch asks for, of models with the same outputs."""
    if len(stimuli) != len(batch.members):
        return False
    for stimulus, wanted in zip(stimuli, batch.members, strict=True):
        spec = stimulus.record.spec
        if spec is None or replace(spec, start=wanted.start).key != wanted.key:
            return False
        for part, model in wanted.models.items():
            if not same_probe(model.probe, spec.models[part].probe):
                return False
    return True


def _made(batch: BatchSpec, work: Work, context: BankContext) -> Iterator[Stimulus]:
    recipe = batch.recipe
    for planned, stimulus in zip(
        batch.members, _certified(recipe, batch.members, work, context), strict=True
    ):
        if stimulus.record.flags and recipe.on_miss == "retry" and planned.start is not None:
            stimulus = _retried(recipe, planned, stimulus, work, context)
        if stimulus.record.flags and recipe.on_miss == "fail":
            raise StimsynthError(
                f"{stimulus.record.name} misses a gate: {stimulus.record.flags[0]}; what was finished is kept"
            )
        yield stimulus


def _retried(
    recipe: Recipe, planned: StimulusSpec, first: Stimulus, work: Work, context: BankContext
) -> Stimulus:
    """Return the first stimulus of further seeds that passes all gates; the first of all if none does."""
    assert planned.start is not None
    set_label, member, _ = work.places[planned.key]
    for attempt in range(1, recipe.retries + 1):
        seed = work.next_seed(planned, attempt)
        spec = replace(planned, start=replace(planned.start, seed=seed))
        work.places[spec.key] = (set_label, member, planned.key)
        (stimulus,) = _certified(recipe, (spec,), work, context)
        if not stimulus.record.flags:
            remark = f"seed {planned.start.seed} missed a gate: {first.record.flags[0]}"
            return replace(stimulus, record=replace(stimulus.record, flags=(remark,)))
    return first


def _certified(
    recipe: Recipe, members: Sequence[StimulusSpec], work: Work, context: BankContext
) -> Iterator[Stimulus]:
    """Yield the stimuli of specs that are made together, measured on their frames."""
    made = [replace(m, pixels=as_master(m.pixels)) for m in recipe.make(members, context)]
    if len(made) != len(members):
        raise StimsynthError(
            f"the recipe of {recipe.kind} made {len(made)} stimuli of {len(members)}"
        )
    frames = _frames(made, context)
    batch = Batch(
        members=tuple(m.spec.key for m in made),
        threads=torch.get_num_threads(),
        device=str(context.device),
        environment=environment(),
    )
    for one in made:
        figures = {**one.figures, **recipe.certify(one, frames, context)}
        flags = misses(recipe, {**figures, "clipped_fraction": _clipped(one, frames)}, one.status)
        yield _stimulus(one, frames[one.spec.key], (figures, flags), batch, work)


def _frames(made: Sequence[Made], context: BankContext) -> Mapping[str, Frame]:
    own = {pixel_id(m.pixels) for m in made}
    frames = {t: context.frame(t) for m in made for t in m.spec.targets if t not in own}
    for one in made:
        frames[one.spec.key] = quantize(one.pixels)
        if one.start is not None:
            frames[pixel_id(one.start)] = quantize(one.start)
    return frames


def _clipped(made: Made, frames: Mapping[str, Frame]) -> float:
    if not made.shown:
        return 0.0
    known = made.clipped_fraction
    return frames[made.spec.key].clipped_fraction if known is None else known


def _stimulus(
    made: Made,
    frame: Frame,
    judged: tuple[Mapping[str, float], tuple[str, ...]],
    batch: Batch,
    work: Work,
) -> Stimulus:
    label, member, planned = work.places[made.spec.key]
    figures, flags = judged
    record = StimulusRecord(
        sha256=pixel_id(made.pixels),
        kind=made.spec.kind,
        set=label,
        member=member,
        role=made.spec.role,
        name=work.names[planned],
        targets=made.spec.targets,
        shape=made.pixels.shape,
        certificate=Certificate(
            bits=BITS if made.shown else 0,
            frame_sha256=frame.sha256 if made.shown else "",
            clipped_fraction=_clipped(made, {made.spec.key: frame}),
            status=made.status,
            figures=figures,
        ),
        license=made.license or work.licenses[made.spec.targets[0]],
        spec=made.spec,
        batch=batch,
        range=pixel_range(made.pixels),
        flags=flags,
    )
    return Stimulus(pixels=made.pixels, record=record, losses=made.losses)

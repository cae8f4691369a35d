"""Jobs: one batch made, certified, and kept in a file of its own."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from stimsynth.banks.context import BankContext
from stimsynth.banks.gates import check_other_than_target, misses, remarks
from stimsynth.banks.model_identity import same_probe
from stimsynth.banks.recipe import Context, Made, Recipe, picture_key
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


def finished(folder: Path, batch: BatchSpec, work: Work) -> Job | None:
    """Return the stimuli of a batch that an earlier run finished, and the seconds they took.

    Their names and places are those of this work, whatever the sets were called when they were made.

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
        pairs = zip(stimuli, batch.members, strict=True)
        return tuple(placed(stimulus, planned, work) for stimulus, planned in pairs), seconds
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


def remove_jobs(folder: Path, work: Work) -> None:
    """Delete the files of the batches of a work, and their folder if nothing else lies there."""
    for batch in work.batches:
        (folder / f"{batch.key}.h5").unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _answers(stimuli: Sequence[Stimulus], batch: BatchSpec) -> bool:
    """Return whether stimuli are those that a batch asks for, of models with the same outputs."""
    if len(stimuli) != len(batch.members):
        return False
    for stimulus, wanted in zip(stimuli, batch.members, strict=True):
        spec = stimulus.record.spec
        if spec is None:
            return False
        planned = stimulus.record.planned_start or spec.start
        if replace(spec, start=planned).key != wanted.key:
            return False
        for part, model in wanted.models.items():
            if not same_probe(model.probe, spec.models[part].probe):
                return False
    return True


def _made(batch: BatchSpec, work: Work, context: BankContext) -> Iterator[Stimulus]:
    recipe = batch.recipe
    stimuli = _certified(recipe, batch.members, context)
    targets = {r.record.sha256: r.record.name for r in work.references}
    for planned, stimulus in zip(batch.members, stimuli, strict=True):
        missed = misses(stimulus.record.certificate)
        if missed and recipe.on_miss == "retry" and planned.start is not None:
            stimulus = _retried(recipe, planned, stimulus, work, context)
        stimulus = placed(stimulus, planned, work)
        check_other_than_target(stimulus.record, targets)
        if missed and recipe.on_miss == "fail":
            raise StimsynthError(
                f"{stimulus.record.name} misses a gate: {missed[0]}; the batches finished before it are kept"
            )
        yield stimulus


def placed(stimulus: Stimulus, planned: StimulusSpec, work: Work) -> Stimulus:
    """Return a stimulus with the set, position, name and licence that the work gives to its planned spec."""
    label, member = work.places[planned.key]
    record = stimulus.record
    record = replace(
        record,
        set=label,
        member=member,
        name=work.names[planned.key],
        # A kind whose recipe names a licence keeps it; the others have that of their target.
        license=record.license
        if "license" in planned.recipe
        else work.licenses[planned.targets[0]],
    )
    return replace(stimulus, record=record)


def _retried(
    recipe: Recipe, planned: StimulusSpec, first: Stimulus, work: Work, context: BankContext
) -> Stimulus:
    """Return the first stimulus of further seeds that passes all gates; the first of all if none does."""
    assert planned.start is not None
    for attempt in range(1, recipe.retries + 1):
        seed = _next_seed(planned, attempt, work)
        spec = replace(planned, start=replace(planned.start, seed=seed))
        (stimulus,) = _certified(recipe, (spec,), context)
        if not misses(stimulus.record.certificate):
            missed = f"seed {planned.start.seed}, which missed a gate: {first.record.flags[0]}"
            remark = f"made from seed {seed} in place of {missed}"
            flags = (remark, *stimulus.record.flags)
            record = replace(stimulus.record, flags=flags, planned_start=planned.start)
            return replace(stimulus, record=record)
    return first


def _next_seed(spec: StimulusSpec, attempt: int, work: Work) -> int:
    """Return the seed of a further attempt: one that no spec of the set was planned with."""
    label, member = work.places[spec.key]
    group = work.sets[work.order[label]].members
    seeds = [s.start.seed for s in group if s.start is not None]
    return max(seeds) + 1 + member + len(group) * (attempt - 1)


def _certified(
    recipe: Recipe, members: Sequence[StimulusSpec], context: BankContext
) -> Iterator[Stimulus]:
    """Yield the stimuli of the specs of one batch, with certificates and flags."""
    batch = Batch(
        members=tuple(spec.key for spec in members),
        threads=torch.get_num_threads(),
        device=str(context.device),
        environment=environment(),
    )
    for one, frames, figures in measured(recipe, members, context):
        frame = frames[one.spec.key]
        certificate = Certificate(
            bits=BITS if one.shown else 0,
            frame_sha256=frame.sha256 if one.shown else "",
            clipped_fraction=_clipped(one, frame),
            status=one.status,
            figures=figures,
            gates=dict(recipe.gates),
        )
        yield _stimulus(one, certificate, remarks(certificate), batch)


def measured(
    recipe: Recipe, members: Sequence[StimulusSpec], context: Context
) -> Iterator[tuple[Made, Mapping[str, Frame], Mapping[str, float]]]:
    """Yield the stimuli of one batch, each with its figures and the frames of members, targets and starts."""
    made = [replace(m, pixels=as_master(m.pixels)) for m in recipe.make(members, context)]
    if [one.spec.key for one in made] != [spec.key for spec in members]:
        raise StimsynthError(
            f"the recipe of {recipe.kind} made other stimuli than the {len(members)} of its batch"
        )
    frames = _frames(made, context)
    for one in made:
        yield one, frames, {**one.figures, **recipe.certify(one, frames, context)}


def _frames(made: Sequence[Made], context: Context) -> Mapping[str, Frame]:
    # A picture from elsewhere may be its own target, which the context does not know.
    made_here = [
        m
        for m in made
        if picture_key(m.spec.recipe) is None or m.spec.targets != (pixel_id(m.pixels),)
    ]
    frames = {t: context.frame(t) for m in made_here for t in m.spec.targets}
    for one in made:
        frames[one.spec.key] = quantize(one.pixels)
        if one.start is not None:
            frames[pixel_id(one.start)] = quantize(one.start)
    return frames


def _clipped(made: Made, frame: Frame) -> float:
    if not made.shown:
        return 0.0
    return frame.clipped_fraction if made.clipped_fraction is None else made.clipped_fraction


def _stimulus(
    made: Made, certificate: Certificate, flags: tuple[str, ...], batch: Batch
) -> Stimulus:
    """Return a stimulus without its position in a bank, which `placed` adds."""
    record = StimulusRecord(
        sha256=pixel_id(made.pixels),
        kind=made.spec.kind,
        set="",
        member=0,
        role=made.spec.role,
        name="",
        targets=made.spec.targets,
        shape=made.pixels.shape,
        certificate=certificate,
        license=made.license or "",
        spec=made.spec,
        batch=batch,
        range=pixel_range(made.pixels),
        flags=flags,
    )
    return Stimulus(pixels=made.pixels, record=record, losses=made.losses)

"""Build a bank from a plan, one finished stimulus at a time.

Every finished stimulus is a file of its own under ``jobs/``, named by the key of its spec. If a build is
stopped and run again, it makes only the missing stimuli; so does the next version of the bank. The stimuli
of one batch are finished together.
"""

import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stimsynth.banks.certify import certify, certify_reference
from stimsynth.banks.models import make_model, reference_to
from stimsynth.banks.plan import Work
from stimsynth.banks.predict import MSE, pairs_within, predict
from stimsynth.engine.run import Run
from stimsynth.images import uniform_noise
from stimsynth.methods.base.resumable_run import LOSS_CONVERGED
from stimsynth.methods.metamer import Metamer
from stimuli_store.bank.format import BankHeader, Colour
from stimuli_store.bank.publish import bank_path, publish_bank, read_job, write_job
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.disk.atomic import sweep
from stimuli_store.errors import BankError, BankExists
from stimuli_store.frames import dequantize, quantize
from stimuli_store.records.canonical import as_master, pixel_id
from stimuli_store.records.spec import ModelRef, SetSpec, StimulusSpec
from stimuli_store.records.stimulus import Stimulus, StimulusRecord
from stimuli_store.tools.environment import environment
from stimuli_store.tools.progress import progress_bar

Item = tuple[SetSpec, int, StimulusSpec]


def build(work: Work, directory: Path) -> Bank:
    """Synthesize the missing stimuli of some work, publish the bank, and return it.

    If the bank exists already and comes from the same work, it is verified and returned.

    Raises
    ------
    BankExists
        If this version is already published with other contents.
    KeyboardInterrupt
        After Ctrl-C; finished stimuli are kept.
    """
    published = _published(work, directory)
    if published is not None:
        return published
    jobs = directory / "jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    sweep(jobs)
    done = {spec.key: _finished(jobs, spec) for _, _, spec in _items(work)}
    missing = [item for item in _items(work) if done[item[2].key] is None]
    finished_before = len(done) - len(missing)
    with progress_bar(len(done), "metamer", done=finished_before, delay_s=0) as bar:
        for batch in _batches(missing, work.plan.metamer.batch):
            for spec, finished in _synthesize(work, batch):
                write_job(jobs / f"{spec.key}.h5", *finished)
                done[spec.key] = finished
                bar.update()
    try:
        return _publish(work, directory, {key: job for key, job in done.items() if job is not None})
    except BankExists:  # another process has published it in the meantime
        published = _published(work, directory)
        if published is None:
            raise
        return published


def _published(work: Work, directory: Path) -> Bank | None:
    path = bank_path(directory, work.plan.bank.name, work.plan.bank.version)
    if not path.exists():
        return None
    bank = open_bank(path)
    if bank.header.plan_sha256 != work.sha256:
        raise BankExists(
            f"{path} is published with other contents, and a version is never overwritten; "
            "raise bank.version in the plan"
        )
    return bank


def _items(work: Work) -> Iterator[Item]:
    for group in work.sets:
        for member, spec in enumerate(group.members):
            yield group, member, spec


def _finished(jobs: Path, spec: StimulusSpec) -> tuple[Stimulus, Mapping[str, str]] | None:
    """Return a stimulus that an earlier run finished, or None; a damaged file is renamed."""
    path = jobs / f"{spec.key}.h5"
    if not path.exists():
        return None
    try:
        return read_job(path)
    except BankError:
        path.replace(path.with_suffix(".damaged"))
        return None


def _batches(items: list[Item], size: int) -> Iterator[list[Item]]:
    """Yield items that can be synthesized together: the same model, at most `size` at a time."""

    def model(item: Item) -> str:
        return f"{item[0].level.value:012.4f} {item[0].model.weights_sha256} {item[0].model.params}"

    for _, together in groupby(sorted(items, key=model), key=model):
        batch = list(together)
        for first in range(0, len(batch), size):
            yield batch[first : first + size]


def _synthesize(
    work: Work, batch: list[Item]
) -> Iterator[tuple[StimulusSpec, tuple[Stimulus, Mapping[str, str]]]]:
    """Yield the finished stimuli of one batch, each with its spec and the environment of its synthesis."""
    plan = work.plan.metamer
    pixels = {sha: picture.pixels for sha, picture in work.target.items()}
    for shape in dict.fromkeys(pixels[spec.target_sha256].shape for _, _, spec in batch):
        items = [i for i in batch if pixels[i[2].target_sha256].shape == shape]
        targets = np.stack([pixels[spec.target_sha256] for _, _, spec in items])
        model = make_model(items[0][0].model.name, items[0][0].model.params)
        starts = torch.cat([uniform_noise((1, 1, *shape), spec.start.seed) for *_, spec in items])
        began = time.perf_counter()
        metamer = Metamer(torch.from_numpy(targets)[:, None], model, initial_image=starts)
        with warnings.catch_warnings():  # convergence is recorded in the certificate
            warnings.filterwarnings("ignore", message=LOSS_CONVERGED)
            metamer.synthesize(
                plan.max_iter,
                stop_criterion=plan.stop_criterion,
                stop_iters_to_check=plan.stop_iters_to_check,
            )
        assert metamer.run is not None
        wall_s = (time.perf_counter() - began) / len(items)
        for row, item in enumerate(items):
            images = [x[row, 0].numpy() for x in (metamer.metamer, starts)] + [targets[row]]
            stimulus = _stimulus(work, item, images, (metamer.run, row, model, wall_s))
            yield item[2], (stimulus, {**environment(), "device": "cpu"})


def _stimulus(
    work: Work, item: Item, images: list[np.ndarray], outcome: tuple[Run, int, Any, float]
) -> Stimulus:
    group, member, spec = item
    run, row, model, wall_s = outcome
    master = as_master(images[0])
    frame, start, target = (quantize(image) for image in (master, *images[1:]))
    status = run.status[row].value
    (certificate,) = certify(model, target, [frame], [start], [status])
    error = np.mean(
        (dequantize(frame.pixels, np.float64) - dequantize(target.pixels, np.float64)) ** 2
    )
    losses = run.history["loss"][:, row]
    record = StimulusRecord(
        sha256=pixel_id(master),
        kind="metamer",
        set=group.label,
        member=member,
        role="metamer",
        name=f"{group.label}/seed={spec.start.seed}",
        target_sha256=spec.target_sha256,
        shape=master.shape,
        certificate=certificate,
        license=work.target[spec.target_sha256].license,
        model=spec.model,
        level=spec.level,
        start=spec.start,
        seed=spec.start.seed,
        spec_key=spec.key,
        recipe=spec.recipe,
        code=spec.code,
        metrics=({"name": MSE, "params": {}, "value": float(error)},),
        losses=_curve(losses),
        range=_range(images[0]),
        wall_s=round(wall_s, 3),
    )
    return Stimulus(pixels=master, record=record)


def _curve(losses: torch.Tensor) -> dict[str, Any]:
    """Return a summary of a loss curve: first and last value, length, and at most 64 of its values."""
    rows = np.unique(np.linspace(0, len(losses) - 1, min(len(losses), 64)).round().astype(int))
    values = losses.tolist()
    return {
        "first": values[0],
        "last": values[-1],
        "n": len(values),
        "rows": rows.tolist(),
        "values": [values[i] for i in rows],
    }


def _range(image: np.ndarray) -> dict[str, float]:
    return {
        "min": float(image.min()),
        "max": float(image.max()),
        "frac_below_0": float(np.mean(image < 0)),
        "frac_above_1": float(np.mean(image > 1)),
    }


def _publish(
    work: Work, directory: Path, done: Mapping[str, tuple[Stimulus, Mapping[str, str]]]
) -> Bank:
    """Publish references and finished stimuli in the plan's order, with predictions, and return the bank."""
    stimuli, environments = [_reference(t.pixels, t.name, t.license) for t in work.targets], []
    for _, _, spec in _items(work):
        stimulus, where = done[spec.key]
        if where not in environments:
            environments.append(where)
        record = replace(stimulus.record, env=environments.index(where))
        stimuli.append(Stimulus(pixels=stimulus.pixels, record=record))
    frames = {s.record.sha256: quantize(s.pixels) for s in stimuli}
    models = {m.label: make_model(m.model, m.params) for m in work.plan.models}
    sets = [
        [g.target_sha256, *(done[spec.key][0].record.sha256 for spec in g.members)]
        for g in work.sets
    ]
    predictions = predict(models, frames, pairs_within(sets))
    plan = work.plan.bank
    refs = [reference_to(m.label, m.model, m.params, models[m.label]) for m in work.plan.models]
    header = BankHeader(
        name=plan.name,
        version=plan.version,
        license=plan.license,
        creators=plan.creators,
        colour=Colour(space="gray", transfer=plan.transfer),
        models=(ModelRef(label=MSE, name=MSE), *refs),
        environments=tuple(environments),
        plan_sha256=work.sha256,
    )
    return publish_bank(directory, header, stimuli, predictions)


def _reference(pixels: np.ndarray, name: str, license: str) -> Stimulus:
    master = as_master(pixels)
    sha = pixel_id(master)
    record = StimulusRecord(
        sha256=sha,
        kind="reference",
        set=name,
        member=0,
        role="reference",
        name=name,
        target_sha256=sha,
        shape=master.shape,
        certificate=certify_reference(quantize(master)),
        license=license,
        range=_range(master),
    )
    return Stimulus(pixels=master, record=record)

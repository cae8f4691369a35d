"""From a plan to a published bank, one finished batch at a time.

Every finished batch is a file of its own under ``jobs/``, named by the keys of its members. A build that is
stopped, however it is stopped, finds them there when it is run again and makes only the rest; so does the
next version of the bank.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stimsynth.banks.carry import OlderVersion, older_version
from stimsynth.banks.context import BankContext
from stimsynth.banks.faults import Faults
from stimsynth.banks.jobs import finished, make_job
from stimsynth.banks.model_identity import Factory, same_probe
from stimsynth.banks.plan import BuildPlan, plan_from
from stimsynth.banks.predict import predict
from stimsynth.banks.work import Work, prepare
from stimuli_store.bank.format import BankHeader, Colour
from stimuli_store.bank.pins import fill_pins
from stimuli_store.bank.publish import bank_path, publish_bank
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.disk.atomic import sweep
from stimuli_store.errors import BankExists
from stimuli_store.records.canonical import key_of
from stimuli_store.records.stimulus import Stimulus
from stimuli_store.records.toml_file import read_toml_table
from stimuli_store.tools.progress import progress_bar

Say = Callable[[str], None]
Plan = str | os.PathLike[str] | Mapping[str, Any] | BuildPlan


def build(
    plan: Plan,
    directory: str | os.PathLike[str] | None = None,
    *,
    models: Mapping[str, Factory] | None = None,
    device: str = "cpu",
    say: Say | None = None,
) -> Bank:
    """Make the bank of a plan and return it.

    Designs beside a plan's file that name the bank with an empty pin get its pin.

    Parameters
    ----------
    plan
        A TOML file, the same tables as a mapping, or what `stimsynth.banks.plan.read_plan` returned.
    directory
        Where the bank goes; beside the plan for None.
    models
        Label to a function or class that makes a model of your own.
    device
        Where models run, as torch names it.
    say
        Called with remarks, such as that a bank of older code was found.

    Returns
    -------
    Bank
        Verified. If the version is published already, from the same plan, that one.

    Raises
    ------
    InputError
        With all faults of the plan.
    BankExists
        If this version is published with other contents.
    KeyboardInterrupt
        After Ctrl-C; finished batches are kept.

    Examples
    --------
    >>> import tempfile
    >>> plan = {
    ...     "bank": {"name": "small", "version": "1.0.0", "license": "CC0-1.0"},
    ...     "targets": {"images": ["camera"], "size": 32},
    ...     "models": {"pool": {"use": "UniformPooling"}},
    ...     "sets": [{"kind": "metamer", "model": "pool", "level": {"window_px": [4]}, "max_iter": 5}],
    ... }
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bank = build(plan, folder)
    ...     bank.close()
    ...     list(bank.sets)
    ['camera/window_px=4']
    """
    work, beside = work_of(plan, models=models, device=device)
    bank = build_work(work, Path(directory) if directory is not None else beside, say=say)
    if isinstance(plan, str | os.PathLike):
        for design in fill_pins(beside, bank):
            if say is not None:
                say(f"{design}: the pin of this bank is filled in")
    return bank


def work_of(
    plan: Plan, *, models: Mapping[str, Factory] | None = None, device: str = "cpu"
) -> tuple[Work, Path]:
    """Return the work of a plan, and the folder beside it; see `build`."""
    beside, faults = Path(), Faults("the plan: ")
    if isinstance(plan, str | os.PathLike):
        beside, faults = Path(plan).parent, Faults(f"{plan}: ")
        plan = plan_from(read_toml_table(plan, "the plan"), faults, report=False)
    elif isinstance(plan, Mapping):
        plan = plan_from(plan, faults, report=False)
    return prepare(plan, beside, models=models, device=device, faults=faults), beside


def build_work(work: Work, directory: Path, *, say: Say | None = None) -> Bank:
    """Make the missing parts of `work`, publish the bank, and return it; see `build`."""
    published = _published(work, directory, say)
    if published is not None:
        return published
    if say is not None:
        for change in work.changes:
            say(f"target {change}")
    older = older_version(work, directory)
    jobs = directory / "jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    sweep(jobs)
    pixels = {r.record.sha256: r.pixels for r in work.references}
    context = BankContext(pixels, work.pictures, work.models)
    done = [finished(jobs, b, work) or older.carried(b, work) for b in work.batches]
    sizes = [len(batch.members) for batch in work.batches]
    ready = sum(size for size, job in zip(sizes, done, strict=True) if job is not None)
    with progress_bar(sum(sizes), "image", title="stimuli", done=ready) as bar:
        for place, batch in enumerate(work.batches):
            if done[place] is None:
                with bar.step(sizes[place]):
                    began = time.perf_counter()
                    done[place] = make_job(jobs, batch, work, context, began)
    made = [job for job in done if job is not None]
    try:
        return _publish(work, directory, made, context, older)
    except BankExists:  # by another process meanwhile: then it is ours, or refused as any other
        published = _published(work, directory, say)
        if published is None:
            raise
        return published


def _published(work: Work, directory: Path, say: Say | None) -> Bank | None:
    path = bank_path(directory, work.plan.bank.name, work.plan.bank.version)
    if not path.exists():
        return None
    sweep(directory, path.name)
    bank = open_bank(path)
    if bank.header.plan_sha256 != work.sha256:
        bank.close()
        raise BankExists(
            f"{path} is published with other contents, and a version is never overwritten; "
            "raise bank.version in the plan"
        )
    other = _other_models(bank, work)
    if other:
        bank.close()
        raise BankExists(
            f"{path} is published with another {', '.join(other)}, of the same code and weights but with "
            "other outputs; raise bank.version in the plan"
        )
    codes = {r.spec.code["source_sha256"] for r in bank.records if r.spec}
    wanted = {spec.code["source_sha256"] for group in work.sets for spec in group.members}
    if say is not None and codes != wanted:
        say(
            f"{path.name} was made from this plan by other code of stimsynth and is returned as it is; raise "
            "bank.version to make it anew"
        )
    return bank


def _other_models(bank: Bank, work: Work) -> list[str]:
    """Return the labels of the reader's own models whose outputs are not those that the bank records."""
    wanted, there = (
        {
            f"{model.label} {key_of(model.identity)}": model
            for model in (*predicting, *(m for spec in specs for m in spec.models.values()))
            if model.sources
        }
        for predicting, specs in (
            (work.predicting, [spec for group in work.sets for spec in group.members]),
            (bank.header.models, [record.spec for record in bank.records if record.spec]),
        )
    )
    both = wanted.keys() & there.keys()
    other = {key for key in both if not same_probe(wanted[key].probe, there[key].probe)}
    return sorted({wanted[key].label for key in other})


def _publish(
    work: Work,
    directory: Path,
    done: Sequence[tuple[tuple[Stimulus, ...], float]],
    context: BankContext,
    older: OlderVersion,
) -> Bank:
    """Put references and finished stimuli in the plan's order, add predictions, and publish."""
    stimuli = list(work.references)
    by_name = {s.record.name: s for batch, _ in done for s in batch}
    ordered = sorted(by_name.values(), key=lambda s: (work.order[s.record.set], s.record.member))
    stimuli += ordered
    plan = work.plan.bank
    header = BankHeader(
        name=plan.name,
        version=plan.version,
        license=plan.license,
        creators=plan.creators,
        colour=Colour(space=work.plan.targets.colour, transfer=plan.transfer),
        models=work.predicting,
        parent=older.parent,
        changes=older.changes(ordered),
        plan_sha256=work.sha256,
        ppd=work.plan.targets.ppd,
    )
    log = [{"seconds": round(seconds, 3), "stimuli": len(batch)} for batch, seconds in done]
    other_targets = work.plan.predict.other_targets
    predictions = predict(work.predicting, stimuli, context, other_targets=other_targets)
    return publish_bank(directory, header, stimuli, predictions, log=log)

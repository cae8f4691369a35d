"""Stimuli of a bank made again from their records, and compared with the bank."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from stimsynth.banks.context import BankContext
from stimsynth.banks.gates import misses
from stimsynth.banks.jobs import measured
from stimsynth.banks.model_identity import Factory
from stimsynth.banks.recipe import Made, recipe_of
from stimsynth.banks.recorded import RecordedModels, recorded_files
from stimuli_store.bank.kinds import held_figure
from stimuli_store.bank.publish import bank_path
from stimuli_store.bank.reading import Bank, open_bank
from stimuli_store.errors import BankError, InputError
from stimuli_store.frames import quantize
from stimuli_store.records.canonical import pixel_id
from stimuli_store.records.spec import StimulusSpec
from stimuli_store.records.stimulus import Batch, StimulusRecord

#: Elsewhere figures agree to this factor, and a held value to this relative difference.
FACTOR = 2.0
HELD_RTOL = 1e-4
_SMALL = 1e-6


@dataclass(frozen=True, kw_only=True)
class Remade:
    """Comparison of a stimulus that was made again with its record.

    Attributes
    ----------
    name
        Of the stimulus in the bank.
    same_pixels
        Whether its pixels have the pixel id of the record.
    figures
        Name of a figure to its value in the record and its value now.
    faults
        Figures that differ by more than a factor of two, a held value that differs by more than 1e-4, and
        gates that are missed now.
    """

    name: str
    same_pixels: bool
    figures: Mapping[str, tuple[float, float]]
    faults: tuple[str, ...]


def remake(
    bank: Bank,
    names: Sequence[str] = (),
    *,
    models: Mapping[str, Factory] | None = None,
    place: Path | None = None,
    files: Path | None = None,
    device: str | None = None,
) -> Iterator[Remade]:
    """Make stimuli again from the records of a bank, batch by batch, and yield the comparisons.

    Parameters
    ----------
    bank
        The bank. Where stimuli or targets of a batch were retired since, they are taken from the parents of
        the bank, if those lie in its folder.
    names
        Sets or stimuli; all for none. Their whole batches are made.
    models
        Functions or classes that make the user's own models, by label.
    place
        File with the code of the user's own models, or folder of the plan.
    files
        Folder with the external pictures and weights.
    device
        Where models run; as recorded for None.

    Raises
    ------
    InputError
        If a model or file is lacking, or is not the one that the record names.
    BankError
        If a batch is not whole, because stimuli of it were retired and the bank's parent is not there.
    """
    chosen = {
        record.name: record
        for record in ([r for n in names for r in bank.select(n)] or bank.records)
        if record.spec is not None and record.batch is not None
    }
    if not chosen:
        raise InputError("none of the named stimuli was synthesized or taken from a file")
    family = [bank, *_parents(bank)]
    specs = _specs(family)
    batches = [(batch, _members(batch, specs, bank)) for batch in _batches(chosen.values())]
    planned = [spec for _, members in batches for spec in members]
    known = {sha: older for older in reversed(family) for sha in older.references}
    targets = {t: known[t].pixels(t) for spec in planned for t in spec.targets if t in known}
    shapes = tuple(
        dict.fromkeys(_channels_first(known[sha].references[sha].shape) for sha in known)
    )
    pictures = recorded_files(planned, files)
    contexts: dict[str, BankContext] = {}
    for batch, members in batches:
        where = device or batch.device
        if where not in contexts:
            source = RecordedModels(models or {}, place, files, shapes, where)
            contexts[where] = BankContext(targets, pictures, source)
        with _threads(batch.threads):
            yield from _compared(members, chosen, contexts[where])


def _compared(
    members: Sequence[StimulusSpec], chosen: Mapping[str, StimulusRecord], context: BankContext
) -> Iterator[Remade]:
    wanted = {record.spec.key: record for record in chosen.values() if record.spec}
    for made, _, figures in measured(recipe_of(members[0]), members, context):
        if made.spec.key in wanted:
            record = wanted[made.spec.key]
            yield Remade(
                name=record.name,
                same_pixels=pixel_id(made.pixels) == record.sha256,
                figures={
                    name: (value, figures.get(name, float("nan")))
                    for name, value in record.certificate.figures.items()
                },
                faults=(*_faults(record, figures), *_missed(record, made, figures)),
            )


def _faults(record: StimulusRecord, figures: Mapping[str, float]) -> Iterator[str]:
    held = held_figure(record)
    for name, old in record.certificate.figures.items():
        new = figures.get(name, float("nan"))
        if held is not None and name == "drift":
            continue  # it is near 0, and follows from the held value
        if name == held and not abs(new - old) <= HELD_RTOL * abs(old):
            yield f"the held {name} is {new:.6g}, and was {old:.6g}"
        near = abs(new - old) <= _SMALL or old / FACTOR <= new <= old * FACTOR
        if not near and not (old < 0 and old * FACTOR <= new <= old / FACTOR):
            yield f"{name} is {new:.3g}, and was {old:.3g}"


def _missed(record: StimulusRecord, made: Made, figures: Mapping[str, float]) -> Iterator[str]:
    """Yield the quality gates that the stimulus in the bank passed, and this one misses."""
    certificate = record.certificate
    clipped = quantize(made.pixels).clipped_fraction if made.shown else 0.0
    if made.clipped_fraction is not None:
        clipped = made.clipped_fraction
    again = replace(
        certificate, status=made.status, figures=dict(figures), clipped_fraction=clipped
    )
    if not misses(certificate):
        yield from misses(again)


def _parents(bank: Bank) -> Iterator[Bank]:
    """Yield the older versions of a bank that lie in its folder."""
    while (parent := bank.header.parent) is not None:
        path = bank_path(bank.path.parent, parent["name"], parent["version"])
        if not path.exists():
            return
        older = open_bank(path)
        if older.version_id != parent["sha256"]:
            return
        yield older
        bank = older


def _specs(family: Sequence[Bank]) -> Mapping[str, StimulusSpec]:
    """Return all specs by key, including planned ones that another seed replaced."""
    found = {}
    for record in (record for bank in family for record in bank.records):
        if record.spec is not None:
            planned = record.planned_start or record.spec.start
            for spec in (StimulusSpec(**{**vars(record.spec), "start": planned}), record.spec):
                found[spec.key] = spec
    return found


def _batches(records: Iterable[StimulusRecord]) -> list[Batch]:
    found = {}
    for record in records:
        assert record.batch is not None
        found[record.batch.members, record.batch.device, record.batch.threads] = record.batch
    return list(found.values())


def _members(batch: Batch, specs: Mapping[str, StimulusSpec], bank: Bank) -> list[StimulusSpec]:
    lost = [key for key in batch.members if key not in specs]
    if lost:
        parent = bank.header.parent or {}
        older = f"; put {parent['name']}-{parent['version']}.h5 into its folder" if parent else ""
        raise BankError(
            f"{bank.pin} does not hold {len(lost)} of {len(batch.members)} stimuli of one batch"
            f"{older}"
        )
    return [specs[key] for key in batch.members]


def _channels_first(shape: tuple[int, ...]) -> tuple[int, int, int]:
    return (shape[2] if len(shape) == 3 else 1, shape[0], shape[1])


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute in a block with `count` threads, which affect the last digits of a synthesis."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

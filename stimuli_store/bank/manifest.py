"""The manifest of a bank: lines of JSON that hold everything but pixels and loss curves.

Line 0 is the header; lines for stimuli and columns of predictions follow in a fixed order. Repeated values
(models, recipes, batches, …) stand once, in tables of the header.
`stimuli_store.bank.manifest_reading` reads it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from stimuli_store.bank import rows
from stimuli_store.bank.format import BankHeader
from stimuli_store.errors import BankError, InputError
from stimuli_store.records.canonical import canonical_json
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import ModelRef, Start, StimulusSpec
from stimuli_store.records.stimulus import Batch, StimulusRecord

_T = TypeVar("_T")


class _Table:
    """Values in the order in which they first came, and the place of each."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[bytes, int] = {}

    def place(self, value: Any) -> int:
        """Return the place of a JSON value, which is added if it is new."""
        key = canonical_json(value)
        if key not in self._places:
            self._places[key] = len(self.values)
            self.values.append(value)
        return self._places[key]


class _Tables:
    """The tables of a header while its stimuli are written."""

    def __init__(self) -> None:
        self.models, self.recipes, self.codes, self.environments = (_Table() for _ in range(4))
        self.batches, self.sets, self.licenses, self.gates = (_Table() for _ in range(4))

    def model(self, model: ModelRef) -> int:
        return self.models.place(msgspec.to_builtins(_model_row(model)))

    def spec(self, spec: StimulusSpec) -> rows.SpecRow:
        return rows.SpecRow(
            models={part: self.model(model) for part, model in spec.models.items()},
            recipe=self.recipes.place(dict(spec.recipe)),
            code=self.codes.place(dict(spec.code)),
            level=rows.LevelRow(spec.level.value, spec.level.unit) if spec.level else None,
            start=_start_row(spec.start),
        )

    def batch(self, batch: Batch) -> int:
        row = {
            "members": list(batch.members),
            "threads": batch.threads,
            "device": batch.device,
            "environment": self.environments.place(dict(batch.environment)),
        }
        return self.batches.place(row)


def write_manifest(
    header: BankHeader, records: Sequence[StimulusRecord], predictions: Predictions
) -> bytes:
    """Return the bytes of a manifest; their SHA-256 is the version id.

    Raises
    ------
    InputError
        If a number is not finite, or a value is of no type that a manifest takes.
    """
    tables = _Tables()
    predicting = [tables.model(model) for model in header.models]
    places = {record.sha256: place for place, record in reversed(list(enumerate(records)))}
    lines: list[rows.Row] = [_stimulus_row(record, tables, places) for record in records]
    lines += _prediction_rows(header, predictions, predicting, places)
    first = rows.Header(
        format=header.format,
        name=header.name,
        version=header.version,
        license=header.license,
        colour=rows.ColourRow(header.colour.space, header.colour.transfer),
        creators=list(header.creators),
        models=[msgspec.convert(row, rows.ModelRow) for row in tables.models.values],
        predicting=predicting,
        recipes=tables.recipes.values,
        codes=tables.codes.values,
        environments=tables.environments.values,
        batches=[msgspec.convert(row, rows.BatchRow) for row in tables.batches.values],
        sets=[msgspec.convert(row, rows.SetRow) for row in tables.sets.values],
        licenses=tables.licenses.values,
        gates=tables.gates.values,
        parent=None if header.parent is None else dict(header.parent),
        changes=list(header.changes),
        plan_sha256=header.plan_sha256,
        curves_sha256=header.curves_sha256,
        ppd=header.ppd,
    )
    return b"".join(_line(row) for row in (first, *lines))


def _line(row: rows.Row) -> bytes:
    """Return a row as a line of bytes, after checking that the line reads back as the row."""
    try:
        line = rows.encode(row)
        same = rows.decode(line, first=isinstance(row, rows.Header)) == row
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"this cannot be written into a manifest: {error}") from error
    if not same:  # a number that is not finite is written as null
        raise InputError(f"the numbers of a manifest must be finite; not {_not_finite(row)}")
    return line + b"\n"


def _not_finite(row: rows.Row) -> str:
    found = [
        f"{key} = {value}"
        for key, value in _numbers(msgspec.to_builtins(row))
        if not math.isfinite(value)
    ]
    return ", ".join(found) or "these values"


def _numbers(tree: Any, name: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(tree, float):
        yield name, tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _numbers(value, str(key))
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _numbers(value, name)


def _model_row(model: ModelRef) -> rows.ModelRow:
    return rows.ModelRow(
        label=model.label,
        name=model.name,
        params=dict(model.params),
        layer=None if model.layer is None else dict(model.layer),
        weights_sha256=model.weights_sha256,
        sources=dict(model.sources),
        probe=tuple(model.probe),
    )


def _start_row(start: Start | None) -> rows.StartRow | None:
    return rows.StartRow(start.type, start.seed) if start else None


def _stimulus_row(
    record: StimulusRecord, tables: _Tables, places: Mapping[str, int]
) -> rows.StimulusRow:
    missing = [target for target in record.targets if target not in places]
    if missing:
        raise BankError(
            f"the stimulus {record.name!r} does not fit into the bank: its target is not in the bank"
        )
    certificate = record.certificate
    return rows.StimulusRow(
        sha256=record.sha256,
        frame_sha256=certificate.frame_sha256,
        page=record.page,
        row=record.row,
        set=tables.sets.place({"label": record.set, "kind": record.kind}),
        member=record.member,
        role=record.role,
        name=record.name,
        targets=[places[target] for target in record.targets],
        license=tables.licenses.place(record.license),
        bits=certificate.bits,
        status=certificate.status,
        clipped=certificate.clipped_fraction,
        figures=dict(certificate.figures),
        gates=tables.gates.place(dict(certificate.gates)) if certificate.gates else None,
        range=dict(record.range),
        spec=None if record.spec is None else tables.spec(record.spec),
        batch=None if record.batch is None else tables.batch(record.batch),
        curve=record.curve,
        flags=list(record.flags),
        planned_start=_start_row(record.planned_start),
    )


def _prediction_rows(
    header: BankHeader,
    predictions: Predictions,
    predicting: Sequence[int],
    places: Mapping[str, int],
) -> Iterator[rows.Row]:
    place_of = {model.label: place for model, place in zip(header.models, predicting, strict=True)}

    def model(label: str) -> int:
        if label not in place_of:
            raise BankError(f"a prediction of the model {label!r}, which is not in the header")
        return place_of[label]

    def column(keys: Sequence[Sequence[str]], number: int) -> list[int]:
        try:
            return [places[key[number]] for key in keys]
        except KeyError as error:
            raise BankError("a prediction for a stimulus that is not in the bank") from error

    for pairs in _blocks(predictions.pairs):
        yield rows.PairsRow(column(pairs, 0), column(pairs, 1))
    for label, values in predictions.distances.items():
        yield from (rows.DistancesRow(model(label), list(block)) for block in _blocks(values))
    for triples in _blocks(predictions.triples):
        yield rows.TriplesRow(column(triples, 0), column(triples, 1), column(triples, 2))
    for label, values in predictions.preferences.items():
        yield from (rows.PreferencesRow(model(label), list(block)) for block in _blocks(values))


def _blocks(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(values), rows.BLOCK):
        yield values[start : start + rows.BLOCK]

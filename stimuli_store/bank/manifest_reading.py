"""Records and predictions from the manifest of a bank, read strictly and within bounds."""

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from stimuli_store.bank import rows
from stimuli_store.bank.format import (
    MAX_PIXEL_BYTES,
    MAX_PREDICTIONS,
    MAX_STIMULI,
    BankHeader,
    Colour,
)
from stimuli_store.errors import BankError, InputError
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import Level, ModelRef, Start, StimulusSpec
from stimuli_store.records.stimulus import Batch, Certificate, StimulusRecord

_T = TypeVar("_T")


def parse_manifest(
    manifest: bytes | bytearray,
) -> tuple[BankHeader, tuple[StimulusRecord, ...], Predictions]:
    """Return header, records and predictions of a manifest, the arguments of `write_manifest`.

    Raises
    ------
    BankError
        At the first line that is of no known type, out of order, or not as the format wants it.
    """
    with uncollected():
        return _parsed(_lines(manifest))


def _parsed(
    lines: Iterator[rows.Row],
) -> tuple[BankHeader, tuple[StimulusRecord, ...], Predictions]:
    first = next(lines, None)
    if not isinstance(first, rows.Header):
        raise BankError("the bank's manifest has no header")
    try:
        stimuli, columns = _bodies(lines)
        reader = _Reader(first, stimuli)
        return reader.header(), reader.records(), reader.predictions(columns)
    except IndexError as error:
        raise BankError("the bank's manifest names a row of a table that is not there") from error
    except InputError as error:
        raise BankError(f"the bank's manifest does not follow its format: {error}") from error


def _bodies(lines: Iterator[rows.Row]) -> tuple[list[rows.StimulusRow], list[rows.Row]]:
    """Return the stimulus rows and the rows of columns after the header, within the limits of a bank."""
    stimuli: list[rows.StimulusRow] = []
    columns: list[rows.Row] = []
    numbers = pixel_bytes = 0
    for row in lines:
        if isinstance(row, rows.StimulusRow):
            stimuli.append(row)
            # Each image counts as often as it is named: so often may it be read.
            pixel_bytes += 4 * math.prod(page_shape(row.page))
            if pixel_bytes > MAX_PIXEL_BYTES:
                raise BankError(
                    f"the stimuli of the bank's manifest name over {MAX_PIXEL_BYTES} bytes of pixels"
                )
            continue
        columns.append(row)
        numbers += sum(len(getattr(row, name)) for name in _COLUMNS[type(row)])
        if numbers > MAX_PREDICTIONS:
            raise BankError(
                f"the columns of the bank's manifest have over {MAX_PREDICTIONS} values"
            )
    return stimuli, columns


_COLUMNS: Mapping[type, tuple[str, ...]] = {
    rows.PairsRow: ("a", "b"),
    rows.DistancesRow: ("values",),
    rows.TriplesRow: ("reference", "a", "b"),
    rows.PreferencesRow: ("values",),
}


@lru_cache(maxsize=1000)
def page_shape(page: str) -> tuple[int, ...]:
    """Return the shape of the images of a page.

    Examples
    --------
    >>> page_shape("f4_16x32x3")
    (16, 32, 3)
    """
    return tuple(int(n) for n in page.removeprefix("f4_").split("x"))


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the collector of cyclic garbage, which would walk all records again and again as they come."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _lines(manifest: bytes | bytearray) -> Iterator[rows.Row]:
    """Yield the rows of a manifest; nothing is read beyond the first wrong line."""
    reached, number, start = 0, 0, 0
    while start < len(manifest):
        end = manifest.find(b"\n", start)
        if end < 0:
            raise BankError(f"line {number + 1} of the bank's manifest is cut short")
        try:
            if end - start > rows.MAX_HEADER_BYTES:  # before it is copied
                raise ValueError(f"it is longer than {rows.MAX_HEADER_BYTES} bytes")
            row = rows.decode(manifest[start:end], first=number == 0)
        except (ValueError, RecursionError) as error:
            raise BankError(
                f"line {number + 1} of the bank's manifest cannot be read: {error}"
            ) from error
        place = rows.ORDER.index(type(row))
        if place < reached or (place == 0) != (number == 0):
            raise BankError(f"line {number + 1} of the bank's manifest is out of order")
        if number > MAX_STIMULI:
            raise BankError(f"the bank's manifest has over {MAX_STIMULI} lines")
        yield row
        reached, number, start = place, number + 1, end + 1


class _Reader:
    """Converter of rows to records, which makes each entry of the header's tables once."""

    def __init__(self, header: rows.Header, stimuli: Sequence[rows.StimulusRow]) -> None:
        self._first, self._stimuli = header, stimuli
        self._models = [
            ModelRef(
                label=row.label,
                name=row.name,
                params=row.params,
                layer=row.layer,
                weights_sha256=row.weights_sha256,
                sources=row.sources,
                probe=row.probe,
            )
            for row in header.models
        ]
        self._batches = [
            Batch(
                members=tuple(row.members),
                threads=row.threads,
                device=row.device,
                environment=header.environments[row.environment],
            )
            for row in header.batches
        ]
        self._targets = _made_once(lambda places: tuple(stimuli[p].sha256 for p in places))
        self._parts = _made_once(lambda items: {part: self._models[place] for part, place in items})
        self._level = _made_once(lambda row: Level(value=row.value, unit=row.unit))
        self._start = _made_once(lambda row: Start(type=row.type, seed=row.seed))

    def header(self) -> BankHeader:
        first = self._first
        return BankHeader(
            name=first.name,
            version=first.version,
            license=first.license,
            creators=tuple(first.creators),
            colour=Colour(space=first.colour.space, transfer=first.colour.transfer),
            models=tuple(self._models[place] for place in first.predicting),
            parent=first.parent,
            changes=tuple(first.changes),
            plan_sha256=first.plan_sha256,
            curves_sha256=first.curves_sha256,
            ppd=first.ppd,
            format=first.format,
        )

    def records(self) -> tuple[StimulusRecord, ...]:
        return tuple(self._record(row) for row in self._stimuli)

    def _record(self, row: rows.StimulusRow) -> StimulusRecord:
        group = self._first.sets[row.set]
        targets = self._targets(tuple(row.targets))
        return _filled(
            StimulusRecord,
            sha256=row.sha256,
            kind=group.kind,
            set=group.label,
            member=row.member,
            role=row.role,
            name=row.name,
            targets=targets,
            shape=page_shape(row.page),
            certificate=_filled(
                Certificate,
                bits=row.bits,
                frame_sha256=row.frame_sha256,
                clipped_fraction=row.clipped,
                status=row.status,
                figures=row.figures,
                gates={} if row.gates is None else self._first.gates[row.gates],
            ),
            license=self._first.licenses[row.license],
            spec=None if row.spec is None else self._spec(row.spec, group.kind, row.role, targets),
            batch=None if row.batch is None else self._batches[row.batch],
            range=row.range,
            flags=tuple(row.flags),
            planned_start=None if row.planned_start is None else self._start(row.planned_start),
            page=row.page,
            row=row.row,
            curve=row.curve,
        )

    def _spec(
        self, spec: rows.SpecRow, kind: str, role: str, targets: tuple[str, ...]
    ) -> StimulusSpec:
        return _filled(
            StimulusSpec,
            kind=kind,
            role=role,
            targets=targets,
            models=self._parts(tuple(spec.models.items())),
            level=None if spec.level is None else self._level(spec.level),
            start=None if spec.start is None else self._start(spec.start),
            recipe=self._first.recipes[spec.recipe],
            code=self._first.codes[spec.code],
        )

    def predictions(self, columns: Sequence[rows.Row]) -> Predictions:
        ids = [row.sha256 for row in self._stimuli]
        pairs: list[tuple[str, str]] = []
        triples: list[tuple[str, str, str]] = []
        distances: dict[str, list[float | None]] = {}
        preferences: dict[str, list[float | None]] = {}
        for row in columns:
            match row:
                case rows.PairsRow():
                    pairs += ((ids[a], ids[b]) for a, b in _together(row.a, row.b))
                case rows.TriplesRow():
                    of = _together(row.reference, row.a, row.b)
                    triples += ((ids[r], ids[a], ids[b]) for r, a, b in of)
                case rows.DistancesRow():
                    distances.setdefault(self._models[row.model].label, []).extend(row.values)
                case rows.PreferencesRow():
                    preferences.setdefault(self._models[row.model].label, []).extend(row.values)
        return Predictions(
            pairs=tuple(pairs),
            distances={label: tuple(values) for label, values in distances.items()},
            triples=tuple(triples),
            preferences={label: tuple(values) for label, values in preferences.items()},
        )


def _filled(kind: type[_T], /, **fields: Any) -> _T:
    """Return a frozen record from values for all of its fields.

    Its own constructor sets each field by a call: for a bank of thousands that took a third of opening it.
    """
    record = object.__new__(kind)
    record.__dict__.update(fields)
    return record


def _together(*columns: list[int]) -> Iterator[tuple[int, ...]]:
    if len({len(column) for column in columns}) != 1:
        raise BankError("columns of predictions differ in length")
    return zip(*columns, strict=True)


def _made_once(make: Callable[[Any], _T]) -> Callable[[Any], _T]:
    made: dict[Any, _T] = {}

    def get(row: Any) -> _T:
        if row not in made:
            made[row] = make(row)
        return made[row]

    return get

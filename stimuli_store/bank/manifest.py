"""Manifests: one JSON line for the header, then one per stimulus and prediction, in a fixed order."""

import json
from collections.abc import Iterable
from typing import Any

from stimuli_store.bank.format import BankHeader
from stimuli_store.errors import BankError, InputError
from stimuli_store.records.canonical import canonical_json
from stimuli_store.records.convert import from_json, to_json
from stimuli_store.records.predictions import Prediction
from stimuli_store.records.stimulus import StimulusRecord

_TYPES = ("header", "stimulus", "prediction")


def write_manifest(
    header: BankHeader, records: Iterable[StimulusRecord], predictions: Iterable[Prediction]
) -> bytes:
    """Return header, records and predictions as the bytes of a manifest; their SHA-256 is the version id."""
    rows: list[Any] = [{"type": "header", **to_json(header)}]
    rows += [{"type": "stimulus", **to_json(record)} for record in records]
    rows += [{"type": "prediction", **to_json(p)} for p in predictions]
    return b"".join(canonical_json(row) + b"\n" for row in rows)


def parse_manifest(
    manifest: bytes,
) -> tuple[BankHeader, tuple[StimulusRecord, ...], tuple[Prediction, ...]]:
    """Return the header, the records and the predictions of a manifest.

    Raises
    ------
    BankError
        If a line is not one of the three types, or out of order.
    """
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _TYPES}
    reached = 0
    for number, line in enumerate(manifest.splitlines()):
        try:
            row = json.loads(line)
            place = _TYPES.index(row.pop("type"))
        except (ValueError, KeyError, AttributeError) as error:
            raise BankError(f"line {number + 1} of the bank's manifest cannot be read") from error
        if place < reached or (place == 0) != (number == 0):
            raise BankError(f"line {number + 1} of the bank's manifest is out of order")
        reached = place
        rows[_TYPES[place]].append(row)
    if not rows["header"]:
        raise BankError("the bank's manifest has no header")
    try:
        header = from_json(BankHeader, rows["header"][0], "the bank's header")
        records = tuple(from_json(StimulusRecord, r, "a stimulus record") for r in rows["stimulus"])
        predictions = tuple(from_json(Prediction, r, "a prediction") for r in rows["prediction"])
    except InputError as error:
        raise BankError(f"the bank's manifest does not follow its format: {error}") from error
    return header, records, predictions

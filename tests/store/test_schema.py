"""The JSON Schema in the package describes the manifests that are written, and the records behind them."""

import dataclasses
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.manifest import write_manifest
from stimuli_store.records.predictions import Prediction
from stimuli_store.records.stimulus import Certificate, StimulusRecord
from tests.helpers import tiny_bank

SCHEMA = json.loads((files("stimuli_store.bank") / "stimbank-1.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    bank = tiny_bank(tmp_path_factory.mktemp("bank"), levels=(4.0,))
    manifest = write_manifest(bank.header, bank.records, bank.predictions)
    return [json.loads(line) for line in manifest.splitlines()]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_line_of_a_manifest_follows_it(lines: list[dict[str, Any]]) -> None:
    assert {line["type"] for line in lines} == {"header", "stimulus", "prediction"}
    for line in lines:
        VALIDATOR.validate(line)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("header", {"name": "../demo"}),
        ("header", {"version": "1"}),
        ("stimulus", {"sha256": "abc"}),
        ("stimulus", {"kind": "picture"}),
        ("stimulus", {"colour": "grey"}),
        ("prediction", {"distance": -1.0}),
    ],
)
def test_a_wrong_line_does_not(
    lines: list[dict[str, Any]], kind: str, change: dict[str, Any]
) -> None:
    line = next(line for line in lines if line["type"] == kind)
    VALIDATOR.validate({**line, "x_lab": "ours"})
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**line, **change})


@pytest.mark.parametrize(
    ("definition", "record"),
    [
        ("header", BankHeader),
        ("stimulus", StimulusRecord),
        ("prediction", Prediction),
        ("certificate", Certificate),
    ],
)
def test_it_names_the_fields_of_the_records(definition: str, record: type) -> None:
    named = set(SCHEMA["$defs"][definition]["properties"]) - {"type"}
    assert named == {field.name for field in dataclasses.fields(record)}


def test_it_is_shipped_with_the_package() -> None:
    assert Path(str(files("stimuli_store.bank") / "stimbank-1.schema.json")).is_file()

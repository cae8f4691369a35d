"""The JSON Schema in the package is that of the manifests that are written and read."""

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from stimuli_store.bank import rows
from stimuli_store.bank.manifest import write_manifest
from tests.helpers import tiny_bank

SCHEMA = json.loads((files("stimuli_store.bank") / "stimbank-1.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    bank = tiny_bank(tmp_path_factory.mktemp("bank"), levels=(4.0,))
    manifest = write_manifest(bank.header, bank.records, bank.predictions)
    return [json.loads(line) for line in manifest.splitlines()]


def test_the_file_is_the_schema_of_the_rows() -> None:
    """To renew it: json.dumps(stimuli_store.bank.rows.schema(), indent=1)."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(rows.schema())) == SCHEMA


def test_every_line_of_a_manifest_follows_it(lines: list[dict[str, Any]]) -> None:
    assert {line["type"] for line in lines} == {"header", "stimulus", "pairs", "distances"}
    for line in lines:
        VALIDATOR.validate(line)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("stimulus", {"sha256": "abc"}),
        ("stimulus", {"colour": "grey"}),
        ("stimulus", {"clipped": 1.5}),
        ("stimulus", {"name": "two\nlines"}),
        ("pairs", {"a": [-1]}),
        ("distances", {"values": ["far"]}),
    ],
)
def test_a_wrong_line_does_not_and_is_not_read(
    lines: list[dict[str, Any]], kind: str, change: dict[str, Any]
) -> None:
    line = next(line for line in lines if line["type"] == kind)
    rows.decode(json.dumps(line).encode())
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**line, **change})
    with pytest.raises(ValueError):
        rows.decode(json.dumps({**line, **change}).encode())

"""Bytes of a record, and a bank that stays open while it is read."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from stimuli_store.bank.hdf5 import Contents, bank_bytes
from stimuli_store.bank.manifest_reading import parse_manifest
from stimuli_store.bank.reading import open_bank
from stimuli_store.records.predictions import Predictions
from tests.helpers import tiny_bank
from tests.store.many import manifest, predictions, records

N = 2000


def test_a_record_takes_at_most_300_bytes_of_a_file(tmp_path: Path) -> None:
    """Of two thousand: in ten thousand the header weighs less on each (`python -m benchmarks store`)."""
    made = records(N)
    text = manifest(made, Predictions())
    path = tmp_path / "many.h5"
    contents = Contents(
        manifest=text, pages={}, curves=np.empty(0, np.float32), log=b"", attributes={}
    )
    path.write_bytes(bank_bytes(contents))
    with h5py.File(path) as file:
        assert file["manifest"].id.get_storage_size() <= 300 * N
    assert parse_manifest(text)[1] == tuple(made)
    said = predictions(made)
    assert parse_manifest(manifest(made, said))[2] == said


def test_a_bank_that_is_read_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_bank(tmp_path).path
    opened = []
    real = h5py.File

    def counted(*args: object, **kwargs: object) -> h5py.File:
        opened.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(h5py, "File", counted)
    bank = open_bank(path)
    for record in bank.records:
        bank.pixels(record.name)
        bank.frame(record.sha256)
        bank.losses(record.name)
    assert bank.log == ()
    assert len(opened) == 1
    bank.close()
    bank.pixels(bank.records[0].name)
    assert len(opened) == 2

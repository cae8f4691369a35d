"""A bank of 10,000 small stimuli: bytes of a record, and opening it against the least that must be done.

The least is to inflate the manifest, to hash it, and to decode its lines. Both run in turn in one process,
and the ratio of each pair is what counts. Targets: 300 bytes a record without predictions, twice the least.
"""

import hashlib
import tempfile
import zlib
from pathlib import Path

import h5py
import msgspec
import numpy as np

from benchmarks.pairs import compare
from stimuli_store.bank import rows
from stimuli_store.bank.hdf5 import Contents, bank_bytes
from stimuli_store.bank.reading import open_bank
from stimuli_store.records.canonical import sha256
from stimuli_store.records.predictions import Predictions
from tests.store.many import manifest, predictions, records

N = 10_000
PAIRS = 9
MOST_BYTES = 300
MOST_TIMES = 2.0


def write(path: Path, text: bytes, n_images: int) -> int:
    """Write a bank file with a manifest and return the number of bytes that the manifest takes in it."""
    contents = Contents(
        manifest=text,
        pages={"f4_2x2": [np.zeros((2, 2), np.float32)] * n_images},
        curves=np.empty(0, np.float32),
        log=b"",
        attributes={"content_sha256": sha256(text)},
    )
    path.write_bytes(bank_bytes(contents))
    with h5py.File(path) as file:
        return file["manifest"].id.get_storage_size()


def least(path: Path) -> list[rows.Row]:
    """Inflate, hash and decode the manifest, and nothing else."""
    with h5py.File(path) as file:
        text = file["manifest"]
        starts = range(0, text.shape[0], text.chunks[0])
        chunks = [text.id.read_direct_chunk((start,))[1] for start in starts]
        size = text.shape[0]
    content = b"".join(zlib.decompressobj().decompress(chunk) for chunk in chunks)[:size]
    hashlib.sha256(content).hexdigest()
    decoder = msgspec.json.Decoder(rows.Row)
    return [decoder.decode(line) for line in content.splitlines()]


def main() -> int:
    """Print the table; return 0 if the targets are met."""
    made = records(N)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many-1.0.0.h5"
        full = write(path, manifest(made, predictions(made)), N) / N
        plain = write(path, manifest(made, Predictions()), N) / N
        found = compare(
            lambda: open_bank(path, verify=False).close(), lambda: least(path), pairs=PAIRS
        )
    times = 1 / found.ratio
    print(f"A bank of {N} stimuli without loss curves")
    print(f"  {plain:.0f} bytes a record, target {MOST_BYTES}; {full:.0f} with two predictions")
    print(f"  open_bank {found.ours_s:.2f} s; inflate, hash and decode {found.theirs_s:.2f} s")
    print(f"  ratio (median of {PAIRS} pairs) {times:.2f}, target {MOST_TIMES:.0f}")
    return int(not (plain <= MOST_BYTES and times <= MOST_TIMES))

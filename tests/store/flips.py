"""Bits flipped at random in banks and jobs: each must be refused, or change nothing that is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stimuli_store.bank.describe import describe_reference
from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.publish import publish_bank, read_job, write_job
from stimuli_store.bank.reading import open_bank
from stimuli_store.errors import BankError
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import ModelRef
from stimuli_store.records.stimulus import Stimulus
from tests.store.made_up import metamers, targets

Read = Callable[[Path], Any]


def all_of_a_bank(path: Path) -> Any:
    """Everything a bank holds, as plain values."""
    bank = open_bank(path)
    try:
        arrays = [(bank.pixels(r.name), bank.losses(r.name)) for r in bank.records]
        found = [(pixels.tobytes(), losses.tobytes()) for pixels, losses in arrays]
        return bank.version_id, bank.header, bank.records, bank.predictions, bank.log, found
    finally:
        bank.close()


def all_of_a_job(path: Path) -> Any:
    """Everything a job holds, as plain values."""
    stimuli, seconds = read_job(path)
    return seconds, [(s.record, s.pixels.tobytes(), s.losses.tobytes()) for s in stimuli]


def with_losses(stimuli: list[Stimulus]) -> list[Stimulus]:
    return [
        Stimulus(pixels=s.pixels, record=s.record, losses=np.linspace(1, 0, 30, dtype=np.float32))
        for s in stimuli
    ]


def bank_file(folder: Path) -> Path:
    """A bank that has every part: references, metamers, losses, distances, preferences and a log."""
    stimuli = [*targets(), *with_losses(metamers())]
    leaf, _, a, b = (s.record.sha256 for s in stimuli)
    said = Predictions(
        pairs=((leaf, a), (leaf, b)),
        distances={"one": (0.5, None)},
        triples=((leaf, a, b),),
        preferences={"one": (-0.25,)},
    )
    header = BankHeader(
        name="all", version="1.0.0", license="CC0-1.0", models=(ModelRef(label="one", name="mse"),)
    )
    log = [{"seconds": n / 7, "stimuli": n} for n in range(20)]
    bank = publish_bank(folder, header, stimuli, said, log=log)
    bank.close()
    return bank.path


def job_file(folder: Path) -> Path:
    """A finished batch."""
    path = folder / "job.h5"
    reference = describe_reference(targets()[0].pixels, "target 1", "CC0-1.0")
    write_job(path, [reference], with_losses(metamers()), 12.3)
    return path


FILES: dict[str, tuple[Callable[[Path], Path], Read]] = {
    "bank": (bank_file, all_of_a_bank),
    "job": (job_file, all_of_a_job),
}


def silent_flips(kind: str, folder: Path, count: int, seed: int) -> list[int]:
    """Return the places of flipped bits, of `count`, after which other values are read without an error."""
    make, read = FILES[kind]
    path = make(folder)
    whole, wanted = path.read_bytes(), read(path)
    places = np.random.default_rng(seed).choice(8 * len(whole), count, replace=False)
    return flipped(path, whole, read, wanted, [int(place) for place in places])


def flipped(path: Path, whole: bytes, read: Read, wanted: Any, places: list[int]) -> list[int]:
    """Flip one bit at a time and return those that are read as something else."""
    path.chmod(0o644)
    silent = []
    for place in places:
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        try:
            found = read(path)
        except BankError:
            continue
        if found != wanted:
            silent.append(place)
    path.write_bytes(whole)
    return silent

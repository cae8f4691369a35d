"""Files made to harm: each is refused before any of its data is read."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from stimuli_store.bank.reading import open_bank
from stimuli_store.errors import BankError
from tests.helpers import tiny_bank


def external_link(file: h5py.File, other: Path) -> None:
    file["pixels/f4_8x8"] = h5py.ExternalLink(str(other), "/pixels/f4_32x32")


def soft_link(file: h5py.File, _: Path) -> None:
    file["pixels/f4_8x8"] = h5py.SoftLink("/pixels/f4_32x32")


def second_hard_link(file: h5py.File, _: Path) -> None:
    file["pixels/f4_8x8"] = file["pixels/f4_32x32"]


def local_file_as_pixels(file: h5py.File, other: Path) -> None:
    file.create_dataset(
        "pixels/f4_8x8", (1, 8, 8), dtype="<f4", external=[(str(other), 0, h5py.h5f.UNLIMITED)]
    )


def virtual_dataset(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((1, 32, 32), dtype="<f4")
    layout[0] = h5py.VirtualSource(str(other), "pixels/f4_32x32", shape=(18, 32, 32))[0]
    file.create_virtual_dataset("pixels/f4_8x8", layout)


def four_terabytes_in_a_kilobyte(file: h5py.File, _: Path) -> None:
    file.create_dataset(
        "pixels/f4_1024x1024",
        (2**20, 1024, 1024),
        dtype="<f4",
        chunks=(1, 1024, 1024),
        fletcher32=True,
    )


def gzip_bomb_of_pixels(file: h5py.File, _: Path) -> None:
    file.create_dataset(
        "pixels/f4_512x512",
        data=np.zeros((64, 512, 512), "<f4"),
        chunks=(1, 512, 512),
        compression="gzip",
    )


def huge_chunk(file: h5py.File, _: Path) -> None:
    file.create_dataset(
        "pixels/f4_8192x8192",
        (0, 8192, 8192),
        maxshape=(None, 8192, 8192),
        dtype="<f4",
        chunks=(1, 8192, 8192),
    )


def references(file: h5py.File, _: Path) -> None:
    file.create_dataset("pixels/f4_8x8", (1, 8, 8), dtype=h5py.ref_dtype, chunks=(1, 8, 8))


def stranger_at_the_root(file: h5py.File, _: Path) -> None:
    file["extra"] = np.zeros(3)


def group_in_the_pages(file: h5py.File, _: Path) -> None:
    file.create_group("pixels/f4_8x8")


def bomb_for_a_manifest(file: h5py.File, _: Path) -> None:
    del file["manifest"]
    file.create_dataset(
        "manifest", (2**28,), dtype="u1", chunks=(2**20,), compression="gzip", fletcher32=True
    )


def no_manifest(file: h5py.File, _: Path) -> None:
    del file["manifest"]


ATTACKS: list[Callable[[h5py.File, Path], None]] = [
    external_link,
    soft_link,
    second_hard_link,
    local_file_as_pixels,
    virtual_dataset,
    four_terabytes_in_a_kilobyte,
    gzip_bomb_of_pixels,
    huge_chunk,
    references,
    stranger_at_the_root,
    group_in_the_pages,
    bomb_for_a_manifest,
    no_manifest,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda f: f.__name__)
def test_an_unsound_file_is_refused(
    tmp_path: Path, attack: Callable[[h5py.File, Path], None]
) -> None:
    path = tiny_bank(tmp_path / "bank").path
    other = tiny_bank(tmp_path / "other").path
    path.chmod(0o644)
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        attack(file, other)
    with pytest.raises(BankError, match="not a sound bank"):
        open_bank(path)

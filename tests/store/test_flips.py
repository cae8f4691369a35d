"""No flipped bit of a bank or a job is read as something else. A thousand of each: pytest -m slow."""

from pathlib import Path

import h5py
import pytest

from tests.store.flips import FILES, flipped, silent_flips


@pytest.mark.parametrize("kind", FILES)
def test_no_flipped_bit_is_silent(kind: str, tmp_path: Path) -> None:
    assert silent_flips(kind, tmp_path, 150, seed=0) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_none_of_a_thousand_is_silent(kind: str, tmp_path: Path) -> None:
    assert silent_flips(kind, tmp_path, 1000, seed=1) == []


@pytest.mark.long
@pytest.mark.parametrize("part", ["log", "manifest"])
def test_no_flipped_bit_of_a_compressed_text_is_silent(part: str, tmp_path: Path) -> None:
    """zlib's own checksum covers what is inflated; the version id does not cover the log."""
    make, read = FILES["bank"]
    path = make(tmp_path)
    with h5py.File(path) as file:
        chunk = file[part].id.get_chunk_info(0)
    whole, first = path.read_bytes(), 8 * chunk.byte_offset
    places = range(first, first + 8 * chunk.size, 13)
    assert flipped(path, whole, read, read(path), list(places)) == []

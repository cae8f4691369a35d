"""Why a file cannot be read: each cause has a sentence of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from stimuli_store.bank.publish import read_job, write_job
from stimuli_store.bank.reading import open_bank
from stimuli_store.disk.archive import read_archive, write_archive
from stimuli_store.disk.opening import why_unreadable
from stimuli_store.disk.stack import Stack
from stimuli_store.errors import ArchiveError, StimsynthError
from tests.helpers import forbid, stimulus, tiny_bank

IN_ANOTHER_PROCESS = """
import sys, h5py
file = h5py.File(sys.argv[1], "a", libver=("v110", "v110"))
print("open", flush=True)
sys.stdin.read()
"""


def good(path: Path) -> Path:
    write_archive(path, {"a": 1}, {"x": np.arange(4000.0)})
    return path


def stack(path: Path) -> Path:
    made = Stack(path)
    made.append(0, np.arange(4000.0))
    made.close()
    return path


def bank(path: Path) -> Path:
    path = tiny_bank(path.parent / "banks").path.rename(path)
    path.chmod(0o644)
    return path


def job(path: Path) -> Path:
    write_job(path, [], [stimulus(np.zeros((64, 64)), "grey")], 1.0)
    return path


READERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], object]]] = {
    "archive": (good, read_archive),
    "stack": (stack, lambda path: Stack(path).read(0)),
    "bank": (bank, open_bank),
    "job": (job, read_job),
}


def junk(path: Path) -> None:
    path.write_bytes(b"PK" * 2000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def gone(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


SPOILT = {
    junk: "is no HDF5 file",
    empty: "is no HDF5 file",
    cut: "is damaged",
    gone: "is not there",
    folder: "is a folder",
}
if sys.platform != "win32":
    SPOILT[pipe] = "is a device or a pipe"


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda s: s.__name__)
@pytest.mark.parametrize("kind", READERS)
def test_each_cause_has_its_sentence(tmp_path: Path, kind: str, spoil: Callable) -> None:
    make, read = READERS[kind]
    path = make(tmp_path / "f.h5")
    read(path)
    spoil(path)
    missing_bank = spoil in (gone, pipe) and kind in ("bank", "job")
    sentence = "there is no bank at .*f.h5" if missing_bank else f"f.h5 {SPOILT[spoil]}"
    with pytest.raises(StimsynthError, match=sentence):
        read(path)


@pytest.mark.parametrize("kind", ["bank", "job"])
def test_appended_bytes_are_noticed(tmp_path: Path, kind: str) -> None:
    make, read = READERS[kind]
    path = make(tmp_path / "f.h5")
    with path.open("ab") as file:
        file.write(bytes(100))
    with pytest.raises(StimsynthError, match="100 bytes follow its end"):
        read(path)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_in_use_is_not_called_damaged(tmp_path: Path, kind: str) -> None:
    make, read = READERS[kind]
    path = make(tmp_path / "f.h5")
    with subprocess.Popen(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StimsynthError, match="is open in another program"):
            read(path)
        other.communicate(b"")
    read(path)


@pytest.mark.parametrize("kind", READERS)
def test_a_forbidden_file_is_not_called_damaged(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs this may read everything, so the system's answer is put in its mouth."""
    make, read = READERS[kind]
    path = make(tmp_path / "f.h5")
    refused = PermissionError(13, "Permission denied")

    def no(*args: object, **kwargs: object) -> None:
        raise refused

    monkeypatch.setattr(h5py, "File", no)
    monkeypatch.setattr(Path, "open", no)
    with pytest.raises(StimsynthError, match="no permission"):
        read(path)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_in_a_folder_that_may_not_be_entered_is_not_called_damaged(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, read = READERS[kind]
    path = make(tmp_path / "f.h5")
    forbid(monkeypatch, tmp_path)
    with pytest.raises(StimsynthError, match="no permission"):
        read(path)


def test_what_windows_says_of_a_file_in_use(tmp_path: Path) -> None:
    class Sharing(PermissionError):
        winerror = 32

    assert "another program" in why_unreadable(good(tmp_path / "f.h5"), Sharing())


def test_what_cannot_be_read_back_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that keeps other bytes than it was given, or none, costs nothing that was there before."""
    path = good(tmp_path / "f.h5")

    def spoilt(descriptor: int) -> None:
        middle = os.fstat(descriptor).st_size // 2
        os.pwrite(descriptor, b"\xff" * 64, middle)

    for disk in (spoilt, lambda descriptor: os.ftruncate(descriptor, 100)):
        monkeypatch.setattr(os, "fsync", disk)
        with pytest.raises(
            ArchiveError, match=r"f\.h5 cannot be written: the new file reads back differently"
        ):
            write_archive(path, {"a": 2}, {"x": np.ones(4000)})
        document, arrays = read_archive(path)
        assert document == {"a": 1}
        np.testing.assert_array_equal(arrays["x"], np.arange(4000.0))
        assert [p.name for p in tmp_path.iterdir()] == ["f.h5"]

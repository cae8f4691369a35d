"""Every writer of the store: a file is whole or absent, and nothing is left beside it."""

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.publish import publish_bank, write_job
from stimuli_store.disk.archive import write_archive
from stimuli_store.disk.atomic import replacing, sweep, temporary_beside, write_atomically
from stimuli_store.disk.stack import Stack
from stimuli_store.errors import StimsynthError
from stimuli_store.tools.environment import environment, package_version
from stimuli_store.tools.progress import progress_bar
from tests.helpers import forbid, left_by_a_killed_writer, stimulus

GREY = stimulus(np.full((4, 4), 0.5, np.float32), "grey")
HEADER = BankHeader(name="b", version="1.0.0", license="CC0-1.0")


def cut(path: Path) -> None:
    stack = Stack(path)
    if not path.exists():
        for number in range(2):
            stack.append(number, np.zeros(2))
        stack.close()
    stack.cut(1)


WRITERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "bytes": ("a.txt", lambda path: write_atomically(path, b"whole")),
    "archive": ("a.h5", lambda path: write_archive(path, {}, {"x": np.zeros(2)})),
    "job": ("j.h5", lambda path: write_job(path, [], [GREY], 1.0)),
    "cut stack": ("s.h5", cut),
    "bank": ("b-1.0.0.h5", lambda path: publish_bank(path.parent, HEADER, [GREY])),
}


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Callable]]:
    name, write = WRITERS[request.param]
    yield tmp_path / name, write


def test_what_dead_writers_left_is_cleared_away(writer: tuple[Path, Callable]) -> None:
    path, write = writer
    assert left_by_a_killed_writer(path).read_bytes() == b"half"
    write(path)
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_what_was_there(
    writer: tuple[Path, Callable], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = writer
    if path.name.startswith("b"):  # a version is never written over
        earlier = None
    else:
        if path.name.startswith("s"):
            stack = Stack(path)
            for number in range(3):
                stack.append(number, np.zeros(2))
            stack.close()
        else:
            write(path)
        earlier = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "no space left on the device")

    monkeypatch.setattr("stimuli_store.disk.atomic.os.fsync", full)
    with pytest.raises(Exception, match="no space"):
        write(path)
    assert (path.read_bytes() if path.exists() else None) == earlier
    assert list(path.parent.iterdir()) == ([] if earlier is None else [path])


OVER = [name for name in WRITERS if name != "bank"]  # a version is never written over
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither pipes nor modes")


@posix
@pytest.mark.parametrize("name", OVER)
def test_a_link_stays_and_its_file_keeps_its_permissions(tmp_path: Path, name: str) -> None:
    file, write = WRITERS[name]
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / file, tmp_path / file
    write(real)
    before = real.read_bytes()
    if name != "cut stack":
        real.write_bytes(b"earlier")
    real.chmod(0o600)
    link.symlink_to(real)
    write(link)
    assert link.is_symlink()
    assert name in ("cut stack", "job") or real.read_bytes() == before
    assert real.read_bytes() != b"earlier"
    assert real.stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("name", OVER)
def test_a_device_or_a_pipe_is_not_replaced(tmp_path: Path, name: str) -> None:
    """A rename by the superuser would put a file in the place of /dev/null."""
    file, write = WRITERS[name]
    os.mkfifo(tmp_path / file)
    with pytest.raises(StimsynthError, match="is a device or a pipe"):
        write(tmp_path / file)
    assert (tmp_path / file).is_fifo()


@pytest.mark.parametrize("name", ["archive", "cut stack"])
def test_a_folder_that_may_not_be_entered_is_said(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, write = WRITERS[name]
    forbid(monkeypatch, tmp_path)
    calls = [write] if name == "archive" else [lambda p: Stack(p).numbers()]
    for call in calls:
        with pytest.raises(StimsynthError, match=f"{file} cannot be written: Permission denied"):
            call(tmp_path / file)


def test_writers_of_one_process_do_not_share_a_name(tmp_path: Path) -> None:
    """Two threads that save under one name at once."""
    path, both = tmp_path / "a", threading.Barrier(2)

    def write(content: bytes) -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
            both.wait(timeout=60)

    threads = [threading.Thread(target=write, args=(bytes([65 + i]) * 9,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in (b"A" * 9, b"B" * 9)
    assert list(tmp_path.iterdir()) == [path]


def test_temporaries_of_other_machines_and_of_the_living_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = left_by_a_killed_writer(tmp_path / "a")
    with temporary_beside(tmp_path / "b") as alive:
        alive.touch()
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("platform.node", lambda: "another machine")
            sweep(tmp_path)
        assert set(tmp_path.iterdir()) == {dead, alive}
        sweep(tmp_path)
        assert list(tmp_path.iterdir()) == [alive]


def test_a_folder_that_cannot_be_synced_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def files_only(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112
            raise OSError(22, "invalid argument")
        fsync(descriptor)

    monkeypatch.setattr("stimuli_store.disk.atomic.os.fsync", files_only)
    write_atomically(tmp_path / "a", b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_versions_are_those_of_what_is_installed() -> None:
    found = environment()
    assert found["numpy"] == np.__version__
    assert found["python"] == sys.version.split()[0]
    assert ("torch" in found) == ("torch" in sys.modules)
    assert package_version("numpy") == np.__version__


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "shown", "drawn"),
    [(io.StringIO, True, False), (Terminal, True, True), (Terminal, False, False)],
)
def test_a_bar_is_drawn_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, stream: type, shown: bool, drawn: bool
) -> None:
    held = stream()
    monkeypatch.setattr(sys, "stderr", held)
    with progress_bar(3, "image", done=1, delay_s=0, shown=shown) as bar:
        bar.update()
    assert ("images" in held.getvalue()) == drawn

"""Downloads, from a server of the test's own: good files, wrong ones, hostile ones, and none."""

import hashlib
import io
import socket
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from stimsynth.images import DOWNLOADS, Download, fetch_data
from stimsynth.images.fetch import DATA_DIR
from stimuli_store.errors import DownloadError, InputError, MissingExtra
from tests import fresh


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Server:
    """A folder that is served on this machine; `asked` counts the requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        asked = self.asked

        class Handler(Quiet):
            def do_GET(self) -> None:  # the name http.server wants
                asked.append(self.path)
                super().do_GET()

        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(Handler, directory=str(folder))
        )
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def offer(self, name: str, content: bytes, sha256: str | None = None) -> dict[str, Download]:
        (self.folder / name).write_bytes(content)
        url = f"http://127.0.0.1:{self._server.server_port}/{name}"
        digest = sha256 or hashlib.sha256(content).hexdigest()
        return {name: Download(url=url, sha256=digest, about="a test")}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    (tmp_path / "served").mkdir()
    monkeypatch.setenv(DATA_DIR, str(tmp_path / "kept"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Server(tmp_path / "served")
    yield made
    made.stop()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def left_in(folder: Path) -> list[str]:
    return (
        sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))
        if folder.exists()
        else []
    )


def archive(*members: tuple[tarfile.TarInfo | str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_a_file_comes_once_and_stays(
    server: Server, kept: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = server.offer("grey.bin", b"\x80" * 64)
    path = fetch_data("grey.bin", downloads=table)
    assert path == kept / "grey.bin"
    assert path.read_bytes() == b"\x80" * 64
    assert fetch_data("grey.bin", downloads=table) == path
    assert server.asked == ["/grey.bin"]
    assert capfd.readouterr() == ("", "")  # nobody looks at a progress bar here


def test_on_a_terminal_there_is_a_progress_bar(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    fetch_data("grey.bin", downloads=server.offer("grey.bin", b"\x80" * 64))
    out, err = capsys.readouterr()
    assert out == ""
    assert "64.0/64.0" in err


def test_a_file_that_changed_on_disk_is_fetched_again(server: Server) -> None:
    table = server.offer("grey.bin", b"right")
    path = fetch_data("grey.bin", downloads=table)
    path.write_bytes(b"tampered")
    assert fetch_data("grey.bin", downloads=table).read_bytes() == b"right"
    assert len(server.asked) == 2


def test_an_account_without_a_home_is_asked_for_a_folder(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = server.offer("grey.bin", b"grey")
    for name in (DATA_DIR, "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        "os.path.expanduser", lambda path: path
    )  # as where no table has the account
    with pytest.raises(DownloadError, match=f"no home folder to keep grey.bin in.*{DATA_DIR}"):
        fetch_data("grey.bin", downloads=table)


def test_a_file_with_another_hash_is_refused_and_leaves_nothing(server: Server, kept: Path) -> None:
    table = server.offer("grey.bin", b"not what was pinned", sha256="0" * 64)
    with pytest.raises(DownloadError, match=r"grey.bin from http.*has the wrong sha256"):
        fetch_data("grey.bin", downloads=table)
    assert left_in(kept) == []


def test_without_a_server_the_error_says_where_to_put_the_file(server: Server, kept: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    digest = hashlib.sha256(b"by hand").hexdigest()
    table = {"a.bin": Download(url=f"http://127.0.0.1:{port}/a.bin", sha256=digest, about="")}
    with pytest.raises(OSError, match=r"could not be downloaded") as caught:
        fetch_data("a.bin", downloads=table)
    assert isinstance(caught.value, DownloadError)
    assert str(kept / "a.bin") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert left_in(kept) == []
    kept.mkdir(exist_ok=True)
    (kept / "a.bin").write_bytes(b"by hand")
    assert fetch_data("a.bin", downloads=table) == kept / "a.bin"


def test_a_missing_file_on_the_server_is_said(server: Server, kept: Path) -> None:
    table = server.offer("gone.bin", b"x")
    (server.folder / "gone.bin").unlink()
    with pytest.raises(DownloadError, match="404"):
        fetch_data("gone.bin", downloads=table)
    assert left_in(kept) == []


def test_an_archive_becomes_the_folder_that_holds_its_files(server: Server, kept: Path) -> None:
    content = archive(("set/images/a.txt", b"A"), ("set/images/more/b.txt", b"B"))
    table = server.offer("set.tar.gz", content)
    folder = fetch_data("set.tar.gz", downloads=table)
    assert folder.is_relative_to(kept)
    assert left_in(folder) == ["a.txt", "more", "more/b.txt"]
    assert (folder / "more" / "b.txt").read_bytes() == b"B"
    assert fetch_data("set.tar.gz", downloads=table) == folder
    assert len(server.asked) == 1


def test_a_flat_archive_and_a_new_version_have_folders_of_their_own(server: Server) -> None:
    first = fetch_data("set.tar.gz", downloads=server.offer("set.tar.gz", archive(("a.txt", b"1"))))
    second = fetch_data(
        "set.tar.gz", downloads=server.offer("set.tar.gz", archive(("a.txt", b"2")))
    )
    assert first != second
    assert [(f / "a.txt").read_bytes() for f in (first, second)] == [b"1", b"2"]


@pytest.mark.parametrize(
    "member",
    [
        "../outside.txt",
        "set/../../outside.txt",
        "/tmp/outside.txt",
        "..\\outside.txt",
        "C:outside.txt",
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard", tarfile.LNKTYPE, "a.txt"),
        special("device", tarfile.CHRTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
)
def test_a_hostile_archive_is_refused_whole(
    server: Server, kept: Path, tmp_path: Path, member: tarfile.TarInfo | str
) -> None:
    before = left_in(tmp_path / "served")
    content = archive(
        ("a.txt", b"harmless"), (member, b"" if not isinstance(member, str) else b"x")
    )
    table = server.offer("set.tar.gz", content)
    with pytest.raises(DownloadError, match="not a plain file below its own folder"):
        fetch_data("set.tar.gz", downloads=table)
    assert left_in(kept) == []
    assert [n for n in left_in(tmp_path) if "outside" in n] == []
    assert before == []


@pytest.mark.parametrize("kind", ["no archive", "cut short", "changed inside", "empty"])
def test_a_damaged_or_empty_archive_is_refused(server: Server, kept: Path, kind: str) -> None:
    whole = archive(("a.txt", bytes(range(256)) * 64))
    middle = len(whole) // 2
    content = {
        "no archive": b"no archive",
        "cut short": whole[:-40],
        "changed inside": whole[:middle] + b"\xff" * 100 + whole[middle + 100 :],
        "empty": archive(),
    }[kind]
    with pytest.raises(DownloadError, match=r"cannot be unpacked|is empty"):
        fetch_data("set.tar.gz", downloads=server.offer("set.tar.gz", content))
    assert left_in(kept) == []


def test_an_unknown_name_is_compared_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"did you mean 'sample_images.tar.gz'"):
        fetch_data("sample_images")


def test_the_table_names_the_sets_of_the_field() -> None:
    assert set(DOWNLOADS) == {
        "sample_images.tar.gz",
        "tid2013.tar.gz",
        "portilla_simoncelli_images.tar.gz",
        "MAD_results.tar.gz",
        "ssim_images.tar.gz",
    }
    assert all(entry.url.startswith("https://") for entry in DOWNLOADS.values())
    assert all(len(bytes.fromhex(entry.sha256)) == 32 for entry in DOWNLOADS.values())
    assert len({entry.sha256 for entry in DOWNLOADS.values()}) == len(DOWNLOADS)


def test_without_pooch_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(MissingExtra, match="pip install pooch"):
        fetch_data("tid2013.tar.gz")


@pytest.mark.long
def test_importing_the_package_reaches_for_no_network_and_no_folder(tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import stimsynth.images, stimsynth.images.fetch, stimsynth.plots.mad\n"
        "print({'pooch', 'matplotlib', 'requests', 'PIL'} & set(sys.modules))\n"
    )
    env = {
        "PYTHONPATH": ":".join(sys.path),
        DATA_DIR: str(tmp_path / "data"),
        "HOME": str(tmp_path),
    }
    result = fresh.run(["-c", code], env=env)
    assert result.stdout.strip() == "set()", result.stderr
    assert left_in(tmp_path) == []

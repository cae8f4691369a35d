"""Download data sets once, check their hashes, and unpack them safely."""

import gzip
import logging
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from stimsynth.images.downloads import DOWNLOADS, Download
from stimuli_store.disk.atomic import temporary_beside
from stimuli_store.errors import DownloadError, MissingExtra, unknown_name
from stimuli_store.tools.gates import a_text, takes
from stimuli_store.tools.progress import watched

#: Environment variable with the folder of downloads.
DATA_DIR = "STIMSYNTH_DATA_DIR"
_ARCHIVE = ".tar.gz"


@takes(dataset_name=a_text)
def fetch_data(dataset_name: str, *, downloads: Mapping[str, Download] = DOWNLOADS) -> Path:
    """Return the path of a data set, after downloading it if it is missing or changed.

    Files are kept in the folder in the environment variable STIMSYNTH_DATA_DIR, or else in the cache
    folder of the operating system. Every call compares the file with its hash.

    Parameters
    ----------
    dataset_name
        A key of `downloads`.
    downloads
        Table of data sets; a laboratory can give its own.

    Returns
    -------
    Path
        The file; for a ``.tar.gz`` the folder with the unpacked files (the deepest that contains all).

    Raises
    ------
    InputError
        If there is no such data set.
    DownloadError
        (also an OSError) if the server cannot be reached, a file has a wrong hash, or an archive cannot
        be unpacked or holds anything but plain files below its own folder. No partial files remain.
    MissingExtra
        If pooch is not installed.

    Examples
    --------
    With ``"ssim_images.tar.gz"`` this returns a folder. Without the extension:

    >>> fetch_data("ssim_images")
    Traceback (most recent call last):
    stimuli_store.errors.InputError: ... did you mean 'ssim_images.tar.gz'...
    """
    if dataset_name not in downloads:
        raise unknown_name("data set", dataset_name, sorted(downloads))
    pooch = _pooch()
    try:
        folder = Path(os.environ.get(DATA_DIR) or pooch.os_cache("stimsynth")).expanduser()
    except RuntimeError as error:  # an account without a home
        raise DownloadError(
            f"there is no home folder to keep {dataset_name} in; name a folder in {DATA_DIR}"
        ) from error
    wanted = downloads[dataset_name]
    file = _download(pooch, folder, dataset_name, wanted)
    if not dataset_name.endswith(_ARCHIVE):
        return file
    stem = dataset_name.removesuffix(_ARCHIVE)
    try:
        return _shared_folder(_unpack(file, folder / f"{stem}-{wanted.sha256[:8]}"))
    except DownloadError:
        file.unlink(missing_ok=True)
        raise


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise MissingExtra(
            "downloads need pooch, which is not installed: pip install pooch"
        ) from error
    return pooch


def _download(pooch: Any, folder: Path, name: str, wanted: Download) -> Path:
    """Return the path of a downloaded file in `folder`, whose hash was checked."""
    keeper = pooch.create(
        path=folder,
        base_url="",
        registry={name: f"sha256:{wanted.sha256}"},
        urls={name: wanted.url},
    )
    try:
        with _quiet(pooch.get_logger()):
            return Path(keeper.fetch(name, progressbar=watched()))
    except ValueError as error:  # pooch raises it for a wrong hash
        raise DownloadError(
            f"{name} from {wanted.url} has the wrong sha256, not {wanted.sha256}; try again, and if "
            "that does not help the file at its source has changed"
        ) from error
    except OSError as error:  # errors of requests are OSErrors too
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(
            f"{name} could not be downloaded from {wanted.url} ({reason}); without a network, put the "
            f"file at {folder / name} yourself"
        ) from error


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _unpack(archive: Path, target: Path) -> Path:
    """Return the folder `target` with the archive's files in it; it appears complete or not at all."""
    if target.is_dir():
        return target
    try:
        with temporary_beside(target) as scratch:
            scratch.mkdir()
            with tarfile.open(archive, "r:gz") as tar:
                for member in tar:
                    _extract(tar, member, scratch, archive.name)
            if not any(scratch.rglob("*")):
                raise DownloadError(f"{archive.name} is empty; report it to its authors")
            try:
                scratch.rename(target)
            except OSError:
                if not target.is_dir():  # else another process was first, with the same files
                    raise
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DownloadError(f"{archive.name} cannot be unpacked: {error}") from error
    return target


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, shown: str) -> None:
    """Write one member of an archive, which must be a plain file or a folder, below `folder`."""
    inside = PurePosixPath(member.name)
    safe = not inside.is_absolute() and ".." not in inside.parts and "\\" not in member.name
    if not safe or ":" in member.name or not (member.isfile() or member.isdir()):
        raise DownloadError(
            f"{shown} holds {member.name!r}, which is not a plain file below its own folder; "
            "nothing was unpacked"
        )
    place = folder.joinpath(*inside.parts)
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None  # it is a plain file
    with source, place.open("wb") as out:
        shutil.copyfileobj(source, out)


def _shared_folder(folder: Path) -> Path:
    """Return the deepest folder that contains all files of `folder`."""
    while True:
        inside = list(folder.iterdir())
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        folder = inside[0]

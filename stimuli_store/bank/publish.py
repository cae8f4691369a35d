"""Publish banks: write each version once, completely, and never over an older one.

A version appears in one step: everything is written to a temporary file, read back and verified,
made durable, and only then linked to its name, which fails if the name is taken. A process that is
killed on the way leaves no version at all, or a complete one.
"""

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from stimuli_store.bank.contents import check_contents
from stimuli_store.bank.format import MAX_PIXEL_BYTES, BankHeader
from stimuli_store.bank.manifest import write_manifest
from stimuli_store.bank.reading import Bank, hdf5, open_bank, read_unchecked
from stimuli_store.disk.atomic import (
    fsync_directory,
    make_durable,
    temporary_beside,
    write_atomically,
)
from stimuli_store.errors import BankError, BankExists, InputError
from stimuli_store.records.canonical import as_master, pixel_id, sha256
from stimuli_store.records.predictions import Prediction
from stimuli_store.records.stimulus import Stimulus, StimulusRecord

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


def bank_path(directory: str | os.PathLike[str], name: str, version: str) -> Path:
    """Return the path of a version of a bank: ``DIRECTORY/NAME-VERSION.h5``."""
    return Path(directory) / f"{name}-{version}.h5"


def publish_bank(
    directory: str | os.PathLike[str],
    header: BankHeader,
    stimuli: Sequence[Stimulus],
    predictions: Sequence[Prediction] = (),
) -> Bank:
    """Publish a new version of a bank and return it, opened from the disk.

    Parameters
    ----------
    directory
        Where the file goes; made if missing.
    header
        Name, version, licence, colour, models.
    stimuli
        In the order of the manifest. Pages and rows are filled in here.
    predictions
        Rows for the manifest, in order.

    Raises
    ------
    BankExists
        If this version exists already; the file is not changed.
    InputError
        If pixels and record of a stimulus disagree, or the pixels exceed 1.5 GB.
    """
    path = bank_path(directory, header.name, header.version)
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_beside(path) as temporary:
        if path.exists():
            raise _exists(path)
        pages, records = _paginate(stimuli)
        check_contents(header, records, predictions)
        manifest = write_manifest(header, records, predictions)
        attributes = {
            "format": header.format,
            "name": header.name,
            "version": header.version,
            "content_sha256": sha256(manifest),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),  # not part of the identity
        }
        temporary.write_bytes(hdf5.bank_bytes(manifest, pages, attributes))
        make_durable(temporary)
        open_bank(temporary)
        temporary.chmod(0o444)
        _link(temporary, path)
    fsync_directory(path.parent)
    return open_bank(path, verify=False)


def write_job(path: Path, stimulus: Stimulus, environment: Mapping[str, str]) -> None:
    """Write one finished stimulus and its environment to a file of its own, which is complete or absent."""
    page = hdf5.page_of(stimulus.pixels)
    record = replace(stimulus.record, page=page, row=0)
    header = BankHeader(
        name="job", version="0.0.0", license=record.license, environments=(environment,)
    )
    manifest = write_manifest(header, [record], [])
    pages, attributes = {page: [stimulus.pixels]}, {"content_sha256": sha256(manifest)}
    write_atomically(path, hdf5.bank_bytes(manifest, pages, attributes))


def read_job(path: Path) -> tuple[Stimulus, Mapping[str, str]]:
    """Return the stimulus of a file of `write_job`, its pixels verified, and its environment."""
    bank = read_unchecked(path)
    (record,) = bank.records
    stimulus = Stimulus(pixels=bank.pixels(record.sha256), record=record)
    return stimulus, bank.header.environments[0]


def _paginate(
    stimuli: Sequence[Stimulus],
) -> tuple[dict[str, list[np.ndarray]], list[StimulusRecord]]:
    pages: dict[str, list[np.ndarray]] = {}
    rows: dict[str, int] = {}
    records = []
    for stimulus in stimuli:
        pixels, record = as_master(stimulus.pixels), stimulus.record
        if pixel_id(pixels) != record.sha256:
            raise InputError(f"the pixels of {record.name} do not match their record's hash")
        page = hdf5.page_of(pixels)
        images = pages.setdefault(page, [])
        if record.sha256 not in rows:
            rows[record.sha256] = len(images)
            images.append(pixels)
        records.append(replace(record, page=page, row=rows[record.sha256]))
    total = sum(image.nbytes for images in pages.values() for image in images)
    if total > MAX_PIXEL_BYTES:
        raise InputError(
            f"the pixels take {total / 1e9:.1f} GB and a bank file holds up to 1.5 GB; "
            "publish the stimuli as several banks"
        )
    return pages, records


def _link(temporary: Path, path: Path) -> None:
    """Link a finished file to its name, in one step that fails if the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise BankError(f"cannot publish {path}: {error.strerror}") from error
        _replace_under_lock(temporary, path)


def _replace_under_lock(temporary: Path, path: Path) -> None:
    """Rename a finished file under a lock file, for file systems that have no hard links."""
    lock = path.with_name(path.name + ".lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        raise BankError(
            f"{lock} exists, so another process is publishing {path.name}; if none is, remove this file"
        ) from None
    try:
        if path.exists():
            raise _exists(path)
        temporary.replace(path)
    finally:
        lock.unlink(missing_ok=True)


def _exists(path: Path) -> BankExists:
    return BankExists(
        f"{path} is already published, and a version is never overwritten; raise the version"
    )

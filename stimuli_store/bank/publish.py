"""Publish banks: write each version once, completely, and never over an older one.

A version appears in one step: everything is written to a temporary file, read back and verified,
made durable, and only then linked to its name, which fails if the name is taken. A process that is
killed on the way leaves no version at all, or a complete one.
"""

import errno
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from stimuli_store.bank import hdf5
from stimuli_store.bank.contents import check_contents
from stimuli_store.bank.format import MAX_PIXEL_BYTES, BankHeader
from stimuli_store.bank.manifest import write_manifest
from stimuli_store.bank.pixel_checks import check_pixels
from stimuli_store.bank.reading import Bank, open_bank, read_unchecked
from stimuli_store.disk.atomic import (
    fsync_directory,
    make_durable,
    temporary_beside,
    write_atomically,
)
from stimuli_store.disk.locks import lock_file
from stimuli_store.errors import BankError, BankExists, InputError
from stimuli_store.records.canonical import as_master, canonical_json, curves_id, sha256
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.stimulus import Stimulus, StimulusRecord
from stimuli_store.tasks.types import REFERENCE

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


def bank_path(directory: str | os.PathLike[str], name: str, version: str) -> Path:
    """Return the path of a version of a bank: ``DIRECTORY/NAME-VERSION.h5``."""
    return Path(directory) / f"{name}-{version}.h5"


def publish_bank(
    directory: str | os.PathLike[str],
    header: BankHeader,
    stimuli: Sequence[Stimulus],
    predictions: Predictions | None = None,
    *,
    log: Sequence[Mapping[str, Any]] = (),
) -> Bank:
    """Publish a new version of a bank and return it, opened from the disk.

    Parameters
    ----------
    directory
        Where the file goes; made if missing.
    header
        Name, version, licence, colour, models.
    stimuli
        In the order of the manifest: references first, members of a set in order. Pages, rows and places of
        loss curves are filled in here.
    predictions
        Distances and preferences of the header's models; None for none.
    log
        Facts of the build that are no part of the bank's identity, such as times.

    Returns
    -------
    Bank
        Verified.

    Raises
    ------
    BankExists
        If this version exists already; the file is not changed.
    BankError
        If records break the rules of their kind, or state something of pixels that is not true.
    InputError
        If the pixels exceed 1.5 GB, or a value is of no type that a manifest takes.

    Examples
    --------
    A bank of one image:

    >>> import tempfile
    >>> from stimuli_store.bank import describe_reference
    >>> leaf = describe_reference(np.full((8, 8), 0.5), "leaf", "CC0-1.0")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bank = publish_bank(folder, BankHeader(name="one", version="1.0.0", license="CC0-1.0"), [leaf])
    ...     bank.close()
    ...     bank.path.name, len(bank.records)
    ('one-1.0.0.h5', 1)
    """
    path = bank_path(directory, header.name, header.version)
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_beside(path) as temporary:
        if path.exists():
            raise _exists(path)
        temporary.write_bytes(_content(header, stimuli, predictions or Predictions(), log))
        make_durable(temporary)
        open_bank(temporary).close()
        temporary.chmod(0o444)
        _link(temporary, path)
    fsync_directory(path.parent)
    return open_bank(path, verify=False)


def write_job(
    path: Path, references: Sequence[Stimulus], stimuli: Sequence[Stimulus], seconds: float
) -> None:
    """Write the finished stimuli of one batch, with their targets, to a file that is complete or absent."""
    header = BankHeader(name="job", version="0.0.0", license="see the records")
    log = ({"seconds": round(seconds, 3)},)
    content = _content(header, [*references, *stimuli], Predictions(), log, whole=False)
    write_atomically(path, content)


def read_job(path: Path) -> tuple[tuple[Stimulus, ...], float]:
    """Return the stimuli of a file of `write_job`, without their targets, and the seconds they took.

    Raises
    ------
    BankError
        If the file is damaged.
    """
    bank = read_unchecked(path)
    try:
        bank.verify()
        stimuli = tuple(
            Stimulus(pixels=bank.pixels(r.sha256), record=r, losses=bank.losses(r.sha256))
            for r in bank.records
            if r.kind != REFERENCE
        )
        return stimuli, float(bank.log[0].get("seconds", 0)) if bank.log else 0.0
    finally:
        bank.close()


def _content(
    header: BankHeader,
    stimuli: Sequence[Stimulus],
    predictions: Predictions,
    log: Sequence[Mapping[str, Any]],
    *,
    whole: bool = True,
) -> memoryview:
    """Return the bytes of a file; of a `whole` bank, once its contents follow all rules."""
    pages, records, curves = _paginate(stimuli)
    header = replace(header, curves_sha256=curves_id(curves))
    pixels = {stimulus.record.sha256: stimulus.pixels for stimulus in stimuli}
    if whole:
        check_contents(header, records, predictions)
    check_pixels(records, lambda sha: as_master(pixels[sha]))
    manifest = write_manifest(header, records, predictions)
    attributes = {
        "format": header.format,
        "name": header.name,
        "version": header.version,
        "content_sha256": sha256(manifest),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),  # not part of the identity
    }
    contents = hdf5.Contents(
        manifest=manifest,
        pages=pages,
        curves=curves,
        log=b"".join(canonical_json(line) + b"\n" for line in log),
        attributes=attributes,
    )
    return hdf5.bank_bytes(contents)


def _paginate(
    stimuli: Sequence[Stimulus],
) -> tuple[dict[str, list[np.ndarray]], list[StimulusRecord], np.ndarray]:
    """Return the pages of pixels by name, the records with their places in them, and all loss curves."""
    pages: dict[str, list[np.ndarray]] = {}
    rows: dict[str, int] = {}
    records, curves, length = [], [np.empty(0, np.float32)], 0
    for stimulus in stimuli:
        pixels, record = as_master(stimulus.pixels), stimulus.record
        page = hdf5.page_of(pixels)
        images = pages.setdefault(page, [])
        if record.sha256 not in rows:
            rows[record.sha256] = len(images)
            images.append(pixels)
        count = len(stimulus.losses)
        place = (length, count) if count else (0, 0)
        records.append(replace(record, page=page, row=rows[record.sha256], curve=place))
        curves.append(np.asarray(stimulus.losses, np.float32))
        length += count
    total = sum(4 * math.prod(record.shape) for record in records)
    if total > MAX_PIXEL_BYTES:
        raise InputError(
            f"the pixels take {total / 1e9:.1f} GB and a bank file holds up to 1.5 GB; "
            "publish the stimuli as several banks"
        )
    return pages, records, np.concatenate(curves)


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
    """Rename a finished file under a lock, for file systems that have no hard links."""
    with lock_file(path) as held:
        if not held:
            raise BankError(
                f"cannot publish {path}: another process is publishing it, or its folder takes no locks; try "
                "again, or on a local disk"
            )
        if path.exists():
            raise _exists(path)
        temporary.replace(path)


def _exists(path: Path) -> BankExists:
    return BankExists(
        f"{path} is already published, and a version is never overwritten; raise the version"
    )

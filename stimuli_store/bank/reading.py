"""Open banks: verify them, and read pixels on request."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from stimuli_store.bank import hdf5
from stimuli_store.bank.contents import check_contents
from stimuli_store.bank.format import FORMAT, BankHeader, Pin, parse_pin
from stimuli_store.bank.manifest import parse_manifest
from stimuli_store.errors import BankError, PinMismatch, unknown_name
from stimuli_store.frames import Frame, quantize
from stimuli_store.records.canonical import pixel_id, sha256
from stimuli_store.records.predictions import Distances, Prediction, distances_of
from stimuli_store.records.stimulus import StimulusRecord


class Bank:
    """A published version of a stimulus bank, opened by `open_bank`.

    Attributes
    ----------
    path
        The file.
    header
        Name, version, licence, colour, and the models whose predictions are stored.
    version_id
        SHA-256 of the manifest, which covers pixels, metadata, order and parent.
    records
        All stimuli, in the manifest's order.
    predictions
        Distances of every stored model for every pair that a design can show.
    """

    def __init__(self, path: Path, manifest: bytes) -> None:
        self.path = path
        self.version_id = sha256(manifest)
        self.header: BankHeader
        self.records: tuple[StimulusRecord, ...]
        self.predictions: tuple[Prediction, ...]
        self.header, self.records, self.predictions = parse_manifest(manifest)

    @property
    def pin(self) -> str:
        """``name@version#hash``, the exact name of this bank for designs and trial rows."""
        return str(
            Pin(name=self.header.name, version=self.header.version, hash=self.version_id[:16])
        )

    @cached_property
    def by_id(self) -> Mapping[str, StimulusRecord]:
        """Stimulus records by pixel id."""
        return {record.sha256: record for record in self.records}

    @cached_property
    def sets(self) -> Mapping[str, tuple[StimulusRecord, ...]]:
        """Metamer sets: records by set label, members in order, without the target (see `references`)."""
        sets: dict[str, list[StimulusRecord]] = {}
        for record in self.records:
            if record.kind != "reference":
                sets.setdefault(record.set, []).append(record)
        return {label: tuple(members) for label, members in sets.items()}

    @cached_property
    def references(self) -> Mapping[str, StimulusRecord]:
        """Records of the target images by pixel id."""
        return {r.sha256: r for r in self.records if r.kind == "reference"}

    @property
    def model_labels(self) -> tuple[str, ...]:
        """Labels of the models whose distances are stored."""
        return tuple(model.label for model in self.header.models)

    def distances(self, model: str) -> Distances:
        """Return one model's distances by unordered pair of pixel ids."""
        if model not in self.model_labels:
            raise unknown_name(f"model in {self.pin}", model, list(self.model_labels))
        return distances_of(self.predictions, model)

    def pixels(self, sha: str) -> np.ndarray:
        """Return the master pixels (float32) of a pixel id, checked against that id."""
        record = self._record(sha)
        pixels = hdf5.read_row(self.path, record.page, record.row)
        if pixel_id(pixels) != sha:
            raise BankError(f"{self.path}: the pixels of {record.name} do not match their hash")
        return pixels

    def frame(self, sha: str) -> Frame:
        """Return the 8-bit frame of a pixel id, checked against its certificate."""
        frame = quantize(self.pixels(sha))
        if frame.sha256 != self._record(sha).certificate.frame_sha256:
            raise BankError(
                f"{self.path}: the frame of {self._record(sha).name} is not the one certified"
            )
        return frame

    def verify(self) -> None:
        """Check that every image of the file matches its pixel id.

        Raises
        ------
        BankError
            At the first image that differs.
        """
        for record, pixels in zip(
            self.records,
            hdf5.iter_rows(self.path, [(r.page, r.row) for r in self.records]),
            strict=True,
        ):
            if pixel_id(pixels) != record.sha256:
                raise BankError(f"{self.path}: the pixels of {record.name} do not match their hash")

    def _record(self, sha: str) -> StimulusRecord:
        try:
            return self.by_id[sha]
        except KeyError:
            raise BankError(f"{self.pin} holds no stimulus with the pixel id {sha[:16]}…") from None


def read_unchecked(path: str | os.PathLike[str]) -> Bank:
    """Return a bank after checking only the file's structure and its manifest's hash."""
    path = Path(path)
    manifest, stated = hdf5.read_manifest(path)
    if stated != sha256(manifest):
        raise BankError(
            f"{path}: the manifest does not match its recorded hash; the file was altered"
        )
    return Bank(path, manifest)


def open_bank(path: str | os.PathLike[str], pin: str | None = None, *, verify: bool = True) -> Bank:
    """Open a bank file; check its structure, its manifest and, unless `verify` is False, every pixel.

    Parameters
    ----------
    path
        ``NAME-VERSION.h5``.
    pin
        ``name@version#hash``; the bank must be exactly this one.
    verify
        Whether to read and hash every image now (about a second per gigabyte).

    Raises
    ------
    BankError
        If the file is missing, truncated, altered, not a bank, or unsafe to open.
    PinMismatch
        If it is a good bank, but another one than `pin` names.
    """
    path = Path(path)
    wanted = parse_pin(pin) if pin is not None else None
    manifest, stated = hdf5.read_manifest(path)
    if stated != sha256(manifest):
        raise BankError(
            f"{path}: the manifest does not match its recorded hash; the file was altered"
        )
    bank = Bank(path, manifest)
    if bank.header.format != FORMAT:
        raise BankError(f"{path} is in format {bank.header.format}; this release reads {FORMAT}")
    check_contents(bank.header, bank.records, bank.predictions)
    if wanted is not None and str(wanted) != bank.pin:
        raise PinMismatch(f"{path} is {bank.pin}, but the pin asks for {wanted}")
    if verify:
        bank.verify()
    return bank

"""Open banks: verify them, and read pixels on request."""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli_store.bank.contents import check_contents
from stimuli_store.bank.format import FORMAT, BankHeader, Pin, parse_pin
from stimuli_store.bank.hdf5 import BankFile
from stimuli_store.bank.manifest_reading import parse_manifest, uncollected
from stimuli_store.errors import BankError, PinMismatch, unknown_name
from stimuli_store.frames import Frame, quantize
from stimuli_store.records.canonical import curves_id, pixel_id, sha256
from stimuli_store.records.predictions import Distances, Predictions, Preferences
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.tools.shown import ShownGroups

if TYPE_CHECKING:
    import pandas as pd

_SHA = re.compile("[0-9a-f]{64}")


class Bank:
    """A published version of a stimulus bank, opened by `open_bank`.

    Parameters
    ----------
    file
        The open file, from which pixels are read on request.
    manifest
        Its manifest, JSON lines in UTF-8.

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
        Distances and preferences of every stored model.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> len(bank.records), bank.header.name, list(bank.sets)[0]
    (18, 'study', 'leaf/window_px=4')
    """

    def __init__(self, file: BankFile, manifest: bytes | bytearray) -> None:
        self.path, self._file = file.path, file
        self.version_id = sha256(manifest)
        self.header: BankHeader
        self.records: tuple[StimulusRecord, ...]
        self.predictions: Predictions
        self.header, self.records, self.predictions = parse_manifest(manifest)

    def __repr__(self) -> str:
        counts = Counter(record.kind for record in self.records)
        return f"<Bank {self.pin}: {', '.join(f'{n} {kind}' for kind, n in counts.items())}>"

    def _repr_html_(self) -> str:
        from stimuli_store.pictures.in_notebook import bank_in_html

        return bank_in_html(self)

    def __getitem__(self, name: str) -> "tuple[StimulusRecord, ...] | StimulusRecord":
        """Return the records of a set by its label, or the record of a stimulus by its name.

        Raises
        ------
        InputError
            If there is neither; the nearest name is given.
        """
        found = self.select(name)
        return found if name in self.sets else found[0]

    def select(self, name: str) -> tuple[StimulusRecord, ...]:
        """Return the records of a set, or the one record of a stimulus or reference, by name.

        Raises
        ------
        InputError
            If there is neither; the nearest name is given.
        """
        if name in self.sets:
            return self.sets[name]
        if name in self.by_name:
            return (self.by_name[name],)
        known = dict.fromkeys([*self.sets, *self.by_name])
        raise unknown_name(f"set or stimulus in {self.pin}", name, list(known))

    def close(self) -> None:
        """Close the file; it is opened again when pixels are next read."""
        self._file.close()

    @property
    def pin(self) -> str:
        """``name@version#hash``, the exact name of this bank for designs and trial rows."""
        return str(
            Pin(name=self.header.name, version=self.header.version, hash=self.version_id[:16])
        )

    @cached_property
    def log(self) -> tuple[Mapping[str, Any], ...]:
        """Records of the build that are not part of the bank's identity, such as times."""
        try:
            return tuple(dict(json.loads(line)) for line in self._file.log().splitlines())
        except (ValueError, TypeError, RecursionError) as error:
            raise BankError(f"{self.path}: its log cannot be read: {error}") from error

    @cached_property
    def by_id(self) -> Mapping[str, StimulusRecord]:
        """Stimulus records by pixel id."""
        return {record.sha256: record for record in self.records}

    @cached_property
    def by_name(self) -> Mapping[str, StimulusRecord]:
        """Stimulus records by name."""
        return {record.name: record for record in self.records}

    @cached_property
    def sets(self) -> Mapping[str, tuple[StimulusRecord, ...]]:
        """Records by set label, members in order, without the target (see `references`)."""
        sets: dict[str, list[StimulusRecord]] = {}
        for record in self.records:
            if record.kind != "reference":
                sets.setdefault(record.set, []).append(record)
        return ShownGroups({label: tuple(members) for label, members in sets.items()})

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
        self._check_model(model)
        return self.predictions.distances_of(model)

    def preferences(self, model: str) -> Preferences:
        """Return one model's preferences by (reference, a, b): positive where `a` is nearer."""
        self._check_model(model)
        return self.predictions.preferences_of(model)

    def _check_model(self, model: str) -> None:
        if model not in self.model_labels:
            raise unknown_name(f"model in {self.pin}", model, list(self.model_labels))

    def table(self) -> "pd.DataFrame":
        """Return a data frame with a row for every stimulus; figures are columns.

        Raises
        ------
        MissingExtra
            If pandas is not installed.
        """
        from stimuli_store.bank.table import stimuli_table

        return stimuli_table(self.records)

    def pixels(self, stimulus: str) -> np.ndarray:
        """Return the master pixels (float32) of a stimulus by name or pixel id, checked against it."""
        record = self._record(stimulus)
        pixels = self._file.image(record.page, record.row)
        if pixel_id(pixels) != record.sha256:
            raise BankError(f"{self.path}: the pixels of {record.name} do not match their hash")
        return pixels

    def frame(self, stimulus: str) -> Frame:
        """Return the 8-bit frame of a stimulus by name or pixel id, checked against its certificate."""
        record = self._record(stimulus)
        if not record.certificate.frame_sha256:
            raise BankError(f"{record.name} has no certified frame, so it cannot be shown")
        frame = quantize(self.pixels(stimulus))
        if frame.sha256 != record.certificate.frame_sha256:
            raise BankError(f"{self.path}: the frame of {record.name} is not the one certified")
        return frame

    def losses(self, stimulus: str) -> np.ndarray:
        """Return the loss at every step of a synthesis, float32; empty where nothing was synthesized."""
        start, count = self._record(stimulus).curve
        return self._file.curves(start, start + count)

    def verify(self) -> None:
        """Read every image and all loss curves and compare them with their identities.

        Raises
        ------
        BankError
            At the first image that differs.
        """
        seen: dict[tuple[str, int], str] = {}
        for record in self.records:
            place = (record.page, record.row)
            if seen.setdefault(place, record.sha256) != record.sha256:
                raise BankError(f"{self.path}: {record.name} shares its pixels with another image")
        for (page, row), sha in seen.items():
            if pixel_id(self._file.image(page, row)) != sha:
                name = self.by_id[sha].name
                raise BankError(f"{self.path}: the pixels of {name} do not match their hash")
        curves = self._file.curves()
        if self.header.curves_sha256 != curves_id(curves):
            raise BankError(f"{self.path}: the loss curves do not match their hash")
        if any(sum(record.curve) > len(curves) for record in self.records):
            raise BankError(f"{self.path} holds no loss curve of some of its stimuli")

    def _record(self, stimulus: str) -> StimulusRecord:
        found = self.by_id.get(stimulus) or self.by_name.get(stimulus)
        if found is None:
            shown = (
                f"pixel id {stimulus[:16]}…" if _SHA.fullmatch(stimulus) else f"name {stimulus!r}"
            )
            raise BankError(f"{self.pin} holds no stimulus with the {shown}")
        return found


def read_unchecked(path: str | os.PathLike[str]) -> Bank:
    """Load a bank file after checking its structure and its manifest's hash only."""
    file = BankFile(Path(path))
    try:
        manifest, stated = file.manifest()
        if stated != sha256(manifest):
            raise BankError(
                f"{path}: the manifest does not match its recorded hash; the file was altered"
            )
        return Bank(file, manifest)
    except BaseException:
        file.close()
        raise


def _checked(path: str | os.PathLike[str]) -> Bank:
    bank = read_unchecked(path)
    try:
        if bank.header.format != FORMAT:
            raise BankError(
                f"{path} is in format {bank.header.format}; this release reads {FORMAT}"
            )
        check_contents(bank.header, bank.records, bank.predictions)
    except BaseException:
        bank.close()
        raise
    return bank


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

    Examples
    --------
    >>> bank = open_bank("study-1.0.0.h5")
    >>> len(bank.records)
    18
    >>> open_bank("study-1.0.0.h5", pin=bank.pin).header.version
    '1.0.0'
    """
    wanted = parse_pin(pin) if pin is not None else None
    with uncollected():
        bank = _checked(path)
    try:
        if wanted is not None and str(wanted) != bank.pin:
            raise PinMismatch(f"{path} is {bank.pin}, but the pin asks for {wanted}")
        if verify:
            bank.verify()
    except BaseException:
        bank.close()
        raise
    return bank

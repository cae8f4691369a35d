"""New versions made from an older one: stimuli added, replaced or retired, all others carried over.

What stays is copied byte for byte, pixels, records, loss curves and predictions alike, whatever code is
installed meanwhile. The new version names its parent and says what was changed.
"""

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from stimuli_store.bank.publish import publish_bank
from stimuli_store.bank.reading import Bank, read_unchecked
from stimuli_store.errors import InputError
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.spec import ModelRef
from stimuli_store.records.stimulus import Stimulus, StimulusRecord
from stimuli_store.tasks.types import REFERENCE

Directory = str | os.PathLike[str] | None


def open_donor(path: str | os.PathLike[str]) -> Bank:
    """Open a bank, or the file of one finished batch under ``jobs/``, as a source of stimuli.

    Parameters
    ----------
    path
        ``NAME-VERSION.h5``, or ``jobs/KEY.h5`` in the folder of a build.

    Raises
    ------
    BankError
        If the file is missing or damaged.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> len(open_donor("study-1.0.0.h5").records) == len(bank.records)
    True
    """
    donor = read_unchecked(path)
    try:
        donor.verify()
    except BaseException:
        donor.close()
        raise
    return donor


def add_stimuli(
    bank: Bank,
    donor: Bank,
    version: str,
    *,
    names: Sequence[str] = (),
    reason: str = "",
    directory: Directory = None,
) -> Bank:
    """Publish a new version of a bank with further stimuli from another bank.

    Parameters
    ----------
    bank
        The older version; its file is not changed.
    donor
        A bank, or a finished batch from `open_donor`. Targets that are lacking are added with their stimuli.
    version
        Of the new bank, as in ``"1.1.0"``.
    names
        Sets or stimuli of the donor; all for none.
    reason
        Kept with the change; may be empty.
    directory
        Folder of the new version; that of the older one for None.

    Returns
    -------
    Bank
        The new version, verified.

    Raises
    ------
    InputError
        If the donor has no set or stimulus of a name, or nothing that is not in the bank already.
    BankError
        If the new version breaks a rule, as when a name is taken.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import retire_stimuli
    >>> fewer = retire_stimuli(bank, "1.1.0", names=["leaf/window_px=4/seed=0"], reason="a visible edge")
    >>> more = add_stimuli(fewer, bank, "1.2.0", names=["leaf/window_px=4/seed=0"], reason="it was none")
    >>> len(more.records) == len(bank.records)
    True
    """
    wanted = _named(donor, names) if names else list(donor.records)
    targets = {target for record in wanted for target in record.targets}
    wanted += [r for sha, r in donor.references.items() if sha in targets and r not in wanted]
    known = {(r.name, r.sha256) for r in bank.records}
    new = [
        record
        for record in wanted
        if (record.name, record.sha256) not in known
        and not (record.kind == REFERENCE and record.sha256 in bank.references)
    ]
    if not new:
        raise InputError(f"{donor.pin} has nothing to add: all that was asked for is in {bank.pin}")
    taken = sorted({r.name for r in new} & {r.name for r in bank.records})
    if taken:
        raise InputError(
            f"{bank.pin} has another stimulus {taken[0]!r}; replace it, or build the new one under "
            "another name"
        )
    change = _sentence(f"added {_listed(new)} of {donor.pin}", reason)
    return _published(bank, _all_of(bank) + [(donor, r) for r in new], version, change, directory)


def replace_stimuli(
    bank: Bank,
    donor: Bank,
    version: str,
    *,
    names: Sequence[str],
    reason: str,
    directory: Directory = None,
) -> Bank:
    """Publish a new version in which stimuli of another bank replace those with the same names.

    Parameters
    ----------
    bank, donor, version, directory
        As for `add_stimuli`.
    names
        Sets or stimuli, which both banks have.
    reason
        Kept with the change.

    Raises
    ------
    InputError
        If a bank has no set or stimulus of a name, the two have the same there, or there is no reason.
    BankError
        If the new version breaks a rule, as when the target of a new stimulus is not in the bank.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> replace_stimuli(bank, bank, "1.1.0", names=["leaf/window_px=4"], reason="made again")
    Traceback (most recent call last):
        ...
    stimuli_store.errors.InputError: study@1.0.0#... replaces nothing: ...
    """
    _check_reason(reason)
    old, new = _named(bank, names), _named(donor, names)
    if _same(old, new):
        raise InputError(f"{donor.pin} replaces nothing: {_listed(old)} is the same in {bank.pin}")
    out = {record.name for record in old}
    places = {record.name: place for place, record in enumerate(bank.records)}
    after = max(places[record.name] for record in old)
    kept = [(place, (bank, r)) for place, r in enumerate(bank.records) if r.name not in out]
    come = [(places.get(record.name, after), (donor, record)) for record in new]
    ordered = [entry for _, entry in sorted(kept + come, key=lambda entry: entry[0])]
    change = _sentence(f"replaced {_listed(old)} by those of {donor.pin}", reason)
    return _published(bank, ordered, version, change, directory)


def retire_stimuli(
    bank: Bank, version: str, *, names: Sequence[str], reason: str, directory: Directory = None
) -> Bank:
    """Publish a new version without some stimuli.

    Parameters
    ----------
    bank, version, directory
        As for `add_stimuli`.
    names
        Sets or stimuli.
    reason
        Kept with the change.

    Raises
    ------
    InputError
        If the bank has no set or stimulus of a name, or there is no reason.
    BankError
        If what stays breaks a rule, as when the target of a stimulus is retired without it.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> newer = retire_stimuli(bank, "1.1.0", names=["leaf/window_px=4/seed=0"], reason="a visible edge")
    >>> len(bank.records) - len(newer.records)
    1
    """
    _check_reason(reason)
    old = _named(bank, names)
    out = {record.name for record in old}
    kept = [(owner, record) for owner, record in _all_of(bank) if record.name not in out]
    change = _sentence(f"retired {_listed(old)}", reason)
    return _published(bank, kept, version, change, directory)


_Entry = tuple[Bank, StimulusRecord]


def _all_of(bank: Bank) -> list[_Entry]:
    return [(bank, record) for record in bank.records]


def _named(bank: Bank, names: Iterable[str]) -> list[StimulusRecord]:
    """Return the records of the sets and stimuli with these names, in the bank's order."""
    chosen = {record.name for name in names for record in bank.select(name)}
    return [record for record in bank.records if record.name in chosen]


def _same(old: Sequence[StimulusRecord], new: Sequence[StimulusRecord]) -> bool:
    """Return whether records are equal, wherever their stimuli lie in sets and files."""
    one, two = (
        [replace(record, member=0, page="", row=0, curve=(0, 0)) for record in records]
        for records in (old, new)
    )
    return one == two


def _check_reason(reason: str) -> None:
    if not reason.strip() or not reason.isprintable():
        raise InputError(
            f"give the reason for the change as one line of text, which the bank keeps; not {reason!r}"
        )


def _listed(records: Sequence[StimulusRecord]) -> str:
    """Return the names of a few stimuli, or of their sets where there are many, as text."""
    names = [record.name for record in records]
    if len(names) > 8:
        names = list(dict.fromkeys(record.set for record in records))
    return ", ".join(names) if len(names) <= 8 else f"{len(records)} stimuli"


def _sentence(change: str, reason: str) -> str:
    return f"{change}: {reason.strip()}" if reason.strip() else change


def _published(
    bank: Bank, entries: Sequence[_Entry], version: str, change: str, directory: Directory
) -> Bank:
    """Publish stimuli of one or two banks as the next version of the first bank."""
    owners = dict.fromkeys(owner for owner, _ in entries)
    _check_scales(bank, owners)
    ids = frozenset(record.sha256 for _, record in entries)
    donors = (owner for owner in owners if owner is not bank)
    models, predictions, left_out = _predictions([bank, *donors], ids)
    changes = [change]
    for label in left_out:
        changes.append(
            f"predictions of {label!r} for what came in are left out: there, it is another model"
        )
    header = replace(
        bank.header,
        version=version,
        models=models,
        parent={
            "name": bank.header.name,
            "version": bank.header.version,
            "sha256": bank.version_id,
        },
        changes=tuple(changes),
        plan_sha256=None,  # what a plan asked for is the parent
    )
    folder = Path(directory) if directory is not None else bank.path.parent
    return publish_bank(folder, header, list(_in_order(entries)), predictions)


def _check_scales(bank: Bank, owners: Iterable[Bank]) -> None:
    """Check that no bank says another number of pixels per degree; one that says none goes with any."""
    here = bank.header.ppd
    for owner in owners:
        there = owner.header.ppd
        if here is not None and there is not None and here != there:
            raise InputError(
                f"the images of {owner.pin} are meant to be seen at {there:g} pixels per degree, and those "
                f"of {bank.pin} at {here:g}, so one bank cannot hold both"
            )


def _in_order(entries: Sequence[_Entry]) -> Iterator[Stimulus]:
    """Yield the stimuli in order, references first, then each set with its members renumbered."""
    references = [entry for entry in entries if entry[1].kind == REFERENCE]
    sets: dict[str, list[_Entry]] = {}
    for owner, record in entries:
        if record.kind != REFERENCE:
            sets.setdefault(record.set, []).append((owner, record))
    for group in [*([reference] for reference in references), *sets.values()]:
        yield from _carried(group)


def _carried(group: Sequence[_Entry]) -> Iterator[Stimulus]:
    for member, (owner, record) in enumerate(group):
        yield Stimulus(
            pixels=owner.pixels(record.sha256),
            record=replace(record, member=member),
            losses=owner.losses(record.sha256),
        )


def _predictions(
    banks: Sequence[Bank], ids: frozenset[str]
) -> tuple[tuple[ModelRef, ...], Predictions, tuple[str, ...]]:
    """Return models, their predictions for the stimuli in `ids`, and labels that two models share."""
    models: dict[str, ModelRef] = {}
    left_out: list[str] = []
    pairs, triples = [], []
    for bank in banks:
        other = frozenset(
            model.label
            for model in bank.header.models
            if models.setdefault(model.label, model).identity != model.identity
        )
        left_out += sorted(other)
        said = bank.predictions
        pairs.append((said.pairs, _without(said.distances, other)))
        triples.append((said.triples, _without(said.preferences, other)))
    kept_pairs, distances = _joined(pairs, ids, frozenset)
    kept_triples, preferences = _joined(triples, ids, tuple)
    found = Predictions(
        pairs=tuple(kept_pairs),
        distances=distances,
        triples=tuple(kept_triples),
        preferences=preferences,
    )
    return tuple(models.values()), found, tuple(left_out)


_Columns = Mapping[str, tuple[float | None, ...]]
_Key = TypeVar("_Key", bound=tuple[str, ...])


def _without(columns: _Columns, labels: frozenset[str]) -> _Columns:
    return {label: column for label, column in columns.items() if label not in labels}


def _joined(
    parts: Sequence[tuple[Sequence[_Key], _Columns]],
    ids: frozenset[str],
    identity: Callable[[_Key], Hashable],
) -> tuple[list[_Key], dict[str, tuple[float | None, ...]]]:
    """Return the keys within `ids` without duplicates, and their columns of values (the first counts)."""
    keys: dict[Hashable, _Key] = {}
    values: dict[str, dict[Hashable, float | None]] = {}
    for part, columns in parts:
        for key in part:
            if ids.issuperset(key):
                keys.setdefault(identity(key), key)
        for label, column in columns.items():
            known = values.setdefault(label, {})
            for key, value in zip(part, column, strict=True):
                known.setdefault(identity(key), value)
    return list(keys.values()), {
        label: tuple(known.get(key) for key in keys) for label, known in values.items()
    }

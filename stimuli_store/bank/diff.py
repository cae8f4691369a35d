"""Differences of two banks, stimulus by stimulus and field by field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from stimuli_store.bank.reading import Bank
from stimuli_store.records.convert import to_json
from stimuli_store.records.stimulus import StimulusRecord

_Key = TypeVar("_Key", frozenset[str], tuple[str, str, str])
_PLACES = ("page", "row", "curve")  # where things lie in a file says nothing of them


@dataclass(frozen=True, kw_only=True)
class Change:
    """Change of one field of a record: path, such as ``"certificate.figures.distance"``, and both values."""

    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.old)} -> {_shown(self.new)}"


@dataclass(frozen=True, kw_only=True)
class BankDiff:
    """Differences between two banks: added, removed and changed stimuli and predictions.

    Attributes
    ----------
    header
        Fields of the header.
    added, removed
        Names of stimuli that one of them has.
    changed
        Name of a stimulus of both to the fields that differ.
    predictions
        Label of a model to the numbers of its predictions that were added, removed and changed.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import diff_banks, retire_stimuli
    >>> newer = retire_stimuli(bank, "1.1.0", names=["leaf/window_px=4/seed=0"], reason="a visible edge")
    >>> diff_banks(bank, newer).removed
    ('leaf/window_px=4/seed=0',)
    """

    header: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, tuple[Change, ...]]
    predictions: Mapping[str, tuple[int, int, int]]

    def lines(self) -> Iterator[str]:
        """Yield the differences as lines of text."""
        yield from (str(change) for change in self.header)
        yield from (f"- {name}" for name in self.removed)
        yield from (f"+ {name}" for name in self.added)
        for name, changes in self.changed.items():
            yield f"~ {name}"
            yield from (f"    {change}" for change in changes)
        for label, (added, removed, changed) in self.predictions.items():
            yield f"predictions of {label}: {added} added, {removed} removed, {changed} changed"


def diff_banks(old: Bank, new: Bank) -> BankDiff:
    """Return the differences between two banks; stimuli are compared by name.

    Pixels that differ are given by their pixel ids, with the largest difference of a value.

    Parameters
    ----------
    old, new
        Two open banks; usually versions of one, but any two can be compared.

    Examples
    --------
    >>> from stimsynth import open_bank
    >>> bank = open_bank("study-1.0.0.h5")
    >>> from stimsynth import retire_stimuli
    >>> newer = retire_stimuli(bank, "1.1.0", names=["leaf/window_px=4/seed=0"], reason="a visible edge")
    >>> found = diff_banks(bank, newer)
    >>> len(found.removed), len(found.added)
    (1, 0)
    """
    labels = dict.fromkeys((*old.model_labels, *new.model_labels))
    predictions = {label: _counts(old, new, label) for label in labels}
    return BankDiff(
        header=tuple(_changes(to_json(old.header), to_json(new.header))),
        added=tuple(name for name in new.by_name if name not in old.by_name),
        removed=tuple(name for name in old.by_name if name not in new.by_name),
        changed=dict(_changed(old, new)),
        predictions={label: counts for label, counts in predictions.items() if any(counts)},
    )


def _changed(old: Bank, new: Bank) -> Iterator[tuple[str, tuple[Change, ...]]]:
    for name, record in old.by_name.items():
        if name not in new.by_name:
            continue
        changes = list(_changes(_fields(record), _fields(new.by_name[name])))
        if old.by_name[name].sha256 != new.by_name[name].sha256:
            changes += _moved(old.pixels(name), new.pixels(name))
        if not np.array_equal(old.losses(name), new.losses(name)):
            counts = [len(bank.losses(name)) for bank in (old, new)]
            changes.append(
                Change(field="losses", old=f"{counts[0]} values", new=f"{counts[1]} values")
            )
        if changes:
            yield name, tuple(changes)


def _fields(record: StimulusRecord) -> Mapping[str, Any]:
    whole = to_json(record)
    return {key: value for key, value in whole.items() if key not in _PLACES}


def _moved(old: np.ndarray, new: np.ndarray) -> Iterator[Change]:
    if old.shape == new.shape:
        distance = np.abs(old.astype(np.float64) - new)
        share = np.mean(distance > 0)
        yield Change(
            field="pixels", old="the same", new=f"{share:.1%} differ, by up to {distance.max():.3g}"
        )


def _changes(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            where = f"{path}.{key}" if path else str(key)
            yield from _changes(old.get(key), new.get(key), where)
    elif old != new:
        yield Change(field=path, old=old, new=new)


def _counts(old: Bank, new: Bank, label: str) -> tuple[int, int, int]:
    """Return the numbers of added, removed and changed predictions of a model."""
    one, two = old.predictions, new.predictions
    distances = _counted(one.distances_of(label), two.distances_of(label))
    preferences = _counted(one.preferences_of(label), two.preferences_of(label))
    added, removed, changed = (a + b for a, b in zip(distances, preferences, strict=True))
    return added, removed, changed


def _counted(old: Mapping[_Key, float], new: Mapping[_Key, float]) -> tuple[int, int, int]:
    both = old.keys() & new.keys()
    return len(new) - len(both), len(old) - len(both), sum(old[key] != new[key] for key in both)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(entry) for entry in value) or "none"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

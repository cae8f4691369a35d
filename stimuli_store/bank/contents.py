"""Checks that the records of a bank fit together: sets follow their kind, predictions name its stimuli."""

from collections.abc import Sequence

from stimuli_store.bank.format import BankHeader
from stimuli_store.bank.kinds import set_fault
from stimuli_store.errors import BankError
from stimuli_store.records.predictions import Predictions
from stimuli_store.records.stimulus import StimulusRecord
from stimuli_store.tasks.types import REFERENCE


def check_contents(
    header: BankHeader, records: Sequence[StimulusRecord], predictions: Predictions
) -> None:
    """Check a bank's contents against the rules of its kinds.

    Raises
    ------
    BankError
        Naming the first stimulus, set or prediction that does not fit.
    """
    references = {r.sha256 for r in records if r.kind == REFERENCE}
    names: dict[str, StimulusRecord] = {}
    sets: dict[str, list[StimulusRecord]] = {}
    for record in records:
        alone = record.targets == (record.sha256,)  # a picture from elsewhere may stand for itself
        if not alone and not references.issuperset(record.targets):
            raise _misfit(record, "its target is not in the bank")
        if names.setdefault(record.name, record) is not record:
            raise _misfit(record, "another stimulus has this name")
        if record.planned_start is not None and record.start in (None, record.planned_start):
            raise _misfit(record, "it states a planned start beside none or the same one")
        members = sets.setdefault(record.set, [])
        if record.member != len(members):
            raise _misfit(record, f"it is member {record.member} of its set, after {len(members)}")
        if members and members[0].kind != record.kind:
            raise _misfit(record, f"its set {record.set!r} is of kind {members[0].kind!r}")
        members.append(record)
    for label, members in sets.items():
        fault = set_fault(members)
        if fault:
            raise BankError(f"the set {label!r} does not fit into the bank: {fault}")
    _check_predictions(header, {r.sha256 for r in records}, predictions)


def _misfit(record: StimulusRecord, fault: str) -> BankError:
    return BankError(f"the stimulus {record.name!r} does not fit into the bank: {fault}")


def _check_predictions(header: BankHeader, ids: set[str], predictions: Predictions) -> None:
    labels = {model.label for model in header.models}
    for label in (*predictions.distances, *predictions.preferences):
        if label not in labels:
            raise BankError(f"a prediction of the model {label!r}, which is not in the header")
    if len({frozenset(pair) for pair in predictions.pairs}) != len(predictions.pairs):
        raise BankError("two predictions for the same pair")
    if len(set(predictions.triples)) != len(predictions.triples):
        raise BankError("two predictions for the same triple")
    if not {sha for row in (*predictions.pairs, *predictions.triples) for sha in row} <= ids:
        raise BankError("a prediction for a stimulus that is not in the bank")
    for label, values in predictions.distances.items():
        _check_length(label, values, len(predictions.pairs))
        least = min((value for value in values if value is not None), default=0.0)
        if not least >= 0:
            raise BankError(f"a distance of {label!r} must be 0 or more; not {least}")
    for label, values in predictions.preferences.items():
        _check_length(label, values, len(predictions.triples))


def _check_length(label: str, values: Sequence[float | None], wanted: int) -> None:
    if len(values) != wanted:
        raise BankError(f"the model {label!r} has {len(values)} predictions for {wanted} rows")

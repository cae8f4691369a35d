"""Check that the lines of a manifest fit together: sets with targets, predictions with pairs and models."""

from collections.abc import Sequence

from stimuli_store.bank.format import BankHeader
from stimuli_store.errors import BankError
from stimuli_store.records.predictions import Prediction
from stimuli_store.records.stimulus import KINDS, StimulusRecord


def check_contents(
    header: BankHeader, records: Sequence[StimulusRecord], predictions: Sequence[Prediction]
) -> None:
    """Check that every stimulus fits into its set and every prediction to its pair and model.

    Raises
    ------
    BankError
        Naming the first stimulus or prediction that does not fit.
    """
    references = {r.sha256 for r in records if r.kind == "reference"}
    places: dict[tuple[str, int], str] = {}
    sets: dict[str, StimulusRecord] = {}
    for record in records:
        fault = _record_fault(header, record, references)
        first = sets.setdefault(record.set, record)
        if fault is None and (first.target_sha256, first.level) != (
            record.target_sha256,
            record.level,
        ):
            fault = f"its set {record.set!r} has another target or level"
        if (
            fault is None
            and places.setdefault((record.set, record.member), record.name) != record.name
        ):
            fault = f"its set {record.set!r} already has a member {record.member}"
        if fault:
            raise BankError(f"the stimulus {record.name!r} does not fit into the bank: {fault}")
    _check_predictions(header, {r.sha256 for r in records}, predictions)


def _record_fault(header: BankHeader, record: StimulusRecord, references: set[str]) -> str | None:
    if record.kind not in KINDS:
        return f"its kind is {record.kind!r}, not one of {', '.join(KINDS)}"
    if record.target_sha256 not in references:
        return "its target is not in the bank"
    if record.kind == "metamer" and (record.level is None or record.model is None):
        return "a metamer needs a level and a model"
    if record.env is not None and not 0 <= record.env < len(header.environments):
        return "its environment is not in the header"
    return None


def _check_predictions(
    header: BankHeader, ids: set[str], predictions: Sequence[Prediction]
) -> None:
    labels = {model.label for model in header.models}
    seen = set()
    for row in predictions:
        if row.model not in labels:
            raise BankError(
                f"the bank has a prediction of the model {row.model!r}, which is not in its header"
            )
        if row.a not in ids or row.b not in ids:
            raise BankError(
                f"the bank has a prediction of {row.model!r} for a stimulus that it does not hold"
            )
        if not row.distance >= 0:
            raise BankError(
                f"a prediction of {row.model!r} is {row.distance}; a distance must be >= 0"
            )
        pair = (row.model, frozenset((row.a, row.b)))
        if pair in seen:
            raise BankError(f"the bank has two predictions of {row.model!r} for the same pair")
        seen.add(pair)

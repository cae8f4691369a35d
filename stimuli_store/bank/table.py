"""Stimuli of a bank as a data frame."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stimuli_store.errors import missing_extra
from stimuli_store.records.stimulus import StimulusRecord

if TYPE_CHECKING:
    import pandas as pd


def stimuli_rows(records: Sequence[StimulusRecord]) -> Iterator[dict[str, Any]]:
    """Yield a row of plain values for every stimulus: names first, hashes last, figures between them."""
    names = {record.sha256: record.name for record in reversed(records) if not record.spec}
    for record in records:
        level, certificate = record.level, record.certificate
        height, width, *channels = record.shape
        yield {
            "name": record.name,
            "set": record.set,
            "kind": record.kind,
            "member": record.member,
            "role": record.role,
            "target": ", ".join(names.get(sha, record.name) for sha in record.targets),
            "level": None if level is None else level.value,
            "unit": None if level is None else level.unit,
            "seed": None if record.start is None else record.start.seed,
            "height": height,
            "width": width,
            "channels": channels[0] if channels else 1,
            "status": certificate.status,
            "flags": "; ".join(record.flags),
            "license": record.license,
            "clipped_fraction": certificate.clipped_fraction,
            **certificate.figures,
            "sha256": record.sha256,
            "frame_sha256": certificate.frame_sha256,
        }


def stimuli_table(records: Sequence[StimulusRecord]) -> "pd.DataFrame":
    """Return `stimuli_rows` as a data frame.

    Raises
    ------
    MissingExtra
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise missing_extra("a table needs pandas", "analysis") from error
    return pd.DataFrame(list(stimuli_rows(records)))

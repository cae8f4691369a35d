"""Quality gates: limits for the figures of a stimulus, and the consequences of missing them."""

from collections.abc import Mapping

from stimsynth.engine.run import Status
from stimuli_store.bank.kinds import OTHER_THAN_TARGET
from stimuli_store.errors import InputError
from stimuli_store.records.stimulus import Certificate, StimulusRecord

_FINISHED = (Status.CONVERGED, Status.EXACT, Status.PRECISE)
#: Sentences on syntheses that did not come to their end.
UNFINISHED = frozenset(status.value for status in Status if status not in _FINISHED)


def misses(certificate: Certificate) -> tuple[str, ...]:
    """Return a sentence for every gate that a stimulus misses.

    A gate on a figure that only some members of a set have, such as the eigenvalue of a unit distortion,
    counts for those.
    """
    figures = {**certificate.figures, "clipped_fraction": certificate.clipped_fraction}
    return tuple(
        f"{name} is {figures[name]:.3g}, over the gate of {bound:g}"
        for name, bound in certificate.gates.items()
        if name in figures and not abs(figures[name]) <= bound
    )


def remarks(certificate: Certificate) -> tuple[str, ...]:
    """Return sentences on a stimulus for readers of a bank: missed gates, and an unfinished synthesis."""
    unfinished = certificate.status in UNFINISHED
    return misses(certificate) + ((f"unfinished: {certificate.status}",) if unfinished else ())


def check_other_than_target(record: StimulusRecord, targets: Mapping[str, str]) -> None:
    """Check that a stimulus is another picture than its target, where its kind asks for that.

    Parameters
    ----------
    record
        The stimulus.
    targets
        Names of targets by pixel id.

    Raises
    ------
    InputError
        If they are equal in every pixel: a bank could not hold it.
    """
    if record.kind not in OTHER_THAN_TARGET or record.sha256 not in record.targets:
        return
    labels = " and ".join(dict.fromkeys(model.label for model in record.models.values()))
    where, remedy = "", f"take another model than {labels}"
    if record.level is not None:
        where, remedy = f" at {record.level}", "leave this level out"
    raise InputError(
        f"{labels} kept all of {targets[record.sha256]!r}{where}: the {record.kind} {record.name!r} is its "
        f"own target in every pixel; {remedy}, or leave out this picture"
    )

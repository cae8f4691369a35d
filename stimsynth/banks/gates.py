"""Quality gates: limits for the figures of a stimulus, and the consequences of missing them."""

from stimsynth.engine.run import Status
from stimuli_store.records.stimulus import Certificate

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

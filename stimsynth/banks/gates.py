"""Quality gates: conditions on a stimulus, and the consequence where one does not hold."""

from stimuli_store.records.stimulus import Certificate

#: Ends of a synthesis that ran out of steps, in part.
UNFINISHED = ("out of steps", "interrupted", "not finite")


def misses(certificate: Certificate) -> tuple[str, ...]:
    """Return a sentence for every gate that a stimulus misses.

    A gate on a figure that only some members of a set have, such as the eigenvalue of a unit distortion,
    counts for those.
    """
    figures = {**certificate.figures, "clipped_fraction": certificate.clipped_fraction}
    found = [
        f"{name} is {figures[name]:.3g}, over the gate of {bound:g}"
        for name, bound in certificate.gates.items()
        if name in figures and not abs(figures[name]) <= bound
    ]
    if any(sign in certificate.status for sign in UNFINISHED):
        found.append(f"unfinished: {certificate.status}")
    return tuple(found)

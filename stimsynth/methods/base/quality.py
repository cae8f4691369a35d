"""Whether a synthesis came out well: what a person would check by eye, as numbers and a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

from stimsynth.engine.run import Status


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What can be said of one item of a synthesis.

    Attributes
    ----------
    good
        Whether it can be used as it is.
    verdict
        The sentence on it: what is right, or what is not and what would help.
    figures
        Name to number.
    status
        How the run ended, as a member of an enumeration whose value is a sentence.
    """

    good: bool
    verdict: str
    figures: Mapping[str, float]
    status: Status

    def __str__(self) -> str:
        numbers = ", ".join(f"{name} {value:.3g}" for name, value in self.figures.items())
        return f"{'good' if self.good else 'NOT good'}: {self.verdict} ({numbers}; {self.status.value})"


def judge(findings: Mapping[str, bool], figures: Mapping[str, float], status: Status) -> Quality:
    """Return the quality of an item from what was found.

    Parameters
    ----------
    findings
        Sentence to whether it applies; the first that does is the verdict, and no praise.
    figures, status
        As in `Quality`.

    Examples
    --------
    >>> from stimsynth.engine.run import Status
    >>> print(judge({"it drifts; run longer": False}, {"drift": 1e-7}, Status.CONVERGED))
    good: nothing stands against it (drift 1e-07; converged: the objective no longer changes)
    """
    wrong = next((sentence for sentence, applies in findings.items() if applies), None)
    return Quality(
        good=wrong is None,
        verdict=wrong or "nothing stands against it",
        figures=dict(figures),
        status=status,
    )

"""Outcomes of fits of a psychometric function, each with the sentence shown to people."""

from enum import Enum


class FitStatus(Enum):
    """Outcome of a fit; the value is the sentence shown to people.

    Examples
    --------
    >>> from stimsynth import fit_psychometric
    >>> fit = fit_psychometric([1, 2, 4, 8, 16], [20, 22, 30, 37, 39], [40] * 5)
    >>> fit.status.name, fit_psychometric([1, 2], [10, 10], [20, 20]).status.name
    ('CONVERGED', 'AT_CHANCE')
    """

    CONVERGED = "the fit converged, and the threshold lies within the levels shown"
    EXTRAPOLATED = "the fit converged, but the threshold lies outside the levels shown"
    FALLING = "the fit converged, and the curve falls with the level as the answers do"
    UNDETERMINED = "the answers bound the threshold on neither side"
    UNREACHED = "the fitted curve stays below p; there is no threshold"
    EXCEEDED = (
        "the fitted curve is above p already where it is lowest; a threshold, if there is one, lies "
        "beyond the levels shown"
    )
    WRONG_WAY = (
        "answers get worse along the levels where the fitted curve gets better; turn `rising`"
    )
    BELOW_CHANCE = (
        "answers are below chance beyond doubt; are the keys, or right and wrong, swapped?"
    )
    AT_CHANCE = "the answers are not told apart from guessing; there is no threshold"
    ONE_LEVEL = (
        "answers at a single level cannot give a threshold; show two at least, or take their d'"
    )
    UNFINISHED = "the fit did not converge; do not use it"

    @property
    def is_found(self) -> bool:
        """True where the threshold lies among the levels shown."""
        return self in (FitStatus.CONVERGED, FitStatus.FALLING)

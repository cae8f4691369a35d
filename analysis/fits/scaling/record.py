"""Fitted critical scaling and gain with their intervals, and the outcome of the fit."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import LOG_AXIS
from analysis.curves.small_drawing import drawn_counts
from analysis.data.counts import Counts
from analysis.infer.estimates import Estimate
from analysis.observers.links import Link
from stimuli_store.tools import html


class ScalingStatus(Enum):
    """Outcome of a fit; the value is the sentence shown to people.

    Examples
    --------
    >>> from analysis import fit_critical_scaling
    >>> scalings = [0.2, 0.3, 0.4, 0.6, 0.8, 1.2]
    >>> found = fit_critical_scaling(scalings, [51, 50, 58, 72, 80, 88], [100] * 6)
    >>> found.status.name
    'CONVERGED'
    """

    CONVERGED = "the fit converged, and critical scaling lies within the levels shown"
    EXTRAPOLATED = "the fit converged, but critical scaling lies below the levels shown"
    BELOW = "answers are as good at the smallest levels as at the largest; critical scaling is below them"
    OPEN = "the answers set no lower end to critical scaling; show smaller levels"
    AT_CEILING = (
        "answers are at the ceiling at all levels; they determine neither critical scaling nor gain"
    )
    AT_CHANCE = (
        "answers are at chance at all levels; they determine neither critical scaling nor gain"
    )
    UNDETERMINED = "the answers determine neither critical scaling nor gain; show more levels"
    BELOW_CHANCE = (
        "answers are below chance beyond doubt; are the keys, or right and wrong, swapped?"
    )
    FALLING = (
        "answers get worse as the level rises; critical scaling describes answers that get better"
    )
    UNFINISHED = "the fit did not converge; do not use it"


@dataclass(frozen=True, kw_only=True, repr=False)
class ScalingFit:
    """Fitted critical scaling s₀ and gain α₀ of counts by level, with 95 % intervals.

    Attributes
    ----------
    critical, critical_low, critical_high
        s₀ in the unit of the levels with its 95 % profile interval, widened as in `Fit`; an end is
        0 or infinite if the data exclude no value on that side.
    gain, gain_low, gain_high
        α₀ (d' at very large windows) with its interval.
    lapse
        Probability of a random answer.
    log_likelihood, deviance, n_trials
        At the posterior mode; the deviance is against the observed proportions.
    counts
        Answers that were fitted, by level.
    link
        Relation between d' and proportion correct (`analysis.observers.links`).
    status
        A `ScalingStatus`.

    Examples
    --------
    >>> from analysis import fit_critical_scaling
    >>> scalings = [0.2, 0.3, 0.4, 0.6, 0.8, 1.2]
    >>> found = fit_critical_scaling(scalings, [51, 50, 58, 72, 80, 88], [100] * 6)
    >>> found.critical_low < found.critical < found.critical_high
    True
    """

    critical: float
    critical_low: float
    critical_high: float
    gain: float
    gain_low: float
    gain_high: float
    lapse: float
    log_likelihood: float
    deviance: float
    n_trials: int
    counts: Counts
    link: Link
    status: ScalingStatus

    def __repr__(self) -> str:
        values = (
            f"{name} {value:.3g} [{low:.3g}, {high:.3g}]"
            for name, value, low, high in (
                ("critical scaling", self.critical, self.critical_low, self.critical_high),
                ("gain", self.gain, self.gain_low, self.gain_high),
            )
        )
        return f"{', '.join(values)} ({self.status.name})"

    def _repr_html_(self) -> str:
        ends = Estimate(value=self.critical, low=self.critical_low, high=self.critical_high)
        gain = Estimate(value=self.gain, low=self.gain_low, high=self.gain_high)
        rows = [
            ("critical scaling [95 %]", ends),
            ("gain [95 %]", gain),
            ("lapse", f"{self.lapse:.3g}"),
            ("trials", self.n_trials),
            ("deviance", f"{self.deviance:.3g}"),
            ("task", f"{self.link.task}, {self.link.rule}"),
            ("status", self.status.value),
        ]
        drawn = drawn_counts(
            self.counts,
            LOG_AXIS,
            self.p_correct,
            self.critical,
            f"proportion correct by level, with the fitted curve and critical scaling {self.critical:.3g}",
        )
        return html.table((), rows) + drawn

    def dprime(self, level: ArrayLike) -> np.ndarray:
        """Return the fitted d' at each level (same shape)."""
        s = np.asarray(level, dtype=np.float64)
        above = s > self.critical
        rise = 1 - (np.where(above, self.critical, 0.0) / s) ** 2
        return np.where(above, self.gain, 0.0) * rise

    def p_correct(self, level: ArrayLike) -> np.ndarray:
        """Return the fitted proportion correct at each level (same shape)."""
        seen = self.link.p_correct(self.dprime(level))
        return (1 - self.lapse) * seen + self.lapse * self.link.guess

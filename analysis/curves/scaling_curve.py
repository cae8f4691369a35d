"""Critical scaling: d'(s) = α₀·max(0, 1 − s₀²/s²), put through the decision rule of a task.

Source: Freeman & Simoncelli (2011), Nature Neuroscience 14, equation 3 of the methods.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analysis.curves.smooth_table import SmoothTable, tabulate
from analysis.infer.likelihood import lapse_of
from analysis.observers.links import Link

CRITICAL, GAIN, LAPSE = 0, 1, 2
_LARGEST = 16.0  # d' at which a table of proportion correct ends


def link_table(link: Link) -> SmoothTable:
    """Return the table of proportion correct by d', for array modules."""
    return tabulate(lambda d: link.p_correct(d), -_LARGEST, _LARGEST, 3200)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScalingCurve:
    """Curve of critical scaling at natural logarithms of levels (..., L).

    Its parameters (..., 3) are log s₀, log α₀, and the unconstrained lapse rate.
    """

    link: Link
    log_levels: np.ndarray

    def terms(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities (..., L) and their derivatives (..., 3, L)."""
        gain = np.exp(np.clip(theta[..., [GAIN]], -20, 6))
        ratio = np.exp(np.minimum(2 * (theta[..., [CRITICAL]] - self.log_levels), 0.0))
        dprime = gain * (1 - ratio)
        lapse, lapse_slope = lapse_of(theta[..., [LAPSE]])
        seen, slope = self.link.p_correct(dprime), (1 - lapse) * self.link.slope(dprime)
        by_critical = np.where(ratio < 1, -2 * gain * ratio, 0.0) * slope
        parts = [by_critical, slope * dprime, (self.link.guess - seen) * lapse_slope]
        return (1 - lapse) * seen + lapse * self.link.guess, np.stack(parts, axis=-2)

    def formula(self, xp: Any, theta: Any) -> Any:
        """Return probabilities (..., L), computed by an array module."""
        gain = xp.exp(xp.clip(theta[..., GAIN, None], -20.0, 6.0))
        off = theta[..., CRITICAL, None] - xp.asarray(self.log_levels)
        dprime = gain * (1 - xp.exp(xp.minimum(2 * off, 0.0)))
        lapse = 1 / (1 + xp.exp(-xp.clip(theta[..., LAPSE, None], -30.0, 30.0)))
        return (1 - lapse) * self._table(xp, dprime) + lapse * self.link.guess

    @cached_property
    def _table(self) -> SmoothTable:
        return link_table(self.link)

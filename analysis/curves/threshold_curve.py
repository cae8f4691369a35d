"""The psychometric function by its threshold at a proportion correct, log2 width, and lapse rate."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analysis.curves.sigmoids import Sigmoid
from analysis.curves.smooth_table import SmoothTable, tabulate
from analysis.infer.likelihood import lapse_of, lapse_start
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_rate, a_share, check_fields

THRESHOLD, LOG_WIDTH, LAPSE = 0, 1, 2
_REACH = 0.98  # of the lapse rate with which a curve just reaches p
_TAIL = 11.0  # arcsinh of the last argument of a tabulated sigmoid


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdCurve:
    """Curve of a sigmoid at positions `x` (..., L), with a fixed guess rate.

    Its parameters (..., 3) are the threshold at `p`, log2 of the width (both in units of `x`), and the
    unconstrained lapse rate.
    """

    shape: Sigmoid
    x: np.ndarray
    guess: float
    p: float

    def __post_init__(self) -> None:
        check_fields(self, guess=a_rate, p=a_share)
        if not self.guess < self.p:
            raise InputError(
                "the proportion correct p of a threshold must lie between the guess rate and 1; "
                f"p={self.p!r} with guess={self.guess!r} was given"
            )

    @property
    def top(self) -> float:
        """Largest lapse rate; with it the curve still reaches p."""
        return _REACH * (1 - self.p)

    @property
    def lapse_start(self) -> float:
        """Unconstrained lapse rate to begin with."""
        return lapse_start(min(0.02, 0.3 * self.top), self.top)

    def terms(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities (..., L) and their derivatives (..., 3, L)."""
        width = np.exp2(np.clip(theta[..., [LOG_WIDTH]], -20, 20))
        lapse, lapse_slope = lapse_of(theta[..., [LAPSE]], self.top)
        room = 1 - self.guess - lapse
        share = (self.p - self.guess) / room
        anchor = self.shape.inverse(share)
        rate = self.shape.spread / width
        along = rate * (self.x - theta[..., [THRESHOLD]])
        z = along + anchor
        value, slope = self.shape.value(z), self.shape.slope(z) * room
        by_anchor = share / (room * np.maximum(self.shape.slope(anchor), 1e-12))
        by_lapse = (slope * by_anchor - value) * lapse_slope
        parts = [-slope * rate, -slope * along * np.log(2), by_lapse]
        return self.guess + room * value, np.stack(parts, axis=-2)

    def formula(self, xp: Any, theta: Any) -> Any:
        """Return probabilities (..., L), computed by an array module."""
        share, anchor = self._tables
        u = xp.clip(theta[..., LAPSE, None], -30.0, 30.0)
        room = 1 - self.guess - self.top / (1 + xp.exp(-u))
        width = xp.exp(np.log(2) * xp.clip(theta[..., LOG_WIDTH, None], -20.0, 20.0))
        rate = self.shape.spread / width
        z = anchor(xp, u) + rate * (xp.asarray(self.x) - theta[..., THRESHOLD, None])
        return self.guess + room * share(xp, xp.arcsinh(z))

    @cached_property
    def _tables(self) -> tuple[SmoothTable, SmoothTable]:
        """Sigmoid by arcsinh of its argument, and its argument at `p` by the unconstrained lapse rate."""

        def anchor(u: np.ndarray) -> np.ndarray:
            room = 1 - self.guess - lapse_of(u, self.top)[0]
            return self.shape.inverse((self.p - self.guess) / room)

        share = tabulate(lambda a: self.shape.value(np.sinh(a)), -_TAIL, _TAIL, 4000)
        return share, tabulate(anchor, -30.0, 30.0, 3000)

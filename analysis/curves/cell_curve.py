"""Curve of the answers of one person to one image, by a few parameters that vary between people and images.

A curve comes twice: with derivatives, for fits in numpy, and as one formula for any array module, for
sampling in JAX. Parameters are held on scales on which people differ by similar amounts: levels on the axis
in units of their range, logarithms of widths, of critical scaling and of its gain, the logit of a lapse
rate. Priors are densities on these scales.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis.infer.likelihood import Curve, LogPrior
from analysis.infer.mixed import Formula

Reported = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class CellCurve:
    """A curve with its K parameters.

    Attributes
    ----------
    positions
        Positions of the levels on the axis of the curve (..., L), all 0 where answers depend on no level.
    chance
        Proportion of right answers by guessing; 0 where fewer mean something.
    names
        Names of the parameters (K).
    curve
        Parameters (..., K) to probabilities (..., L) and derivatives (..., K, L).
    formula, log_prior
        Probabilities and log prior of an array module and parameters (..., K).
    prior
        Parameters (B, K) to log density, gradient and curvature.
    starts
        Parameters to begin with (M, K).
    scales
        Half-Cauchy scales (K,) of the standard deviations between people or images.
    integrated
        Parameters whose posterior is far from normal.
    vague
        Posterior standard deviation (K,) from which on a parameter counts as undetermined.
    units
        Factor of each standard deviation (K,) when it is reported.
    reported
        For each parameter, the function to the quantity that is reported.
    """

    positions: np.ndarray
    chance: float
    names: tuple[str, ...]
    curve: Curve
    formula: Formula
    prior: LogPrior
    log_prior: Formula
    starts: np.ndarray
    scales: np.ndarray
    vague: np.ndarray
    units: np.ndarray
    integrated: tuple[int, ...]
    reported: tuple[Reported, ...]


class CellModel(Protocol):
    """Model of the answers in every cell; its curve follows from the levels."""

    @property
    def levelled(self) -> bool:
        """True if answers depend on a level."""
        ...

    @property
    def varies(self) -> tuple[str, ...]:
        """Names of the parameters that vary between people and images unless said otherwise."""
        ...

    def at(self, levels: np.ndarray) -> CellCurve:
        """Return the curve at levels (..., L)."""
        ...

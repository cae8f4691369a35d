"""Make a `Fit` of each data set from the arrays of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.curves.axes import LOG_AXIS, axis_of, from_axis
from analysis.curves.parametrization import RATES, STEEPNESS, THRESHOLD
from analysis.curves.psychometric import PsychometricFunction
from analysis.data.counts import Counts
from analysis.fits.engine.batch import CountsBatch
from analysis.fits.engine.climbing import Modes
from analysis.fits.engine.quantities import Estimates
from analysis.fits.engine.settings import FitSettings
from analysis.fits.engine.shared import own_settings
from analysis.fits.fit import Fit, Posterior
from analysis.fits.fit_status import FitStatus

_FARTHEST = 20.0  # position of a curve's half that is kept, in ranges of the levels
_OCTAVES = 1000.0  # and on the log axis, so that the level is a number


@dataclass(frozen=True, kw_only=True)
class FoundFits:
    """Arrays (B,) of fits of a batch, and the modes of each sigmoid.

    `below`, `guessed` and `wrong_way` mark answers below chance, not told apart from it, and against the
    direction of the curve; `best` is the index of the best sigmoid.
    """

    batch: CountsBatch
    settings: FitSettings
    rising: np.ndarray
    below: np.ndarray
    guessed: np.ndarray
    wrong_way: np.ndarray
    modes: Sequence[Modes]
    best: np.ndarray
    log_likelihood: np.ndarray
    deviance: np.ndarray
    widening: np.ndarray
    threshold: Estimates


def assembled(found: FoundFits, row: int, counts: Counts) -> Fit:
    """Return the fit of one data set of a batch."""
    status = _status(found, row, counts)
    low, value, high = _ends(found, row, counts, status)
    modes = found.modes[found.best[row]]
    return Fit(
        function=function_of(modes, row, found),
        threshold=value,
        low=low,
        high=high,
        status=status,
        log_likelihood=float(found.log_likelihood[row]),
        deviance=float(found.deviance[row]),
        dispersion=float(found.widening[row]),
        posterior=_posterior(modes, row, found),
        counts=counts,
        settings=own_settings(found.settings, found.batch.pull[row]),
    )


def function_of(modes: Modes, row: int, found: FoundFits) -> PsychometricFunction:
    """Return the curve at the mode of one data set."""
    fixed, quantities = modes.parametrization.asymptotes, modes.quantities[row]
    free = fixed.shares @ quantities[RATES : RATES + len(fixed.names)]
    position = np.clip(quantities[THRESHOLD], -_FARTHEST, _FARTHEST)
    side = 1.0 if found.rising[row] else -1.0
    centre = found.batch.centre[row] + side * found.batch.span[row] * position
    axis = found.settings.axis
    if axis_of(axis) == LOG_AXIS:
        centre = np.clip(centre, -_OCTAVES, _OCTAVES)
    return PsychometricFunction(
        sigmoid=modes.parametrization.shape.name,
        threshold=float(from_axis(centre, axis)),
        width=float(np.exp2(quantities[STEEPNESS]) * found.batch.span[row]),
        guess=float(fixed.guess + free[0]),
        lapse=float(fixed.lapse + free[1]),
        axis=axis,
        rising=bool(found.rising[row]),
    )


def _ends(
    found: FoundFits, row: int, counts: Counts, status: FitStatus
) -> tuple[float, float, float]:
    """Return the threshold between its ends.

    Where there is no threshold the interval begins at the levels, not beyond them. A flat line at the guess
    rate never reaches p: its threshold is infinite, as is that end of the interval.
    """
    low, value, high = _read(found, row)
    least, most = float(counts.levels[0]), float(counts.levels[-1])
    bottom, top = (float(end) for end in from_axis([-np.inf, np.inf], found.settings.axis))
    if status is FitStatus.AT_CHANCE:
        low, value, high = (low, top, top) if found.rising[row] else (bottom, bottom, high)
    if value == top:
        return min(low, most), value, high
    return low, value, max(high, least) if value == bottom else high


def _read(found: FoundFits, row: int) -> tuple[float, float, float]:
    """Return the threshold of the best curve between its ends."""
    read = found.threshold
    return float(read.low[row]), float(read.value[row]), float(read.high[row])


def _status(found: FoundFits, row: int, counts: Counts) -> FitStatus:
    if found.below[row]:
        return FitStatus.BELOW_CHANCE
    if len(counts.levels) == 1:
        return FitStatus.ONE_LEVEL
    if found.wrong_way[row]:
        return FitStatus.WRONG_WAY
    value = _read(found, row)[1]
    bottom, top = from_axis([-np.inf, np.inf], found.settings.axis)
    exceeded = value == (bottom if found.rising[row] else top)
    # Where the guess rate is free, a flat line above p is no guessing.
    if found.guessed[row] and not (exceeded and isinstance(found.settings.guess, str)):
        return FitStatus.AT_CHANCE
    if value in (bottom, top):
        return FitStatus.EXCEEDED if exceeded else FitStatus.UNREACHED
    return _finite_status(found, row, counts)


def _finite_status(found: FoundFits, row: int, counts: Counts) -> FitStatus:
    """Return the status of a curve that passes p."""
    low, value, high = _read(found, row)
    bottom, top = from_axis([-np.inf, np.inf], found.settings.axis)
    if not found.modes[found.best[row]].rested[row]:
        return FitStatus.UNFINISHED
    if low == bottom and high == top:
        return FitStatus.UNDETERMINED
    if not counts.levels[0] <= value <= counts.levels[-1]:
        return FitStatus.EXTRAPOLATED
    turned = found.settings.rising is None and not found.rising[row]
    return FitStatus.FALLING if turned else FitStatus.CONVERGED


def _posterior(modes: Modes, row: int, found: FoundFits) -> Posterior:
    side = 1.0 if found.rising[row] else -1.0
    scale = np.ones(modes.quantities.shape[1])
    scale[THRESHOLD] = found.batch.span[row] * side
    mode = modes.quantities[row] * scale
    mode[THRESHOLD] += found.batch.centre[row]
    mode[STEEPNESS] += np.log2(found.batch.span[row])
    return Posterior(
        names=modes.parametrization.names,
        mode=mode,
        covariance=modes.covariance[row] * np.outer(scale, scale),
        log_density=float(modes.height[row]),
    )

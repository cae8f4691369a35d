"""Quantities of fitted curves in the units of the levels, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.curves.asymptotes import rates_of
from analysis.curves.axes import from_axis
from analysis.curves.parametrization import RATES, STEEPNESS, THRESHOLD, Steepness
from analysis.curves.starts import best_nodes, rates_to_try, steepness_to_try
from analysis.fits.engine.batch import CountsBatch
from analysis.fits.engine.climbing import modes_of, problem_of
from analysis.fits.engine.search import Quantity, SigmoidSearch, intervals, search
from analysis.fits.engine.settings import FitSettings
from analysis.infer.estimates import Estimate
from analysis.infer.likelihood import climb
from analysis.infer.profiles import highest


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Values (B,) of one quantity of B data sets, and the ends of their intervals (B,)."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def at(self, row: int) -> Estimate:
        """Return the estimate of one data set."""
        return Estimate(
            value=float(self.value[row]), low=float(self.low[row]), high=float(self.high[row])
        )


def estimates_of(
    batch: CountsBatch,
    settings: FitSettings,
    target: Quantity,
    rising: np.ndarray,
    drop: np.ndarray,
) -> Estimates:
    """Return a quantity of the best sigmoids, with intervals of profiles that fall by `drop` (B,)."""
    searches = [search(batch, settings, shape, target, rising) for shape in settings.shapes]
    return read_off(searches, batch, settings, target, rising, drop)


def read_off(
    searches: Sequence[SigmoidSearch],
    batch: CountsBatch,
    settings: FitSettings,
    target: Quantity,
    rising: np.ndarray,
    drop: np.ndarray,
) -> Estimates:
    """Return the target of several sigmoids' searches in its own unit; an interval holds its value."""
    best = np.argmax([one.modes.height for one in searches], axis=0), np.arange(len(rising))
    value = np.stack([one.value for one in searches])[best]
    low, high = intervals(searches, drop)
    parametrization = searches[0].problem.parametrization
    side = np.where(rising, 1.0, -1.0)
    found = []
    for c in (value, np.minimum(low, value), np.maximum(high, value)):
        with np.errstate(over="ignore"):
            if target.index == THRESHOLD:
                found.append(from_axis(batch.centre + side * batch.span * c, settings.axis))
            elif target.index >= RATES:
                top = parametrization.tops[target.index - RATES]
                rate = rates_of(c, top)[0]
                found.append(np.where(np.isinf(c), np.where(c > 0, top, 0.0), rate))
            elif parametrization.steepness is Steepness.WIDTH:
                found.append(np.exp2(c) * batch.span)
            else:
                found.append(side * np.exp2(c) / batch.span)
    turned = (side < 0) & (
        target.index == THRESHOLD or parametrization.steepness is Steepness.SLOPE
    )
    low, high = np.where(turned, found[::-1][:2], found[1:])
    return Estimates(value=found[0], low=low, high=high)


def profile_of(
    batch: CountsBatch, settings: FitSettings, p: float, rising: bool, positions: np.ndarray
) -> np.ndarray:
    """Return the highest profile of the threshold of one data set at positions on the axis (V,).

    It is 0 at the mode.
    """
    ways, heights = np.array([rising]), []
    places = (positions - batch.centre[0]) / batch.span[0] * (1.0 if rising else -1.0)
    order = np.argsort(places)
    tops = [modes_of(batch, settings, shape, ways).height[0] for shape in settings.shapes]
    for shape in settings.shapes:
        parametrization = settings.parametrization(shape, p)
        problem = problem_of(batch, settings, parametrization, ways)
        grids = [places[order], steepness_to_try(parametrization), *rates_to_try(parametrization)]
        nodes = best_nodes(problem, grids, THRESHOLD)
        others = tuple(range(1, len(parametrization.names)))
        found = climb(problem.rows(nodes.rows), nodes.x, others, tolerance=1e-9).value
        heights.append(found[highest(nodes.rows, nodes.columns, found)])
    made = np.empty(len(positions))
    made[order] = np.max(heights, axis=0) - max(tops)
    return np.minimum(made, 0.0)


def target_of(name: str, names: tuple[str, ...]) -> Quantity:
    """Return the target that stands for one of a curve's own parameters."""
    return Quantity(p=None, index=names.index(name))


def slope_target(p: float) -> Quantity:
    """Return the target that stands for the slope at a proportion."""
    return Quantity(p=p, steepness=Steepness.SLOPE, index=STEEPNESS)

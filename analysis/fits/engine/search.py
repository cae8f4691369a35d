"""Search for the posterior mode and the interval of one quantity of many data sets at once.

Each sigmoid of the settings is fitted to each data set. The best one gives the estimate; the interval
holds the values at which the highest of all profiles lies within the drop.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.curves.asymptotes import unconstrained
from analysis.curves.parametrization import (
    RATES,
    STEEPNESS,
    THRESHOLD,
    Parametrization,
    Steepness,
    coordinates_of,
    curves_at,
)
from analysis.curves.problem import PsychometricProblem
from analysis.curves.starts import best_nodes, heights_at, rates_to_try, steepness_to_try
from analysis.fits.engine.batch import CountsBatch
from analysis.fits.engine.climbing import Modes, modes_of, problem_of
from analysis.fits.engine.settings import FitSettings
from analysis.infer.likelihood import climb
from analysis.infer.profiles import Profiles, ends_of, profiles_of, with_points

_ELSEWHERE, _HARDLY_LOWER = 1.0, 1.5  # log2 of steepness; log posterior
_CHECKS, _HIGHER, _NEAR = (
    3,
    0.005,
    2.5,
)  # of ends of intervals; log posterior above and below the floor
_FLAT = 0.02  # of log posteriors that are taken as equal
_FINE = {Steepness.WIDTH: np.linspace(-8, 5, 27), Steepness.SLOPE: np.linspace(-7, 9, 33)}
_SHARES = np.concatenate([np.geomspace(1e-5, 0.3, 22), np.linspace(0.35, 0.999, 14)])


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Quantity whose interval is sought: a coordinate of a parametrization.

    Attributes
    ----------
    p
        Proportion that the coordinate speaks of; None for a parameter of the curve itself.
    steepness
        Meaning of the second coordinate.
    index
        Which coordinate.
    """

    p: float | None
    steepness: Steepness = Steepness.WIDTH
    index: int = THRESHOLD


@dataclass(frozen=True, kw_only=True)
class SigmoidSearch:
    """Modes and profiles of one sigmoid.

    Attributes
    ----------
    modes
        Posterior modes.
    problem, profiles
        Log posteriors in the target's coordinates, and their profiles with the modes among their points.
    value
        The target's coordinate at the modes (B,); infinite for a threshold that lies far beyond the levels or
        that the curve does not have.
    never, always
        Highest log posteriors (B,) of curves that stay below p, and above; minus infinity if there are none.
    """

    modes: Modes
    problem: PsychometricProblem
    profiles: Profiles
    value: np.ndarray
    never: np.ndarray
    always: np.ndarray


def search(
    batch: CountsBatch, settings: FitSettings, shape: str, target: Quantity, rising: np.ndarray
) -> SigmoidSearch:
    """Return the modes of one sigmoid and the profiles of a target."""
    parametrization = settings.parametrization(shape, target.p, target.steepness)
    problem = problem_of(batch, settings, parametrization, rising)
    nodes = best_nodes(problem, _grids(parametrization, target.index), target.index)
    profiles = profiles_of(problem, target.index, (nodes.rows, nodes.columns), nodes.x)
    best = profiles.x[np.arange(len(batch.x)), profiles.best]
    modes = modes_of(batch, settings, shape, rising, _hints(parametrization, profiles))
    never, always = _beyond(batch, settings, modes, target.p, rising)
    side = _side_of(modes, target.p)
    c = coordinates_of(parametrization, modes.quantities)
    value = c[:, target.index]
    inside = (side == 0) & (value > profiles.values[:, 0]) & (value < profiles.values[:, -1])
    if target.index == THRESHOLD:
        # Where a threshold far from the levels is as likely as the best, the answers have none.
        far = profiles.height[:, [0, -1]]
        inside &= far.max(axis=1) < modes.height - _FLAT
        above = np.where((side == 0) & ~inside, far[:, 1] > far[:, 0], value > 0)
        value = np.where(inside, value, np.where(above, np.inf, -np.inf))
    value = np.where(side == 0, value, np.copysign(np.inf, side))
    return SigmoidSearch(
        modes=modes,
        problem=problem,
        # A mode without such a value is replaced by a point that is there already.
        profiles=with_points(
            profiles,
            np.where(inside[:, None], c, best),
            np.where(inside, modes.height, profiles.top),
        ),
        value=value,
        never=never,
        always=always,
    )


def _side_of(modes: Modes, p: float | None) -> np.ndarray:
    """Return 1 where a mode stays below p, -1 where it stays above, and 0 where it passes p (B,)."""
    fixed = modes.parametrization.asymptotes
    if p is None:
        return np.zeros(len(modes.height))
    guess, room = fixed.guess_and_room(modes.quantities[:, RATES : RATES + len(fixed.names)])
    return (guess + room <= p).astype(float) - (guess >= p)


def _hints(parametrization: Parametrization, found: Profiles) -> tuple[np.ndarray, np.ndarray]:
    """Return data sets and quantities of the best points of profiles, and of others hardly lower.

    These are the best of those that are much steeper or flatter, as they may lie on another hill.
    """
    rows = np.arange(len(found.values))
    steep = found.x[:, :, STEEPNESS]
    other = np.abs(steep - steep[rows, found.best][:, None]) > _ELSEWHERE
    height = np.where(other, found.height, -np.inf)
    second, near = height.argmax(axis=1), height.max(axis=1) >= found.top - _HARDLY_LOWER
    x = np.concatenate([found.x[rows, found.best], found.x[rows, second][near]])
    return np.append(rows, rows[near]), curves_at(parametrization, x).quantities


def _grids(parametrization: Parametrization, index: int) -> list[np.ndarray | None]:
    """Return coarse nodes of all coordinates, and fine ones of the coordinate `index`."""
    grids = [None, steepness_to_try(parametrization), *rates_to_try(parametrization)]
    if index == STEEPNESS:
        grids[index] = _FINE[parametrization.steepness]
    if index >= RATES:
        top = parametrization.tops[index - RATES]
        grids[index] = unconstrained(_SHARES * top, top)
    return grids


def _beyond(
    batch: CountsBatch, settings: FitSettings, modes: Modes, p: float | None, rising: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest log posteriors (B,) of curves that never reach p, and that are always above it."""
    nothing = np.full(len(batch.x), -np.inf)
    if p is None:
        return nothing, nothing
    fixed = settings.asymptotes
    found = []
    for into, bound in (
        (fixed.in_lapse, 1 - fixed.lapse - p),
        (fixed.in_guess, p - fixed.guess),
    ):
        index = RATES + int(np.argmax([*into, 1.0]))
        exists = any(into) and bound < modes.parametrization.tops[index - RATES]
        found.append(_held(batch, settings, modes, (index, bound), rising) if exists else nothing)
    return found[0], found[1]


def _held(
    batch: CountsBatch,
    settings: FitSettings,
    modes: Modes,
    bound: tuple[int, float],
    rising: np.ndarray,
) -> np.ndarray:
    """Return the highest log posteriors (B,) of curves whose rate, a coordinate, is at its bound or above."""
    index, least = bound
    start = modes.coordinates.copy()
    start[:, index] = unconstrained(np.array(least), modes.parametrization.tops[index - RATES])
    problem = problem_of(batch, settings, modes.parametrization, rising)
    others = tuple(i for i in range(start.shape[1]) if i != index)
    found = climb(problem, start, others, tolerance=1e-3, max_steps=20)
    above = modes.quantities[:, index] >= least
    return np.where(above, modes.height, np.minimum(found.value, modes.height))


def intervals(searches: Sequence[SigmoidSearch], drop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends (B,) of the values at which the highest profile lies within `drop` (B,) of the mode.

    An end is infinite where curves without such a value are within the drop as well, or the data exclude no
    value on that side.
    """
    floor = np.max([one.modes.height for one in searches], axis=0) - drop
    ends = []
    for one in searches:
        low, high = _ends(one, floor)
        low = np.where(one.always >= floor, -np.inf, low)
        ends.append((low, np.where(one.never >= floor, np.inf, high)))
    low, high = np.min([e[0] for e in ends], axis=0), np.max([e[1] for e in ends], axis=0)
    return low, high


def _ends(one: SigmoidSearch, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where profiles cross their floors (B,), after looking for higher hills at these places."""
    low, high = ends_of(one.problem, one.profiles, floor)
    if one.profiles.index != THRESHOLD:
        return low, high
    left, profiles = np.arange(len(floor)), one.profiles
    for _ in range(_CHECKS):
        problem, higher = one.problem.rows(left), np.zeros(len(left), dtype=bool)
        for end in (low[left], high[left]):
            x, height = _elsewhere(problem, profiles, end, floor[left])
            better = height > floor[left] + _HIGHER
            best = profiles.x[np.arange(len(left)), profiles.best]
            profiles = with_points(
                profiles,
                np.where(better[:, None], x, best),
                np.where(better, height, profiles.top),
            )
            higher |= better
        left, profiles = left[higher], profiles.rows(higher)
        if not len(left):
            break
        low[left], high[left] = ends_of(one.problem.rows(left), profiles, floor[left])
    return low, high


def _elsewhere(
    problem: PsychometricProblem, found: Profiles, threshold: np.ndarray, floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best curves (B, K) with given thresholds and other widths than profiles have there.

    Their log posteriors (B,) are minus infinity where no such curve comes near the floor.
    """
    parametrization, rows = problem.parametrization, np.arange(len(threshold))
    near = np.abs(found.values - threshold[:, None]).argmin(axis=1)
    x = found.x[rows, near]
    grids = [np.zeros(1), steepness_to_try(parametrization), *rates_to_try(parametrization)]
    nodes = np.stack([g.ravel() for g in np.meshgrid(*grids, indexing="ij")], axis=1)
    other = np.abs(nodes[:, STEEPNESS] - x[:, [STEEPNESS]]) > _ELSEWHERE
    heights = np.where(other, heights_at(problem, nodes, threshold), -np.inf)
    tried = np.flatnonzero(heights.max(axis=1) > floor - _NEAR)
    height = np.full(len(rows), -np.inf)
    if len(tried):
        start = nodes[heights[tried].argmax(axis=1)]
        start[:, THRESHOLD] = threshold[tried]
        others = tuple(range(1, len(grids)))
        ended = climb(problem.rows(tried), start, others, tolerance=1e-4, max_steps=14)
        x[tried], height[tried] = ended.x, ended.value
    return x, height

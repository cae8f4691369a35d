"""Posteriors of psychometric functions on grids, many data sets at once.

All data sets share a first, coarse grid, on which their log likelihoods are one matrix product; each then
gets fine cells where its own mass is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import from_axis
from analysis.curves.parametrization import RATES, STEEPNESS, THRESHOLD, Parametrization
from analysis.curves.problem import PsychometricProblem
from analysis.curves.starts import same_levels
from analysis.data.kinds import given_fit
from analysis.fits.engine.batch import batch_of_arrays
from analysis.fits.engine.climbing import problem_of
from analysis.fits.engine.settings import FitSettings, directions, named_settings
from analysis.fits.fit import Fit
from analysis.infer.estimates import Estimate
from analysis.infer.grid import GridPosterior, box_of, middles, normalized
from analysis.infer.noise import EDGE
from stimuli_store.errors import InputError, unknown_name
from stimuli_store.tools.gates import (
    a_list,
    a_mapping,
    a_share,
    as_float,
    briefly,
    optional,
    takes,
)

_COARSE: Mapping[str, int] = {"threshold": 32, "width": 28, "lapse": 12, "guess": 12, "eta": 8}
_FINE: Mapping[str, int] = {"threshold": 48, "width": 32, "lapse": 20, "guess": 16, "eta": 10}
_ROUNDS, _NARROWER = 5, 0.6  # cells get finer while the mass lies in less than this part of a side
_BOUNDS: Mapping[
    str, tuple[float, float]
] = {  # in ranges of the levels from their middle; log2 of ranges
    "threshold": (-1.0, 1.0),
    "width": (-9.0, 4.5),
    "lapse": (0.0, 0.3),
    "guess": (0.0, 0.3),
    "eta": (0.0, 0.7),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CurvePosterior:
    """Posterior of the parameters of a psychometric function of one sigmoid.

    Attributes
    ----------
    grid
        Cells of ``threshold`` (position of the sigmoid's half on the axis), ``width`` (log2 of the width on
        the axis) and the free rates.
    parametrization, settings, rising
        The family of curves.
    """

    grid: GridPosterior
    parametrization: Parametrization
    settings: FitSettings
    rising: bool

    def __repr__(self) -> str:
        p, name = self.settings.p, self.parametrization.shape.name
        return f"CurvePosterior({self.threshold_at(p)} at {p:g}, {name}; {self.grid})"

    @takes(p=a_share)
    def threshold_at(self, p: float) -> Estimate:
        """Return the posterior median of the level at which the curve passes `p`, with its 95 % interval."""
        found = self.grid.estimate_of(self.positions_at(p))
        value, low, high = from_axis([found.value, found.low, found.high], self.settings.axis)
        return Estimate(value=float(value), low=float(low), high=float(high))

    def positions_at(self, p: float) -> np.ndarray:
        """Return the position on the axis at which the curve of each cell passes `p`; infinite if nowhere."""
        shape, n_rates = self.parametrization.shape, len(self.parametrization.asymptotes.names)
        position, width, *rates = np.ix_(*(middles(edges) for edges in self.grid.edges))
        guess, lapse = _asymptotes(self.parametrization, rates[:n_rates])
        share = np.asarray((p - guess) / (1 - guess - lapse))
        inside = np.clip(share, 1e-12, 1 - 1e-12)
        z = (shape.inverse(inside) - shape.median) / shape.spread
        z = np.where(share <= 0, -np.inf, np.where(share >= 1, np.inf, z))
        side = 1.0 if self.rising else -1.0
        return np.broadcast_to(position + side * np.exp2(width) * z, self.grid.mass.shape)


@takes(fit=given_fit)
def grid_posterior(fit: Fit) -> CurvePosterior:
    """Return the posterior of the data of a fit under its best sigmoid, with its priors.

    Parameters
    ----------
    fit
        From `fit_psychometric`; its counts, best sigmoid, fixed rates and priors are taken.

    Examples
    --------
    >>> from analysis.fits.fitting import fit_psychometric
    >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
    >>> found = grid_posterior(fit).threshold_at(0.75)
    >>> found.low < fit.threshold < found.high
    True
    """
    own = {**vars(fit.settings), "sigmoid": fit.function.sigmoid, "rising": fit.rising}
    given = fit.counts
    return grid_posteriors(given.levels, given.n_correct[None], given.n_trials, **own)[0]


@takes(bounds=optional(a_mapping))
def grid_posteriors(
    levels: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    **settings: Any,
) -> list[CurvePosterior]:
    """Return the posteriors of B data sets on grids.

    Parameters
    ----------
    levels, n_trials
        Shared by all data sets (L,), or one row each (B, L).
    n_correct
        Counts (B, L).
    bounds
        Lowest and highest value of parameters by name, beyond which their prior is 0: of the position on the
        axis, log2 of the width on the axis, and rates. Without them: half a range beyond the levels,
        widths from 1/512 to 22 ranges, guess and lapse rates up to 0.3, η up to 0.7.
    **settings
        As for `fit_psychometric`; `sigmoid` must name one.

    Raises
    ------
    InputError
        As for `fit_psychometric`, if several sigmoids are to be fitted, or a bound is of no free parameter.

    Examples
    --------
    >>> answers = [[11, 14, 18, 20], [10, 9, 14, 19]]
    >>> both = grid_posteriors([1, 2, 4, 8], answers, [20] * 4, sigmoid="normal")
    >>> [one.threshold_at(0.75) for one in both]
    [2.3 [1.34, 3.89], 4.54 [3.17, 7.56]]
    """
    chosen = named_settings(settings)
    if len(chosen.shapes) > 1:
        raise InputError(
            "a posterior on a grid is of one sigmoid; give its name, such as sigmoid='normal'"
        )
    parametrization, given = chosen.parametrization(chosen.shapes[0]), dict(bounds or {})
    for name, ends in given.items():
        if name not in parametrization.names:
            raise unknown_name("parameter with bounds", name, list(parametrization.names))
        pair = [as_float(end) for end in a_list(ends, f"bounds of {name}")]
        if len(pair) != 2 or None in pair or not pair[0] < pair[1]:  # type: ignore[operator]
            raise InputError(
                f"bounds of {name} must be two numbers, the lower first; not {briefly(ends)}"
            )
    batch = batch_of_arrays(levels, n_correct, n_trials, chosen.axis)
    rising = directions(batch.x, batch.n_correct, batch.n_trials, chosen)
    problem = problem_of(batch, chosen, parametrization, rising)
    grids: dict[int, GridPosterior] = {}
    for rows, _ in same_levels(problem):
        grids.update(zip(rows.tolist(), _grids(problem.rows(rows), given), strict=True))
    return [
        CurvePosterior(
            grid=_on_axis(grids[row], problem, row),
            parametrization=parametrization,
            settings=chosen,
            rising=bool(rising[row]),
        )
        for row in range(len(rising))
    ]


def _grids(
    problem: PsychometricProblem, bounds: Mapping[str, tuple[float, float]]
) -> Iterator[GridPosterior]:
    """Yield the posterior of each data set, all with the same levels, in ranges of the levels."""
    names = problem.parametrization.names
    boxes = [
        [_scaled(problem, row, name, bounds) for name in names] for row in range(len(problem.x))
    ]
    alike = all(box == boxes[0] for box in boxes)
    heights = _log_likelihoods(problem, _cells(names, boxes[0], _COARSE)) if alike else None
    for row, box in enumerate(boxes):
        one, edges = problem.rows(np.array([row])), _cells(names, box, _COARSE)
        height = _log_likelihoods(one, edges)[0] if heights is None else heights[row]
        found = normalized(names, edges, height + _log_prior(one, edges))
        for _ in range(_ROUNDS):
            last, box = box, box_of(found)
            edges = _cells(names, box, _FINE)
            found = normalized(
                names, edges, _log_likelihoods(one, edges)[0] + _log_prior(one, edges)
            )
            if all(
                np.ptp(new) > _NARROWER * np.ptp(old) for new, old in zip(box, last, strict=True)
            ):
                break
        yield found


def _cells(
    names: tuple[str, ...], box: Sequence[tuple[float, float]], sizes: Mapping[str, int]
) -> list[np.ndarray]:
    """Return the edges of cells in a box; those of rates get narrower towards 0."""
    made = []
    for name, (low, high) in zip(names, box, strict=True):
        if name in ("threshold", "width"):
            made.append(np.linspace(low, high, sizes[name] + 1))
        else:
            made.append(np.linspace(low**0.5, high**0.5, sizes[name] + 1) ** 2)
    return made


def _log_likelihoods(problem: PsychometricProblem, edges: Sequence[np.ndarray]) -> np.ndarray:
    """Return log likelihoods (B, V, …) of data sets with the same levels, at the middles of cells."""
    parametrization = problem.parametrization
    n_curve = RATES + len(parametrization.asymptotes.names)
    position, width, *rates = np.ix_(*(middles(one) for one in edges[:n_curve]), problem.x[0])[:-1]
    z = (
        parametrization.shape.spread * (problem.x[0] - position) / np.exp2(width)
        + parametrization.shape.median
    )
    guess, lapse = _asymptotes(parametrization, rates)
    p = guess + (1 - guess - lapse) * parametrization.shape.value(z)
    shape, p = p.shape[:-1], p.reshape(-1, p.shape[-1])
    right, wrong = problem.n_correct, problem.n_trials - problem.n_correct
    if not parametrization.noise.names:
        p = np.clip(p, EDGE, 1 - EDGE)
        found = right @ np.log(p).T + wrong @ np.log1p(-p).T
        return found.reshape(-1, *shape)
    made = np.empty((len(right), len(p), len(edges[-1]) - 1))
    for row in range(len(right)):
        for column, eta in enumerate(middles(edges[-1])):
            own = parametrization.noise.terms(
                p, right[row], problem.n_trials[row], np.full((1, 1), eta)
            )
            made[row, :, column] = own.value
    return made.reshape(len(right), *shape, -1)


def _asymptotes(
    parametrization: Parametrization, rates: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return guess and lapse rates for arrays of free rates that broadcast."""
    fixed = parametrization.asymptotes
    guess, lapse = np.array(fixed.guess), np.array(fixed.lapse)
    for rate, low, high in zip(rates, fixed.in_guess, fixed.in_lapse, strict=True):
        guess, lapse = guess + low * rate, lapse + high * rate
    return guess, lapse


def _log_prior(problem: PsychometricProblem, edges: Sequence[np.ndarray]) -> np.ndarray:
    """Return the log prior (V, …) of one data set at the middles of cells."""
    made = np.zeros(())
    for index, one in enumerate(edges):
        rows = problem.rows(np.zeros(len(one) - 1, dtype=int))
        made = made[..., None] + rows.prior_terms(index, middles(one))[0]
    return made


def _scaled(
    problem: PsychometricProblem, row: int, name: str, bounds: Mapping[str, tuple[float, float]]
) -> tuple[float, float]:
    """Return the bounds of a parameter of a data set in ranges of its levels."""
    low, high = bounds.get(name, _BOUNDS[name])
    centre, span = float(problem.centre[row]), float(problem.span[row])
    if name in bounds and name == "threshold":
        low, high = sorted(((low - centre) / span, (high - centre) / span))
    if name in bounds and name == "width":
        low, high = low - np.log2(abs(span)), high - np.log2(abs(span))
    return low, high


def _on_axis(grid: GridPosterior, problem: PsychometricProblem, row: int) -> GridPosterior:
    """Return a posterior in units of the axis, for one in ranges of the levels."""
    centre, span = problem.centre[row], problem.span[row]
    edges, mass = list(grid.edges), grid.mass
    edges[THRESHOLD] = centre + span * edges[THRESHOLD]
    edges[STEEPNESS] = edges[STEEPNESS] + np.log2(abs(span))
    if span < 0:
        edges[THRESHOLD], mass = edges[THRESHOLD][::-1], mass[::-1]
    return replace(grid, edges=tuple(edges), mass=mass)

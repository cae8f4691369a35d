"""Starting points of fits: the best nodes of a coarse grid of curves.

Data sets with the same levels share their grid, so its log likelihoods are one matrix product.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from analysis.curves.asymptotes import unconstrained
from analysis.curves.parametrization import (
    RATES,
    Parametrization,
    Steepness,
    decode,
    probabilities,
)
from analysis.curves.problem import PsychometricProblem
from analysis.infer.noise import EDGE

_WIDTHS = np.array([-5.0, -3.5, -2.4, -1.6, -0.9, -0.3, 0.5, 1.5])  # log2, of the range of the levels
_REACH = 1.5  # how far thresholds beyond the levels are looked for, in ranges of the levels
_RATES = ((0.01, 0.2), (0.05, 0.5), (0.15, 0.9))  # a rate, but at most a share of its upper end
_NODES = 13
_BEYOND = np.array([0.1, 0.25, 0.5, 0.9, _REACH])


def thresholds_to_try(x: np.ndarray, n_inside: int = _NODES) -> np.ndarray:
    """Return an ascending grid of thresholds for levels x (L,): dense where they are, wider beyond them."""
    known = np.unique(x)
    inside = np.interp(np.linspace(0, len(known) - 1, n_inside), np.arange(len(known)), known)
    if len(known) == 1:
        inside = known
    return np.concatenate([known[0] - _BEYOND[::-1], inside, known[-1] + _BEYOND])


def steepness_to_try(setting: Parametrization) -> np.ndarray:
    """Return coarse nodes of the second coordinate, ascending."""
    return _WIDTHS if setting.steepness is Steepness.WIDTH else -_WIDTHS[::-1]


def rates_to_try(setting: Parametrization) -> list[np.ndarray]:
    """Return coarse nodes of each unconstrained rate and noise parameter, ascending."""
    nodes = []
    for name, top in zip(setting.names[RATES:], setting.tops, strict=True):
        values = np.array([min(rate, share * top) for rate, share in _RATES])
        chosen = values[[1]] if name in setting.noise.names else values
        nodes.append(unconstrained(chosen, top))
    return nodes


def best_nodes(
    problem: PsychometricProblem, grids: Sequence[np.ndarray | None], kept: int | None = None
) -> np.ndarray:
    """Return the coordinates (B, V, K) of the best node of a grid, for each value of the coordinate `kept`.

    Parameters
    ----------
    problem
        B data sets.
    grids
        Nodes of each coordinate; None for thresholds that depend on the levels.
    kept
        A coordinate of V values; None for the best node of all (V is 1).
    """
    starts = []
    for rows, x in _same_levels(problem.x, problem.n_trials):
        axes = [thresholds_to_try(x) if grid is None else grid for grid in grids]
        nodes = np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)
        height = _heights(problem.rows(rows), nodes)
        shape = tuple(len(axis) for axis in axes)
        height = height.reshape(len(rows), *shape)
        nodes = nodes.reshape(*shape, len(axes))
        if kept is None:
            height, nodes = height.reshape(len(rows), 1, -1), nodes.reshape(1, -1, len(axes))
        else:
            height = np.moveaxis(height, kept + 1, 1).reshape(len(rows), shape[kept], -1)
            nodes = np.moveaxis(nodes, kept, 0).reshape(shape[kept], -1, len(axes))
        best = height.argmax(axis=2)
        starts.append((rows, nodes[np.arange(len(nodes)), best]))
    made = np.empty((len(problem.x), *starts[0][1].shape[1:]))
    for rows, found in starts:
        made[rows] = found
    return made


def _same_levels(x: np.ndarray, n_trials: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows of data sets with the same levels, and these levels without padding."""
    known = np.where(n_trials > 0, x, np.nan)
    order = np.lexsort(known.T)
    changes = np.any(
        np.diff(np.nan_to_num(known[order], nan=np.inf), axis=0, prepend=np.nan) != 0, axis=1
    )
    edges = [*np.flatnonzero(changes), len(x)]
    for begin, end in pairwise(edges):
        rows = np.sort(order[begin:end])
        yield rows, x[rows[0]][n_trials[rows[0]] > 0]


def _heights(problem: PsychometricProblem, nodes: np.ndarray) -> np.ndarray:
    """Return binomial log posteriors (B, G) at nodes (G, K) of data sets with the same levels."""
    p = np.clip(probabilities(problem.setting, problem.x[:1], nodes), EDGE, 1 - EDGE)
    right, wrong = problem.n_correct, problem.n_trials - problem.n_correct
    return right @ np.log(p).T + wrong @ np.log1p(-p).T + _prior_at(problem, nodes)


def _prior_at(problem: PsychometricProblem, nodes: np.ndarray) -> np.ndarray:
    """Return log priors (G,) at nodes (G, K); those of the first data set, which is near enough for a start."""
    first = problem.rows(np.zeros(len(nodes), dtype=int))
    return first.log_prior(decode(problem.setting, nodes).quantities)[0]

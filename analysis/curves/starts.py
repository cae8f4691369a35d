"""Starting points of fits: the best nodes of a coarse grid of curves.

Data sets with the same levels share their grid, so its log likelihoods are one matrix product.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.curves.asymptotes import unconstrained
from analysis.curves.parametrization import (
    RATES,
    STEEPNESS,
    Parametrization,
    Steepness,
    curves_at,
    probabilities,
)
from analysis.curves.problem import PsychometricProblem
from analysis.infer.noise import EDGE

# log2 of widths, in ranges of the levels
_WIDTHS = np.array([-7.0, -5.0, -3.5, -2.4, -1.6, -0.9, -0.3, 0.5, 1.5])
_REACH = 1.5  # how far thresholds beyond the levels are looked for, in ranges of the levels
_RATES = ((0.01, 0.2), (0.05, 0.5), (0.15, 0.9))  # a rate, but at most a share of its upper end
_PARTS = 14  # into which the range of the levels is divided
_AWAY, _HARDLY_LOWER = 2, 1.5  # nodes of the width, log posterior
_LOW_HILL = 4.0  # log posterior below the best node at which a hill is not climbed
_PADDING = 9.0  # no position of a level
_BEYOND = np.array([0.1, 0.25, 0.5, 0.9, _REACH])


def thresholds_to_try(x: np.ndarray) -> np.ndarray:
    """Return an ascending grid of thresholds for levels x (L,): at them, between them and beyond.

    It has the same size for all levels.
    """
    known = np.unique(x)
    gaps = len(known) - 1
    if gaps == 0:
        inside = known + _BEYOND[0] * np.linspace(-0.5, 0.5, _PARTS + 1)
    elif gaps > _PARTS:
        inside = np.interp(np.linspace(0, gaps, _PARTS + 1), np.arange(gaps + 1), known)
    else:
        parts = np.full(gaps, _PARTS // gaps) + (np.arange(gaps) < _PARTS % gaps)
        ranks = [i + np.arange(n) / n for i, n in enumerate(parts)]
        inside = np.interp(np.append(np.concatenate(ranks), gaps), np.arange(gaps + 1), known)
    return np.concatenate([known[0] - _BEYOND[::-1], inside, known[-1] + _BEYOND])


def steepness_to_try(parametrization: Parametrization) -> np.ndarray:
    """Return coarse nodes of the second coordinate, ascending."""
    return _WIDTHS if parametrization.steepness is Steepness.WIDTH else -_WIDTHS[::-1]


def rates_to_try(parametrization: Parametrization) -> list[np.ndarray]:
    """Return coarse nodes of each unconstrained rate and noise parameter, ascending."""
    nodes = []
    for name, top in zip(parametrization.names[RATES:], parametrization.tops, strict=True):
        values = np.array([min(rate, share * top) for rate, share in _RATES])
        chosen = values[[1]] if name in parametrization.noise.names else values
        nodes.append(unconstrained(chosen, top))
    return nodes


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """Starting points of several data sets.

    Attributes
    ----------
    rows, columns
        The data set of each point, and the index of its value of the coordinate that was kept (S,).
    x
        Coordinates (S, K).
    """

    rows: np.ndarray
    columns: np.ndarray
    x: np.ndarray


def best_nodes(
    problem: PsychometricProblem, grids: Sequence[np.ndarray | None], kept: int | None = None
) -> Nodes:
    """Return the best nodes of a grid: on every hill along the second coordinate, for each value of one.

    Parameters
    ----------
    problem
        B data sets.
    grids
        Nodes of each coordinate; None for thresholds that depend on the levels.
    kept
        The coordinate whose values have their own best nodes; None for the best nodes of all.
    """
    parts = [_nodes_of(problem, rows, x, grids, kept) for rows, x in same_levels(problem)]
    rows, columns, x = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return Nodes(rows=rows, columns=columns, x=x)


def _nodes_of(
    problem: PsychometricProblem,
    rows: np.ndarray,
    x: np.ndarray,
    grids: Sequence[np.ndarray | None],
    kept: int | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and coordinates of the best nodes of data sets with the same levels."""
    axes = [thresholds_to_try(x) if grid is None else grid for grid in grids]
    sizes = [len(axis) for axis in axes]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    height = _heights(problem.rows(rows), nodes.reshape(-1, len(axes))).reshape(-1, *sizes)
    front, shape = _front(kept, sizes)
    height = np.moveaxis(height, [i + 1 for i in front], range(1, len(front) + 1))
    height = height.reshape(len(rows), *shape, -1)
    nodes = np.moveaxis(nodes, front, range(len(front))).reshape(*shape, -1, len(axes))
    best = height.argmax(axis=3)
    top = np.take_along_axis(height, best[..., None], axis=3)[..., 0]
    which, column, width = np.nonzero(_is_start(top))
    return rows[which], column, nodes[column, width, best[which, column, width]]


def _front(kept: int | None, sizes: list[int]) -> tuple[list[int], tuple[int, int]]:
    """Return the coordinates that come first, and the numbers of values kept and of widths."""
    if kept is None:
        return [STEEPNESS], (1, sizes[STEEPNESS])
    if kept == STEEPNESS:
        return [STEEPNESS], (sizes[STEEPNESS], 1)
    return [kept, STEEPNESS], (sizes[kept], sizes[STEEPNESS])


def _is_start(height: np.ndarray) -> np.ndarray:
    """Return which heights (..., W) are hills, or the best of those away from the highest, if hardly lower.

    A grid is too coarse to show every hill.
    """
    top = height.max(axis=-1, keepdims=True)
    width = np.arange(height.shape[-1])
    away = np.abs(width - height.argmax(axis=-1)[..., None]) >= _AWAY
    others = np.where(away & (height >= top - _HARDLY_LOWER), height, -np.inf)
    second = np.isfinite(others) & (width == others.argmax(axis=-1)[..., None])
    return _is_hill(height) | second


def _is_hill(height: np.ndarray) -> np.ndarray:
    """Return which heights (..., W) are no lower than their neighbours and near the highest."""
    edge = np.full((*height.shape[:-1], 1), -np.inf)
    padded = np.concatenate([edge, height, edge], axis=-1)
    is_top = (height >= padded[..., :-2]) & (height > padded[..., 2:])
    return is_top & (height >= height.max(axis=-1, keepdims=True) - _LOW_HILL)


def same_levels(problem: PsychometricProblem) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the rows of data sets with the same levels, and these levels without padding."""
    x, n_trials = problem.x, problem.n_trials
    known = np.where(n_trials > 0, x, _PADDING)
    order = np.lexsort(known.T)
    changes = np.any(np.diff(known[order], axis=0, prepend=2 * _PADDING) != 0, axis=1)
    edges = [*np.flatnonzero(changes), len(x)]
    for begin, end in pairwise(edges):
        rows = np.sort(order[begin:end])
        yield rows, x[rows[0]][n_trials[rows[0]] > 0]


def _heights(problem: PsychometricProblem, nodes: np.ndarray) -> np.ndarray:
    """Return binomial log posteriors (B, G) at nodes (G, K) of data sets with the same levels."""
    p = np.clip(probabilities(problem.parametrization, problem.x[:1], nodes), EDGE, 1 - EDGE)
    right, wrong = problem.n_correct, problem.n_trials - problem.n_correct
    return right @ np.log(p).T + wrong @ np.log1p(-p).T + _prior_at(problem, nodes)


def heights_at(
    problem: PsychometricProblem, nodes: np.ndarray, threshold: np.ndarray
) -> np.ndarray:
    """Return binomial log posteriors (B, G) of nodes (G, K) whose thresholds are each data set's own (B,).

    Infinite thresholds give minus infinity.
    """
    parametrization, finite = problem.parametrization, np.isfinite(threshold)
    found = curves_at(parametrization, nodes)
    off = problem.x - np.where(finite, threshold, 0.0)[:, None]
    z = found.anchor[:, None] + found.rate[:, None] * off[:, None, :]
    p = found.guess[:, None] + found.room[:, None] * parametrization.shape.value(z)
    p = np.clip(p, EDGE, 1 - EDGE)
    right, wrong = problem.n_correct, problem.n_trials - problem.n_correct
    likelihood = np.log(p) @ right[..., None] + np.log1p(-p) @ wrong[..., None]
    return np.where(finite[:, None], likelihood[..., 0] + _prior_at(problem, nodes), -np.inf)


def _prior_at(problem: PsychometricProblem, nodes: np.ndarray) -> np.ndarray:
    """Return the first data set's log priors (G,) at nodes (G, K), near enough for a start."""
    first = problem.rows(np.zeros(len(nodes), dtype=int))
    return first.log_prior(curves_at(problem.parametrization, nodes).quantities)[0]

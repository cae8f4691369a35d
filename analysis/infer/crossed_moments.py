"""Variance of a weighted sum over crossed people and images, from squared sums of its parts.

A cell of one person and one image adds h = w·(y − ȳ) to a statistic, where y has a person's effect, an
image's effect and noise. The sums of h over a person, over an image and in a cell are squared and added up;
their expectations are linear in the three variances, which follows for any design.

Source: Gao & Owen (2017), Electronic Journal of Statistics 11, 1235-1296; in a balanced design the result is
that of the two-way analysis of variance (Searle, Casella & McCulloch 1992, *Variance Components*, chapter 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class WeightedCells:
    """Cells of a design: share of the weight (C,), noise variance up to a factor (C,), and stratum (C,).

    `factors` holds the codes (C,) of people, images, or both; strata are the levels of a fixed factor, or
    all cells are in one.
    """

    share: np.ndarray
    noise: np.ndarray
    strata: np.ndarray
    factors: Mapping[str, np.ndarray]

    @property
    def each(self) -> np.ndarray:
        """Codes (C,) that tell every cell from every other."""
        return np.arange(len(self.share))


@dataclass(frozen=True, kw_only=True)
class JackknifeSpread:
    """Variance of a statistic, its degrees of freedom, and the variances between levels by factor."""

    variance: float
    df: float
    between: Mapping[str, float]


def spread_of_clusters(cells: WeightedCells, factor: str, square: float) -> JackknifeSpread:
    """Return the spread of a statistic whose one random factor has this sum of squared sums of h."""
    codes = cells.factors[factor]
    matrix = _centred(cells, codes)
    product = matrix @ matrix.T
    mean = float(np.trace(product))
    between = square / mean
    return JackknifeSpread(
        variance=between * _target(cells, codes),
        df=mean**2 / float((product**2).sum()),
        between={factor: between},
    )


def spread_of_crossed(
    cells: WeightedCells, squares: Mapping[str, float], cell_square: float
) -> JackknifeSpread:
    """Return the spread of a statistic over two crossed factors.

    `squares` holds the sums of squared sums of h by factor, `cell_square` that of single cells. A variance
    whose equation gives a negative value is taken as 0.
    """
    names = list(cells.factors)
    rows = [cells.factors[name] for name in names] + [cells.each]
    loads = [np.ones_like(cells.share)] * 2 + [np.sqrt(cells.noise)]
    matrix = np.array(
        [
            [_overlap(cells, row, column, load) for column, load in zip(rows, loads, strict=True)]
            for row in rows
        ]
    )
    values = np.array([squares[name] for name in names] + [cell_square])
    found = np.maximum(np.linalg.lstsq(matrix, values, rcond=1e-10)[0], 0.0)
    noise = found[2] * float((cells.share**2) @ cells.noise)
    parts = [noise + found[k] * _target(cells, rows[k]) for k in range(2)]
    variance = sum(parts) - noise
    free = [_degrees(cells, row) for row in rows[:2]]
    left = max(len(cells.share) - sum(len(np.unique(row)) for row in rows[:2]) + 1, 1)
    below = sum(part**2 / df for part, df in zip([*parts, noise], [*free, left], strict=True))
    return JackknifeSpread(
        variance=variance,
        df=variance**2 / below if below > 0 else float(min(free)),
        between=dict(zip(names, found[:2].tolist(), strict=True)),
    )


def _target(cells: WeightedCells, codes: np.ndarray) -> float:
    """Return the sum of squared shares of the levels of a factor."""
    return float((np.bincount(codes, cells.share) ** 2).sum())


def _table(codes: np.ndarray, strata: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return sums of values by level and stratum, (levels, strata)."""
    n_levels, n_strata = int(codes.max()) + 1, int(strata.max()) + 1
    sums = np.bincount(codes * n_strata + strata, values, minlength=n_levels * n_strata)
    return sums.reshape(n_levels, n_strata)


def _centred(cells: WeightedCells, codes: np.ndarray) -> np.ndarray:
    """Return the matrix (levels, levels) from a factor's effects to its sums of h."""
    by_stratum = _table(codes, cells.strata, cells.share)
    whole = by_stratum.sum(axis=0)
    return np.diag(by_stratum.sum(axis=1)) - (by_stratum / whole) @ by_stratum.T


def _degrees(cells: WeightedCells, codes: np.ndarray) -> float:
    matrix = _centred(cells, codes)
    product = matrix @ matrix.T
    return float(np.trace(product) ** 2 / (product**2).sum())


def _overlap(
    cells: WeightedCells, rows: np.ndarray, columns: np.ndarray, load: np.ndarray
) -> float:
    """Return the expected sum over `rows` of squared sums of h, for effects of `columns` of variance 1.

    `load` (C,) multiplies the effects; h is centred within strata.
    """
    width = int(columns.max()) + 1
    pairs, place = np.unique(rows * width + columns, return_inverse=True)
    both = np.bincount(place, cells.share * load)
    left = _table(rows, cells.strata, cells.share)
    right = _table(columns, cells.strata, cells.share * load)
    whole = left.sum(axis=0)
    mixed = both @ ((left / whole)[pairs // width] * right[pairs % width]).sum(axis=1)
    centres = (left.T @ left) * (right.T @ right) / np.outer(whole, whole)
    return float(both @ both - 2 * mixed + centres.sum())

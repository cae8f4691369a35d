"""Posteriors on grids of cells: marginals, quantiles, and the box that holds nearly all of the mass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.infer.estimates import Estimate
from stimuli_store.errors import unknown_name

_TAIL = 1e-5  # mass on each side of a parameter that a smaller grid may leave out
_ENDS = (0.025, 0.975)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GridPosterior:
    """Posterior of K parameters as the masses of the cells of a grid.

    Attributes
    ----------
    names
        Parameters (K of them).
    edges
        Ends of the cells of each parameter, ascending: arrays (V + 1,).
    mass
        Probability of each cell, an array of K dimensions whose sum is 1.
    log_evidence
        Log of the sum of the cells' likelihoods times their prior masses.

    Examples
    --------
    >>> cells = np.array([[0.1, 0.2], [0.3, 0.4]])
    >>> edges = (np.array([0.0, 1, 2]), np.array([0.0, 10, 20]))
    >>> grid = GridPosterior(names=("a", "b"), edges=edges, mass=cells, log_evidence=0.0)
    >>> round(grid.cdf("a", 1.5), 3), round(grid.quantile("b", 0.4), 3), round(grid.mean("a"), 3)
    (0.65, 10.0, 1.2)
    """

    names: tuple[str, ...]
    edges: tuple[np.ndarray, ...]
    mass: np.ndarray
    log_evidence: float

    def __repr__(self) -> str:
        cells = zip(self.names, self.mass.shape, strict=True)
        return f"GridPosterior({' × '.join(f'{n} cells of {name}' for name, n in cells)})"

    def marginal(self, name: str) -> np.ndarray:
        """Return the masses (V,) of one parameter's cells."""
        index = self._index(name)
        return self.mass.sum(axis=tuple(i for i in range(len(self.names)) if i != index))

    def cdf(self, name: str, value: float) -> float:
        """Return the probability that a parameter is at most `value`; mass is even within a cell."""
        edges = self.edges[self._index(name)]
        return float(np.interp(value, edges, np.append(0.0, self.marginal(name).cumsum())))

    def quantile(self, name: str, q: float) -> float:
        """Return the value of a parameter below which the probability is `q`."""
        total = np.append(0.0, self.marginal(name).cumsum())
        kept = np.append(True, np.diff(total) > 0)
        return float(np.interp(q, total[kept], self.edges[self._index(name)][kept]))

    def mean(self, name: str) -> float:
        """Return the posterior mean of a parameter."""
        return float(self.marginal(name) @ middles(self.edges[self._index(name)]))

    def estimate(self, name: str) -> Estimate:
        """Return the posterior median of a parameter with its central 95 % interval."""
        low, middle, high = (self.quantile(name, q) for q in (_ENDS[0], 0.5, _ENDS[1]))
        return Estimate(value=middle, low=low, high=high)

    def share_below(self, values: np.ndarray, limit: float) -> float:
        """Return the probability that a function of the parameters (its cells) is at most `limit`."""
        return float(self.mass[values <= limit].sum())

    def estimate_of(self, values: np.ndarray) -> Estimate:
        """Return the median and the central 95 % interval of a function of the parameters.

        `values` are the function's values in the cells, an array of the shape of `mass`.
        """
        order = np.argsort(values, axis=None)
        total = self.mass.ravel()[order].cumsum()
        places = np.searchsorted(total, [_ENDS[0], 0.5, _ENDS[1]])
        low, middle, high = values.ravel()[order][np.minimum(places, len(total) - 1)]
        return Estimate(value=float(middle), low=float(low), high=float(high))

    def _index(self, name: str) -> int:
        if name not in self.names:
            raise unknown_name("parameter", name, list(self.names))
        return self.names.index(name)


def middles(edges: np.ndarray) -> np.ndarray:
    """Return the middles of cells with these ends."""
    return (edges[1:] + edges[:-1]) / 2


def normalized(
    names: tuple[str, ...], edges: Sequence[np.ndarray], log_density: np.ndarray
) -> GridPosterior:
    """Return the posterior of log densities at the middles of cells."""
    sizes = np.ix_(*(np.log(np.diff(one)) for one in edges))
    height = log_density + sum(sizes)
    top = height.max()
    mass = np.exp(height - top)
    return GridPosterior(
        names=names,
        edges=tuple(edges),
        mass=mass / mass.sum(),
        log_evidence=float(top + np.log(mass.sum())),
    )


def box_of(found: GridPosterior) -> list[tuple[float, float]]:
    """Return the ends of each parameter between which nearly all of the mass lies."""
    made = []
    for name, edges in zip(found.names, found.edges, strict=True):
        total = found.marginal(name).cumsum()
        first = max(int(np.searchsorted(total, _TAIL)) - 1, 0)
        last = min(int(np.searchsorted(total, 1 - _TAIL)) + 2, len(edges) - 1)
        made.append((float(edges[first]), float(edges[last])))
    return made

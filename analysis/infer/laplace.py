"""Laplace approximation of crossed random-effects models of counts.

Given the standard deviations τ of the effects, and a few common parameters such as the lapse rate, all else
is integrated out around its mode. These outer numbers are integrated by importance sampling at quasi-random
points around the mode of their marginal posterior, so the posterior of a quantity is a mixture of normals
that is as wide as few people or images make it.

Sources: Tierney & Kadane (1986), JASA 81, 82-86; Rue, Martino & Chopin (2009), JRSS B 71, 319-392
(integration over the variances); Gelman (2006), Bayesian Analysis 1, 515-533 (half-Cauchy priors).
"""

from dataclasses import dataclass, fields
from itertools import combinations, product

import numpy as np
from scipy.special import chdtri, ndtr, ndtri

from analysis.infer.mixed import MixedPosterior, MixedProblem
from analysis.infer.newton import modes

N_POINTS = 128  # a power of 2, for Sobol's sequence
N_DRAWS = 400
_FIRST = 1.0  # v to begin with
_STEP = 0.2  # of outer numbers, for second differences
_BLOCK = 1 << 22  # numbers in one block of matrices
_SHARE = 0.25  # of the points, that the effective number must reach
_DEGREES = 5.0  # of freedom of the proposal
_WIDER = 1.2


@dataclass(frozen=True, kw_only=True, eq=False)
class _Points:
    """Places (N, O) of the outer numbers, v of each effect and then integrated parameters.

    `density` (N,) is the log marginal density there, `x` (N, D) the mode, `mean` and `sd` (N, Q) the
    quantities.
    """

    place: np.ndarray
    density: np.ndarray
    x: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def only(self, row: int) -> "_Points":
        """Return one of the points."""
        return _Points(**{f.name: getattr(self, f.name)[[row]] for f in fields(self)})


@dataclass(frozen=True, kw_only=True, eq=False)
class HighestPoint:
    """Point of highest marginal density: v (E,), root (E, E) of its covariance, and the unknowns (D,).

    `covariance` (D, D) is that of the unknowns given v.
    """

    v: np.ndarray
    root: np.ndarray
    x: np.ndarray
    covariance: np.ndarray


def laplace(problem: MixedProblem, quantities: np.ndarray, *, seed: int = 0) -> MixedPosterior:
    """Return the posterior of linear quantities of a mixed problem.

    Parameters
    ----------
    problem
        D unknowns, E effects.
    quantities
        Coefficients (Q, D) of β and of the effects τ·z.
    seed
        Seed of the quasi-random points and of the draws.
    """
    top, root = _mode(problem, quantities)
    best, weight = top, np.ones(1)
    if len(root):
        best, weight = _integrate(problem, quantities, top, root, seed)
    return MixedPosterior(
        weight=weight,
        mean=best.mean,
        sd=best.sd,
        tau=np.abs(_tau(problem, best.place)),
        cells=_draw(problem, best, weight, seed),
        diagnostics={"points": float(len(weight)), "effective_points": _effective(weight)},
    )


def highest_point(problem: MixedProblem) -> HighestPoint:
    """Return the point of highest marginal density."""
    top, root = _mode(problem, np.zeros((0, problem.size)))
    information = problem.evaluate(top.x, _tau(problem, top.place))[2]
    n = len(problem.effects)
    return HighestPoint(
        v=top.place[0, :n],
        root=np.linalg.cholesky((root @ root.T)[:n, :n]),
        x=top.x[0],
        covariance=np.linalg.inv(information)[0],
    )


def _tau(problem: MixedProblem, place: np.ndarray) -> np.ndarray:
    return problem.scales * np.sinh(place[:, : len(problem.effects)])


def _points(
    problem: MixedProblem, place: np.ndarray, quantities: np.ndarray, near: _Points | None = None
) -> _Points:
    """Return the points at places (N, O), climbed from the mode of a point nearby."""
    starts, held = _starts(problem, place, near), problem.integrated
    size = max(1, _BLOCK // max(starts.shape[1] ** 2, 4 * problem.n_trials.size))
    free = np.ones(problem.size)
    free[list(held)] = 0
    parts = []
    for at in range(0, len(place), size):
        block = place[at : at + size]
        tau = _tau(problem, block)
        x, value, information = modes(problem, tau, starts[at : at + size], held)
        density = value - 0.5 * np.linalg.slogdet(information)[1]
        density -= np.log(np.cosh(block[:, : tau.shape[1]])).sum(axis=1)
        rows = quantities * problem.loads(tau)[:, None, :]
        spread = np.linalg.solve(information, np.swapaxes(rows * free, -1, -2))
        variance = np.einsum("bqd,bdq->bq", rows, spread)
        mean = (rows @ x[..., None])[..., 0]
        parts.append((block, density, x, mean, np.sqrt(np.maximum(variance, 0))))
    names = [f.name for f in fields(_Points)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return _Points(**dict(zip(names, columns, strict=True)))


def _starts(problem: MixedProblem, place: np.ndarray, near: _Points | None) -> np.ndarray:
    """Return unknowns (N, D) with the effects τ·z of a point nearby, as far as τ allows."""
    n = len(problem.effects)
    if near is None:
        first = np.concatenate([problem.start, np.zeros(problem.counts.sum())])
        starts = np.tile(first, (len(place), 1))
    else:
        v, old = np.abs(place[:, :n]), near.place[:, :n]
        ratio = np.clip(np.sinh(old) / np.maximum(np.sinh(v), 1e-9), -1.5, 1.5)
        starts = near.x * problem.loads(ratio)
    starts[:, list(problem.integrated)] = place[:, n:]
    return starts


def _mode(problem: MixedProblem, quantities: np.ndarray) -> tuple[_Points, np.ndarray]:
    """Return the point of highest marginal density, and a root (O, O) of the covariance there."""
    n = len(problem.effects)
    first = np.concatenate([np.full(n, _FIRST), problem.start[list(problem.integrated)]])
    top, root = _points(problem, first[None], quantities), np.eye(len(first))
    for _ in range(15 if len(first) else 0):
        slope, bend = _differences(problem, top, quantities)
        size, axes = np.linalg.eigh(-bend)
        # Where the density does not bend, the root is that of the prior of v.
        size = np.maximum(np.abs(size), 0.25)
        root = axes / np.sqrt(size)
        step = np.clip(root @ (root.T @ slope), -1.5, 1.5)
        tries = _folded(top.place + step * np.array([[1.0], [0.5], [0.2]]), n)
        found = _points(problem, tries, quantities, top)
        best = int(found.density.argmax())
        gain = found.density[best] - top.density[0]
        if gain > 0:
            top = found.only(best)
        if gain < 0.01:
            break
    return top, root


def _folded(place: np.ndarray, n: int) -> np.ndarray:
    """Return places (N, O) with v ≥ 0 in the first n columns."""
    return np.concatenate([np.abs(place[:, :n]), place[:, n:]], axis=1)


def _differences(
    problem: MixedProblem, top: _Points, quantities: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient (O,) and second derivatives (O, O) of the log marginal density."""
    n = top.place.shape[1]
    unit, pairs = np.eye(n), list(combinations(range(n), 2))
    both = np.array([unit[i] + unit[j] for i, j in pairs]).reshape(-1, n)
    moves = _STEP * np.concatenate([unit, -unit, both])
    height = _points(problem, top.place + moves, quantities, top).density
    up, down, here = height[:n], height[n : 2 * n], top.density[0]
    bend = np.diag(up + down - 2 * here)
    for (i, j), value in zip(pairs, height[2 * n :], strict=True):
        bend[i, j] = bend[j, i] = value - up[i] - up[j] + here
    return (up - down) / (2 * _STEP), bend / _STEP**2


def _integrate(
    problem: MixedProblem, quantities: np.ndarray, top: _Points, root: np.ndarray, seed: int
) -> tuple[_Points, np.ndarray]:
    """Return points and their weights; a proposal that fits badly is fitted to its own points."""
    n = len(problem.effects)
    centre, root = top.place[0], _WIDER * root
    best, weight = top, np.ones(1)
    for turn in range(3):
        place = _folded(_proposed(centre, root, seed + turn), n)
        found = _points(problem, place, quantities, top)
        log_weight = found.density - _log_folded(place, centre, root, n)
        new = np.exp(log_weight - log_weight.max())
        new = new / new.sum()
        if turn == 0 or _effective(new) > _effective(weight):
            best, weight = found, new
        if _effective(weight) >= _SHARE * N_POINTS:
            break
        centre = weight @ best.place
        off = (best.place - centre) * np.sqrt(weight)[:, None]
        root = _WIDER * np.linalg.cholesky(off.T @ off + 0.05 * np.eye(len(centre)))
    return best, weight


def _effective(weight: np.ndarray) -> float:
    """Return the effective number of weighted points (Kish 1965)."""
    return float(1 / (weight**2).sum())


def _proposed(centre: np.ndarray, root: np.ndarray, seed: int) -> np.ndarray:
    """Return quasi-random points (N, O) of Student's t."""
    from scipy.stats import qmc  # loaded where it is needed: it takes a second

    rng = np.random.default_rng(seed)
    u = np.clip(qmc.Sobol(len(centre) + 1, seed=rng).random(N_POINTS), 1e-9, 1 - 1e-9)
    scale = np.sqrt(chdtri(_DEGREES, u[:, [-1]]) / _DEGREES)
    return centre + (ndtri(u[:, :-1]) / scale) @ root.T


def _log_folded(place: np.ndarray, centre: np.ndarray, root: np.ndarray, n: int) -> np.ndarray:
    """Return the log density (N,) of folded points up to a constant: the sum over all signs of v."""
    rest = len(centre) - n
    signs = np.array([[*s, *[1.0] * rest] for s in product((1.0, -1.0), repeat=n)])
    off = np.linalg.solve(root, (place[:, None, :] * signs - centre)[..., None])[..., 0]
    square = (off**2).sum(axis=-1)
    return np.log(((1 + square / _DEGREES) ** (-(_DEGREES + len(centre)) / 2)).sum(axis=1))


def _draw(problem: MixedProblem, points: _Points, weight: np.ndarray, seed: int) -> np.ndarray:
    """Return drawn parameters of every cell (S, C, K)."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(len(weight), size=N_DRAWS, p=weight))
    held = list(problem.integrated)
    size = max(1, _BLOCK // points.x.shape[1] ** 2)
    drawn = []
    for at in range(0, N_DRAWS, size):
        chosen = rows[at : at + size]
        tau, x = _tau(problem, points.place[chosen]), points.x[chosen]
        information = problem.evaluate(x, tau)[2]
        information[:, held, held] += 1e12  # these are at their place already
        root = np.linalg.cholesky(information)
        noise = rng.standard_normal((*x.shape, 1))
        x = x + np.linalg.solve(np.swapaxes(root, -1, -2), noise)[..., 0]
        drawn.append(problem.cell_parameters(x, tau))
    return np.concatenate(drawn)


def mixture_quantiles(posterior: MixedPosterior, share: float) -> np.ndarray:
    """Return the quantile (Q,) of each quantity in a mixture of normals, by bisection."""
    sd = np.maximum(posterior.sd, 1e-12 * (1 + np.abs(posterior.mean)))
    low, high = (posterior.mean - 10 * sd).min(axis=0), (posterior.mean + 10 * sd).max(axis=0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = posterior.weight @ ndtr((middle - posterior.mean) / sd) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return 0.5 * (low + high)

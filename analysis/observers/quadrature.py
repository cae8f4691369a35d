"""Curves of proportion correct against d' that are integrals over one variable, tabulated to 1e-12.

An integral costs a hundred times what a closed form costs, so it is taken at a grid of d' once, and a spline
of seventh degree goes through these values. Its derivative is the slope.

Sources: Green & Swets (1966), *Signal Detection Theory and Psychophysics*, for forced choice; Versfeld, Dai &
Green (1996), Perception & Psychophysics 58, 10-21, for oddity.
"""

from functools import lru_cache

import numpy as np
from scipy.interpolate import PPoly, make_interp_spline
from scipy.special import ndtr, owens_t, wofz

from analysis.observers.closed_forms import Function, LinkCurve, density

#: Largest d' in a table, at which every rule here is right but for less than 1e-16.
_END = 24.0
_SPACING = 1 / 32
#: Bound of the error of an integral, of its spline, and of the spline's derivative.
_BOUND = 1e-10


@lru_cache(maxsize=32)
def largest_of(m: int) -> LinkCurve:
    """Return the curve of the largest of m percepts, one of them with mean d': ∫φ(x − d)Φ(x)^(m − 1)dx.

    Where d' is negative the right answer is the largest percept all the same, and is given rarely.

    Examples
    --------
    >>> float(largest_of(4).p(np.array(0.0)).round(12))
    0.25
    """
    x = np.arange(-9, 9.01, 0.125)  # trapezoids have no error to speak of under a normal density
    weights = density(x) * 0.125

    def integral(d: np.ndarray) -> np.ndarray:
        return (ndtr(d[:, None] + x) ** (m - 1)) @ weights

    p, slope = _spline(integral, -_END)
    formula = f"P = ∫φ(x − d)Φ(x)^{m - 1} dx"
    below = LinkCurve(p=lambda d: p(-d), slope=lambda d: -slope(-d), formula=formula, error=_BOUND)
    return LinkCurve(p=p, slope=slope, formula=formula, error=_BOUND, below=below)


@lru_cache(maxsize=32)
def farthest_of(m: int) -> LinkCurve:
    """Return the curve of the percept farthest from the mean of m, one of them with mean d' (m > 3).

    Let y be the distance of that percept from the mean of the others. It is the farthest if the residuals of
    the others about their mean lie between −|y|(m − 2)/m and |y|, which has a probability G(|y|).

    Examples
    --------
    >>> float(farthest_of(5).p(np.array(0.0)).round(10))
    0.2
    """
    y, weights = _panels(16.0, 12, 12)
    missed = weights * _residuals_stick_out(m, y)
    spread = np.sqrt(m / (m - 1))

    def integral(d: np.ndarray) -> np.ndarray:
        up, down = (y - d[:, None]) / spread, (y + d[:, None]) / spread
        return 1 - (density(up) + density(down)) @ missed / spread

    p, slope = _spline(integral, -1.0)
    formula = (
        f"P = ∫f(y − d)G(|y|) dy, f normal with variance {m}/{m - 1}, G(y) the probability that the "
        f"residuals of {m - 1} percepts lie between −{m - 2}y/{m} and y"
    )
    return LinkCurve(p=p, slope=slope, formula=formula, error=_BOUND)


def _residuals_stick_out(m: int, y: np.ndarray) -> np.ndarray:
    """Return 1 − G(y): some residual of m − 1 normal numbers is below −y(m − 2)/m, or above y."""
    if m == 4:  # three residuals lie in a plane, and the limits are a regular triangle
        return 6 * owens_t(y * np.sqrt(3 / 8), np.sqrt(3))
    n, low, high = m - 1, y[:, None] * (m - 2) / m, y[:, None]
    # Residuals are distributed like numbers whose sum is 0. The density of the sum of n numbers within the
    # limits is the n-th power of a characteristic function, which falls as fast as (0.8/t)^n.
    step = 2 * np.pi / (9 * np.sqrt(n) + 2)
    last = (0.8**n / (n - 1) / 1e-11) ** (1 / (n - 1))
    t = step * np.arange(int(max(last, 9.0) / step) + 1)
    within = np.exp(-(t**2) / 2) - _tail(high, t) - _tail(low, t).conj()
    powers = (within**n).real
    at_zero = step / (2 * np.pi) * (2 * powers.sum(axis=1) - powers[:, 0])
    return np.clip(1 - np.sqrt(2 * np.pi * n) * at_zero, 0.0, 1.0)


def _tail(limit: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return ∫φ(x)exp(itx)dx from a limit ≥ 0 to infinity."""
    scaled = wofz((t + 1j * limit) / np.sqrt(2))
    return 0.5 * np.exp(-(limit**2) / 2 + 1j * limit * t) * scaled


@lru_cache(maxsize=1)
def odd_of_three() -> LinkCurve:
    """Return the curve of the likeliest odd one of three percepts (Versfeld, Dai & Green 1996).

    It is the largest if the median is below d'/2, else the smallest.

    Examples
    --------
    >>> float(odd_of_three().p(np.array(0.0)).round(9))
    0.333333333
    """
    u, weights = _panels(9.0, 6, 16)

    def integral(d: np.ndarray) -> np.ndarray:
        half = d[:, None] / 2
        below = density(u + half) * ndtr(half - u) ** 2
        above = density(u - half) * ndtr(-half - u) ** 2
        return ndtr(d / 2) ** 3 + ndtr(-d / 2) ** 3 + (below + above) @ weights

    p, slope = _spline(integral, -1.0)
    formula = "P = Φ(d/2)³ + Φ(−d/2)³ + ∫φ(x)Φ(x + d)² dx up to −d/2 + ∫φ(x)(1 − Φ(x + d))² dx from −d/2 on"
    return LinkCurve(p=p, slope=slope, formula=formula, error=_BOUND)


def _panels(end: float, n_panels: int, n_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of Gauss-Legendre quadrature from 0 to an end, in panels of one width."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    width = end / n_panels
    starts = width * np.arange(n_panels)[:, None]
    return (starts + width * (nodes + 1) / 2).ravel(), np.tile(weights * width / 2, n_panels)


def _spline(integral: Function, start: float) -> tuple[Function, Function]:
    """Return an integral and its derivative as splines; beyond the table they are constant and 0."""
    d = np.arange(start, _END + _SPACING / 2, _SPACING)
    value = PPoly.from_spline(make_interp_spline(d, integral(d), k=7))
    rise = value.derivative()

    def p(at: np.ndarray) -> np.ndarray:
        return np.clip(value(np.clip(at, start, _END)), 0.0, 1.0)

    def slope(at: np.ndarray) -> np.ndarray:
        return np.where((at > start) & (at < _END), rise(np.clip(at, start, _END)), 0.0)

    return p, slope

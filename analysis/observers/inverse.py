"""d' at a proportion correct: the inverse of a curve, for a million values a second.

The inverse of each curve is tabulated once as a function of v = √(−log(1 − r)), where r is the share of the
way from chance to the end of the curve. d' is a smooth function of v: near chance r grows as d' or as its
square, and near the end 1 − r falls as exp(−d'²). A value starts from that table and takes steps of Newton's
method; the few that these do not settle (within 1e-13 of the end, or at a corner of a table) are bisected.
"""

from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from analysis.observers.closed_forms import LinkCurve

#: Largest d' that is looked for; no rule errs there.
HIGHEST = 64.0
_BISECTIONS = 64
_NODES = 1025
#: Where the table ends: 1 − r is 1e-13.
_LAST = float(np.sqrt(-np.log(1e-13)))
_STEPS = 3
#: A few times the spacing of numbers just below 1.
_ROUNDING = 4.4e-16


def where_it_reaches(curve: LinkCurve, p: np.ndarray, guess: float, end: float) -> np.ndarray:
    """Return the d' ≥ 0 at which a curve that runs from `guess` towards `end` (0 or 1) passes p (any shape).

    Values of p must lie between the two. It is infinite where the curve never gets that far, p = `end`
    included, and 0 where p is `guess`.
    """
    flat = p.ravel()
    start = _table(curve, guess, end)
    share = np.minimum((flat - guess) / (end - guess), 1 - 1e-16)
    d = np.clip(start(np.minimum(np.sqrt(-np.log1p(-share)), _LAST)), 0.0, HIGHEST)
    todo = np.arange(len(d))
    for _ in range(_STEPS):
        at = d[todo]
        over, slope = curve.p(at) - flat[todo], curve.slope(at)
        steep = slope != 0
        step = np.divide(over, slope, out=np.zeros_like(at), where=steep)
        d[todo] = np.clip(at - step, 0.0, HIGHEST)
        todo = todo[(np.abs(step) > 1e-9 * at) | ~steep]
        if not len(todo):
            break
    if len(todo):
        todo = todo[np.abs(curve.p(d[todo]) - flat[todo]) > _ROUNDING]
        d[todo] = _bisected(curve, flat[todo], rising=end > guess)
    last = float(curve.p(np.array(HIGHEST)))
    beyond = flat >= last if end > guess else flat <= last
    return np.where(beyond, np.inf, np.where(flat == guess, 0.0, d)).reshape(p.shape)


@lru_cache(maxsize=256)
def _table(curve: LinkCurve, guess: float, end: float) -> CubicSpline:
    """Return d' as a spline of v."""
    v = np.linspace(0.0, _LAST, _NODES)
    p = guess - (end - guess) * np.expm1(-(v**2))
    return CubicSpline(v, _bisected(curve, p, rising=end > guess))


def _bisected(curve: LinkCurve, p: np.ndarray, *, rising: bool) -> np.ndarray:
    low, high = np.zeros_like(p), np.full_like(p, HIGHEST)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        value = curve.p(middle)
        short = value < p if rising else value > p
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return 0.5 * (low + high)

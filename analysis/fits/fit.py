"""Fits of psychometric functions: the threshold at a proportion correct, with its interval.

The threshold depends on the sigmoid, and the right sigmoid is unknown. By default several are fitted: the
best of them gives the estimate, and the interval covers the intervals of all of them. The estimate is the
posterior mode; `analysis.curves.parametrization` has parameters and priors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.parametrization import (
    LAPSE,
    LOG_WIDTH,
    THRESHOLD,
    Parametrization,
    function_of,
    parametrization_of,
    problem_of,
)
from analysis.curves.psychometric import SIGMOIDS, PsychometricFunction, from_axis
from analysis.data.counts import Counts, counts_of, dispersion_of
from analysis.infer.intervals import (
    DROP95,
    LikelihoodProfile,
    interval_of,
    likelihood_profile,
    with_point,
)
from analysis.infer.likelihood import CurveProblem, climb, deviance, log_likelihood
from stimuli_store.errors import unknown_name

ANY = "any"
_SHAPES = {  # one symmetric, one that rises slowly, one that saturates slowly
    "log": ("normal", "weibull", "reversed_gumbel"),
    "linear": ("normal", "gumbel", "reversed_gumbel"),
}


class FitStatus(Enum):
    """Outcome of a fit; the value is the sentence shown to people."""

    CONVERGED = "the fit converged, and the threshold lies within the levels shown"
    EXTRAPOLATED = "the fit converged, but the threshold lies outside the levels shown"
    UNREACHED = "proportion correct stays below p at all levels; there is no threshold"
    EXCEEDED = "proportion correct stays above p at all levels; there is no threshold"
    UNFINISHED = "the fit did not converge; do not use it"


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted psychometric function and the threshold at proportion correct `p`.

    Attributes
    ----------
    function
        The curve at the posterior mode of the best sigmoid.
    p
        Proportion correct that defines the threshold.
    threshold, low, high
        Level at which the curve passes `p`, and its 95 % profile interval. An end is infinite (or 0
        on the log axis) if the data exclude no level on that side.
    log_likelihood, deviance
        At the mode of the best sigmoid; the deviance is against the observed proportions.
    dispersion
        Finney's heterogeneity factor, by which the interval is widened: the deviance over its degrees
        of freedom if only one good fit in five has a larger deviance, else 1.
    n_trials, n_levels
        Number of trials and of levels.
    status
        A `FitStatus`.
    """

    function: PsychometricFunction
    p: float
    threshold: float
    low: float
    high: float
    log_likelihood: float
    deviance: float
    dispersion: float
    n_trials: int
    n_levels: int
    status: FitStatus


def fit_psychometric(
    levels: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    sigmoid: str = ANY,
    guess: float = 0.5,
    p: float = 0.75,
    axis: str = "log",
) -> Fit:
    """Fit a rising psychometric function and return the threshold at proportion correct `p`.

    Parameters
    ----------
    levels, n_correct, n_trials
        One entry per level (L,); several entries may share a level.
    sigmoid
        ``"any"`` (default): normal, Weibull (Gumbel on a linear axis) and reversed Gumbel are fitted,
        and the interval is derived from the highest of their profiles. Or one name of
        `PsychometricFunction`.
    axis
        See `PsychometricFunction`.
    guess
        Proportion correct at no difference (`analysis.observers.sdt.guess_rate`).
    p
        Proportion correct of all answers, lapses included, that defines the threshold.

    Raises
    ------
    InputError
        If the counts are not valid, or `p` is not between `guess` and 1.

    Examples
    --------
    >>> levels, right = [8, 16, 32, 64, 128], [26, 31, 41, 48, 49]
    >>> fit = fit_psychometric(levels, right, [50] * 5)
    >>> bool(fit.low < fit.threshold < fit.high), fit.status.name
    (True, 'CONVERGED')
    """
    counts = counts_of(levels, n_correct, n_trials)
    if sigmoid != ANY and sigmoid not in SIGMOIDS:
        raise unknown_name("sigmoid", sigmoid, [ANY, *SIGMOIDS])
    names = _SHAPES.get(axis, (sigmoid,)) if sigmoid == ANY else (sigmoid,)
    searches = [_search(parametrization_of(counts, name, guess, p, axis), counts) for name in names]
    best = max(searches, key=lambda search: search.found.height.max())
    x = best.found.x[best.found.best]
    function = function_of(x, best.setting)
    curve = function(counts.levels)
    misfit = deviance(curve, counts.n_correct, counts.n_trials)
    dispersion = dispersion_of(misfit, counts, n_parameters=3)
    low, high = _envelope(searches, DROP95 * dispersion)
    threshold, status = _judged(x[THRESHOLD], best)
    return Fit(
        function=function,
        p=p,
        threshold=float(from_axis(threshold, axis)),
        low=float(from_axis(min(low, threshold), axis)),
        high=float(from_axis(max(high, threshold), axis)),
        log_likelihood=float(log_likelihood(curve, counts.n_correct, counts.n_trials)),
        deviance=misfit,
        dispersion=dispersion,
        n_trials=int(counts.n_trials.sum()),
        n_levels=len(counts.levels),
        status=status,
    )


@dataclass(frozen=True, kw_only=True)
class _Search:
    """Likelihood profile of one sigmoid's threshold; `rested` is whether its maximum was reached."""

    setting: Parametrization
    problem: CurveProblem
    found: LikelihoodProfile
    rested: bool


def _search(setting: Parametrization, counts: Counts) -> _Search:
    problem = problem_of(setting, counts.n_correct, counts.n_trials)
    found = likelihood_profile(problem, THRESHOLD, setting.grid, setting.starts)
    top = climb(problem, found.x[[found.best]], (THRESHOLD, LOG_WIDTH, LAPSE))
    if setting.grid[0] < top.x[0, THRESHOLD] < setting.grid[-1]:
        found = with_point(found, top.x[0], float(top.value[0]))
    return _Search(setting=setting, problem=problem, found=found, rested=bool(top.rested[0]))


def _envelope(searches: Sequence[_Search], drop: float) -> tuple[float, float]:
    """Return the interval in which the highest of several profiles lies within `drop` of the maximum."""
    top = max(float(search.found.height.max()) for search in searches)
    ends = []
    for search in searches:
        left = drop - (top - float(search.found.height.max()))
        if left >= 0:
            ends.append(interval_of(search.problem, search.found, left))
    return min(low for low, _ in ends), max(high for _, high in ends)


def _judged(threshold: float, best: _Search) -> tuple[float, FitStatus]:
    if best.found.best == 0:
        return -np.inf, FitStatus.EXCEEDED
    if best.found.best == len(best.found.values) - 1:
        return np.inf, FitStatus.UNREACHED
    if not best.setting.x.min() <= threshold <= best.setting.x.max():
        return threshold, FitStatus.EXTRAPOLATED
    return threshold, FitStatus.CONVERGED if best.rested else FitStatus.UNFINISHED

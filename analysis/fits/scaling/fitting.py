"""Critical scaling: the largest window scaling at which a metamer is not told from its target.

d'(s) = α₀·max(0, 1 − s₀²/s²): d' is 0 up to the critical scaling s₀, then rises towards the
proportionality factor α₀. Source: Freeman & Simoncelli (2011), Nature Neuroscience 14, equation 3
of the methods. The decision rule of the task turns d' into proportion correct; lapses (random answers)
have the prior Beta(2, 50). s₀ and log α₀ have flat priors within the range searched.

This is a fit of one set of counts. Pooled answers of people or images who differ give too low an s₀ and too
narrow an interval; `fit_hierarchy` with a `ScalingModel` is meant for them.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analysis.curves.axes import to_axis
from analysis.curves.scaling_curve import CRITICAL, GAIN, LAPSE, ScalingCurve
from analysis.data.counts import SURE, Counts, counts_of, dispersion_of, is_below, trend_of
from analysis.fits.scaling.record import ScalingFit, ScalingStatus
from analysis.infer.estimates import Estimate
from analysis.infer.intervals import (
    DROP95,
    LikelihoodProfile,
    interval_of,
    likelihood_profile,
    with_point,
)
from analysis.infer.likelihood import (
    CurveProblem,
    climb,
    deviance,
    lapse_of,
    lapse_prior,
    lapse_start,
)
from analysis.observers.links import link_of
from analysis.observers.sdt import task_of
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task

_GAINS = np.log(np.geomspace(0.05, 30.0, 33))


def fit_critical_scaling(
    levels: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    task: Task | str = ABX,
    rule: str | None = None,
) -> ScalingFit:
    """Fit critical scaling s₀ and gain α₀ to counts of right answers by level.

    Parameters
    ----------
    levels
        Scaling or window size (L,), above zero.
    n_correct, n_trials
        Counts at each level (L,).
    task, rule
        A task or the name of a declared one, and one of its rules; None for the first.

    Raises
    ------
    InputError
        If the counts are not valid, a level is not above zero, or the rule is unknown.

    Examples
    --------
    >>> fit = fit_critical_scaling([8, 16, 32, 64, 128], [50, 52, 80, 93, 95], [100] * 5)
    >>> bool(8 < fit.critical_low < fit.critical < fit.critical_high < 32), fit.status.name
    (True, 'CONVERGED')
    """
    counts = counts_of(levels, n_correct, n_trials)
    link = link_of(task_of(task), rule)
    x = to_axis(counts.levels) * np.log(2)
    problem = CurveProblem(
        curve=ScalingCurve(link=link, log_levels=x).terms,
        prior=_flat_but_for_lapses,
        n_correct=counts.n_correct,
        n_trials=counts.n_trials,
    )
    profiles = _profiles(problem, x)
    best = profiles.by_critical.x[profiles.by_critical.best]
    misfit = deviance(problem.curve(best[None])[0][0], counts.n_correct, counts.n_trials)
    drop = DROP95 * dispersion_of(misfit, counts, n_parameters=3)
    critical, gain, status = _judged(problem, profiles, counts.levels, drop)
    status = _objection(counts, x, link.guess) or status
    return ScalingFit(
        critical=critical.value,
        critical_low=critical.low,
        critical_high=critical.high,
        gain=gain.value,
        gain_low=gain.low,
        gain_high=gain.high,
        lapse=float(lapse_of(best[LAPSE])[0]),
        log_likelihood=float(
            profiles.by_critical.height.max() - _flat_but_for_lapses(best[None])[0][0]
        ),
        deviance=misfit,
        n_trials=int(counts.n_trials.sum()),
        counts=counts,
        link=link,
        status=status,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Profiles:
    """Likelihood profiles of log s₀ and log α₀, with the best point in both; `rested` if it is a maximum."""

    by_critical: LikelihoodProfile
    by_gain: LikelihoodProfile
    rested: bool


def _profiles(problem: CurveProblem, x: np.ndarray) -> _Profiles:
    lapse = lapse_start(0.02)
    span = max(np.ptp(x), np.log(2))
    criticals = np.linspace(x.min() - span, x.max() - 1e-3, 65)
    from_gains = np.array([[0.0, gain, lapse] for gain in np.log([0.5, 2.0, 6.0])])
    by_critical = likelihood_profile(problem, CRITICAL, criticals, from_gains)
    around = by_critical.best + np.array([-1, 0, 1])
    edges = criticals[np.clip(around, 0, len(criticals) - 1)]
    finer = likelihood_profile(
        problem, CRITICAL, np.linspace(edges[0], edges[-1], 33), from_gains[[1]]
    )
    top = climb(problem, finer.x[[finer.best]], (CRITICAL, GAIN, LAPSE))
    if criticals[0] < top.x[0, CRITICAL] < criticals[-1]:
        by_critical = with_point(by_critical, top.x[0], float(top.value[0]))
    best = by_critical.x[by_critical.best]
    starts = np.concatenate([by_critical.x[::8], best[None]])
    by_gain = likelihood_profile(problem, GAIN, _GAINS, starts)
    if _GAINS[0] < best[GAIN] < _GAINS[-1]:
        by_gain = with_point(by_gain, best, float(by_critical.height.max()))
    return _Profiles(by_critical=by_critical, by_gain=by_gain, rested=bool(top.rested[0]))


def _profiled(problem: CurveProblem, profile: LikelihoodProfile, drop: float) -> Estimate:
    """Return a profiled parameter with its interval; one at an end of its range is 0 or infinite."""
    low, high = interval_of(problem, profile, drop)
    at = float(profile.values[profile.best])
    if profile.best == 0:
        at = -np.inf
    if profile.best == len(profile.values) - 1:
        at = np.inf
    value, low, high = (float(np.exp(end)) for end in (at, min(low, at), max(high, at)))
    return Estimate(value=value, low=low, high=high)


def _judged(
    problem: CurveProblem, profiles: _Profiles, levels: np.ndarray, drop: float
) -> tuple[Estimate, Estimate, ScalingStatus]:
    """Return s₀ and α₀ with their intervals, and the status; an undetermined one is at its open end."""
    critical = _profiled(problem, profiles.by_critical, drop)
    gain = _profiled(problem, profiles.by_gain, drop)
    if gain.low == 0:
        return (
            Estimate(value=np.inf, low=0.0, high=np.inf),
            replace(gain, value=0.0),
            ScalingStatus.AT_CHANCE,
        )
    # d' is above 0 at the largest level, so critical scaling lies below it.
    critical = replace(critical, high=min(critical.high, float(levels[-1])))
    if critical.low == 0 and gain.high == np.inf:
        best = profiles.by_critical.x[profiles.by_critical.best]
        ceiling = np.array([[profiles.by_critical.values[0], _GAINS[-1], best[LAPSE]]])
        height = climb(problem, ceiling, (LAPSE,)).value[0]
        at_ceiling = height >= profiles.by_critical.height.max() - drop
        status = ScalingStatus.AT_CEILING if at_ceiling else ScalingStatus.UNDETERMINED
        return replace(critical, value=0.0), replace(gain, value=np.inf), status
    if critical.low == 0:
        below = critical.high < levels[0]
        return critical, gain, ScalingStatus.BELOW if below else ScalingStatus.OPEN
    if not profiles.rested:
        return critical, gain, ScalingStatus.UNFINISHED
    inside = critical.value >= levels[0]
    return critical, gain, ScalingStatus.CONVERGED if inside else ScalingStatus.EXTRAPOLATED


def _objection(counts: Counts, x: np.ndarray, guess: float) -> ScalingStatus | None:
    """Return the status of answers that no critical scaling describes."""
    right, total = counts.n_correct[None], counts.n_trials[None]
    if is_below(guess, right, total)[0]:
        return ScalingStatus.BELOW_CHANCE
    falls = trend_of(x[None], right, total)[0] < ndtri(SURE)
    return ScalingStatus.FALLING if falls else None


def _flat_but_for_lapses(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, gradient, curvature = lapse_prior(x[:, LAPSE])
    flat = np.zeros(len(x))
    return (
        value,
        np.stack([flat, flat, gradient], axis=1),
        np.stack([flat, flat, curvature], axis=1),
    )

"""Critical scaling: the largest window scaling at which a metamer is not told from its target.

d'(s) = α₀·max(0, 1 − s₀²/s²): d' is 0 up to the critical scaling s₀, then rises towards the
proportionality factor α₀. Source: Freeman & Simoncelli (2011), Nature Neuroscience 14, equation 3
of the methods. The decision rule of the task turns d' into proportion correct; lapses (random answers)
have the prior Beta(2, 50). s₀ and log α₀ have flat priors within the range searched.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import to_axis
from analysis.data.counts import Counts, counts_of, dispersion_of
from analysis.infer.intervals import (
    DROP95,
    LikelihoodProfile,
    interval_of,
    likelihood_profile,
    with_point,
)
from analysis.infer.likelihood import (
    Curve,
    CurveProblem,
    climb,
    deviance,
    lapse_of,
    lapse_prior,
    lapse_start,
    log_likelihood,
)
from analysis.observers.links import Link, link_of
from analysis.observers.sdt import task_of
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task

_CRITICAL, _GAIN, _LAPSE = 0, 1, 2
_GAINS = np.log(np.geomspace(0.05, 30.0, 33))


@dataclass(frozen=True, kw_only=True)
class ScalingFit:
    """Fitted critical scaling s₀ and gain α₀ of counts by level, with 95 % intervals.

    Attributes
    ----------
    critical, critical_low, critical_high
        s₀ in the unit of the levels with its 95 % profile interval, widened as in `Fit`; an end is
        0 or infinite if the data exclude no value on that side.
    gain, gain_low, gain_high
        α₀ (d' at very large windows) with its interval.
    lapse
        Probability of a random answer.
    log_likelihood, deviance, n_trials
        At the posterior mode; the deviance is against the observed proportions.
    link
        Relation between d' and proportion correct (`analysis.observers.links`).
    """

    critical: float
    critical_low: float
    critical_high: float
    gain: float
    gain_low: float
    gain_high: float
    lapse: float
    log_likelihood: float
    deviance: float
    n_trials: int
    link: Link

    def dprime(self, level: ArrayLike) -> np.ndarray:
        """Return the fitted d' at each level (same shape)."""
        s = np.asarray(level, dtype=np.float64)
        return self.gain * np.maximum(0.0, 1 - (self.critical / s) ** 2)

    def p_correct(self, level: ArrayLike) -> np.ndarray:
        """Return the fitted proportion correct at each level (same shape)."""
        seen = self.link.p_correct(self.dprime(level))
        return (1 - self.lapse) * seen + self.lapse * self.link.guess


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
    >>> bool(8 < fit.critical_low < fit.critical < fit.critical_high < 32)
    True
    """
    counts = counts_of(levels, n_correct, n_trials)
    link = link_of(task_of(task), rule)
    x = to_axis(counts.levels) * np.log(2)
    problem = CurveProblem(
        curve=_curve(link, x), prior=_prior, n_correct=counts.n_correct, n_trials=counts.n_trials
    )
    by_critical, by_gain = _profiles(problem, x)
    best = by_critical.x[by_critical.best]
    misfit = deviance(problem.curve(best[None])[0][0], counts.n_correct, counts.n_trials)
    drop = DROP95 * dispersion_of(misfit, counts, n_parameters=3)
    ends = (*interval_of(problem, by_critical, drop), *interval_of(problem, by_gain, drop))
    return _scaling_fit(best, ends, counts, link)


def _profiles(problem: CurveProblem, x: np.ndarray) -> tuple[LikelihoodProfile, LikelihoodProfile]:
    """Return the likelihood profiles of log s₀ and log α₀, both with the best point included."""
    lapse = lapse_start(0.02)
    span = max(np.ptp(x), np.log(2))
    criticals = np.linspace(x.min() - span, x.max() - 1e-3, 65)
    from_gains = np.array([[0.0, gain, lapse] for gain in np.log([0.5, 2.0, 6.0])])
    by_critical = likelihood_profile(problem, _CRITICAL, criticals, from_gains)
    around = by_critical.best + np.array([-1, 0, 1])
    edges = criticals[np.clip(around, 0, len(criticals) - 1)]
    finer = likelihood_profile(
        problem, _CRITICAL, np.linspace(edges[0], edges[-1], 33), from_gains[[1]]
    )
    top = climb(problem, finer.x[[finer.best]], (_CRITICAL, _GAIN, _LAPSE))
    if criticals[0] < top.x[0, _CRITICAL] < criticals[-1]:
        by_critical = with_point(by_critical, top.x[0], float(top.value[0]))
    best = by_critical.x[by_critical.best]
    starts = np.concatenate([by_critical.x[::8], best[None]])
    by_gain = likelihood_profile(problem, _GAIN, _GAINS, starts)
    if _GAINS[0] < best[_GAIN] < _GAINS[-1]:
        by_gain = with_point(by_gain, best, float(by_critical.height.max()))
    return by_critical, by_gain


def _scaling_fit(
    best: np.ndarray, ends: tuple[float, float, float, float], counts: Counts, link: Link
) -> ScalingFit:
    critical, gain = np.exp(best[:2])
    low, high, gain_low, gain_high = np.exp(ends)
    lapse = float(lapse_of(best[_LAPSE])[0])
    dprime = gain * np.maximum(0.0, 1 - (critical / counts.levels) ** 2)
    p = (1 - lapse) * link.p_correct(dprime) + lapse * link.guess
    return ScalingFit(
        critical=float(critical),
        critical_low=float(min(low, critical)),
        critical_high=float(max(high, critical)),
        gain=float(gain),
        gain_low=float(min(gain_low, gain)),
        gain_high=float(max(gain_high, gain)),
        lapse=lapse,
        log_likelihood=float(log_likelihood(p, counts.n_correct, counts.n_trials)),
        deviance=deviance(p, counts.n_correct, counts.n_trials),
        n_trials=int(counts.n_trials.sum()),
        link=link,
    )


def _curve(link: Link, log_levels: np.ndarray) -> Curve:
    def curve(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gain = np.exp(np.clip(x[:, [_GAIN]], -20, 6))
        ratio = np.exp(np.minimum(2 * (x[:, [_CRITICAL]] - log_levels), 0.0))
        dprime = gain * (1 - ratio)
        lapse, lapse_slope = lapse_of(x[:, [_LAPSE]])
        seen, slope = link.p_correct(dprime), (1 - lapse) * link.slope(dprime)
        by_critical = np.where(ratio < 1, -2 * gain * ratio, 0.0) * slope
        parts = [by_critical, slope * dprime, (link.guess - seen) * lapse_slope]
        return (1 - lapse) * seen + lapse * link.guess, np.stack(parts, axis=1)

    return curve


def _prior(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, gradient, curvature = lapse_prior(x[:, _LAPSE])
    flat = np.zeros(len(x))
    return (
        value,
        np.stack([flat, flat, gradient], axis=1),
        np.stack([flat, flat, curvature], axis=1),
    )

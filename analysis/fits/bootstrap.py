"""Parametric bootstrap of a threshold, as a check on the profile interval of one sigmoid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.parametrization import (
    LAPSE,
    LOG_WIDTH,
    THRESHOLD,
    Parametrization,
    parametrization_of,
    problem_of,
)
from analysis.curves.psychometric import from_axis, to_axis
from analysis.data.counts import counts_of
from analysis.fits.fit import Fit
from analysis.infer.likelihood import climb, lapse_start
from stimuli_store.tools.whole import whole


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """Thresholds (R,) fitted to simulated repetitions of an experiment, and their central 95 % interval."""

    thresholds: np.ndarray
    low: float
    high: float


def bootstrap_threshold(
    fit: Fit, levels: ArrayLike, n_trials: ArrayLike, *, n_draws: int = 1000, seed: int = 0
) -> Bootstrap:
    """Return the parametric bootstrap of a threshold: answers drawn from the fitted curve, fitted again.

    Parameters
    ----------
    fit
        From `fit_psychometric`.
    levels, n_trials
        The design to repeat (L,).
    n_draws, seed
        Number of repetitions R, and the seed that draws them.

    Examples
    --------
    >>> from analysis.fits.fit import fit_psychometric
    >>> levels, trials = [8, 16, 32, 64, 128], [50] * 5
    >>> fit = fit_psychometric(levels, [26, 31, 41, 48, 49], trials)
    >>> again = bootstrap_threshold(fit, levels, trials, n_draws=200)
    >>> bool(again.low < fit.threshold < again.high)
    True
    """
    total = np.asarray(n_trials, dtype=np.float64)
    counts = counts_of(levels, np.zeros_like(total), total)
    curve = fit.function
    setting = parametrization_of(counts, curve.sigmoid, curve.guess, fit.p, curve.axis)
    n_draws = whole(n_draws, "n_draws", 1)
    rng = np.random.default_rng(whole(seed, "seed", 0))
    drawn = rng.binomial(
        counts.n_trials.astype(int), curve(counts.levels), size=(n_draws, len(counts.levels))
    ).astype(np.float64)
    x = _climb_draws(setting, drawn, counts.n_trials, _start_of(fit, setting))
    x = np.where(x <= setting.grid[0], -np.inf, np.where(x >= setting.grid[-1], np.inf, x))
    thresholds = from_axis(x, curve.axis)
    ends = np.quantile(thresholds, [0.025, 0.975], method="nearest")
    return Bootstrap(thresholds=thresholds, low=float(ends[0]), high=float(ends[1]))


def _start_of(fit: Fit, setting: Parametrization) -> np.ndarray:
    where = to_axis(fit.threshold, setting.axis) if 0 < fit.threshold < np.inf else setting.x.max()
    lapse = lapse_start(min(max(fit.function.lapse, 1e-4), 0.99 * setting.top), setting.top)
    return np.array([float(where), np.log2(fit.function.width), lapse])


def _climb_draws(
    setting: Parametrization, drawn: np.ndarray, n_trials: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Return the fitted threshold of every row of counts (R, L), the best from several starts."""
    begins = [start]
    for shift in (-0.4, 0.4):
        begins.append(start + np.array([shift * setting.span, 0.0, 0.0]))
    problem = problem_of(setting, drawn, n_trials)
    ends = [
        climb(problem, np.tile(begin, (len(drawn), 1)), (THRESHOLD, LOG_WIDTH, LAPSE))
        for begin in begins
    ]
    best = np.argmax([end.value for end in ends], axis=0)
    return np.stack([end.x for end in ends])[best, np.arange(len(drawn)), THRESHOLD]

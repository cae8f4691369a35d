"""Goodness of fit: the deviance and the residuals of a curve against a simulated null.

Source: Wichmann & Hill (2001), Perception & Psychophysics 63, 1293, sections on the deviance, on residuals
against the model's prediction, and against the order of the blocks.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from analysis.data.counts import counts_of
from analysis.data.kinds import given_fit
from analysis.fits.bootstrap import draws_of
from analysis.fits.fit import Fit
from analysis.fits.modes import best_modes
from analysis.infer.likelihood import deviance_residuals, deviances, log_likelihood
from analysis.infer.noise import Binomial
from analysis.observers.checks import numbers_of
from stimuli_store.errors import InputError
from stimuli_store.tools import html
from stimuli_store.tools.gates import a_count, a_seed, takes
from stimuli_store.tools.shown import FactSheet, p_value
from stimuli_store.tools.whole import whole


@dataclass(frozen=True, kw_only=True, repr=False)
class NullTest:
    """An observed figure, and the share of simulated good fits that have one at least as extreme.

    `value` is NaN where the figure is not defined, as a correlation of fewer than three residuals; then
    `share` is 1. The observed one counts among the `n_draws` simulated ones, so that `share` is at least
    1/(n_draws + 1).

    Examples
    --------
    >>> NullTest(value=12.3, share=0.001, n_draws=999)
    NullTest(12.3, p ≤ 0.001)
    """

    value: float
    share: float
    n_draws: int

    def __repr__(self) -> str:
        return f"NullTest({self.told})"

    def _repr_html_(self) -> str:
        return html.paragraph(self.told)

    @property
    def told(self) -> str:
        """The figure and its p-value, in words."""
        return f"{self.value:.3g}, {p_value(self.share, self.n_draws)}"


@dataclass(frozen=True, kw_only=True, repr=False)
class Goodness(FactSheet):
    """Goodness of fit: how well a curve describes the answers.

    Attributes
    ----------
    deviance
        Large values show scatter beyond chance, or a wrong shape.
    by_level
        Correlation of the residuals with the fitted proportion; far from 0 for a wrong shape.
    n_draws
        Number of simulated experiments.

    Examples
    --------
    >>> from stimsynth import fit_psychometric
    >>> fit = fit_psychometric([1, 2, 4, 8, 16], [20, 22, 30, 37, 39], [40] * 5)
    >>> found = fit.goodness()
    >>> found.holds
    True
    """

    deviance: NullTest
    by_level: NullTest
    n_draws: int

    @property
    def holds(self) -> bool:
        """True unless a figure would be among the 5 % most extreme of good fits."""
        return self.deviance.share >= 0.05 and self.by_level.share >= 0.05

    def _facts(self) -> list[tuple[str, object]]:
        return [
            ("deviance", self.deviance.told),
            ("trend of the residuals by level", self.by_level.told),
            ("simulated experiments", self.n_draws),
        ]


@takes(fit=given_fit, n_draws=a_count, seed=a_seed)
def goodness_of_fit(fit: Fit, *, n_draws: int = 1000, seed: int = 0) -> Goodness:
    """Return a fit's deviance and the trend of its residuals, against experiments drawn from its curve.

    Each simulated experiment is fitted anew, with binomial answers.

    Parameters
    ----------
    fit
        From `fit_psychometric`.
    n_draws, seed
        Number of simulated experiments, and the seed that draws them.

    Examples
    --------
    >>> from analysis.fits.fitting import fit_psychometric
    >>> levels = [8, 12, 16, 24, 32, 48]
    >>> good = fit_psychometric(levels, [52, 57, 62, 80, 90, 97], [100] * 6)
    >>> bad = fit_psychometric(levels, [52, 80, 55, 95, 70, 97], [100] * 6)
    >>> [goodness_of_fit(fit, n_draws=200).holds for fit in (good, bad)]
    [True, False]
    """
    total, right = fit.counts.n_trials, fit.counts.n_correct
    p = fit.predict(fit.counts.levels)
    batch = draws_of(fit, p, (Binomial(), np.empty(0)), n_draws, seed)
    drawn = batch.n_correct
    null = best_modes(batch, replace(fit.settings, rising=fit.rising)).p_correct
    misfit = deviances(log_likelihood(null, drawn, total), drawn, total)
    trends = _correlations(deviance_residuals(null, drawn, total), null)
    observed = _correlations(deviance_residuals(p, right, total)[None], p[None])[0]
    return Goodness(
        deviance=_tested(fit.deviance, misfit),
        by_level=_tested(float(observed), trends),
        n_draws=n_draws,
    )


@takes(fit=given_fit, n_draws=a_count, seed=a_seed)
def residuals_by_order(
    fit: Fit,
    levels: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    n_draws: int = 1000,
    seed: int = 0,
) -> NullTest:
    """Return the correlation of residuals with the order of trials or blocks: learning, or tiring.

    Parameters
    ----------
    fit
        Of the same answers.
    levels, n_correct, n_trials
        Trials or blocks (T,) in the order in which they were run.
    n_draws, seed
        Number of shuffled orders, and the seed that shuffles.

    Returns
    -------
    NullTest
        The share is of orders, shuffled within the levels, with a correlation at least as far from 0.

    Raises
    ------
    InputError
        If these are not the fit's answers.

    Examples
    --------
    >>> from analysis.fits.fitting import fit_psychometric
    >>> levels, right = [8, 16, 32, 64] * 6, [6, 6, 7, 8] * 3 + [4, 5, 9, 10] * 3
    >>> fit = fit_psychometric(levels, right, [10] * 24)
    >>> residuals_by_order(fit, levels, right, [10] * 24).share > 0.05
    True
    """
    merged = counts_of(levels, n_correct, n_trials)
    own = fit.counts
    if merged.levels.tolist() != own.levels.tolist() or (
        merged.n_correct.tolist() != own.n_correct.tolist()
    ):
        raise InputError("these trials do not add up to the answers of the fit; give the same ones")
    level, right, total = (
        np.atleast_1d(numbers_of(v, "trials")) for v in (levels, n_correct, n_trials)
    )
    used = total > 0
    level, right, total = level[used], right[used], total[used]
    left = deviance_residuals(fit.predict(level), right, total)
    rng = np.random.default_rng(a_seed(seed, "seed"))
    order, n_draws = np.arange(float(len(left))), whole(n_draws, "n_draws", 1)
    shuffled = np.tile(left, (n_draws, 1))
    for one in own.levels:
        where = np.flatnonzero(level == one)
        shuffled[:, where] = rng.permuted(shuffled[:, where], axis=1)
    null = _correlations(shuffled, np.broadcast_to(order, shuffled.shape))
    return _tested(float(_correlations(left[None], order[None])[0]), null)


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the correlation of each row of a (R, L) with that of b (R, L); NaN where one is constant."""
    if a.shape[1] < 3:
        return np.full(len(a), np.nan)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.where(scale > 0, (a * b).sum(axis=1) / np.where(scale > 0, scale, 1), np.nan)


def _tested(value: float, null: np.ndarray) -> NullTest:
    known = null[np.isfinite(null)]
    if not np.isfinite(value) or not len(known):
        return NullTest(value=value, share=1.0, n_draws=len(known))
    more = np.sum(np.abs(known) >= abs(value) * (1 - 1e-9))
    return NullTest(value=value, share=float((1 + more) / (1 + len(known))), n_draws=len(known))

"""Bootstraps of a fitted psychometric function: answers drawn again, curves fitted again."""

from dataclasses import dataclass, replace

import numpy as np

from analysis.data.kinds import given_fit
from analysis.fits.engine.batch import CountsBatch, batch_of_counts
from analysis.fits.fit import Fit
from analysis.fits.modes import FittedModes, best_modes
from analysis.infer.estimates import Estimate
from analysis.infer.noise import BetaBinomial, Binomial, Noise
from stimuli_store.tools.gates import a_count, a_seed, a_share, takes
from stimuli_store.tools.whole import whole


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Bootstrap:
    """Curves fitted to R simulated repetitions of an experiment.

    Attributes
    ----------
    fit
        The fit of the experiment itself.
    modes
        The repetitions' curves.
    """

    fit: Fit
    modes: FittedModes

    def __repr__(self) -> str:
        n = len(self.modes.converged)
        return f"Bootstrap({self.threshold_at(self.fit.p)} at {self.fit.p:g}, {n} repetitions)"

    @takes(p=a_share)
    def threshold_at(self, p: float) -> Estimate:
        """Return the threshold at `p` with the central 95 % of its repetitions."""
        drawn = self.modes.threshold_at(p)
        low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
        return Estimate(
            value=float(self.fit.function.level_at(p)), low=float(low), high=float(high)
        )


@takes(fit=given_fit, n_draws=a_count, seed=a_seed)
def parametric_bootstrap(fit: Fit, *, n_draws: int = 1000, seed: int = 0) -> Bootstrap:
    """Return repetitions whose answers are drawn from the fitted curve and its noise.

    Parameters
    ----------
    fit
        From `fit_psychometric`.
    n_draws, seed
        Number of repetitions R, and the seed that draws them.

    Examples
    --------
    >>> from analysis.fits.fitting import fit_psychometric
    >>> fit = fit_psychometric([8, 16, 32, 64, 128], [26, 31, 41, 48, 49], [50] * 5)
    >>> again = parametric_bootstrap(fit, n_draws=200).threshold_at(0.75)
    >>> again.low < fit.threshold < again.high
    True
    """
    return _repeated(fit, fit.predict(fit.counts.levels), noise_of(fit), n_draws, seed)


@takes(fit=given_fit, n_draws=a_count, seed=a_seed)
def nonparametric_bootstrap(fit: Fit, *, n_draws: int = 1000, seed: int = 0) -> Bootstrap:
    """Return repetitions whose answers are drawn from the observed proportions of each level.

    It trusts no curve, but a level at which all answers were right is always right again.

    Parameters
    ----------
    fit, n_draws, seed
        As for `parametric_bootstrap`.

    Examples
    --------
    >>> from stimsynth import fit_psychometric
    >>> fit = fit_psychometric([1, 2, 4, 8, 16], [20, 22, 30, 37, 39], [40] * 5)
    >>> found = nonparametric_bootstrap(fit, n_draws=20, seed=0)
    >>> found.threshold_at(0.75).low < fit.threshold
    True
    """
    seen = fit.counts.n_correct / fit.counts.n_trials
    return _repeated(fit, seen, (Binomial(), np.empty(0)), n_draws, seed)


def noise_of(fit: Fit) -> tuple[Noise, np.ndarray]:
    """Return the noise of a fit's answers with its parameters (E,).

    Where answers scatter beyond chance in a binomial fit, η is the one whose mean deviance is theirs.
    """
    names = fit.settings.noise.names
    if names:
        return fit.settings.noise, fit.posterior.mode[-len(names) :]
    if fit.dispersion == 1:
        return Binomial(), np.empty(0)
    free = max(fit.n_levels - len(fit.posterior.names), 1)
    factor = max(fit.deviance / free, 1.0)
    mean = max(float(fit.counts.n_trials.mean()), 2.0)
    return BetaBinomial(), np.array([min(np.sqrt((factor - 1) / (mean - 1)), 0.99)])


def draws_of(
    fit: Fit, p: np.ndarray, noise: tuple[Noise, np.ndarray], n_draws: int, seed: int
) -> CountsBatch:
    """Return simulated repetitions of a fit's experiment (R of them) at probabilities (L,)."""
    n_draws = whole(n_draws, "n_draws", 1)
    rng = np.random.default_rng(a_seed(seed, "seed"))
    shape = (n_draws, len(p))
    total = np.broadcast_to(fit.counts.n_trials, shape)
    scatter, extra = noise
    one = batch_of_counts([fit.counts], fit.settings.axis).rows(np.zeros(n_draws, dtype=int))
    drawn = scatter.draw(rng, np.broadcast_to(p, shape), total, np.tile(extra, (n_draws, 1)))
    return replace(one, n_correct=drawn)


def _repeated(
    fit: Fit, p: np.ndarray, noise: tuple[Noise, np.ndarray], n_draws: int, seed: int
) -> Bootstrap:
    batch = draws_of(fit, p, noise, n_draws, seed)
    return Bootstrap(fit=fit, modes=best_modes(batch, replace(fit.settings, rising=fit.rising)))

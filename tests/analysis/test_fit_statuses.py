"""Statuses of fits to answers that hold no threshold: at chance, or at a single level."""

import numpy as np
import pytest
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri
from scipy.stats import betabinom, binom, chi2

from analysis.data.counts import trend_of
from analysis.fits.fit_status import FitStatus
from analysis.fits.fitting import fit_many, fit_psychometric

SEEN = (FitStatus.CONVERGED, FitStatus.FALLING)


@pytest.mark.parametrize(("n_levels", "n_trials"), [(7, 40), (4, 20), (10, 10), (5, 12)])
def test_answers_at_chance_have_no_threshold_to_rely_on(n_levels: int, n_trials: int) -> None:
    rng = np.random.default_rng([n_levels, n_trials])
    levels, total = 2.0 ** np.arange(n_levels), [n_trials] * n_levels
    sets = [(levels, rng.binomial(n_trials, 0.5, n_levels), total) for _ in range(200)]
    fits = fit_many(sets, sigmoid="normal")
    # One in a hundred by the test's own level, and three standard errors of 200 sets.
    assert sum(np.isfinite(fit.threshold) for fit in fits) <= 2 + 3 * np.sqrt(2)
    told = [fit for fit in fits if fit.status is FitStatus.AT_CHANCE]
    assert len(told) >= len(fits) - 2 - 3 * np.sqrt(2)
    assert all(repr(fit).startswith("Fit(inf [") and np.isinf(fit.high) for fit in told)


@pytest.mark.parametrize("sigmoid", ["any", "weibull"])
def test_answers_are_at_chance_just_where_a_flat_line_is_not_rejected(sigmoid: str) -> None:
    """The likelihoods are scipy's; the weakest slopes lie on either side of the test's border."""
    rng, levels, total = np.random.default_rng(3), 2.0 ** np.arange(5), [40] * 5
    p = 0.5 + np.outer(np.linspace(0, 0.3, 60), np.linspace(0, 1, 5))
    sets = [(levels, right, total) for right in rng.binomial(40, p)]
    seen = set()
    for (_, right, _), fit in zip(sets, fit_many(sets, sigmoid=sigmoid), strict=True):
        curve, flat = (binom.logpmf(right, 40, q).sum() for q in (fit.predict(levels), 0.5))
        if fit.status is FitStatus.BELOW_CHANCE or fit.status is FitStatus.WRONG_WAY:
            continue
        at_chance = 2 * (curve - flat) < chi2.isf(0.01, 2)
        assert (fit.status is FitStatus.AT_CHANCE) == at_chance
        seen.add(at_chance)
    assert seen == {True, False}


def test_a_falling_fit_of_answers_at_chance_has_no_threshold_either() -> None:
    fit = fit_psychometric([1, 2, 4, 8], [21, 20, 19, 20], [40] * 4, rising=False)
    assert (fit.status, fit.threshold, fit.low) == (FitStatus.AT_CHANCE, 0.0, 0.0)
    assert fit.high >= 1


@pytest.mark.parametrize("n_trials", [80, 160, 1600])
def test_a_late_drop_is_a_fall(n_trials: int) -> None:
    right = np.round(np.array([0.975, 0.969, 0.975, 0.8875, 0.556]) * n_trials)
    free, told = (
        fit_psychometric([1, 2, 4, 8, 16], right, [n_trials] * 5, rising=rising)
        for rising in (None, False)
    )
    assert free.status is FitStatus.FALLING and told.status is FitStatus.CONVERGED
    assert (free.threshold, free.low, free.high) == (told.threshold, told.low, told.high)
    assert 8 < free.low < free.threshold < free.high < 16


def test_an_early_rise_is_against_a_falling_curve() -> None:
    right = np.array([89, 142, 156, 155, 156])
    fits = [
        fit_psychometric([1, 2, 4, 8, 16], right, [160] * 5, rising=way) for way in (None, False)
    ]
    assert [fit.status for fit in fits] == [FitStatus.CONVERGED, FitStatus.WRONG_WAY]


@pytest.mark.parametrize("threshold", [6, 9, 12])
def test_curves_that_fall_late_are_seen_to_fall(threshold: float) -> None:
    rng, levels = np.random.default_rng(threshold), 2.0 ** np.arange(5)
    p = 0.5 + 0.48 * np.exp(-((levels / threshold) ** 3))
    fits = fit_many([(levels, rng.binomial(160, p), [160] * 5) for _ in range(40)])
    assert all(fit.status is FitStatus.FALLING for fit in fits)
    true = threshold * np.log(0.48 / 0.25) ** (1 / 3)
    assert sum(fit.low <= true <= fit.high for fit in fits) >= 33  # P = .003 for a true 95 %


def test_the_curve_of_a_status_without_threshold_is_where_the_status_says() -> None:
    rng, levels = np.random.default_rng(1), 2.0 ** np.arange(5)
    p = rng.uniform(0.5, 1, (150, 5))
    for fit in fit_many([(levels, right, [30] * 5) for right in rng.binomial(30, p)]):
        curve = fit.predict(levels)
        assert fit.status is not FitStatus.EXCEEDED or curve.min() > fit.p
        assert fit.status is not FitStatus.UNREACHED or curve.max() < fit.p
    assert "at all levels" not in FitStatus.EXCEEDED.value


def test_the_scatter_of_a_trend_is_about_the_best_monotone_curve() -> None:
    """An oracle: scipy's isotonic regression, row by row, with levels out of order and padding.

    A beta-binomial variance with η = .17 counts as three degrees of freedom more.
    """
    rng = np.random.default_rng(2)
    total = rng.integers(1, 60, (40, 6)).astype(np.float64)
    right = rng.binomial(total.astype(int), rng.uniform(0, 1, (40, 6))).astype(np.float64)
    x = rng.permuted(np.tile(np.arange(6.0), (40, 1)), axis=1)
    padded = [np.pad(v, ((0, 0), (0, 2))) for v in (x, right, total)]
    for row, found in enumerate(trend_of(*padded)):
        order = np.argsort(x[row])
        k, n, at = (v[row][order] for v in (right, total, x))
        mean, middle = k.sum() / n.sum(), (n @ at) / n.sum()
        slope, square = k @ (at - middle), n @ (at - middle) ** 2
        fit = isotonic_regression(k / n, weights=n, increasing=slope >= 0)
        free, spread = 6 - (len(fit.blocks) - 1), mean * (1 - mean)
        scatter = (n * (k / n - fit.x) ** 2).sum() / spread
        usual = n * (1 + (n - 1) * 0.17**2) @ (at - middle) ** 2 / square
        beyond = max((3 * usual + scatter) / (3 + free), scatter / max(free, 1), 1)
        assert found == pytest.approx(slope / np.sqrt(square * spread * beyond))


@pytest.mark.parametrize("p", [0.5, 0.75, 0.9])
@pytest.mark.parametrize(("n_levels", "n_trials"), [(3, 40), (3, 200), (5, 40), (5, 200), (10, 40)])
def test_flat_answers_with_overdispersion_do_not_pass_for_falling(
    p: float, n_levels: int, n_trials: int
) -> None:
    """η = .2; scatter estimated from the answers alone lets up to 13 % pass."""
    rng, nu, n_sets = np.random.default_rng(n_levels), 1 / 0.2**2 - 1, 10_000
    right = betabinom.rvs(
        n_trials, p * nu, (1 - p) * nu, size=(n_sets, n_levels), random_state=rng
    ).astype(np.float64)
    x = np.broadcast_to(np.arange(float(n_levels)), right.shape)
    falls = trend_of(x, right, np.full_like(right, n_trials)) < ndtri(1e-3)
    assert falls.mean() <= 0.01 + 3 * np.sqrt(0.01 / n_sets)


def test_few_fits_of_flat_overdispersed_answers_fall_and_all_of_falling_ones_do() -> None:
    rng, levels = np.random.default_rng(5), 2.0 ** np.arange(6)
    nu, less = (1 / eta**2 - 1 for eta in (0.2, 0.1))
    flat = rng.binomial(100, rng.beta(0.7 * nu, 0.3 * nu, (300, 6)))
    p = 0.5 + 0.48 * ndtr(np.linspace(2.4, -2.4, 6))
    fallen = rng.binomial(100, rng.beta(p * less, (1 - p) * less, (100, 6)))
    fits = fit_many([(levels, right, [100] * 6) for right in flat], sigmoid="normal")
    assert sum(fit.status is FitStatus.FALLING for fit in fits) <= 3 + 3 * np.sqrt(3)
    fits = fit_many([(levels, right, [100] * 6) for right in fallen], sigmoid="normal")
    assert sum(not fit.rising or fit.status is FitStatus.BELOW_CHANCE for fit in fits) >= 98


@pytest.mark.long
def test_answers_that_rise_are_told_from_chance() -> None:
    rng = np.random.default_rng(0)
    levels = 2.0 ** np.arange(5)
    p = 0.5 + 0.48 * ndtr(np.linspace(-2.4, 2.4, 5))
    fits = fit_many([(levels, rng.binomial(12, p), [12] * 5) for _ in range(200)])
    assert all(fit.status is not FitStatus.AT_CHANCE for fit in fits)


def test_a_flat_line_is_at_the_mean_where_the_guess_rate_is_free() -> None:
    flat = fit_psychometric([1, 2, 4, 8], [4, 3, 2, 5], [20] * 4, guess="free", p=0.6)
    risen = fit_psychometric([1, 2, 4, 8], [1, 4, 12, 19], [20] * 4, guess="free", p=0.6)
    assert flat.status not in SEEN and risen.status is FitStatus.CONVERGED


@pytest.mark.parametrize("right", [20, 30, 40])
def test_a_single_level_gives_no_threshold_and_says_why(right: int) -> None:
    fit = fit_psychometric([4], [right], [40])
    assert fit.status is FitStatus.ONE_LEVEL and not fit.status.is_found
    assert "single level" in fit.status.value
    assert fit.low <= fit.threshold <= fit.high

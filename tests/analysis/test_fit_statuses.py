"""Statuses of fits to answers that hold no threshold: at chance, or at a single level."""

import numpy as np
import pytest
from scipy.special import ndtr

from analysis.fits.fit import FitStatus
from analysis.fits.fitting import fit_many, fit_psychometric

SEEN = (FitStatus.CONVERGED, FitStatus.FALLING)


@pytest.mark.parametrize(("n_levels", "n_trials"), [(7, 40), (4, 20), (10, 10), (5, 12)])
def test_answers_at_chance_have_no_threshold_to_rely_on(n_levels: int, n_trials: int) -> None:
    rng = np.random.default_rng([n_levels, n_trials])
    levels, total = 2.0 ** np.arange(n_levels), [n_trials] * n_levels
    sets = [(levels, rng.binomial(n_trials, 0.5, n_levels), total) for _ in range(200)]
    found = [fit.status for fit in fit_many(sets, sigmoid="normal")]
    # One in a hundred by the test's own level, and three standard errors of 200 sets.
    assert sum(status in SEEN for status in found) <= 2 + 3 * np.sqrt(2)


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

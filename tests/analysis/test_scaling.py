"""Critical scaling: recovery, coverage, and a brute-force posterior written again."""

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from analysis.fits.scaling.fitting import fit_critical_scaling
from analysis.fits.scaling.record import ScalingStatus
from stimuli_store.errors import InputError
from tests.helpers import whole

LEVELS = np.array([8, 12, 16, 24, 32, 48, 64, 96.0])


def p_abx(s0: float, a0: float | np.ndarray, lapse: float, rule: str = "independent") -> np.ndarray:
    """Proportion correct written out with normal distribution functions."""
    d = a0 * np.maximum(0, 1 - (s0 / LEVELS) ** 2)
    second = d / 2 if rule == "independent" else d / np.sqrt(6)
    first = d / np.sqrt(2)
    p = norm.cdf(first) * norm.cdf(second) + norm.cdf(-first) * norm.cdf(-second)
    return (1 - lapse) * p + lapse / 2


@pytest.mark.parametrize("rule", ["independent", "differencing"])
def test_many_trials_recover_both_parameters(rule: str) -> None:
    n = 100_000
    right = np.random.default_rng(0).binomial(n, p_abx(14.0, 2.6, 0.02, rule))
    fit = fit_critical_scaling(LEVELS, right, [n] * 8, rule=rule)
    assert fit.critical == pytest.approx(14.0, rel=0.01)
    assert fit.gain == pytest.approx(2.6, rel=0.02)
    assert fit.critical_low <= 14.0 <= fit.critical_high
    assert fit.p_correct(LEVELS) == pytest.approx(p_abx(14.0, 2.6, 0.02, rule), abs=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_mode_is_that_of_a_brute_force_grid(seed: int) -> None:
    right = np.random.default_rng(seed).binomial(80, p_abx(14.0, 2.2, 0.02))
    fit = fit_critical_scaling(LEVELS, right, [80] * 8)
    best, where = -np.inf, (0.0, 0.0)
    for s0 in np.geomspace(4, 40, 90):
        for lapse in (0.005, 0.01, 0.02, 0.04):
            p = p_abx(s0, np.linspace(0.8, 5, 85)[:, None], lapse)
            values = binom.logpmf(right, 80, p).sum(axis=1) + beta.logpdf(lapse, 2, 50)
            if values.max() > best:
                best, where = values.max(), (s0, np.linspace(0.8, 5, 85)[values.argmax()])
    ours = binom.logpmf(right, 80, fit.p_correct(LEVELS)).sum() + beta.logpdf(fit.lapse, 2, 50)
    assert ours >= best - 1e-6  # never below the grid's best point
    assert ours <= best + 0.15  # and not far above what a grid this fine would see
    assert fit.critical == pytest.approx(where[0], rel=0.08)
    assert fit.gain == pytest.approx(where[1], rel=0.08)


@pytest.mark.long
@pytest.mark.parametrize(("n_sets", "at_least"), [(25, 22), whole(100, 88)])
def test_intervals_cover(n_sets: int, at_least: int) -> None:
    rng = np.random.default_rng(5)
    p = p_abx(14.0, 2.4, 0.02)
    covered = np.zeros(2)
    for _ in range(n_sets):
        fit = fit_critical_scaling(LEVELS, rng.binomial(60, p), [60] * 8)
        assert fit.critical_low <= fit.critical <= fit.critical_high
        assert fit.gain_low <= fit.gain <= fit.gain_high
        covered += [
            fit.critical_low <= 14.0 <= fit.critical_high,
            fit.gain_low <= 2.4 <= fit.gain_high,
        ]
    assert (covered >= at_least).all()


def test_chance_answers_constrain_no_upper_end() -> None:
    fit = fit_critical_scaling(LEVELS, [20] * 8, [40] * 8)
    assert np.isinf(fit.critical_high)
    assert fit.gain_low == 0.0


def test_levels_must_be_above_zero() -> None:
    with pytest.raises(InputError, match="above zero"):
        fit_critical_scaling([0.0, 1.0], [1, 2], [2, 2])


@pytest.mark.parametrize(
    ("right", "status"),
    [
        ([20] * 8, ScalingStatus.AT_CHANCE),
        ([40] * 8, ScalingStatus.AT_CEILING),
        ([39, 40, 40, 38, 40, 39, 40, 40], ScalingStatus.AT_CEILING),
        ([32] * 8, ScalingStatus.BELOW),
        ([22, 19, 20, 21, 20, 18, 24, 26], ScalingStatus.OPEN),
        ([28, 33, 35, 36, 37, 37, 37, 38], ScalingStatus.EXTRAPOLATED),
        ([20, 21, 24, 30, 34, 36, 37, 37], ScalingStatus.CONVERGED),
        ([20, 20, 20, 20, 39, 40, 40, 40], ScalingStatus.CONVERGED),
        ([10] * 8, ScalingStatus.BELOW_CHANCE),
        ([38, 36, 34, 30, 26, 24, 21, 20], ScalingStatus.FALLING),
    ],
)
@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9])
def test_a_critical_scaling_that_nothing_determines_says_so(
    right: list[int], status: ScalingStatus, scale: float
) -> None:
    fit = fit_critical_scaling(scale * LEVELS, right, [40] * 8)
    assert fit.status is status
    assert fit.critical_low <= fit.critical <= fit.critical_high
    assert fit.gain_low <= fit.gain <= fit.gain_high
    if status in (ScalingStatus.CONVERGED, ScalingStatus.EXTRAPOLATED):
        plain = fit_critical_scaling(LEVELS, right, [40] * 8)
        assert fit.critical == pytest.approx(scale * plain.critical, rel=1e-6)
        assert 0 < fit.critical_low < fit.critical_high <= scale * 96
    if status is ScalingStatus.AT_CHANCE:
        assert (fit.critical_low, fit.critical_high, fit.gain) == (0, np.inf, 0)
    assert fit.status.name in repr(fit)
    assert np.isfinite(fit.p_correct(scale * LEVELS)).all()


def test_one_level_determines_nothing() -> None:
    assert fit_critical_scaling([8], [30], [40]).status is ScalingStatus.UNDETERMINED


def test_log_likelihood_and_deviance_are_those_of_the_fitted_curve() -> None:
    right = np.array([20, 21, 24, 30, 34, 36, 37, 37])
    fit = fit_critical_scaling(LEVELS, right, [40] * 8)
    p = fit.p_correct(LEVELS)
    height = right @ np.log(p) + (40 - right) @ np.log1p(-p)
    assert fit.log_likelihood == pytest.approx(height, abs=1e-6)
    seen = binom.logpmf(right, 40, right / 40).sum()
    assert fit.deviance == pytest.approx(2 * (seen - binom.logpmf(right, 40, p).sum()), abs=1e-6)

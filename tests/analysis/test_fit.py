"""Fits against an independent optimiser, simulated recovery, coverage, and data that say little."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import beta, binom, norm

from analysis.curves.psychometric import PsychometricFunction
from analysis.fits.bootstrap import bootstrap_threshold
from analysis.fits.fit import FitStatus, fit_psychometric
from analysis.observers.sdt import p_correct
from stimuli_store.errors import InputError
from tests.helpers import whole

LEVELS = np.array([8, 12, 16, 24, 32, 48, 64, 96.0])
TRUE = PsychometricFunction(sigmoid="weibull", threshold=32, width=2.2, guess=0.5, lapse=0.02)
THRESHOLD = float(TRUE.level_at(0.75))


def drawn(seed: int, n: int = 60, curve: PsychometricFunction = TRUE) -> np.ndarray:
    return np.random.default_rng(seed).binomial(n, curve(LEVELS))


def negative_log_posterior(v: np.ndarray, right: np.ndarray, n: int) -> float:
    """The model written again from its description, in level and natural units (Weibull α, β)."""
    alpha, b, lapse = np.exp(v[0]), np.exp(v[1]), v[2]
    if not 0 < lapse < 0.2:
        return 1e9
    p = 0.5 + (0.5 - lapse) * (1 - np.exp(-((LEVELS / alpha) ** b)))
    width = np.log(np.log(0.05) / np.log(0.95)) / (b * np.log(2))
    span = np.log2(LEVELS[-1] / LEVELS[0])
    prior = beta.logpdf(lapse, 2, 50) + norm.logpdf(np.log(width), np.log(span), 1.0)
    return -float(binom.logpmf(right, n, p).sum() + prior)


@pytest.mark.parametrize("seed", range(5))
def test_mode_is_where_another_optimiser_finds_it(seed: int) -> None:
    right = drawn(seed)
    fit = fit_psychometric(LEVELS, right, [60] * 8, sigmoid="weibull")
    found = min(
        (
            minimize(
                negative_log_posterior,
                [np.log(start), 0.7, 0.02],
                args=(right, 60),
                method="Nelder-Mead",
                options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 5000},
            )
            for start in (20, 40, 60)
        ),
        key=lambda r: r.fun,
    )
    alpha, b, lapse = np.exp(found.x[0]), np.exp(found.x[1]), found.x[2]
    threshold = alpha * (-np.log(1 - 0.25 / (0.5 - lapse))) ** (1 / b)
    assert fit.threshold == pytest.approx(threshold, rel=2e-3)
    assert fit.function.lapse == pytest.approx(lapse, abs=5e-4)


def test_interval_is_where_the_profile_falls() -> None:
    """At both ends, the posterior maximised by another optimiser is 1.92 below its top."""
    right = drawn(3)
    fit = fit_psychometric(LEVELS, right, [60] * 8, sigmoid="weibull")

    def height(threshold: float) -> float:
        def constrained(v: np.ndarray) -> float:
            b, lapse = np.exp(v[0]), v[1]
            if not 0 < lapse < 0.2:
                return 1e9
            alpha = threshold / (-np.log(1 - 0.25 / (0.5 - lapse))) ** (1 / b)
            return negative_log_posterior(np.array([np.log(alpha), v[0], lapse]), right, 60)

        options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 5000}
        return -min(
            minimize(constrained, [s, 0.02], method="Nelder-Mead", options=options).fun
            for s in (0.3, 1.0)
        )

    top = height(fit.threshold)
    assert top - height(fit.low) == pytest.approx(1.9207, abs=0.01)
    assert top - height(fit.high) == pytest.approx(1.9207, abs=0.01)


@pytest.mark.parametrize("n_sets", [80, whole(400)])
def test_interval_covers_the_truth_about_95_times_in_100(n_sets: int) -> None:
    """The number of datasets covered is binomial, and lies in its 99.9 % range."""
    covered = misses_low = 0
    for seed in range(n_sets):
        fit = fit_psychometric(LEVELS, drawn(1000 + seed, 50), [50] * 8, sigmoid="weibull")
        assert fit.low <= fit.threshold <= fit.high
        covered += fit.low <= THRESHOLD <= fit.high
        misses_low += fit.low > THRESHOLD
    low, high = binom.ppf([0.0005, 0.9995], n_sets, 0.95)
    assert low <= covered <= high
    assert misses_low <= binom.ppf(0.998, n_sets, 0.025)


def test_many_trials_recover_the_curve() -> None:
    fit = fit_psychometric(LEVELS, drawn(0, 200_000), [200_000] * 8)
    assert fit.threshold == pytest.approx(THRESHOLD, rel=0.01)
    assert fit.function.width == pytest.approx(TRUE.width, rel=0.02)
    assert fit.function.lapse == pytest.approx(TRUE.lapse, abs=0.002)
    assert float(fit.function.level_at(0.75)) == pytest.approx(fit.threshold, rel=1e-9)
    assert fit.status is FitStatus.CONVERGED


@pytest.mark.parametrize("sigmoid", ["normal", "logistic", "gumbel", "reversed_gumbel", "student"])
def test_every_sigmoid_recovers_itself(sigmoid: str) -> None:
    curve = PsychometricFunction(sigmoid=sigmoid, threshold=30, width=2.5, guess=0.5, lapse=0.02)
    n = 100_000
    fit = fit_psychometric(LEVELS, drawn(5, n, curve), [n] * 8, sigmoid=sigmoid, p=0.7)
    assert fit.threshold == pytest.approx(float(curve.level_at(0.7)), rel=0.01)


def test_splitting_a_level_changes_nothing() -> None:
    right = drawn(4)
    half = right // 2
    whole = fit_psychometric(LEVELS, right, [60] * 8)
    parts = fit_psychometric([*LEVELS[::-1], *LEVELS], [*(right - half)[::-1], *half], [30] * 16)
    assert parts == whole


def test_scatter_beyond_chance_widens_the_interval() -> None:
    even = fit_psychometric(LEVELS, [52, 55, 63, 75, 87, 95, 98, 99], [100] * 8)
    ragged = fit_psychometric(LEVELS, [42, 65, 53, 85, 77, 99, 93, 99], [100] * 8)
    assert even.dispersion == 1.0
    assert ragged.dispersion == pytest.approx(ragged.deviance / 5)
    assert np.log(ragged.high / ragged.low) > 1.3 * np.log(even.high / even.low)


def test_the_default_spans_what_its_sigmoids_allow() -> None:
    """Its likelihood is the best one's, and its interval holds the best one's and the estimate."""
    right = drawn(8)
    fit = fit_psychometric(LEVELS, right, [60] * 8)
    each = [
        fit_psychometric(LEVELS, right, [60] * 8, sigmoid=name)
        for name in ("normal", "weibull", "reversed_gumbel")
    ]
    best = next(f for f in each if f.function == fit.function)
    assert fit.low <= best.low <= fit.threshold == best.threshold <= best.high <= fit.high
    assert fit.low >= min(f.low for f in each)
    assert fit.high <= max(f.high for f in each)
    assert fit.low < best.low or fit.high > best.high


@pytest.mark.parametrize("sigmoid", ["weibull", "reversed_gumbel"])
@pytest.mark.parametrize(("n_sets", "at_least"), [(8, 6), whole(25, 21)])
def test_unknown_shape_is_covered_by_default(sigmoid: str, n_sets: int, at_least: int) -> None:
    """The default finds the right skew: it covers, with less than a wrong sigmoid's width."""
    curve = PsychometricFunction(sigmoid=sigmoid, threshold=24, width=2, guess=0.5, lapse=0.02)
    wrong = {"weibull": "reversed_gumbel", "reversed_gumbel": "weibull"}[sigmoid]
    true, n, covered, widths = float(curve.level_at(0.6)), 1500, 0, []
    for seed in range(n_sets):
        right = drawn(seed, n, curve)
        fit = fit_psychometric(LEVELS, right, [n] * 8, p=0.6)
        other = fit_psychometric(LEVELS, right, [n] * 8, p=0.6, sigmoid=wrong)
        covered += fit.low <= true <= fit.high
        widths.append([np.log(f.high / f.low) for f in (fit, other)])
    own, others = np.median(widths, axis=0)
    assert covered >= at_least
    assert own < 0.7 * others


@pytest.mark.parametrize(("n_sets", "at_least"), [(25, 22), whole(100, 88)])
def test_jagged_truth_is_still_covered(n_sets: int, at_least: int) -> None:
    """The true curve has bumps that no sigmoid follows; without the widening, 88 in 100 are covered."""
    rng, covered = np.random.default_rng(0), 0
    grid = np.geomspace(8, 96, 2001)
    for _ in range(n_sets):
        bumps = np.exp(rng.normal(0, 0.22, size=8))
        d = (LEVELS / 32) * 1.8 * bumps
        p = 0.98 * p_correct(d) + 0.01
        curve = np.interp(np.log(grid), np.log(LEVELS), p)
        if p[0] >= 0.75:
            covered += 1
            continue
        true = grid[np.flatnonzero(curve >= 0.75)[0]]
        fit = fit_psychometric(LEVELS, rng.binomial(100, p), [100] * 8)
        covered += fit.low <= true <= fit.high
    assert covered >= at_least


def test_unit_of_the_level_does_not_matter() -> None:
    right = drawn(6)
    fit, scaled = (fit_psychometric(LEVELS * k, right, [60] * 8) for k in (1.0, 0.01))
    assert scaled.threshold == pytest.approx(0.01 * fit.threshold, rel=1e-5)
    assert scaled.low == pytest.approx(0.01 * fit.low, rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_chance_answers_leave_the_interval_open_above(seed: int) -> None:
    right = np.random.default_rng(seed).binomial(30, 0.5, size=8)
    fit = fit_psychometric(LEVELS, right, [30] * 8)
    assert np.isinf(fit.high)
    assert fit.low <= fit.threshold
    assert fit.status in (FitStatus.UNREACHED, FitStatus.EXTRAPOLATED)


def test_perfect_answers_leave_the_interval_open_below() -> None:
    fit = fit_psychometric(LEVELS, [50] * 8, [50] * 8)
    assert fit.low == 0.0
    assert fit.low <= fit.threshold <= fit.high < LEVELS[1]
    assert fit.status is not FitStatus.CONVERGED


def test_one_level_of_answers_still_gives_an_honest_fit() -> None:
    fit = fit_psychometric([16.0], [15], [20])
    assert fit.low < 16 < fit.high


def test_bootstrap_agrees_with_the_profile() -> None:
    fit = fit_psychometric(LEVELS, drawn(7, 100), [100] * 8, sigmoid="weibull")
    again = bootstrap_threshold(fit, LEVELS, [100] * 8, n_draws=600, seed=1)
    assert again.low < fit.threshold < again.high
    wide = np.log(fit.high / fit.low)
    assert np.log(again.high / again.low) == pytest.approx(wide, rel=0.25)
    same = bootstrap_threshold(fit, LEVELS, [100] * 8, n_draws=600, seed=1)
    assert (same.thresholds == again.thresholds).all()
    other = bootstrap_threshold(fit, LEVELS, [100] * 8, n_draws=600, seed=2)
    assert (other.thresholds != again.thresholds).any()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fit_psychometric([1, 2], [1], [2, 2]), "the same length"),
        (lambda: fit_psychometric([1, 2], [3, 1], [2, 2]), "between 0 and n_trials"),
        (lambda: fit_psychometric([1, 2], [0, 0], [0, 0]), "no trial"),
        (lambda: fit_psychometric([1, 2], [1, 2], [2, 2], p=0.5), "between the guess rate and 1"),
        (lambda: fit_psychometric([1, 2], [1, 2], [2, 2], p=75), "between the guess rate and 1"),
        (lambda: fit_psychometric([0, 2], [1, 2], [2, 2]), "above zero"),
        (lambda: fit_psychometric([1, 2], [1, 2], [2, 2], sigmoid="weibul"), "weibull"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()


def test_misspelt_options_are_not_accepted() -> None:
    with pytest.raises(TypeError):
        fit_psychometric([1, 2], [1, 2], [2, 2], sigmod="normal")  # type: ignore[call-arg]


def test_psignifit_finds_the_same_threshold() -> None:
    psignifit = pytest.importorskip("psignifit")
    right = drawn(9, 100)
    fit = fit_psychometric(LEVELS, right, [100] * 8, p=0.74, sigmoid="weibull")
    data = np.stack([LEVELS, right, np.full(8, 100)], axis=1)
    theirs = psignifit.psignifit(data, experiment_type="2AFC", sigmoid="weibull")
    threshold = float(np.ravel(theirs.threshold(0.74, unscaled=False)[0])[0])
    assert fit.low < threshold < fit.high

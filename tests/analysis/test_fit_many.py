"""Modes and derivatives of the search, bootstraps, and quantities of a fit."""

import numpy as np
import pytest

from analysis.curves.asymptotes import asymptotes_of
from analysis.curves.parametrization import Parametrization, Steepness, coordinates_of, curves_at
from analysis.curves.problem import PsychometricProblem
from analysis.curves.psychometric import PsychometricFunction
from analysis.curves.sigmoids import SIGMOIDS
from analysis.fits.bootstrap import nonparametric_bootstrap, parametric_bootstrap
from analysis.fits.fitting import fit_many, fit_psychometric
from analysis.fits.modes import fit_modes
from analysis.infer.noise import NOISES
from analysis.infer.priors import BetaPrior, HalfCauchyPrior, NormalPrior, Prior, SplitNormalPrior

LEVELS = np.array([8, 12, 16, 24, 32, 48, 64, 96.0])
TRUE = PsychometricFunction(sigmoid="weibull", threshold=32, width=2.2, guess=0.5, lapse=0.02)
RIGHT = np.random.default_rng(0).binomial(60, TRUE(LEVELS), size=(12, 8))


@pytest.mark.parametrize("shape", sorted(SIGMOIDS))
@pytest.mark.parametrize("noise", sorted(NOISES))
@pytest.mark.parametrize("steepness", Steepness)
@pytest.mark.parametrize("p", [None, 0.7])
@pytest.mark.parametrize(
    "rates", [(0.5, "free"), ("free", "free"), ("tied", "free"), ("free", 0.01)]
)
def test_gradients_are_derivatives_and_coordinates_come_back(
    shape: str,
    noise: str,
    steepness: Steepness,
    p: float | None,
    rates: tuple[float | str, float | str],
) -> None:
    parametrization = Parametrization(
        shape=SIGMOIDS[shape],
        asymptotes=asymptotes_of(*rates),
        noise=NOISES[noise],
        p=p,
        steepness=steepness,
    )
    rng, size, n_free = np.random.default_rng(0), 3, len(parametrization.names)
    priors: list[Prior] = [
        NormalPrior(mean=0.3, sd=0.7),
        NormalPrior(mean=0.0, sd=1.4),
        *[BetaPrior(a=2, b=10)] * (n_free - 2),
    ]
    n_trials = np.full((size, 6), 20.0)
    n_trials[0, -1] = 0
    problem = PsychometricProblem(
        parametrization=parametrization,
        priors=priors,
        x=rng.uniform(-0.5, 0.5, (size, 6)),
        centre=np.full(size, 2.0),
        span=np.full(size, -1.5),
        width_unit=np.full(size, 0.3),
        n_correct=np.minimum(rng.binomial(20, 0.7, (size, 6)), n_trials),
        n_trials=n_trials,
        pull=np.array([[0.1, 0.0], [0.1, 300.0], [0.05, 10.0]])
        if n_free > 2
        else np.zeros((size, 2)),
    )
    c = np.column_stack([rng.normal(0, 0.3, (size, 2)), rng.normal(-1, 1, (size, n_free - 2))])
    _, gradient, information = problem.evaluate(c)
    h = 1e-6
    steps = [
        (problem.evaluate(c + h * e)[0] - problem.evaluate(c - h * e)[0]) for e in np.eye(n_free)
    ]
    assert gradient == pytest.approx(np.stack(steps, axis=1) / (2 * h), rel=1e-5, abs=1e-4)
    assert np.linalg.eigvalsh(information).min() > -1e-6
    assert coordinates_of(
        parametrization, curves_at(parametrization, c).quantities
    ) == pytest.approx(c, abs=1e-6)


@pytest.mark.parametrize(
    "prior",
    [
        NormalPrior(mean=1, sd=2),
        SplitNormalPrior(mode=0.123, sd_below=2, sd_above=1),
        BetaPrior(a=2, b=50),
        HalfCauchyPrior(scale=0.3),
    ],
)
def test_terms_of_a_prior_are_derivatives(prior: Prior) -> None:
    x, h = np.linspace(0.05, 0.9, 20), 1e-4
    value, first, second = prior.terms(x)
    up, down = prior.terms(x + h)[0], prior.terms(x - h)[0]
    assert first == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-4)
    assert second == pytest.approx((up - 2 * value + down) / h**2, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("sigmoid", ["any", "logistic"])
def test_modes_are_those_of_whole_fits(sigmoid: str) -> None:
    modes = fit_modes(LEVELS, RIGHT, [60] * 8, sigmoid=sigmoid)
    fits = fit_many([(LEVELS, right, [60] * 8) for right in RIGHT], sigmoid=sigmoid)
    assert modes.threshold_at(0.75) == pytest.approx([f.threshold for f in fits], rel=1e-5)
    assert modes.width == pytest.approx([f.function.width for f in fits], rel=1e-4)
    assert modes.lapse == pytest.approx([f.function.lapse for f in fits], abs=1e-5)
    assert modes.p_correct == pytest.approx(np.stack([f.predict(LEVELS) for f in fits]), abs=1e-5)
    assert modes.sigmoid.tolist() == [f.function.sigmoid for f in fits]


def test_own_levels_of_each_data_set_change_no_mode() -> None:
    shared = fit_modes(LEVELS, RIGHT, [60] * 8)
    factors = np.linspace(0.5, 2, 12)[:, None]
    own = fit_modes(LEVELS * factors, RIGHT, [60] * 8)
    assert own.threshold_at(0.7) / factors[:, 0] == pytest.approx(
        shared.threshold_at(0.7), rel=1e-6
    )


def test_any_threshold_of_one_fit_is_that_of_its_own_fit() -> None:
    fit = fit_psychometric(LEVELS, RIGHT[0], [60] * 8, p=0.75)
    for p in (0.6, 0.9):
        own = fit_psychometric(LEVELS, RIGHT[0], [60] * 8, p=p)
        found = fit.threshold_at(p)
        assert found.value == pytest.approx(float(fit.function.level_at(p)), rel=1e-6)
        assert [found.value, found.low, found.high] == pytest.approx(
            [own.threshold, own.low, own.high], rel=1e-6
        )


def test_slopes_and_widths_have_matching_intervals() -> None:
    """With the lapse rate fixed and one sigmoid, the slope is a constant over the width."""
    fit = fit_psychometric(LEVELS, RIGHT[0], [60] * 8, sigmoid="normal", lapse=0.02)
    slope, width = fit.slope_at(0.75), fit.parameters["width"]
    assert slope.value == pytest.approx(float(fit.function.slope_at(0.75)), rel=1e-6)
    constant = slope.value * width.value
    assert [constant / slope.high, constant / slope.low] == pytest.approx(
        [width.low, width.high], rel=1e-4
    )
    h = 1e-5
    at = np.log2(fit.threshold)
    rise = np.diff(fit.predict(np.exp2([at - h, at + h])))[0] / (2 * h)
    assert slope.value == pytest.approx(rise, rel=1e-6)


def test_slopes_fall_with_a_falling_curve() -> None:
    fit = fit_psychometric(-LEVELS, RIGHT[1], [60] * 8, axis="linear")
    slope = fit.slope_at(0.75)
    assert slope.low < slope.value < slope.high < 0
    up = fit_psychometric(LEVELS, RIGHT[1], [60] * 8, axis="linear").slope_at(0.75)
    assert [-slope.high, -slope.low] == pytest.approx([up.low, up.high], rel=1e-6)


def test_parameters_of_a_curve_hold_the_truth() -> None:
    n = 4000
    right = np.random.default_rng(1).binomial(n, TRUE(LEVELS))
    fit = fit_psychometric(LEVELS, right, [n] * 8, sigmoid="weibull", dispersion="none")
    for name, true in (("threshold", 32), ("width", 2.2), ("lapse", 0.02)):
        found = fit.parameters[name]
        assert found.low < true < found.high
        assert found.high - found.low < 0.25 * true * (3 if name == "lapse" else 1)
    sd = np.sqrt(np.diag(fit.posterior.covariance))
    found = fit.parameters["threshold"]
    assert np.log2(found.high / found.low) == pytest.approx(3.92 * sd[0], rel=0.1)


def test_bootstraps_agree_with_the_profile() -> None:
    right = np.random.default_rng(7).binomial(100, TRUE(LEVELS))
    fit = fit_psychometric(LEVELS, right, [100] * 8, sigmoid="weibull")
    wide = np.log(fit.high / fit.low)
    for kind in (parametric_bootstrap, nonparametric_bootstrap):
        again = kind(fit, n_draws=600, seed=1)
        found = again.threshold_at(0.75)
        assert found.low < fit.threshold < found.high
        assert np.log(found.high / found.low) == pytest.approx(wide, rel=0.25)
        same, other = kind(fit, n_draws=600, seed=1), kind(fit, n_draws=600, seed=2)
        assert (same.modes.width == again.modes.width).all()
        assert (other.modes.width != again.modes.width).any()


def test_a_bootstrap_scatters_as_its_fit_says() -> None:
    ragged = fit_psychometric(LEVELS, [42, 65, 53, 85, 77, 99, 93, 99], [100] * 8)
    binomial = fit_psychometric(
        LEVELS, [42, 65, 53, 85, 77, 99, 93, 99], [100] * 8, dispersion="none"
    )
    wide, narrow = (
        parametric_bootstrap(f, n_draws=400).threshold_at(0.75) for f in (ragged, binomial)
    )
    assert np.log(wide.high / wide.low) > 1.3 * np.log(narrow.high / narrow.low)

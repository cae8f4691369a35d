"""Goodness of fit against simulated nulls, saving, and what a fit shows of itself."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from analysis.curves.axes import Axis
from analysis.curves.psychometric import PsychometricFunction
from analysis.fits.fit import Fit
from analysis.fits.fitting import fit_many, fit_psychometric
from analysis.fits.goodness import goodness_of_fit, residuals_by_order
from analysis.infer.priors import BetaPrior, FlatPrior, HalfCauchyPrior, NormalPrior
from stimuli_store.errors import InputError

LEVELS = np.array([8, 12, 16, 24, 32, 48, 64, 96.0])
TRUE = PsychometricFunction(sigmoid="normal", threshold=32, width=2.2, guess=0.5, lapse=0.02)


@pytest.mark.long
def test_good_fits_have_even_shares() -> None:
    """With the true curve fitted, the share of the null above the deviance is uniform."""
    right = np.random.default_rng(0).binomial(40, TRUE(LEVELS), size=(60, 8))
    fits = fit_many([(LEVELS, k, [40] * 8) for k in right], sigmoid="normal")
    found = [goodness_of_fit(fit, n_draws=99, seed=i) for i, fit in enumerate(fits)]
    for name in ("deviance", "by_level"):
        assert kstest([getattr(one, name).share for one in found], "uniform").pvalue > 0.01


def test_scatter_and_a_wrong_shape_are_seen() -> None:
    ragged = fit_psychometric(LEVELS, [42, 65, 53, 85, 77, 99, 93, 99], [100] * 8)
    assert ragged.goodness().deviance.share < 0.01
    assert "p ≤ 0.001; trend" in repr(ragged.goodness())  # 1,000 simulated fits, all of them better
    assert (ragged.residuals() ** 2).sum() == pytest.approx(ragged.deviance, rel=1e-9)
    n = 4000  # rises slowly at first and late fast, as no reversed Gumbel does
    true = PsychometricFunction(sigmoid="weibull", threshold=32, width=3, guess=0.5, lapse=0.0)
    right = np.random.default_rng(1).binomial(n, true(LEVELS))
    wrong = fit_psychometric(LEVELS, right, [n] * 8, sigmoid="reversed_gumbel")
    own = fit_psychometric(LEVELS, right, [n] * 8, sigmoid="weibull")
    assert not wrong.goodness().holds
    assert own.goodness().holds
    assert wrong.goodness(seed=3) == wrong.goodness(seed=3) != wrong.goodness(seed=4)


def test_one_level_leaves_nothing_to_judge() -> None:
    found = fit_psychometric([16], [15], [20]).goodness()
    assert found.by_level.share == 1.0
    assert found.holds


@pytest.mark.parametrize("drift", [0.0, 0.12])
def test_learning_is_seen_in_the_order_of_trials(drift: float) -> None:
    rng = np.random.default_rng(2)
    level = rng.choice(LEVELS, 800)
    right = rng.random(800) < np.clip(TRUE(level) + np.linspace(-drift, drift, 800), 0, 1)
    fit = fit_psychometric(level, right, np.ones(800))
    found = residuals_by_order(fit, level, right, np.ones(800))
    assert (found.share < 0.01) is bool(drift)
    assert drift == 0 or found.value > 0
    with pytest.raises(InputError, match="do not add up"):
        residuals_by_order(fit, level[1:], right[1:], np.ones(799))


ROOT = Axis(name="square root", position=np.sqrt, level=np.square)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"axis": "linear", "sigmoid": "logistic", "guess": "free", "p": 0.6},
        {"axis": ROOT, "dispersion": "beta-binomial", "lapse": "free"},
        {
            "priors": {
                "width": FlatPrior(),
                "lapse": BetaPrior(a=1.0, b=9.0),
                "threshold": NormalPrior(mean=4.0, sd=1.0),
            }
        },
        {"dispersion": "beta-binomial", "priors": {"eta": HalfCauchyPrior(scale=0.1)}},
        {"p": 0.99, "rising": True},
    ],
)
def test_a_saved_fit_is_the_same_fit(tmp_path: Path, settings: dict) -> None:  # type: ignore[type-arg]
    fit = fit_psychometric(LEVELS, [31, 36, 38, 47, 53, 57, 60, 60], [60] * 8, **settings)
    again = Fit.load(fit.save(tmp_path / "fit.json"), axis=ROOT)
    assert repr(again) == repr(fit)
    for name in ("threshold", "low", "high", "function", "status", "deviance", "settings"):
        assert getattr(again, name) == getattr(fit, name)
    assert (again.posterior.covariance == fit.posterior.covariance).all()
    assert again.threshold_at(0.7) == fit.threshold_at(0.7)
    assert json.loads((tmp_path / "fit.json").read_text(), parse_constant=pytest.fail)


def test_a_fit_of_a_shared_lapse_rate_keeps_what_the_others_said(tmp_path: Path) -> None:
    right = np.random.default_rng(0).binomial(60, TRUE(LEVELS), size=(4, 8))
    fits = fit_many([(LEVELS, k, [60] * 8) for k in right], lapse="shared", sigmoid="normal")
    assert np.ptp([fit.function.lapse for fit in fits]) < 1e-4
    for fit in fits:
        again = Fit.load(fit.save(tmp_path / "fit.json"))
        found = again.threshold_at(0.75)
        assert [found.value, found.low, found.high] == pytest.approx(
            [fit.threshold, fit.low, fit.high], rel=1e-4
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not a fit that was saved"),
        ("[]", "not a fit that was saved"),
        ('{"format": "other"}', "not a fit that was saved"),
        ('{"format": "stimsynth-fit", "version": 2}', "of version 2; this program reads 1"),
        ('{"format": "stimsynth-fit", "version": 1}', "damaged"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "fit.json").write_text(text)
    with pytest.raises(InputError, match=said):
        Fit.load(tmp_path / "fit.json")


def test_an_own_axis_is_asked_for(tmp_path: Path) -> None:
    fit = fit_psychometric(LEVELS, [31, 36, 38, 47, 53, 57, 60, 60], [60] * 8, axis=ROOT)
    with pytest.raises(InputError, match="the axis 'square root'"):
        Fit.load(fit.save(tmp_path / "fit.json"))


def test_a_fit_shows_itself_in_a_line_and_in_a_table() -> None:
    fit = fit_psychometric(-LEVELS, [31, 36, 38, 47, 53, 57, 60, 60], [60] * 8, axis="linear")
    assert "falling, 480 trials, FALLING" in repr(fit)
    assert len(repr(fit).splitlines()) == 1
    page = fit._repr_html_()
    assert page.count("<tr>") == 7
    assert "units of the level" in page

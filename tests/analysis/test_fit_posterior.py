"""Grid posteriors against plain integration, and their calibration on data drawn from the prior."""

import numpy as np
import pytest
from scipy.stats import beta, kstest, norm

from analysis.curves.psychometric import PsychometricFunction
from analysis.fits.fitting import fit_psychometric
from analysis.fits.posteriors import grid_posterior, grid_posteriors
from analysis.infer.priors import BetaPrior, NormalPrior
from stimuli_store.errors import InputError
from tests.helpers import whole

X = np.linspace(0, 3, 7)
RIGHT = np.array([21, 24, 27, 32, 36, 39, 40.0])


@pytest.mark.long
def test_marginals_are_those_of_plain_integration() -> None:
    """A dense sum over position, width and lapse, written again in natural units."""
    fit = fit_psychometric(X, RIGHT, [40] * 7, sigmoid="normal", axis="linear")
    found = grid_posterior(fit)
    m, w, lapse = np.ix_(
        np.linspace(-1.5, 4.5, 160), np.linspace(-7, 5, 140), np.linspace(0.001, 0.299, 150)
    )
    over = w * np.log(2) - np.log(3)
    height = norm.logpdf(over / np.where(over > 0, 1, 2.5)) + beta.logpdf(lapse, 2, 50) + 0 * m
    for x, k in zip(X, RIGHT, strict=True):
        p = 0.5 + (0.5 - lapse) * norm.cdf(2 * norm.ppf(0.95) * (x - m) / 2**w)
        height = height + k * np.log(p) + (40 - k) * np.log1p(-p)
    mass = np.exp(height - height.max())
    mass /= mass.sum()
    for name, values, axes in (
        ("threshold", m, (1, 2)),
        ("width", w, (0, 2)),
        ("lapse", lapse, (0, 1)),
    ):
        own = mass.sum(axis=axes)
        mean = float(own @ values.ravel())
        sd = float(np.sqrt(own @ (values.ravel() - mean) ** 2))
        assert found.grid.mean(name) == pytest.approx(mean, abs=0.01 * sd)
        ends = found.grid.estimate(name)
        middle = np.interp(0.5, own.cumsum(), values.ravel() + np.diff(values.ravel())[0] / 2)
        assert ends.value == pytest.approx(middle, abs=0.02 * sd)
    level = m + 2**w * norm.ppf(0.25 / (0.5 - np.minimum(lapse, 0.2499))) / (2 * norm.ppf(0.95))
    order = np.argsort(level, axis=None)
    places = np.searchsorted(mass.ravel()[order].cumsum(), [0.025, 0.5, 0.975])
    low, middle, high = level.ravel()[order][places]
    at = found.threshold_at(0.75)
    assert [at.low, at.value, at.high] == pytest.approx([low, middle, high], abs=0.01)


def test_falling_data_have_the_mirrored_posterior() -> None:
    up = grid_posteriors(X, RIGHT[None], [40] * 7, sigmoid="normal", axis="linear")[0]
    down = grid_posteriors(-X, RIGHT[None], [40] * 7, sigmoid="normal", axis="linear")[0]
    own, other = up.threshold_at(0.75), down.threshold_at(0.75)
    assert [-other.high, -other.value, -other.low] == pytest.approx(
        [own.low, own.value, own.high], abs=1e-3
    )


def test_many_trials_agree_with_the_normal_approximation() -> None:
    curve = PsychometricFunction(
        sigmoid="normal", threshold=1.2, width=2.4, guess=0.5, lapse=0.04, axis="linear"
    )
    right = np.round(20_000 * curve(X))
    fit = fit_psychometric(X, right, [20_000] * 7, sigmoid="normal", axis="linear")
    found, sd = grid_posterior(fit).grid, np.sqrt(np.diag(fit.posterior.covariance))
    for i, name in enumerate(fit.posterior.names):
        assert found.mean(name) == pytest.approx(fit.posterior.mode[i], abs=0.2 * sd[i])
        ends = found.estimate(name)
        assert ends.high - ends.low == pytest.approx(3.92 * sd[i], rel=0.05)


@pytest.mark.long
def test_overdispersion_and_a_free_guess_rate_are_parameters() -> None:
    settings = {"sigmoid": "normal", "axis": "linear", "guess": "free", "p": 0.7}
    found = grid_posteriors(X, RIGHT[None], [40] * 7, **settings)[0].grid
    assert found.names == ("threshold", "width", "lapse", "guess")
    ragged = np.array([[30, 20, 38, 26, 40, 30, 40]])
    even, odd = (
        grid_posteriors(X, k, [40] * 7, sigmoid="normal", axis="linear", dispersion="beta-binomial")
        for k in (RIGHT[None], ragged)
    )
    assert even[0].grid.mean("eta") < 0.1 < odd[0].grid.mean("eta")


@pytest.mark.parametrize(
    ("settings", "said"),
    [({}, "one sigmoid"), ({"sigmoid": "normal", "bounds": {"slope": (0, 1)}}, "parameter with")],
)
def test_bad_input_is_refused_in_a_sentence(settings: dict, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=said):
        grid_posteriors(X[1:], RIGHT[None, 1:], [40] * 6, **settings)


@pytest.mark.long
@pytest.mark.parametrize("n_sets", [300, whole(4000)])
def test_the_posterior_is_calibrated(n_sets: int) -> None:
    """Truths are drawn from the prior: their ranks in the posteriors are even (KS at 1 %)."""
    rng = np.random.default_rng(1)
    priors = {"width": NormalPrior(mean=0.5, sd=0.8), "lapse": BetaPrior(a=2, b=20)}
    low, high = (
        {"threshold": -0.5, "width": -2.0, "lapse": 0.0},
        {
            "threshold": 3.5,
            "width": 3.0,
            "lapse": 0.3,
        },
    )
    truth = {
        "threshold": rng.uniform(low["threshold"], high["threshold"], 2 * n_sets),
        "width": priors["width"].draw(rng, 2 * n_sets),
        "lapse": priors["lapse"].draw(rng, 2 * n_sets),
    }
    inside = np.all([(truth[n] > low[n]) & (truth[n] < high[n]) for n in truth], axis=0)
    truth = {name: values[inside][:n_sets] for name, values in truth.items()}
    curves = [
        PsychometricFunction(
            sigmoid="logistic", threshold=m, width=2.0**w, guess=0.5, lapse=v, axis="linear"
        )
        for m, w, v in zip(*truth.values(), strict=True)
    ]
    right = rng.binomial(40, [curve(X) for curve in curves])
    found = grid_posteriors(
        X,
        right,
        [40] * 7,
        sigmoid="logistic",
        axis="linear",
        rising=True,
        priors=priors,
        bounds={name: (low[name], high[name]) for name in truth},
    )
    for name, values in truth.items():
        ranks = [one.grid.cdf(name, v) for one, v in zip(found, values, strict=True)]
        assert kstest(ranks, "uniform").pvalue > 0.01, name

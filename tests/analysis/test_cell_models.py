"""Curves of cells: derivatives against differences, formulas against curves, priors against densities."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from analysis.curves.cell_curve import CellModel
from analysis.curves.cell_models import DPrimeModel, ScalingModel, ThresholdModel
from analysis.curves.sigmoids import SIGMOIDS
from analysis.observers.links import link_of
from stimuli_store.tasks import task_named

LEVELS = np.array([[8.0, 12, 16, 24], [16, 32, 48, 96]])
MODELS: dict[str, CellModel] = {
    **{f"threshold, {name}": ThresholdModel(sigmoid=name) for name in SIGMOIDS},
    "threshold, linear": ThresholdModel(axis="linear", guess=0.25, p=0.6),
    "scaling": ScalingModel(),
    "scaling, oddity": ScalingModel(task="oddity", rule="differencing"),
    "dprime": DPrimeModel(),
    "dprime, 2ifc": DPrimeModel(task="2ifc"),
}


def places(model: CellModel, n: int = 6) -> np.ndarray:
    """Parameters (n, 2, K) around the starts of a model's curve."""
    curve = model.at(LEVELS)
    rng = np.random.default_rng(0)
    starts = curve.starts[rng.integers(len(curve.starts), size=(n, 2))]
    return starts + 0.2 * rng.standard_normal(starts.shape)


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_are_those_of_the_probabilities(name: str) -> None:
    curve, theta = MODELS[name].at(LEVELS), places(MODELS[name])
    p, slopes = curve.curve(theta)
    assert p.shape == (6, 2, 4)
    assert slopes.shape == (6, 2, len(curve.names), 4)
    for k, step in enumerate(1e-6 * np.eye(len(curve.names))):
        by_difference = (curve.curve(theta + step)[0] - curve.curve(theta - step)[0]) / 2e-6
        assert slopes[:, :, k] == pytest.approx(by_difference, abs=2e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_formula_gives_the_same_probabilities(name: str) -> None:
    curve, theta = MODELS[name].at(LEVELS), places(MODELS[name])
    assert curve.formula(np, theta) == pytest.approx(curve.curve(theta)[0], abs=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_gradient_of_the_prior_is_that_of_its_density(name: str) -> None:
    curve = MODELS[name].at(LEVELS)
    x = places(MODELS[name])[:, 0]
    value, gradient, curvature = curve.prior(x)
    assert curve.log_prior(np, x) == pytest.approx(value)
    for k, step in enumerate(1e-5 * np.eye(len(curve.names))):
        up, down = curve.log_prior(np, x + step), curve.log_prior(np, x - step)
        assert gradient[:, k] == pytest.approx((up - down) / 2e-5, abs=1e-6)
        turned = (curve.prior(x + step)[1] - curve.prior(x - step)[1])[:, k] / 2e-5
        assert curvature[:, k] == pytest.approx(-turned, abs=1e-4)


def test_the_lapse_rate_has_a_beta_prior_whatever_its_scale() -> None:
    curve = ScalingModel().at(LEVELS)

    def density(u: float) -> float:
        return float(np.exp(curve.log_prior(np, np.array([*curve.starts[0, :2], u]))))

    below = quad(density, -20, np.log(0.04 / 0.96))[0] / quad(density, -20, 10)[0]
    assert below == pytest.approx(beta.cdf(0.04, 2, 50), abs=1e-6)


def test_a_threshold_is_where_its_curve_passes_p() -> None:
    model = ThresholdModel(p=0.8, guess=1 / 3)
    curve = model.at(np.array([[8.0, 32.0]]))
    theta = np.array([[[0.1, -1.0, -2.0]]])
    threshold, width, lapse = (f(theta[0, 0, k]) for k, f in enumerate(curve.reported))
    again = model.at(np.array([[8.0, float(threshold), 32.0]]))
    assert again.curve(theta)[0][0, 0, 1] == pytest.approx(0.8)
    assert width == pytest.approx(2 * 0.5)  # of two octaves
    assert 0 < lapse < 0.2


def test_dprime_below_zero_is_at_chance_where_it_has_no_direction() -> None:
    theta = np.array([[[-1.0]]])
    assert DPrimeModel().at(np.ones((1, 1))).curve(theta)[0].item() == 0.5
    directed = DPrimeModel(task="2ifc").at(np.ones((1, 1))).curve(theta)[0].item()
    assert directed == pytest.approx(float(link_of(task_named("2ifc")).p_correct(np.array(-1.0))))

"""Laplace's approximation: derivatives of the log posterior, and exact posteriors by quadrature."""

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from analysis.curves.cell_models import DPrimeModel, ScalingModel
from analysis.infer.laplace import laplace, mixture_quantiles
from analysis.infer.mixed import Effect, MixedPosterior, MixedProblem
from analysis.infer.newton import modes


def problem_of(
    model: Any, levels: np.ndarray, right: np.ndarray, total: np.ndarray, **fields: Any
) -> MixedProblem:
    curve = model.at(levels)
    return MixedProblem(
        curve=curve.curve,
        prior=curve.prior,
        formula=curve.formula,
        log_prior=curve.log_prior,
        n_correct=right,
        n_trials=total,
        integrated=curve.integrated,
        start=curve.starts[0],
        **fields,
    )


def crossed(n_people: int = 3, n_images: int = 4, seed: int = 0) -> MixedProblem:
    """A small crossed problem of critical scaling."""
    who, where = (index.ravel() for index in np.indices((n_people, n_images)))
    levels = np.tile([8.0, 16, 32, 64], (len(who), 1))
    right = np.random.default_rng(seed).binomial(10, [0.5, 0.6, 0.8, 0.9], levels.shape)
    effects = tuple(
        Effect(factor=factor, parameter=k, scale=0.3)
        for k in (0, 1)
        for factor in ("participants", "images")
    )
    factors = {"participants": who, "images": where}
    total = np.full(levels.shape, 10.0)
    return problem_of(ScalingModel(), levels, right, total, factors=factors, effects=effects)


def test_gradient_and_information_are_those_of_the_log_posterior() -> None:
    problem = crossed()
    rng = np.random.default_rng(1)
    x = np.concatenate([problem.start, np.zeros(problem.counts.sum())])
    x = x + 0.3 * rng.standard_normal((5, problem.size))
    tau = np.tile([0.2, 0.3, 0.1, 0.4], (5, 1))
    _, gradient, information = problem.evaluate(x, tau, observed=True)
    for k, step in enumerate(1e-5 * np.eye(problem.size)):
        up, down = problem.evaluate(x + step, tau), problem.evaluate(x - step, tau)
        assert gradient[:, k] == pytest.approx((up[0] - down[0]) / 2e-5, rel=1e-5, abs=1e-5)
        bend = -(up[1] - down[1]) / 2e-5
        assert information[:, k] == pytest.approx(bend, rel=1e-2, abs=2e-2)


def test_modes_are_where_the_gradient_ends() -> None:
    problem = crossed()
    tau = np.array([[0.0, 0.0, 0.0, 0.0], [0.3, 0.3, 0.3, 0.3], [1.0, 0.1, 0.0, 2.0]])
    start = np.concatenate([problem.start, np.zeros(problem.counts.sum())])
    x, value, _ = modes(problem, tau, np.tile(start, (3, 1)))
    _, gradient, information = problem.evaluate(x, tau)
    left = np.einsum("bi,bij,bj->b", gradient, np.linalg.inv(information), gradient)
    assert (left < 1e-3).all()  # squared distance from the mode, in posterior deviations
    held = modes(problem, tau, np.tile(start, (3, 1)), held=(2,))
    assert (held[0][:, 2] == problem.start[2]).all()
    assert (held[1] <= value + 1e-6).all()


@pytest.mark.parametrize(("n_trials", "off"), [(12, 0.3), (60, 0.1)])
def test_posterior_of_one_factor_is_that_of_quadrature(n_trials: int, off: float) -> None:
    """d' of six people in 2IFC, integrated over a grid of the mean and the deviation between people."""
    right = np.random.default_rng(3).binomial(
        n_trials, ndtr(np.array([0.3, 0.6, 0.9, 1, 1.2, 1.6]))
    )
    total, scale = np.full((6, 1), float(n_trials)), 0.3
    problem = problem_of(
        DPrimeModel(task="2ifc"),
        np.ones((6, 1)),
        right[:, None].astype(float),
        total,
        factors={"participants": np.arange(6)},
        effects=(Effect(factor="participants", parameter=0, scale=scale),),
    )
    quantities = np.eye(problem.size)[:1]
    found = laplace(problem, quantities)
    means, taus = np.linspace(-1, 4, 301), 3 * np.linspace(0.001, 1, 120) ** 2
    z, weight = np.polynomial.hermite_e.hermegauss(40)
    p = ndtr((means[:, None, None] + taus[:, None] * z) / np.sqrt(2))[..., None]
    likelihood = p**right * (1 - p) ** (n_trials - right)
    log_height = np.log(np.einsum("mtzi,z->mti", likelihood, weight)).sum(axis=-1)
    log_height += norm.logpdf(means, 1, 2)[:, None] - np.log1p((taus / scale) ** 2)
    # Steps of the grid of τ grow with τ.
    height = np.exp(log_height - log_height.max()) * np.sqrt(taus)
    of_mean = np.cumsum(height.sum(axis=1)) / height.sum()
    exact = np.interp([0.025, 0.5, 0.975], of_mean, means)
    ends = [mixture_quantiles(found, share)[0] for share in (0.025, 0.5, 0.975)]
    sd = (exact[2] - exact[0]) / 3.92
    assert np.abs(ends - exact) == pytest.approx(0, abs=off * sd)
    of_tau = np.cumsum(height.sum(axis=0)) / height.sum()
    middle = np.interp(0.5, of_tau, taus)
    assert found.weight @ (found.tau[:, 0] < middle) == pytest.approx(0.5, abs=0.08)


def test_quantiles_of_a_mixture() -> None:
    mixture = MixedPosterior(
        weight=np.array([0.5, 0.5]),
        mean=np.array([[0.0, 1.0], [10.0, 1.0]]),
        sd=np.array([[1.0, 2.0], [1.0, 2.0]]),
        tau=np.zeros((2, 0)),
        cells=np.zeros((0, 0, 0)),
        diagnostics={},
    )
    low, middle = mixture_quantiles(mixture, 0.25), mixture_quantiles(mixture, 0.5)
    assert low == pytest.approx([0.0, 1 + 2 * norm.ppf(0.25)], abs=1e-6)
    assert middle == pytest.approx([5.0, 1.0], abs=1e-6)


def test_the_seed_decides_nothing_but_the_points() -> None:
    problem = crossed()
    quantities = np.eye(problem.size)[:2]
    one, again, other = (laplace(problem, quantities, seed=seed) for seed in (0, 0, 5))
    assert (one.mean == again.mean).all()
    sd = np.sqrt(one.weight @ one.sd**2)
    off = mixture_quantiles(one, 0.5) - mixture_quantiles(other, 0.5)
    assert np.abs(off) == pytest.approx(0, abs=0.2 * float(sd.max()))

"""Fits against other programs: SciPy's minimizer, iterated least squares, and psignifit."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import beta, gumbel_l, gumbel_r, logistic, norm

from analysis.fits.fit import Fit
from analysis.fits.fitting import fit_psychometric
from analysis.infer.priors import FlatPrior
from tests.helpers import whole

SHAPES = {
    "normal": norm,
    "logistic": logistic,
    "gumbel": gumbel_l,
    "weibull": gumbel_l,
    "reversed_gumbel": gumbel_r,
}
OPTIONS = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 6000, "maxfev": 6000}


class Model:
    """A random data set on x = log2(level), and the posterior written again from its description."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.name = str(rng.choice(list(SHAPES)))
        self.shape = SHAPES[self.name]
        self.guess = [0.5, 0.25, None][rng.integers(0, 3)]
        self.x = np.sort(rng.uniform(0, 4, rng.integers(5, 9)))
        self.n = int(rng.choice([20, 40, 200]))
        low = 0.1 if self.guess is None else self.guess
        truth = [rng.uniform(1.2, 2.8), np.log2(rng.uniform(0.8, 3)), 0.03, low]
        self.right = rng.binomial(self.n, self.curve(np.array(truth)))

    def curve(self, v: np.ndarray) -> np.ndarray:
        spread = self.shape.ppf(0.95) - self.shape.ppf(0.05)
        z = self.shape.median() + spread * (self.x - v[0]) / 2 ** v[1]
        with np.errstate(over="ignore"):
            return v[3] + (1 - v[3] - v[2]) * self.shape.cdf(z)

    def loss(self, v: np.ndarray) -> float:
        v = np.append(v, [] if self.guess is None else self.guess)
        if not (0 <= v[2] < 0.5 and 0 <= v[3] <= 0.5):
            return 1e10
        p = np.clip(self.curve(v), 1e-9, 1 - 1e-9)
        likelihood = (self.right * np.log(p) + (self.n - self.right) * np.log1p(-p)).sum()
        over = v[1] * np.log(2) - np.log(np.ptp(self.x))
        prior = -0.5 * (over / (1.0 if over > 0 else 2.5)) ** 2
        prior += beta.logpdf(v[2], 2, 50)
        return -float(likelihood + prior + (beta.logpdf(v[3], 1, 10) if self.guess is None else 0))

    def fit(self) -> Fit:
        guess = "free" if self.guess is None else self.guess
        return fit_psychometric(
            2.0**self.x,
            self.right,
            [self.n] * len(self.x),
            sigmoid=self.name,
            guess=guess,
            p=0.7,
            rising=True,
            dispersion="none",
        )

    def minimized(self, starts: int) -> Any:
        grid = [(m, w) for w in (0.2, 0.9) for m in np.quantile(self.x, [0.5, 0.1, 0.9])]
        more = [0.1] if self.guess is None else []
        begins = [[m, np.log2(w * np.ptp(self.x)), 0.02, *more] for m, w in grid[:starts]]
        runs = (minimize(self.loss, v, method="Nelder-Mead", options=OPTIONS) for v in begins)
        return min(runs, key=lambda run: run.fun)


@pytest.mark.long
@pytest.mark.parametrize(("seeds", "starts"), [(range(8), 1), whole(range(60), 6)])
def test_the_mode_is_scipys(seeds: range, starts: int) -> None:
    for model in map(Model, seeds):
        f = model.fit().function
        ours = np.array([np.log2(f.threshold), np.log2(f.width), f.lapse])
        theirs = model.minimized(starts)
        free = ours if model.guess is not None else np.append(ours, f.guess)
        gap = model.loss(free) - theirs.fun
        assert gap < 1e-6
        if gap > -1e-6:  # else SciPy stopped at a lower hill
            assert abs(ours[0] - theirs.x[0]) < 1e-4 * f.width
            assert abs(f.width - 2 ** theirs.x[1]) < 1e-3 * f.width
            assert f.lapse == pytest.approx(theirs.x[2], abs=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("seeds", [[5], whole(range(20))])
def test_the_interval_ends_where_scipys_profile_has_fallen_by_1_92(seeds: list[int]) -> None:
    for model in map(Model, seeds):
        fit, spread = model.fit(), model.shape.ppf(0.95) - model.shape.ppf(0.05)

        def height(level: float, model: Model = model, spread: float = spread) -> float:
            def constrained(v: np.ndarray) -> float:
                guess = v[2] if model.guess is None else model.guess
                if not (0 <= v[1] < 0.3 and 0 <= guess < 0.7):
                    return 1e10
                share = (0.7 - guess) / (1 - guess - v[1])
                off = 2 ** v[0] * (model.shape.ppf(share) - model.shape.median()) / spread
                return model.loss(np.array([np.log2(level) - off, *v]))

            more = [0.1] if model.guess is None else []
            begins = [[np.log2(w * np.ptp(model.x)), 0.02, *more] for w in (0.05, 0.2, 1.0)]
            return -min(
                minimize(constrained, v, method="Nelder-Mead", options=OPTIONS).fun for v in begins
            )

        top = height(fit.threshold)
        for end, outward in ((fit.low, -1), (fit.high, 1)):
            if not 0 < end < np.inf or top - height(end) == pytest.approx(1.9207, abs=2e-3):
                continue
            # Where a profile is steep, the end is right to a part of the interval's width.
            step = 5e-3 * np.log2(fit.high / fit.low if np.isfinite(fit.high) else 2.0)
            drops = [top - height(end * 2 ** (side * outward * step)) for side in (-1, 1)]
            assert drops[0] < 1.9207 < drops[1]


def probit(x: np.ndarray, k: np.ndarray, n: np.ndarray, guess: float) -> tuple[np.ndarray, float]:
    """Maximum-likelihood probit with a fixed guess rate by iterated least squares, and its deviance."""
    b = np.array([0.0, 1.0 / np.ptp(x)])
    design = np.stack([np.ones_like(x), x - x.mean()], axis=1)
    for _ in range(200):
        eta = design @ b
        p = guess + (1 - guess) * norm.cdf(eta)
        slope = (1 - guess) * norm.pdf(eta)
        weight = n * slope**2 / (p * (1 - p))
        working = eta + (k / n - p) / slope
        b = np.linalg.solve(design.T @ (weight[:, None] * design), design.T @ (weight * working))
    p = guess + (1 - guess) * norm.cdf(design @ b)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(a > 0, a * np.log(a / e), 0) for a, e in ((k, n * p), (n - k, n - n * p))]
    return np.array([x.mean() - b[0] / b[1], 1 / b[1]]), float(
        2 * sum(part.sum() for part in parts)
    )


@pytest.mark.parametrize("guess", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_without_lapses_and_priors_it_is_the_probit_of_maximum_likelihood(
    guess: float, seed: int
) -> None:
    rng, x, n = np.random.default_rng(seed), np.linspace(-2, 2.5, 8), np.full(8, 60.0)
    k = rng.binomial(60, guess + (1 - guess) * norm.cdf(1.1 * x - 0.3)).astype(float)
    fit = fit_psychometric(
        x,
        k,
        n,
        sigmoid="normal",
        guess=guess,
        lapse=0,
        axis="linear",
        p=guess + 0.5 * (1 - guess),
        priors={"width": FlatPrior()},
    )
    (mean, sd), deviance = probit(x, k, n, guess)
    assert fit.threshold == pytest.approx(mean, abs=1e-5)
    assert fit.function.width == pytest.approx(sd * 2 * norm.ppf(0.95), rel=1e-5)
    assert fit.deviance == pytest.approx(deviance, abs=1e-5)


def psignifit_of(x: np.ndarray, right: np.ndarray, n: np.ndarray) -> Any:
    """Fit of psignifit with our priors as functions of its own parameters, without overdispersion."""
    peer = pytest.importorskip("psignifit")
    span = np.ptp(x) or abs(x[0])
    return peer.psignifit(
        np.stack([x, right, n], axis=1),
        experiment_type="2AFC",
        sigmoid="norm",
        fixed_parameters={"eta": 1e-8},
        priors={
            "threshold": np.ones_like,
            "width": lambda w: np.exp(-0.5 * (np.log(w / span) / np.where(w > span, 1, 2.5)) ** 2),
            "lambda": lambda v: v * (1 - v) ** 49,
        },
    )


ADVERSARIAL = {
    "all right": ([40] * 6, [0, 1, 2, 3, 4, 5]),
    "all wrong": ([0] * 6, [0, 1, 2, 3, 4, 5]),
    "step": ([20, 20, 20, 40, 40, 40], [0, 1, 2, 3, 4, 5]),
    "one level": ([31], [2]),
    "not monotone": ([24, 38, 22, 36, 25, 39], [0, 1, 2, 3, 4, 5]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seeds", [range(2), whole(range(50))])
def test_the_mode_is_psignifits(seeds: range) -> None:
    pytest.importorskip("psignifit")
    x = np.linspace(0, 6, 7)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        p = 0.5 + 0.48 * norm.cdf((x - rng.uniform(2, 4)) / rng.uniform(0.6, 1.6))
        right, n = rng.binomial(60, p).astype(float), np.full(7, 60.0)
        fit = fit_psychometric(x, right, n, sigmoid="normal", axis="linear", p=0.75)
        theirs = psignifit_of(x, right, n)
        values = theirs.parameter_estimate_MAP
        assert abs(fit.function.threshold - values["threshold"]) < 1e-2 * fit.function.width
        low, high = theirs.confidence_intervals["threshold"]["0.95"]
        own = fit.parameters["threshold"]
        assert max(low, own.low) < min(high, own.high)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_where_psignifit_gives_an_interval_ours_overlaps(name: str) -> None:
    right, x = (np.array(v, dtype=float) for v in ADVERSARIAL[name])
    n = np.full(len(x), 40.0)
    fit = fit_psychometric(x, right, n, sigmoid="normal", axis="linear", p=0.75)
    own = fit.parameters["threshold"]
    assert own.low <= own.value <= own.high
    if name == "one level":
        return  # psignifit refuses it
    theirs = psignifit_of(x, right, n)
    low, high = theirs.confidence_intervals["threshold"]["0.95"]
    assert max(low, own.low) < min(high, own.high)

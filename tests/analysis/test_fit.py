"""Fits: simulated recovery, identities, units, directions, and data that say little."""

import numpy as np
import pytest
from scipy.stats import binom

from analysis.curves.axes import Axis
from analysis.curves.psychometric import PsychometricFunction
from analysis.fits.fit import Fit
from analysis.fits.fit_status import FitStatus
from analysis.fits.fitting import fit_many, fit_psychometric
from analysis.infer.noise import NOISES
from analysis.infer.priors import FlatPrior
from analysis.observers.sdt import p_correct
from tests.helpers import whole

LEVELS = np.array([8, 12, 16, 24, 32, 48, 64, 96.0])
TRUE = PsychometricFunction(sigmoid="weibull", threshold=32, width=2.2, guess=0.5, lapse=0.02)
THRESHOLD = float(TRUE.level_at(0.75))
STEP = [1, 2, 4, 8, 16]


def drawn(seed: int, n: int = 60, curve: PsychometricFunction = TRUE) -> np.ndarray:
    return np.random.default_rng(seed).binomial(n, curve(LEVELS))


def fits_of(right: list[np.ndarray], n: int, **settings: object) -> list[Fit]:
    return fit_many([(LEVELS, k, [n] * 8) for k in right], **settings)


@pytest.mark.parametrize("n_sets", [200, whole(2000)])
def test_interval_covers_the_truth_about_95_times_in_100(n_sets: int) -> None:
    """The number of data sets covered is binomial, and lies in its 99.9 % range."""
    fits = fits_of([drawn(1000 + seed, 50) for seed in range(n_sets)], 50, sigmoid="weibull")
    covered = sum(fit.low <= THRESHOLD <= fit.high for fit in fits)
    assert all(fit.low <= fit.threshold <= fit.high for fit in fits)
    low, high = binom.ppf([0.0005, 0.9995], n_sets, [0.94, 0.98])
    assert low <= covered <= high
    assert sum(fit.low > THRESHOLD for fit in fits) <= binom.ppf(0.998, n_sets, 0.025)


@pytest.mark.parametrize("sigmoid", ["normal", "logistic", "weibull"])
@pytest.mark.parametrize(("n", "eta"), [(40, 0.0), (40, 0.2), (400, 0.0), (400, 0.2)])
def test_scatter_of_the_answers_costs_no_coverage(sigmoid: str, n: int, eta: float) -> None:
    """A slice of `python -m benchmarks coverage`: 92 to 98 % within the 99.9 % range of a binomial count."""
    size, levels = 150, np.exp2(np.linspace(3, 6, 7))
    curve = PsychometricFunction(sigmoid=sigmoid, threshold=2**4.5, width=2, guess=0.5, lapse=0.02)
    noise, shape = NOISES["beta-binomial" if eta else "binomial"], (size, 7)
    right = noise.draw(
        np.random.default_rng(4),
        np.broadcast_to(curve(levels), shape),
        np.full(shape, float(n)),
        np.full((size, 1), eta),
    )
    true = float(curve.level_at(0.75))
    fits = fit_many([(levels, k, [n] * 7) for k in right], sigmoid=sigmoid)
    covered = sum(fit.low <= true <= fit.high for fit in fits)
    assert binom.ppf(0.0005, size, 0.92) <= covered <= binom.ppf(0.9995, size, 0.98)


def test_many_trials_recover_the_curve() -> None:
    fit = fit_psychometric(LEVELS, drawn(0, 200_000), [200_000] * 8)
    assert fit.threshold == pytest.approx(THRESHOLD, rel=0.01)
    assert fit.function.width == pytest.approx(TRUE.width, rel=0.02)
    assert fit.function.lapse == pytest.approx(TRUE.lapse, abs=0.002)
    assert float(fit.function.level_at(0.75)) == pytest.approx(fit.threshold, rel=1e-9)
    assert fit.status is FitStatus.CONVERGED


@pytest.mark.parametrize("sigmoid", ["normal", "logistic", "gumbel", "reversed_gumbel", "student"])
@pytest.mark.parametrize("rising", [True, False])
def test_every_sigmoid_recovers_itself(sigmoid: str, rising: bool) -> None:
    curve = PsychometricFunction(
        sigmoid=sigmoid, threshold=30, width=2.5, guess=0.5, lapse=0.02, rising=rising
    )
    n = 100_000
    fit = fit_psychometric(LEVELS, drawn(5, n, curve), [n] * 8, sigmoid=sigmoid, p=0.7)
    assert fit.rising is rising
    assert fit.threshold == pytest.approx(float(curve.level_at(0.7)), rel=0.01)


@pytest.mark.parametrize(("guess", "true"), [("free", 0.08), ("tied", 0.03)])
def test_yes_no_recovers_its_lower_asymptote(guess: str, true: float) -> None:
    curve = PsychometricFunction(sigmoid="normal", threshold=30, width=2, guess=true, lapse=0.03)
    n = 50_000
    fit = fit_psychometric(LEVELS, drawn(2, n, curve), [n] * 8, guess=guess, p=0.5)
    assert fit.function.guess == pytest.approx(true, abs=0.005)
    assert fit.function.lapse == pytest.approx(0.03, abs=0.005)
    assert fit.threshold == pytest.approx(float(curve.level_at(0.5)), rel=0.01)


def test_a_mirrored_axis_mirrors_the_fit() -> None:
    """On the linear axis, falling answers at −x are the rising ones at x."""
    x = np.log2(LEVELS)
    up = fit_psychometric(x, drawn(3), [60] * 8, axis="linear")
    down = fit_psychometric(-x, drawn(3), [60] * 8, axis="linear")
    assert (up.rising, up.status) == (True, FitStatus.CONVERGED)
    assert (down.rising, down.status) == (False, FitStatus.FALLING)
    assert [-down.threshold, -down.high, -down.low] == pytest.approx(
        [up.threshold, up.low, up.high], abs=1e-9
    )
    asked = fit_psychometric(-x, drawn(3), [60] * 8, axis="linear", rising=False)
    assert (asked.threshold, asked.status) == (down.threshold, FitStatus.CONVERGED)


def test_the_log_axis_is_the_linear_axis_of_log2() -> None:
    log = fit_psychometric(LEVELS, drawn(4), [60] * 8, sigmoid="normal")
    linear = fit_psychometric(np.log2(LEVELS), drawn(4), [60] * 8, sigmoid="normal", axis="linear")
    ends = np.exp2([linear.threshold, linear.low, linear.high])
    assert [log.threshold, log.low, log.high] == pytest.approx(ends, rel=1e-9)


def test_an_axis_can_be_any_increasing_function() -> None:
    root = Axis(name="square root", position=np.sqrt, level=np.square)
    own = fit_psychometric(LEVELS, drawn(4), [60] * 8, axis=root)
    linear = fit_psychometric(np.sqrt(LEVELS), drawn(4), [60] * 8, axis="linear")
    assert [own.threshold, own.high] == pytest.approx(
        [linear.threshold**2, linear.high**2], rel=1e-9
    )


PATTERNS = (
    [31, 36, 38, 47, 53, 57, 60, 59],
    [60] * 8,
    [0] * 8,
    [60, 58, 50, 40, 31, 30, 29, 30],
    [30, 31, 36, 45, 48, 47, 47, 47],
    [40, 20, 50, 30, 60, 20, 50, 30],
)


@pytest.mark.parametrize("axis", ["log", "linear"])
def test_the_unit_of_the_level_does_not_matter(axis: str) -> None:
    factors = (1.0, 1e-9, 0.01, 7.0, 1e9)
    sets = [(LEVELS * factor, right, [60] * 8) for factor in factors for right in PATTERNS]
    every, n = fit_many(sets, axis=axis, p=0.8), len(PATTERNS)
    for place, factor in enumerate(factors):
        for fit, other in zip(every[:n], every[n * place : n * (place + 1)], strict=True):
            for name in ("threshold", "low", "high"):
                expected = factor * getattr(fit, name)
                assert getattr(other, name) == pytest.approx(expected, rel=1e-6, abs=0)
            assert other.status is fit.status


@pytest.mark.parametrize("far", [100.0, 1e4])
def test_a_level_far_from_the_others_changes_little(far: float) -> None:
    right = [110, 130, 170, 198]
    near = fit_psychometric([1, 2, 4, 8], right, [200] * 4, axis="linear", sigmoid="normal")
    all_of_them = fit_psychometric(
        [1, 2, 4, 8, far], [*right, 199], [200] * 5, axis="linear", sigmoid="normal"
    )
    assert all_of_them.threshold == pytest.approx(near.threshold, rel=0.05)
    assert all_of_them.high - all_of_them.low == pytest.approx(near.high - near.low, rel=0.3)


def test_splitting_a_level_changes_nothing() -> None:
    right = drawn(4)
    half = right // 2
    whole = fit_psychometric(LEVELS, right, [60] * 8)
    parts = fit_psychometric([*LEVELS[::-1], *LEVELS], [*(right - half)[::-1], *half], [30] * 16)
    assert parts.function == whole.function
    assert (parts.low, parts.high, parts.deviance) == (whole.low, whole.high, whole.deviance)


@pytest.mark.long
def test_data_sets_do_not_know_of_each_other() -> None:
    sets = [(LEVELS[: 3 + i], drawn(i)[: 3 + i], [60] * (3 + i)) for i in range(6)]
    together = fit_many(sets)
    for one, fit in zip(sets, together, strict=True):
        alone = fit_psychometric(*one)
        assert fit.threshold == pytest.approx(alone.threshold, rel=1e-7)
        assert [fit.low, fit.high] == pytest.approx([alone.low, alone.high], rel=1e-5)


def test_scatter_beyond_chance_widens_the_interval() -> None:
    even = fit_psychometric(LEVELS, [52, 55, 63, 75, 87, 95, 98, 99], [100] * 8)
    ragged = fit_psychometric(LEVELS, [42, 65, 53, 85, 77, 99, 93, 99], [100] * 8)
    assert even.dispersion == 1.0
    # Finney: the deviance over 5 degrees of freedom, with t of 5 in the place of the normal.
    assert ragged.dispersion == pytest.approx(
        ragged.deviance / 5 * (2.5706 / 1.95996) ** 2, rel=1e-4
    )
    assert np.log(ragged.high / ragged.low) > 1.3 * np.log(even.high / even.low)


def test_the_default_spans_what_its_sigmoids_allow() -> None:
    """Its likelihood is the best one's, and its interval is nowhere narrower than the best one's."""
    right = [drawn(seed) for seed in range(12)]
    fits = fits_of(right, 60)
    names = ("normal", "weibull", "reversed_gumbel")
    each = {name: fits_of(right, 60, sigmoid=name) for name in names}
    wider = 0
    for i, fit in enumerate(fits):
        best = each[fit.function.sigmoid][i]
        assert best.threshold == pytest.approx(fit.threshold, rel=1e-9)
        assert fit.low <= best.low * (1 + 1e-6)
        assert fit.high >= best.high * (1 - 1e-6)
        assert fit.log_likelihood == pytest.approx(best.log_likelihood)
        wider += fit.low < 0.999 * best.low or fit.high > 1.001 * best.high
    assert wider > 6


@pytest.mark.parametrize("sigmoid", ["weibull", "reversed_gumbel"])
def test_unknown_shape_is_covered_by_default(sigmoid: str) -> None:
    """The default finds the right skew: it covers, with less than a wrong sigmoid's width."""
    curve = PsychometricFunction(sigmoid=sigmoid, threshold=24, width=2, guess=0.5, lapse=0.02)
    wrong = {"weibull": "reversed_gumbel", "reversed_gumbel": "weibull"}[sigmoid]
    true, n = float(curve.level_at(0.6)), 1500
    right = [drawn(seed, n, curve) for seed in range(25)]
    fits, others = fits_of(right, n, p=0.6), fits_of(right, n, p=0.6, sigmoid=wrong)
    assert sum(fit.low <= true <= fit.high for fit in fits) >= 21
    own, other = (np.median([np.log(f.high / f.low) for f in each]) for each in (fits, others))
    assert own < 0.7 * other


@pytest.mark.long
def test_jagged_truth_is_still_covered() -> None:
    """The true curve has bumps that no sigmoid follows."""
    rng, covered, sets, truths = np.random.default_rng(0), 0, [], []
    grid = np.geomspace(8, 96, 2001)
    for _ in range(100):
        bumps = np.exp(rng.normal(0, 0.22, size=8))
        p = 0.98 * p_correct((LEVELS / 32) * 1.8 * bumps) + 0.01
        if p[0] < 0.75:
            curve = np.interp(np.log(grid), np.log(LEVELS), p)
            truths.append(grid[np.flatnonzero(curve >= 0.75)[0]])
            sets.append((LEVELS, rng.binomial(100, p), [100] * 8))
    for true, fit in zip(truths, fit_many(sets), strict=True):
        covered += fit.low <= true <= fit.high
    assert covered >= 0.88 * len(sets)


def test_chance_answers_leave_the_interval_open_above() -> None:
    rng = np.random.default_rng(0)
    for fit in fits_of([rng.binomial(30, 0.5, size=8) for _ in range(8)], 30):
        assert np.isinf(fit.high)
        assert fit.low <= fit.threshold
        assert fit.status is not FitStatus.CONVERGED


def test_perfect_answers_leave_the_interval_open_below() -> None:
    fit = fit_psychometric(LEVELS, [50] * 8, [50] * 8)
    assert fit.low == 0.0
    assert fit.low <= fit.threshold <= fit.high < LEVELS[1]
    assert fit.status is FitStatus.EXCEEDED


SETTINGS = (
    {},
    {"axis": "linear", "guess": "free", "p": 0.6},
    {"guess": "tied", "p": 0.5, "sigmoid": "student", "dispersion": "beta-binomial"},
    {"lapse": 0, "priors": {"width": FlatPrior()}, "p": 0.99, "sigmoid": "normal"},
    {"guess": 0.25, "priors": {"lapse": FlatPrior(), "width": FlatPrior()}, "rising": False},
)


@pytest.mark.long
@pytest.mark.parametrize("settings", SETTINGS)
def test_no_answers_break_a_fit(settings: dict) -> None:  # type: ignore[type-arg]
    """Chance, none or all right, steps, few levels, one trial a level: always numbers, never a warning."""
    rng, sets = np.random.default_rng(0), []
    for i in range(24):
        size = int(rng.integers(1, 9))
        n = np.full(size, rng.choice([1, 7, 250]))
        n[: size // 2] *= rng.integers(0, 2, size // 2)
        level = np.sort(rng.lognormal(0, rng.choice([0.01, 1.0, 4.0]), size))
        kinds = [n // 2, n * 0, n, n * (np.arange(size) > size // 2), rng.integers(0, n + 1)]
        sets.append((level, kinds[i % 5], n))
    for fit in fit_many(sets, **settings):
        assert fit.low <= fit.threshold <= fit.high
        assert np.isfinite([fit.deviance, fit.dispersion, fit.function.width]).all()
        assert np.isfinite(fit.posterior.covariance).all()


def test_answers_that_say_nothing_of_a_threshold_have_none() -> None:
    """All right: any threshold below the levels is as likely as another."""
    for levels in ([1, 2, 4, 8, 16], [4, 8, 16, 32]):
        fit = fit_psychometric(levels, [50] * len(levels), [50] * len(levels))
        assert (fit.threshold, fit.low, fit.status) == (0.0, 0.0, FitStatus.EXCEEDED)


def test_one_level_of_answers_still_gives_an_honest_fit() -> None:
    fit = fit_psychometric([16.0], [15], [20])
    assert fit.low < 16 < fit.high


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda: fit_psychometric(STEP, [49, 46, 38, 30, 26], [50] * 5), FitStatus.FALLING),
        (
            lambda: fit_psychometric(STEP, [49, 46, 38, 30, 26], [50] * 5, rising=True),
            FitStatus.WRONG_WAY,
        ),
        (
            lambda: fit_psychometric(STEP, [26, 30, 38, 46, 49], [50] * 5, rising=False),
            FitStatus.WRONG_WAY,
        ),
        (lambda: fit_psychometric(STEP, [22, 16, 9, 4, 1], [50] * 5), FitStatus.BELOW_CHANCE),
        (lambda: fit_psychometric([4], [0], [20]), FitStatus.BELOW_CHANCE),
        (  # both upper levels at 82.5 %: the asymptote lies below 85 %
            lambda: fit_psychometric(STEP, [400, 420, 500, 660, 660], [800] * 5, p=0.85),
            FitStatus.UNREACHED,
        ),
        (lambda: fit_psychometric(STEP, [10, 20, 10, 20, 10], [20] * 5), FitStatus.UNDETERMINED),
        (
            lambda: fit_psychometric(STEP, [16, 17, 18, 19, 20], [20] * 5, p=0.6),
            FitStatus.EXTRAPOLATED,
        ),
    ],
)
def test_the_status_says_what_the_answers_do(call, status: FitStatus) -> None:  # type: ignore[no-untyped-def]
    assert call().status is status


@pytest.mark.parametrize("p", [0.97, 0.98, 0.99, 0.995])
def test_a_threshold_near_the_asymptote_is_given_or_said_to_be_missing(p: float) -> None:
    """The upper levels had 99 and 100 of 100: these data bound such a threshold from below only."""
    fit = fit_psychometric(STEP, [50, 60, 85, 99, 100], [100] * 5, p=p)
    assert 4 < fit.low < fit.threshold <= fit.high
    assert (fit.status is FitStatus.UNREACHED) == bool(np.isinf(fit.threshold))
    assert p == 0.97 or np.isinf(fit.high)


def test_the_unreached_are_open_above_from_the_highest_level_on() -> None:
    fit = fit_psychometric(STEP, [400, 420, 500, 660, 660], [800] * 5, p=0.85)
    assert (fit.threshold, fit.high) == (np.inf, np.inf)
    assert fit.low <= 16

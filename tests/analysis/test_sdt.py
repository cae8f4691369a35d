"""d' from proportions and counts: published values, intervals and their coverage, tables, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, fisher_exact, norm

from analysis.observers.counted.dprime_result import DPrimeStatus
from analysis.observers.counted.from_counts import dprime_from_counts, dprimes_from_counts
from analysis.observers.counted.from_hits import dprime_from_hits, dprimes_from_hits
from analysis.observers.counted.proportions import wilson
from analysis.observers.criterion import operating_of
from analysis.observers.sdt import dprime, dprime_error, guess_rate, p_correct, trials_for
from stimuli_store.errors import InputError
from stimuli_store.tasks import TASKS


@pytest.mark.parametrize(
    ("task", "rule", "published"),
    [
        ("2ifc", "likelihood", 0.954),
        ("abx", "independent", 1.79),
        ("abx", "differencing", 2.02),
        ("3afc", "likelihood", 1.43),
        ("oddity", "differencing", 2.80),
        ("4iax", "differencing", 2.10),
    ],
)
def test_dprime_at_three_quarters_is_the_published_one(
    task: str, rule: str, published: float
) -> None:
    assert float(dprime(0.75, task, rule)) == pytest.approx(published, abs=0.005)


def test_chance_and_certainty() -> None:
    assert np.isposinf(dprime(1.0))
    assert float(dprime(0.3)) == 0.0
    assert float(dprime(0.25, task="2ifc")) == pytest.approx(-float(dprime(0.75, task="2ifc")))
    assert np.isneginf(dprime(0.0, task="2ifc"))
    assert guess_rate("2afc") == 0.5
    assert guess_rate("4afc") == 0.25
    assert guess_rate("yes-no") == 0.5


@given(
    n=st.integers(1, 500),
    share=st.floats(0, 1),
    rule=st.sampled_from(["independent", "differencing"]),
)
def test_interval_of_counts_holds_the_estimate(n: int, share: float, rule: str) -> None:
    result = dprime_from_counts(round(share * n), n, rule=rule)
    assert 0 <= result.low <= result.estimate <= result.high
    assert np.isfinite(result.estimate)
    assert np.isinf(result.high) == (result.n_correct == n)


def test_wilson_interval_covers() -> None:
    """Exact coverage of the interval at n = 40, averaged over p, is near 95 %."""
    from scipy.stats import binom

    k = np.arange(41)
    low, high = wilson(k, np.full(41, 40))
    p = np.linspace(0.05, 0.95, 181)[:, None]
    covered = np.sum(binom.pmf(k, 40, p) * ((low <= p) & (p <= high)), axis=1)
    assert covered.mean() == pytest.approx(0.95, abs=0.01)
    assert covered.min() > 0.9


@pytest.mark.parametrize(
    ("hits", "false_alarms", "expected", "bias"),
    [(69, 31, 0.992, 0.0), (84, 16, 1.989, 0.0), (50, 16, 0.994, 0.497), (31, 69, -0.992, 0.0)],
)
def test_yes_no_is_the_difference_of_two_normal_deviates(
    hits: int, false_alarms: int, expected: float, bias: float
) -> None:
    found = dprime_from_hits(hits, 100, false_alarms, 100, "yes-no")
    assert found.estimate == pytest.approx(expected, abs=0.001)
    assert found.rates is not None
    assert found.rates.bias == pytest.approx(bias, abs=0.001)
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("k", [0.8, 1.6, 2.5])
@pytest.mark.parametrize("d", [0.8, 1.8, 3.0])
def test_same_different_finds_dprime_and_criterion_from_its_closed_form(d: float, k: float) -> None:
    root, n = np.sqrt(2), 10_000_000
    hit = norm.cdf((d - k) / root) + norm.cdf((-d - k) / root)
    false_alarm = 2 * norm.cdf(-k / root)
    counts = (round(n * hit), n, round(n * false_alarm), n)
    found = dprime_from_hits(*counts, "same-different", "differencing")
    assert found.estimate == pytest.approx(d, abs=0.002)
    assert found.rates is not None
    assert found.rates.criterion == pytest.approx(k, abs=0.002)
    assert found.low < d < found.high


@pytest.mark.long
@pytest.mark.parametrize("task", ["yes-no", "same-different"])
def test_interval_of_hits_covers(task: str) -> None:
    rng, d, n = np.random.default_rng(3), 1.5, 60
    k = 1.8
    hit, false_alarm = norm.cdf(d - 0.9), norm.cdf(-0.9)
    if task == "same-different":
        hit = norm.cdf((d - k) / np.sqrt(2)) + norm.cdf((-d - k) / np.sqrt(2))
        false_alarm = 2 * norm.cdf(-k / np.sqrt(2))
    sets = (rng.binomial(n, rate, 400) for rate in (hit, false_alarm))
    hits, false_alarms = sets
    found = dprimes_from_hits(hits, [n] * 400, false_alarms, [n] * 400, task)
    covered = sum(one.low <= d <= one.high for one in found)
    assert 0.92 * 400 <= covered <= 0.985 * 400


@pytest.mark.long
@pytest.mark.parametrize(
    ("task", "n_signal", "n_noise"),
    [("yes-no", 10, 10), ("yes-no", 40, 40), ("yes-no", 100, 20), ("same-different", 20, 20)],
)
def test_exact_coverage_of_the_interval_of_hits(task: str, n_signal: int, n_noise: int) -> None:
    """Tables are summed by their binomial probabilities; a profile's interval holds 85.6 to 89 % at worst."""
    hits, false_alarms = (v.ravel() for v in np.indices((n_signal + 1, n_noise + 1)))
    chances = {}
    for d in (0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 3.8):
        for false_alarm in (0.01, 0.03, 0.1, 0.3, 0.5, 0.8):
            hit = _hit_rate(task, d, false_alarm)
            chances[d, false_alarm] = binom.pmf(hits, n_signal, hit) * binom.pmf(
                false_alarms, n_noise, false_alarm
            )
    seen = np.max(list(chances.values()), axis=0) > 1e-6
    hits, false_alarms = hits[seen], false_alarms[seen]
    sizes = ([n] * len(hits) for n in (n_signal, n_noise))
    found = dprimes_from_hits(hits, next(sizes), false_alarms, next(sizes), task)
    low, high = (np.array([getattr(one, end) for one in found]) for end in ("low", "high"))
    for (d, _), chance in chances.items():
        too_high, too_low = (float(chance[seen] @ out) for out in (low > d, high < d))
        assert too_high + too_low < 0.056 and max(too_high, too_low) < 0.034


def _hit_rate(task: str, d: float, false_alarm: float) -> float:
    if task == "yes-no":
        return float(norm.cdf(d + norm.ppf(false_alarm)))
    k = -np.sqrt(2) * norm.ppf(false_alarm / 2)
    return float(norm.cdf((d - k) / np.sqrt(2)) + norm.cdf((-d - k) / np.sqrt(2)))


@pytest.mark.parametrize(
    ("hits", "n_signal", "false_alarms", "n_noise"),
    [(14, 20, 4, 25), (39, 40, 2, 40), (3, 30, 3, 30), (2, 12, 9, 10)],
)
def test_ends_of_the_interval_of_hits_are_those_of_the_sum_over_all_tables(
    hits: int, n_signal: int, false_alarms: int, n_noise: int
) -> None:
    found = dprime_from_hits(hits, n_signal, false_alarms, n_noise, "yes-no")
    h, f = np.indices((n_signal + 1, n_noise + 1))
    rates = np.clip(h, 0.5, n_signal - 0.5) / n_signal, np.clip(f, 0.5, n_noise - 0.5) / n_noise
    d = (norm.ppf(rates[0]) - norm.ppf(rates[1])).round(9)
    as_high = (d >= d[hits, false_alarms]) & (h > 0) & (f < n_noise)
    as_low = (d <= d[hits, false_alarms]) & (h < n_signal) & (f > 0)
    for end, tail in ((found.low, as_high), (found.high, as_low)):

        def unlikely(z: float, end: float = end) -> float:
            return -binom.logpmf(hits, n_signal, norm.cdf(end - z)) - binom.logpmf(
                false_alarms, n_noise, norm.sf(z)
            )

        z = minimize_scalar(unlikely, bounds=(-6, 8), method="bounded", options={"xatol": 1e-9}).x
        p = binom.pmf(h, n_signal, norm.cdf(end - z)) * binom.pmf(f, n_noise, norm.sf(z))
        assert p[tail].sum() == pytest.approx(0.025, abs=2e-5)


def test_no_hit_and_no_false_alarm_set_no_bound() -> None:
    perfect = dprime_from_hits(20, 20, 0, 20, "yes-no")
    assert np.isinf(perfect.high)
    assert np.isfinite(perfect.estimate)
    nothing = dprime_from_hits(0, 20, 0, 20, "same-different")
    assert nothing.low == 0.0
    assert nothing.estimate == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("d", "criterion"), [(1.0, 0.4), (1.5, -0.7), (2.5, 0.0), (0.4, 0.05), (3.5, -2.0)]
)
def test_likelihood_rates_of_same_different_are_integrals(d: float, criterion: float) -> None:
    """log cosh(d(x₁ − x₂)/2) − log cosh(d(x₁ + x₂ − d)/2) is compared with the criterion."""
    observer = operating_of(TASKS["same-different"], "likelihood")
    s = np.linspace(-9, 9, 40_001)
    weights = norm.pdf(s) / norm.pdf(s).sum()

    def rate(apart: float, shifted: float) -> float:
        ratio = np.exp(criterion) * np.cosh(d * (np.sqrt(2) * s + shifted) / 2)
        k = np.where(ratio > 1, 2 / d * np.arccosh(np.maximum(ratio, 1)), 0.0)
        over = norm.cdf((apart - k) / np.sqrt(2)) + norm.cdf((-apart - k) / np.sqrt(2))
        return float(np.where(ratio > 1, over, 1.0) @ weights)

    hit, false_alarm = rate(d, 0.0), rate(0.0, d)
    z = np.array(norm.isf(false_alarm))
    assert float(observer.hits(np.array(d), z)) == pytest.approx(hit, abs=5e-4)
    assert float(observer.criterion(np.array(d), z)) == pytest.approx(criterion, abs=0.01)


def test_tables_of_counts_are_the_counts_one_by_one() -> None:
    k, n = np.array([10, 55, 0, 100]), np.array([100, 100, 5, 100])
    table = dprimes_from_counts(k, n, "oddity", "likelihood")
    assert table == tuple(
        dprime_from_counts(a, b, "oddity", "likelihood") for a, b in zip(k, n, strict=True)
    )
    rows = [(69, 100, 31, 100), (20, 20, 0, 30), (5, 20, 18, 20), (0, 9, 0, 11)]
    for task in ("yes-no", "same-different"):
        found = dprimes_from_hits(*np.array(rows).T, task)
        for one, row in zip(found, rows, strict=True):
            alone = dprime_from_hits(*row, task)
            assert one.estimate == alone.estimate
            assert (one.low, one.high) == pytest.approx((alone.low, alone.high))
            assert (one.rates, one.status) == (alone.rates, alone.status)


def test_answers_reliably_below_chance_are_said() -> None:
    exchanged = dprime_from_counts(0, 10)
    assert exchanged.status is DPrimeStatus.BELOW_CHANCE
    assert "exchanged" in exchanged.status.value
    assert dprime_from_counts(1, 10, "2afc").status is DPrimeStatus.ESTIMATED  # p = .011
    assert dprime_from_counts(0, 7, "2afc").status is DPrimeStatus.BELOW_CHANCE  # p = .008
    assert dprime_from_counts(0, 11, "oddity").status is DPrimeStatus.ESTIMATED  # p = .012
    assert dprime_from_counts(0, 12, "oddity").status is DPrimeStatus.BELOW_CHANCE  # p = .008
    assert dprime_from_counts(10, 10).status is DPrimeStatus.UNBOUNDED


@pytest.mark.parametrize("task", ["oddity", "abx", "4iax", "triangle"])
@pytest.mark.parametrize("n_trials", [2, 10, 30, 1000])
def test_no_counts_below_chance_give_an_interval_without_width(task: str, n_trials: int) -> None:
    chance = guess_rate(task)
    table = dprimes_from_counts(np.arange(n_trials + 1), [n_trials] * (n_trials + 1), task)
    at_chance = float(dprime(wilson_of(chance, n_trials), task))
    ends = np.array([found.high for found in table])
    assert (np.diff(ends[:-1]) >= 0).all() and np.isinf(ends[-1])
    for right, found in enumerate(table):
        if right <= chance * n_trials:
            assert (found.estimate, found.low) == (0, 0)
            assert found.high == pytest.approx(at_chance) and found.high > 0
        below = binom.cdf(right, n_trials, chance) < 0.01
        assert (found.status is DPrimeStatus.BELOW_CHANCE) == below


def wilson_of(share: float, n_trials: int) -> float:
    """The larger root of (p - share)² = z² p (1 - p) / n, which defines Wilson's upper end."""
    z = norm.isf(0.025) ** 2 / n_trials
    return float(np.roots([1 + z, -2 * share - z, share**2]).max())


def test_a_task_with_negative_sensitivity_keeps_its_interval_below_chance() -> None:
    found = dprime_from_counts(5, 100, "2afc")
    other = dprime_from_counts(95, 100, "2afc")
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (-other.estimate, -other.high, -other.low)
    )


@pytest.mark.parametrize(
    ("counts", "below"),
    [
        ((5, 20, 18, 20), True),
        ((9, 20, 13, 20), False),
        ((0, 5, 5, 5), True),
        ((0, 3, 3, 3), False),
    ],
)
def test_fewer_hits_than_false_alarms_are_said_by_fishers_test(
    counts: tuple[int, int, int, int], below: bool
) -> None:
    h, n, f, m = counts
    p = fisher_exact([[h, n - h], [f, m - f]], alternative="less").pvalue
    assert (p < 0.01) == below
    for task in ("yes-no", "same-different"):
        status = dprime_from_hits(*counts, task).status
        assert (status is DPrimeStatus.BELOW_CHANCE) == below


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: p_correct(1.0, task="axb"), "did you mean 'abx'"),
        (lambda: p_correct(1.0, rule="difference"), "did you mean 'differencing'"),
        (lambda: p_correct([1.0, float("nan")]), "none of them missing"),
        (lambda: dprime(1.2), "between 0 and 1; 1.2 was given"),
        (lambda: dprime(float("nan")), "none of them missing"),
        (lambda: dprime("often"), "must be numbers"),
        (lambda: dprime([[0.6], [0.7, 0.8]]), "must be numbers"),
        (lambda: guess_rate("9afc"), "afc"),
        (lambda: dprime_from_counts(5, 4), "not valid counts"),
        (lambda: dprime_from_counts(0, 0), "at least one trial"),
        (lambda: dprime_from_counts(7.5, 10), "whole numbers of 0 or more; 7.5"),
        (lambda: dprime_from_counts(-1, 10), "whole numbers of 0 or more; -1"),
        (lambda: dprime_from_counts(0.75, 100), "not proportions such as 0.75"),
        (lambda: dprimes_from_counts([0.5, 0.9, 1], [20, 20, 20]), "not proportions such as 0.5"),
        (lambda: dprimes_from_counts([5, None], [20, 20]), "None is none"),
        (lambda: dprimes_from_counts([5, 6], [20]), "one shape"),
        (lambda: dprimes_from_counts([[5], [6, 7]], [20, 20]), "must be numbers"),
        (lambda: dprimes_from_counts([[5, 6]], [[20, 20]]), "one row"),
        (lambda: dprime_from_hits(1.5, 2, 1, 2, "yes-no"), "n_hits must be whole numbers"),
        (lambda: dprime_from_hits(1, 2, 1, float("inf"), "yes-no"), "n_noise must be whole"),
        (lambda: wilson(7.5, 10), "whole numbers"),
        (lambda: trials_for(0.0, 1.0), "above 0"),
        (lambda: trials_for(0.2, 0.0), "no number of trials"),
        (lambda: dprime_error(1.0, 0), "n_trials must be above 0"),
        (lambda: wilson([5, 11], [10, 10]), "not valid counts"),
        (lambda: dprime_from_hits(1, 2, 1, 2, "abx"), "has no criterion"),
        (lambda: dprime_from_hits(3, 2, 1, 2, "yes-no"), "not valid counts"),
        (lambda: dprime_from_hits(1, 2, 0, 0, "yes-no"), "trials without one"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()


@pytest.mark.parametrize(
    ("task", "rule", "published"),
    [
        ("2ifc", "likelihood", 95),
        ("abx", "independent", 195),
        ("abx", "differencing", 280),
        ("4iax", "differencing", 337),
        ("oddity", "differencing", 250),
        ("oddity", "likelihood", 148),
    ],
)
def test_trials_for_a_standard_error_of_a_fifth(task: str, rule: str, published: int) -> None:
    assert trials_for(0.2, 1.0, task, rule) == published
    assert float(dprime_error(1.0, published, task, rule)) <= 0.2


def test_standard_error_of_dprime_is_that_of_simulated_counts() -> None:
    rng, n = np.random.default_rng(0), 400
    for task in ("2ifc", "abx", "oddity"):
        k = rng.binomial(n, float(p_correct(1.5, task)), 20_000)
        spread = dprime(k / n, task).std()
        assert float(dprime_error(1.5, n, task)) == pytest.approx(spread, rel=0.05)

"""d' to proportion correct and back: against the decision rules themselves, and published values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.observers.sdt import (
    LINKS,
    dprime,
    dprime_from_counts,
    guess_rate,
    link_of,
    p_correct,
    wilson,
)
from stimuli_store.errors import InputError

N = 400_000


def simulate(task: str, rule: str, d: float, rng: np.random.Generator) -> float:
    """Share of right answers when the rule is applied to drawn percepts; X (or the signal) is high."""
    low, high, x = rng.standard_normal((3, N))
    high, x = high + d, x + d
    if task == "2afc":
        return float(np.mean(high > low))
    if rule == "differencing":
        return float(np.mean(abs(x - high) < abs(x - low)))
    order_seen = high > low
    x_seen_high = x > d / 2
    return float(np.mean(order_seen == x_seen_high))


@pytest.mark.parametrize(("task", "rule"), list(LINKS))
@pytest.mark.parametrize("d", [0.0, 0.7, 1.8, 3.5])
def test_formula_is_what_the_rule_does(task: str, rule: str, d: float) -> None:
    rng = np.random.default_rng(11)
    expected = simulate(task, rule, d, rng)
    tolerance = 4 * np.sqrt(0.25 / N)
    assert abs(float(p_correct(d, task, rule)) - expected) < tolerance


@pytest.mark.parametrize(
    ("task", "rule", "published"),
    [("2afc", "independent", 0.954), ("abx", "independent", 1.79), ("abx", "differencing", 2.02)],
)
def test_dprime_at_three_quarters_is_the_published_one(
    task: str, rule: str, published: float
) -> None:
    assert float(dprime(0.75, task, rule)) == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize(("task", "rule"), list(LINKS))
def test_inverse_undoes_the_formula(task: str, rule: str) -> None:
    d = np.linspace(0.05, 5.5, 200)
    assert dprime(p_correct(d, task, rule), task, rule) == pytest.approx(d, rel=1e-6)


@pytest.mark.parametrize(("task", "rule"), list(LINKS))
def test_slope_is_the_derivative(task: str, rule: str) -> None:
    link, d, h = link_of(task, rule), np.linspace(0.0, 6.0, 50), 1e-5
    numeric = (link.p_correct(d + h) - link.p_correct(d - h)) / (2 * h)
    assert link.slope(d) == pytest.approx(numeric, abs=1e-9)


def test_ends() -> None:
    assert np.isposinf(dprime(1.0))
    assert float(dprime(0.3)) == 0.0
    assert float(dprime(0.25, task="2afc")) == pytest.approx(-float(dprime(0.75, task="2afc")))
    assert guess_rate("2afc") == 0.5


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
    ("call", "said"),
    [
        (lambda: p_correct(1.0, task="axb"), "did you mean 'abx'"),
        (lambda: p_correct(1.0, rule="difference"), "did you mean 'differencing'"),
        (lambda: dprime(1.2), "between 0 and 1"),
        (lambda: dprime(float("nan")), "between 0 and 1"),
        (lambda: guess_rate("9afc"), "2afc"),
        (lambda: dprime_from_counts(5, 4), "not valid counts"),
        (lambda: dprime_from_counts(0, 0), "n_trials must be a whole number of 1"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()

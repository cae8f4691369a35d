"""d' to proportion correct and back: published values, derivatives, inverses, intervals, bad input."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.observers.links import CLOSED_FORMS, link_of
from analysis.observers.sdt import (
    dprime,
    dprime_from_counts,
    dprime_from_hits,
    guess_rate,
    p_correct,
    wilson,
)
from analysis.observers.tabulated import GRID
from stimuli_store.errors import InputError
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.types import Cell

CLOSED = sorted(CLOSED_FORMS)


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


@pytest.mark.parametrize(("task", "rule"), CLOSED)
def test_inverse_undoes_a_closed_form(task: str, rule: str) -> None:
    d = np.linspace(0.05, 4.5, 200)
    assert dprime(p_correct(d, task, rule), task, rule) == pytest.approx(d, abs=1e-10, rel=1e-10)


@pytest.mark.parametrize(("task", "rule"), CLOSED)
def test_slope_of_a_closed_form_is_the_derivative(task: str, rule: str) -> None:
    link, d, h = link_of(task_named(task), rule), np.linspace(0.01, 6.0, 50), 1e-5
    numeric = (link.p_correct(d + h) - link.p_correct(d - h)) / (2 * h)
    assert link.slope(d) == pytest.approx(numeric, abs=1e-9)
    below = (link.p_correct(-d + h) - link.p_correct(-d - h)) / (2 * h)
    assert link.slope(-d) == pytest.approx(below, abs=1e-9)


@pytest.mark.parametrize("name", ["abx", "match-to-sample", "4iax"])
def test_a_table_has_an_inverse_a_slope_and_a_stated_error(name: str) -> None:
    link, d, h = link_of(task_named(name), "likelihood"), np.linspace(0.3, 5.0, 60), 1e-6
    assert 0 < link.error <= 0.001
    assert link.dprime(link.p_correct(d)) == pytest.approx(d, rel=1e-8)
    inner = d[np.abs(d[:, None] - GRID).min(axis=1) > 1e-3]  # between the knots of the cubic
    numeric = (link.p_correct(inner + h) - link.p_correct(inner - h)) / (2 * h)
    assert link.slope(inner) == pytest.approx(numeric, abs=1e-7)
    assert float(link.p_correct(1e6)) == pytest.approx(1.0, abs=1e-6)
    assert float(link.slope(1e6)) == 0.0


def test_chance_and_certainty() -> None:
    assert np.isposinf(dprime(1.0))
    assert float(dprime(0.3)) == 0.0
    assert float(dprime(0.25, task="2ifc")) == pytest.approx(-float(dprime(0.75, task="2ifc")))
    assert np.isneginf(dprime(0.0, task="2ifc"))
    assert guess_rate("2afc") == 0.5
    assert guess_rate("4afc") == 0.25
    assert guess_rate("yes-no") == 0.5


def test_closed_forms_follow_the_cells_and_not_the_name() -> None:
    abx = task_named("abx")
    renamed = replace(abx, name="house-abx")
    assert link_of(renamed, "differencing").error == 0
    asked = tuple(
        Cell(fills=cell.fills, answer="A" if cell.answer == "B" else "B") for cell in abx.cells
    )
    turned = replace(abx, cells=asked)  # which of the two differs from X
    with pytest.raises(InputError, match="only ABX has it"):
        link_of(turned, "independent")
    link = link_of(turned, "differencing")
    assert link.error > 0  # integrated
    assert float(link.p_correct(2.0)) == pytest.approx(0.7468, abs=0.002)


def test_every_declared_task_has_a_link_for_each_of_its_rules_where_it_is_closed() -> None:
    for (name, rule), curve in CLOSED_FORMS.items():
        assert rule in TASKS[name].rules
        assert link_of(TASKS[name], rule).formula == curve.formula


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
    from scipy.stats import norm

    root, n = np.sqrt(2), 10_000_000
    hit = norm.cdf((d - k) / root) + norm.cdf((-d - k) / root)
    false_alarm = 2 * norm.cdf(-k / root)
    counts = (round(n * hit), n, round(n * false_alarm), n)
    found = dprime_from_hits(*counts, "same-different", "differencing")
    assert found.estimate == pytest.approx(d, abs=0.002)
    assert found.rates is not None
    assert found.rates.criterion == pytest.approx(k, abs=0.002)
    assert found.low < d < found.high


@pytest.mark.parametrize("task", ["yes-no", "same-different"])
def test_interval_of_hits_covers(task: str) -> None:
    from scipy.stats import norm

    rng, d, n, covered = np.random.default_rng(3), 1.5, 60, 0
    k = 1.8
    hit, false_alarm = norm.cdf(d - 0.9), norm.cdf(-0.9)
    if task == "same-different":
        hit = norm.cdf((d - k) / np.sqrt(2)) + norm.cdf((-d - k) / np.sqrt(2))
        false_alarm = 2 * norm.cdf(-k / np.sqrt(2))
    for _ in range(100):
        found = dprime_from_hits(
            int(rng.binomial(n, hit)), n, int(rng.binomial(n, false_alarm)), n, task
        )
        covered += found.low <= d <= found.high
    assert covered >= 89


def test_no_hit_and_no_false_alarm_set_no_bound() -> None:
    perfect = dprime_from_hits(20, 20, 0, 20, "yes-no")
    assert np.isinf(perfect.high)
    assert np.isfinite(perfect.estimate)
    nothing = dprime_from_hits(0, 20, 0, 20, "same-different")
    assert nothing.low == 0.0
    assert nothing.estimate == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: p_correct(1.0, task="axb"), "did you mean 'abx'"),
        (lambda: p_correct(1.0, rule="difference"), "did you mean 'differencing'"),
        (lambda: dprime(1.2), "between 0 and 1"),
        (lambda: dprime(float("nan")), "between 0 and 1"),
        (lambda: guess_rate("9afc"), "afc"),
        (lambda: dprime_from_counts(5, 4), "not valid counts"),
        (lambda: dprime_from_counts(0, 0), "n_trials must be a whole number of 1"),
        (lambda: dprime_from_hits(1, 2, 1, 2, "abx"), "has no criterion"),
        (lambda: dprime_from_hits(3, 2, 1, 2, "yes-no"), "not valid counts"),
        (lambda: dprime_from_hits(1, 2, 0, 0, "yes-no"), "trials without one"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()

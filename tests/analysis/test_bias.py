"""Bias as a parameter, drawn answers, and one rule against another: closed forms, integrals, recovery."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.data.reading import read_trials
from analysis.fits.response_table import response_table
from analysis.observers.bias import fit_bias
from analysis.observers.responses import percepts_at
from analysis.observers.rule_comparison import compare_rules
from analysis.observers.rules import decide
from analysis.observers.sdt import p_correct
from analysis.observers.simulated.drawn_answers import draw_answers
from analysis.observers.structure import structure_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import TASKS

EVERY = [
    (name, rule)
    for name, task in TASKS.items()
    for rule in task.rules
    if not name.startswith("ring-") and not name.endswith(("5", "6"))
]
#: Their links take a second to make.
TABLED = [("oddity-4", "likelihood"), ("4iax", "likelihood")]


def table(right: np.ndarray, said: np.ndarray, m: int) -> np.ndarray:
    return np.bincount(right * m + said, minlength=m * m).reshape(m, m)


@pytest.mark.parametrize(
    "counts", [[[90, 10], [40, 60]], [[70, 30], [30, 70]], [[95, 5], [80, 20]], [[55, 45], [9, 91]]]
)
def test_bias_in_2ifc_is_that_of_hits_and_false_alarms(counts: list[list[int]]) -> None:
    fit = fit_bias(counts, "2ifc")
    z_hit, z_false = norm.ppf(counts[0][0] / 100), norm.ppf(counts[1][0] / 100)
    assert fit.dprime == pytest.approx((z_hit - z_false) / np.sqrt(2), abs=0.005)
    assert fit.bias[0] == pytest.approx((z_hit + z_false) / 2 / np.sqrt(2), abs=0.005)
    assert sum(fit.bias) == pytest.approx(0, abs=1e-12)
    # The delta method for z(H) and z(F), which gives Wald's interval.
    spread = [p * (1 - p) / 100 / norm.pdf(norm.ppf(p)) ** 2 for p in np.array(counts)[:, 0] / 100]
    half = 1.96 * np.sqrt(sum(spread)) / 2 / np.sqrt(2)
    assert fit.bias_high[0] - fit.bias[0] == pytest.approx(half, rel=0.05)
    assert fit.p_unbiased == pytest.approx(2 * norm.sf(abs(fit.bias[0]) * 1.96 / half), abs=0.01)
    assert fit.dprime_low < fit.dprime < fit.dprime_high


@pytest.mark.parametrize("d", [0.02, 0.8, 2.5])
@pytest.mark.parametrize("name", ["2ifc", "3afc"])
def test_responses_of_biased_observers_are_integrals(name: str, d: float) -> None:
    """P(r | a) = ∫φ(x − μ_r) ∏ Φ(x + b_r − b_j − μ_j) dx over the other intervals j."""
    m = len(TASKS[name].answers)
    bias, x = np.linspace(-0.4, 0.3, m), np.linspace(-9, 14, 8001)
    found = percepts_at(structure_of(TASKS[name]), "likelihood", d).probabilities(bias)
    for right in range(m):
        mean = d * (np.arange(m) == right)
        for said in range(m):
            others = [j for j in range(m) if j != said]
            below = [norm.cdf(x + bias[said] - bias[j] - mean[j]) for j in others]
            value = np.trapezoid(norm.pdf(x - mean[said]) * np.prod(below, axis=0), x)
            assert found[right, said] == pytest.approx(value, abs=0.002)


@pytest.mark.parametrize(
    ("task", "rule", "bias"),
    [
        ("3afc", "likelihood", (0.3, 0.0, -0.3)),
        ("abx", "independent", (0.25, -0.25)),
        ("abx", "differencing", (-0.2, 0.2)),
        ("oddity", "likelihood", (0.2, -0.1, -0.1)),
        pytest.param("oddity", "differencing", (0.1, -0.3, 0.2), marks=pytest.mark.slow),
        pytest.param("4iax", "differencing", (-0.3, 0.3), marks=pytest.mark.slow),
        pytest.param("6afc", "likelihood", (0.3, 0, 0, 0, 0, -0.3), marks=pytest.mark.slow),
    ],
)
def test_bias_and_dprime_of_a_biased_observer_are_recovered(
    task: str, rule: str, bias: tuple[float, ...]
) -> None:
    rng, m = np.random.default_rng(7), len(bias)
    right, said = draw_answers(task, np.full(6000, 1.8), rng, rule=rule, bias=bias)
    fit = fit_bias(table(right, said, m), task, rule)
    errors = (np.array(fit.bias_high) - np.array(fit.bias)) / 1.96
    assert (np.abs(np.array(fit.bias) - bias) < 4 * errors).all()
    assert errors.max() < 0.06
    assert abs(fit.dprime - 1.8) < 2 * (fit.dprime_high - fit.dprime_low) / 2
    assert fit.p_unbiased < 1e-4
    assert fit.n_trials == 6000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "rule", "d"),
    [("2ifc", "likelihood", 1.0), ("3afc", "likelihood", 1.5), ("oddity", "differencing", 2.0)],
)
def test_intervals_of_bias_and_dprime_cover(task: str, rule: str, d: float) -> None:
    rng, m, n = np.random.default_rng(11), len(TASKS[task].answers), 80
    bias, covered, sure = np.linspace(0.25, -0.25, m), np.zeros(2), 0
    for _ in range(n):
        fit = fit_bias(
            table(*draw_answers(task, np.full(240, d), rng, rule=rule, bias=bias), m), task, rule
        )
        covered += (
            fit.dprime_low <= d <= fit.dprime_high,
            fit.bias_low[0] <= bias[0] <= fit.bias_high[0],
        )
        unbiased = fit_bias(
            table(*draw_answers(task, np.full(240, d), rng, rule=rule), m), task, rule
        )
        sure += unbiased.p_unbiased < 0.05
    assert (covered >= 0.89 * n).all()
    assert sure <= 0.11 * n


@pytest.mark.parametrize(
    ("task", "rule"),
    [pytest.param(*p, marks=pytest.mark.slow) if p in TABLED else p for p in EVERY],
)
def test_drawn_answers_are_right_as_often_as_the_link_says(task: str, rule: str) -> None:
    rng, n = np.random.default_rng(3), 40_000
    right, said = draw_answers(task, np.full(n, 1.6), rng, rule=rule)
    p = float(p_correct(1.6, task, rule))
    assert (right == said).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n) + 0.001)
    lapsing = draw_answers(task, np.full(n, 9.0), rng, rule=rule, lapse=0.3)
    guess = 1 / len(TASKS[task].answers)
    expected = 0.7 * float(p_correct(9.0, task, rule)) + 0.3 * guess
    assert (lapsing[0] == lapsing[1]).mean() == pytest.approx(expected, abs=0.012)


def test_perfect_answers_set_dprime_no_upper_bound() -> None:
    fit = fit_bias([[20, 0], [0, 20]], "2ifc")
    assert np.isinf(fit.dprime_high)
    assert fit.dprime_low > 1.5
    nothing = fit_bias([[10, 10], [10, 10]], "abx")
    assert nothing.dprime_low == 0
    assert nothing.dprime < 0.3


def of_levels(task: str, rule: str, seed: int, n: int) -> list[np.ndarray]:
    rng, m = np.random.default_rng(seed), len(TASKS[task].answers)
    bias = np.linspace(0.3, -0.3, m)
    return [
        table(*draw_answers(task, np.full(n, d), rng, rule=rule, bias=bias), m)
        for d in (0.5, 0.9, 1.5, 2.6)
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    "true", ["independent", pytest.param("differencing", marks=pytest.mark.slow)]
)
def test_the_rule_of_a_biased_abx_observer_is_found(true: str) -> None:
    counts = of_levels("abx", true, 2, 1500)
    found = compare_rules(counts, "abx", levels=[1, 2, 4, 8], rules=["independent", "differencing"])
    assert found[0].rule == true
    assert found[0].difference == 0
    assert found[1].difference < -5
    assert found[0].dprimes == pytest.approx([0.5, 0.9, 1.5, 2.6], abs=0.3)
    assert found[0].bits_per_trial - found[1].bits_per_trial == pytest.approx(
        -found[1].difference / 6000 / np.log(2)
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("true", "criterion"),
    [("differencing", 1.8), pytest.param("likelihood", 0.0, marks=pytest.mark.slow)],
)
def test_the_rule_of_same_different_shows_in_false_alarms(true: str, criterion: float) -> None:
    task, rng = TASKS["same-different"], np.random.default_rng(4)
    structure, counts = structure_of(task), []
    for d in (0.7, 1.4, 2.2, 3.0):
        cell = np.arange(2400) % 4
        x = rng.standard_normal((2400, 2)) + d * structure.at[cell]
        said = decide(task, true, d, x, criterion=criterion)
        counts.append(table(structure.answers[cell], said, 2))
    found = compare_rules(counts, task)
    assert found[0].rule == true
    assert found[1].difference < -5
    assert found[0].bias[0] - found[0].bias[1] == pytest.approx(criterion, abs=0.15)


def test_rules_that_decide_alike_are_equal_and_unbiased_groups_tell_nothing() -> None:
    counts = [[[60, 20], [20, 60]], [[75, 5], [5, 75]]]
    found = compare_rules(counts, "abx")
    assert [score.difference for score in found] == pytest.approx([0, 0, 0], abs=0.05)
    same = {score.rule: score.log_likelihood for score in found}
    assert same["independent"] == same["likelihood"]
    saturated = sum(k * np.log(k / 80) for rows in counts for row in rows for k in row)
    assert found[0].log_likelihood == pytest.approx(saturated, abs=0.01)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fit_bias([[9, 1]], "2ifc"), "a row for each right answer"),
        (lambda: fit_bias([[0.9, 0.1], [0.4, 0.6]], "2ifc"), "not proportions"),
        (lambda: fit_bias([[9, 1], [0, 0]], "2ifc"), "must be right in some trials"),
        (lambda: fit_bias([[9, 1], [3, 7]], "yes-no"), "use `dprime_from_hits`"),
        (lambda: fit_bias([[9, 1], [3, 7]], "2ifc", "differencing"), "did you mean|likelihood"),
        (lambda: compare_rules([[9, 1], [3, 7]], "abx"), r"\(groups, right answers, responses\)"),
        (lambda: compare_rules([[[9, 1], [3, 7]]], "abx", levels=[0.0]), "numbers above 0"),
        (lambda: compare_rules([[[9, 1], [3, 7]]], "abx", rules=["diferencing"]), "differencing"),
        (lambda: draw_answers("abx", 1.0, np.random.default_rng()), "for each trial"),
        (lambda: draw_answers("abx", [1, -1], np.random.default_rng()), "0 or more"),
        (lambda: draw_answers("abx", [1], np.random.default_rng(), bias=[1, 2, 3]), "2 numbers"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()


def trials_of(cells: dict[tuple[str, str, float], int], words: dict[str, str]) -> pd.DataFrame:
    """A row for each trial of (right, given, level), in words of the table's own."""
    rows = [(words[r], words[g], level) for (r, g, level), n in cells.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["target", "key", "size"])


ORDERS_SHOWN = {"first": "f", "second": "j"}
SAID = {
    **{("first", "first", 1.0): 60, ("first", "second", 1.0): 40},
    **{("second", "first", 1.0): 45, ("second", "second", 1.0): 55},
    **{("first", "first", 2.0): 90, ("first", "second", 2.0): 10},
    **{("second", "first", 2.0): 25, ("second", "second", 2.0): 75},
}


def test_tables_of_answers_are_those_made_by_hand() -> None:
    roles = {"answer": "target", "response": "key", "level": "size"}
    roles |= {"answers": {word: answer for answer, word in ORDERS_SHOWN.items()}}
    answers = read_trials(
        trials_of(SAID, ORDERS_SHOWN).sample(frac=1, random_state=0), roles, task="2ifc"
    )
    assert response_table(answers).tolist() == [[150, 50], [70, 130]]
    by_level = response_table(answers, by="size")
    assert by_level.tolist() == [[[60, 40], [45, 55]], [[90, 10], [25, 75]]]
    assert answers.counts(by="level").level.tolist() == [1.0, 2.0]
    assert fit_bias(response_table(answers), answers.task) == fit_bias(
        [[150, 50], [70, 130]], "2ifc"
    )
    assert len(compare_rules(by_level, answers.task, levels=[1.0, 2.0])) == len(answers.task.rules)
    left_out = answers.exclude("hard", answers.table.level == 1.0)
    assert response_table(left_out).tolist() == [[90, 10], [25, 75]]
    with pytest.raises(InputError, match="response_table"):
        fit_bias(answers, "2ifc")


def test_tables_of_answers_that_cannot_be_made_are_refused() -> None:
    trials = trials_of(SAID, ORDERS_SHOWN)
    roles = {"answer": "target", "response": "key", "level": "size"}
    own_words = read_trials(trials, roles, task="2ifc")
    with pytest.raises(
        InputError, match=r"'f' is not an answer .*2ifc' \(first, second\); say which"
    ):
        response_table(own_words)
    scored = read_trials([[1, 6, 10], [2, 9, 10]], task="oddity")
    with pytest.raises(InputError, match="do not say which answer was right"):
        response_table(scored)
    preferred = read_trials(
        trials.replace({"f": "left", "j": "right"})[["key", "size"]],
        {"response": "key", "level": "size"},
        task="pair",
    )
    with pytest.raises(InputError, match="preferences"):
        response_table(preferred)

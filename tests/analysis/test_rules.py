"""Decision rules over the cells of a task: published proportions, rules by hand, chance, dominance."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from analysis.observers.links import link_of
from analysis.observers.rules import best_criterion, decide
from analysis.observers.structure import same_pairs, structure_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import TASKS, task_named
from stimuli_store.tasks.forced_choice import forced_choice
from stimuli_store.tasks.oddity import oddity
from stimuli_store.tasks.types import Task

N = 200_000
EVERY = [(name, rule) for name, task in TASKS.items() for rule in task.rules]
#: One task of every structure: places on a ring change nothing for a rule.
DISTINCT = [(name, rule) for name, rule in EVERY if not name.startswith("ring-")]
#: Tasks of more intervals than are declared, by the integrals that hold for any number.
ALL = {**TASKS, "9afc": forced_choice(9), "oddity-8": oddity(8)}
MORE = [("9afc", "likelihood"), ("9afc", "differencing"), ("oddity-8", "differencing")]
#: Their tables take seconds.
WIDE = [("oddity-5", "likelihood"), ("oddity-6", "likelihood")]


@cache
def drawn(name: str, d: float, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Percepts of n trials with d' in cells drawn equally often, and the index of the right answer."""
    task = ALL[name]
    rng = np.random.default_rng([1, int(1000 * d)])
    cell = np.arange(n) % len(task.cells)
    at = np.array([[task.at(c.fills[i]) for i in task.intervals] for c in task.cells])
    right = np.array([task.answers.index(c.answer) for c in task.cells])
    return rng.standard_normal((n, len(task.intervals))) + d * at[cell], right[cell]


def share_right(name: str, rule: str, d: float, n: int = N) -> float:
    x, right = drawn(name, d, n)
    said = decide(ALL[name], rule, d, x, rng=np.random.default_rng(2))
    return float((said == right).mean())


@pytest.mark.parametrize(
    ("task", "rule", "published"),
    [
        ("abx", "differencing", (0.5825, 0.7468, 0.8765)),
        ("match-to-sample", "differencing", (0.5825, 0.7468, 0.8765)),
        ("mad-pair", "differencing", (0.5825, 0.7468, 0.8765)),
        ("pair-with-reference", "differencing", (0.5825, 0.7468, 0.8765)),
        ("oddity", "differencing", (0.4180, 0.6048, 0.7814)),
        ("4iax", "differencing", (0.5733, 0.7330, 0.8753)),
        ("split-screen", "differencing", (0.5733, 0.7330, 0.8753)),
        ("2ifc", "likelihood", (0.7602, 0.9214, 0.9831)),
        ("pair", "likelihood", (0.7602, 0.9214, 0.9831)),
    ],
)
def test_published_proportions_at_one_two_and_three(
    task: str, rule: str, published: tuple[float, ...]
) -> None:
    for d, expected in zip((1.0, 2.0, 3.0), published, strict=True):
        assert share_right(task, rule, d) == pytest.approx(expected, abs=0.005)
        assert float(link_of(TASKS[task], rule).p_correct(d)) == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(
    ("task", "rule"),
    [pytest.param(*pair, marks=pytest.mark.slow) if pair in WIDE else pair for pair in DISTINCT],
)
def test_links_are_what_the_rules_do(task: str, rule: str) -> None:
    agrees(task, rule, 1.8, 100_000)


@pytest.mark.slow
@pytest.mark.parametrize("d", [0.5, 1.0, 2.0, 3.0, 4.0])
@pytest.mark.parametrize(("task", "rule"), [*DISTINCT, *MORE])
def test_links_are_what_the_rules_do_in_a_million_trials(task: str, rule: str, d: float) -> None:
    agrees(task, rule, d, 1_000_000)
    drawn.cache_clear()


def agrees(task: str, rule: str, d: float, n: int) -> None:
    """Proportion correct of n trials is the link's, within 4 standard errors of both."""
    link = link_of(ALL[task], rule)
    expected = float(link.p_correct(d))
    standard_error = np.sqrt(expected * (1 - expected) / n + link.error**2)
    assert link.error <= 2.5e-4
    assert abs(share_right(task, rule, d, n) - expected) <= 4 * standard_error


@pytest.mark.parametrize(
    ("task", "rule"),
    [pytest.param(*p, marks=pytest.mark.slow) if p[0].endswith(("5", "6")) else p for p in EVERY],
)
def test_without_a_difference_everybody_guesses(task: str, rule: str) -> None:
    guess = 1 / len(TASKS[task].answers)
    assert float(link_of(TASKS[task], rule).p_correct(0.0)) == pytest.approx(guess, abs=1e-9)
    assert share_right(task, rule, 0.0, 60_000) == pytest.approx(guess, abs=0.008)
    if not TASKS[task].criterion:
        assert TASKS[task].guess == guess


@pytest.mark.parametrize(
    "task", sorted({name for name, _ in DISTINCT if len(TASKS[name].rules) > 1})
)
def test_likelihood_is_never_beaten(task: str) -> None:
    for d in (1.0, 2.0, 3.0):
        best = share_right(task, "likelihood", d, 80_000)
        for rule in TASKS[task].rules:
            assert share_right(task, rule, d, 80_000) <= best + 0.004


def abx_by_hand(d: float, x: np.ndarray) -> np.ndarray:
    a, b, last = x.T
    return (abs(last - a) > abs(last - b)).astype(int)


def abx_independent_by_hand(d: float, x: np.ndarray) -> np.ndarray:
    a, b, last = x.T
    higher = np.where(a > b, 0, 1)
    return np.where(last > d / 2, higher, 1 - higher)


def oddity_by_hand(d: float, x: np.ndarray) -> np.ndarray:
    one, two, three = x.T
    return np.argmin([abs(two - three), abs(one - three), abs(one - two)], axis=0)


def four_intervals_by_hand(d: float, x: np.ndarray) -> np.ndarray:
    return np.where(abs(x[:, 0] - x[:, 1]) > abs(x[:, 2] - x[:, 3]), 0, 1)


def two_intervals_by_hand(d: float, x: np.ndarray) -> np.ndarray:
    return np.where(x[:, 0] > x[:, 1], 0, 1)


def abx_likelihood_by_hand(d: float, x: np.ndarray) -> np.ndarray:
    a, b, last = (norm.pdf(v) for v in x.T)
    a_d, b_d, last_d = (norm.pdf(v - d) for v in x.T)
    says_a = a * b_d * last + a_d * b * last_d
    return np.where(says_a > a * b_d * last_d + a_d * b * last, 0, 1)


@pytest.mark.parametrize(
    ("task", "rule", "by_hand"),
    [
        ("abx", "differencing", abx_by_hand),
        ("abx", "independent", abx_independent_by_hand),
        ("abx", "likelihood", abx_likelihood_by_hand),
        ("oddity", "differencing", oddity_by_hand),
        ("4iax", "differencing", four_intervals_by_hand),
        ("2ifc", "likelihood", two_intervals_by_hand),
        ("yes-no", "likelihood", lambda d, x: (x[:, 0] > d / 2).astype(int)),
    ],
)
def test_generic_rules_agree_with_rules_written_by_hand(
    task: str, rule: str, by_hand: Callable[[float, np.ndarray], np.ndarray]
) -> None:
    x, _ = drawn(task, 1.5, 20_000)
    assert (decide(TASKS[task], rule, 1.5, x) == by_hand(1.5, x)).all()


PAIRS = {
    "abx": {"A": ["A-X"], "B": ["B-X"]},
    "oddity": {"1": ["2-3"], "2": ["1-3"], "3": ["1-2"]},
    "4iax": {"first": ["3-4"], "second": ["1-2"]},
    "mad-pair": {"left": ["middle-left"], "right": ["middle-right"]},
    "split-screen": {
        "left": ["before-right-after-right"],
        "right": ["before-left-after-left"],
    },
    "same-different": {"same": ["first-second"], "different": []},
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_that_ought_to_look_the_same(name: str) -> None:
    task = TASKS[name]
    found = {
        answer: [f"{task.intervals[i]}-{task.intervals[j]}" for i, j in pairs]
        for answer, pairs in zip(task.answers, same_pairs(structure_of(task)), strict=True)
    }
    assert found == PAIRS[name]


@pytest.mark.parametrize("k", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("d", [1.0, 2.0, 3.0])
def test_same_different_against_its_closed_form(d: float, k: float) -> None:
    x, right = drawn("same-different", d)
    said = decide(TASKS["same-different"], "differencing", d, x, criterion=k)
    root = np.sqrt(2)
    hits = norm.cdf((d - k) / root) + norm.cdf((-d - k) / root)
    assert said[right == 1].mean() == pytest.approx(hits, abs=0.005)
    assert said[right == 0].mean() == pytest.approx(2 * norm.cdf(-k / root), abs=0.005)


@pytest.mark.parametrize("c", [-0.5, 0.5, 1.5])
def test_yes_is_said_above_the_criterion(c: float) -> None:
    x, right = drawn("yes-no", 1.5)
    said = decide(TASKS["yes-no"], "likelihood", 1.5, x, criterion=c)
    assert said[right == 1].mean() == pytest.approx(norm.cdf(1.5 - c), abs=0.005)
    assert said[right == 0].mean() == pytest.approx(norm.cdf(-c), abs=0.005)


@pytest.mark.parametrize("d", [0.5, 1.5, 4.0])
def test_no_other_criterion_makes_fewer_errors(d: float) -> None:
    best = float(
        best_criterion(structure_of(TASKS["same-different"]), "differencing", np.array([d]))[0]
    )
    k, root = np.linspace(0, 8, 4001), np.sqrt(2)
    errors = 2 * norm.cdf(-k / root) - norm.cdf((d - k) / root) - norm.cdf((-d - k) / root)
    assert best == pytest.approx(k[errors.argmin()], abs=0.003)


def test_a_task_of_a_laboratory_needs_no_rule_of_its_own() -> None:
    """Duo-trio shows the reference first; its cells are those of match to sample, so its links are too."""
    sample = task_named("match-to-sample")
    duo_trio = replace(sample, name="duo-trio")
    d = np.linspace(0, 4, 9)
    assert (link_of(duo_trio).p_correct(d) == link_of(sample).p_correct(d)).all()
    biased = replace(
        sample,
        name="always-q-first",
        cells=tuple(c for c in sample.cells if c.fills["left"] == "q"),
    )
    link = link_of(biased, "likelihood")
    assert link.error > 0
    # With left and right known, only the sample counts.
    assert float(link.p_correct(2.0)) == pytest.approx(norm.cdf(1.0), abs=0.002)


def no_pairs(task: Task) -> Task:
    return replace(task, rules=("differencing",))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: decide(TASKS["2ifc"], "differencing", 1.0, [[0, 1]]), "unknown decision rule"),
        (lambda: decide(no_pairs(TASKS["2ifc"]), None, 1.0, [[0, 1]]), "ought to look the same"),
        (lambda: decide(TASKS["2ifc"], None, 1.0, [[0, 1, 2]]), r"shape \(trials, 2\)"),
        (lambda: decide(TASKS["2ifc"], None, 1.0, [0, 1]), r"shape \(trials, 2\)"),
        (
            lambda: link_of(replace(TASKS["oddity"], criterion=True), "likelihood").p_correct(1.0),
            "must have two answers",
        ),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()

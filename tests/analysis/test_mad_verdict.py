"""Verdicts of MAD competitions: against integrals, symmetry, simulated recovery, and bad input."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from analysis.fits.mad_verdict import mad_verdict
from analysis.observers.sdt import p_correct
from stimuli_store.errors import InputError

ABX = {"task": "abx"}


def integral(k: tuple[int, int], n: int, guess: float) -> float:
    """Return P(first proportion < second one), both flat between the guess rate and 1, by quadrature."""
    one, other = (beta(k_i + 1, n - k_i + 1) for k_i in k)
    room = [d.sf(guess) for d in (one, other)]
    density = lambda p: one.pdf(p) / room[0] * other.sf(p) / room[1]  # noqa: E731
    return quad(density, guess, 1, limit=200)[0]


@pytest.mark.parametrize("k", [(30, 34), (25, 40), (38, 36), (45, 45)])
def test_the_probability_is_the_integral_of_the_two_posteriors(k: tuple[int, int]) -> None:
    found = mad_verdict(["a", "b"], k, [50, 50], **ABX)
    # The error of 20,000 draws against 20,000 is below 0.005.
    assert found.p_better == pytest.approx(integral(k, 50, 0.5), abs=0.015)
    assert found.by_level == (found.p_better,)


def test_the_names_of_the_models_do_not_matter() -> None:
    one = mad_verdict(["a", "b"], [60, 80], [100, 100], **ABX)
    other = mad_verdict(["z", "b"], [60, 80], [100, 100], **ABX)
    assert other.models == ("b", "z")
    assert other.p_better == pytest.approx(1 - one.p_better, abs=0.01)


def test_equal_counts_are_no_verdict() -> None:
    found = mad_verdict(["a", "b"] * 2, [30, 30, 45, 45], [50] * 4, level=[1, 1, 2, 2], **ABX)
    assert found.p_better == pytest.approx(0.5, abs=0.02)
    assert "not told apart" in found.sentence


def test_levels_are_kept_apart_and_averaged() -> None:
    found = mad_verdict(
        ["a", "b", "a", "b", "a"],
        [55, 90, 60, 95, 50],
        [100] * 5,
        level=[0.1, 0.1, 0.2, 0.2, 0.4],
        **ABX,
    )
    assert found.levels == (0.1, 0.2)  # at 0.4 only one of them holds a pair
    assert min(found.by_level) > 0.99
    assert found.p_better > 0.999
    assert found.sentence.startswith("a is better than b")
    assert {(pair.model, pair.level) for pair in found.pairs} == {
        (m, level) for m in "ab" for level in (0.1, 0.2)
    }


def test_in_a_task_with_a_direction_answers_against_a_model_count_as_told_apart() -> None:
    """People see the pairs of b very well, and the other way round than a orders them."""
    found = mad_verdict(["a", "b"], [50, 4], [100, 100], task="2ifc")
    assert found.p_better > 0.99


def test_the_better_model_wins_as_often_as_its_probability_says() -> None:
    """Truths drawn from the prior: of the verdicts near a probability, that share is right."""
    rng = np.random.default_rng(5)
    p, right = [], []
    for seed in range(100):
        truth = rng.uniform(0.5, 1, 2)
        found = mad_verdict(["a", "b"], rng.binomial(20, truth), [20, 20], seed=seed, **ABX)
        p.append(found.p_better)
        right.append(truth[0] < truth[1])
    p, right = np.array(p), np.array(right)
    expected, error = p.sum(), np.sqrt((p * (1 - p)).sum())
    assert abs(right.sum() - expected) < 3.5 * error
    sure = p > 0.8
    assert abs(right[sure].sum() - p[sure].sum()) < 3.5 * np.sqrt((p * (1 - p))[sure].sum())


def test_dprime_of_many_trials_is_the_true_one() -> None:
    k = np.round(100_000 * p_correct(np.array([0.8, 2.0]), "abx")).astype(int)
    found = mad_verdict(["a", "b"], k, [100_000] * 2, **ABX)
    assert [pair.dprime for pair in found.pairs] == pytest.approx([0.8, 2.0], abs=0.02)
    assert all(pair.low < pair.dprime < pair.high for pair in found.pairs)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((["a", "a"], [3, 4], [9, 9]), "two models; a hold"),
        ((["a", "b", "c"], [3, 4, 5], [9, 9, 9]), "two models; a, b, c hold"),
        ((["a", "b"], [10, 4], [9, 9]), "between 0 and n_trials"),
        ((["a", "b"], [1.5, 4], [9, 9]), "whole numbers"),
        ((["a", "b"], ["x", 4], [9, 9]), "must be numbers; 'x'"),
        ((["a", "b"], [4], [9, 9]), "same length"),
        ((["a", "b"], [4, 5], [9, np.inf]), "whole numbers"),
        ((["a", None], [4, 5], [9, 9]), "name a model in every row"),
    ],
)
def test_bad_input_is_one_sentence(given: tuple, words: str) -> None:
    with pytest.raises(InputError, match=words):
        mad_verdict(*given)


@pytest.mark.parametrize("k", [(0, 30), (60, 30), (0, 0), (60, 60)])
def test_none_and_all_right_are_counts_like_others(k: tuple[int, int]) -> None:
    found = mad_verdict(["a", "b"], k, [60, 60])
    assert found.p_better == pytest.approx(0.5 if k[0] == k[1] else 0.0, abs=0.02)
    assert all(np.isfinite([pair.low, pair.dprime, pair.high]).all() for pair in found.pairs)


def test_rare_errors_are_told_apart() -> None:
    found = mad_verdict(["a", "b"], [9_990, 9_999], [10_000] * 2, **ABX)
    assert found.p_better == pytest.approx(integral((9_990, 9_999), 10_000, 0.5), abs=0.003)


def test_a_level_that_is_nan_is_refused() -> None:
    with pytest.raises(InputError, match="some are NaN"):
        mad_verdict(["a", "b"], [3, 4], [9, 9], level=[1.0, np.nan])


def test_models_without_a_common_level_are_refused() -> None:
    with pytest.raises(InputError, match="no common level"):
        mad_verdict(["a", "b"], [3, 4], [9, 9], level=[1, 2])


def test_answers_below_chance_in_a_task_with_a_direction_ask_for_swapped_keys() -> None:
    swapped = mad_verdict(["a", "b"], [20, 91], [100, 100], task="pair")
    assert swapped.below_chance == ("a",)
    assert swapped.sentence.endswith("held by a are reliably below chance: are the keys swapped?")
    fair = mad_verdict(["a", "b"], [48, 91], [100, 100], task="pair")
    assert fair.below_chance == () and "keys" not in fair.sentence

"""Verdicts of MAD competitions: against integrals, symmetry, simulated recovery, and bad input."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, ttest_1samp

from analysis.fits.mad.verdict import mad_verdict
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


@pytest.mark.long
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


IMAGES = [f"i{n}" for n in range(6)]


def pairs_of_equal_models(seed: int) -> tuple[list[str], np.ndarray, list[int]]:
    """Answers to six pairs of each of two models, whose d' come from the same distribution."""
    rng = np.random.default_rng(seed)
    p = p_correct(np.abs(rng.normal(1, 0.7, 12)), "2ifc")
    return ["a"] * 6 + ["b"] * 6, rng.binomial(40, p), [40] * 12


@pytest.mark.long
@pytest.mark.parametrize(
    ("n", "most"), [(60, 0.2), pytest.param(400, 0.13, marks=pytest.mark.slow)]
)
def test_images_that_differ_make_no_model_better(n: int, most: float) -> None:
    """With 60 studies 20 % is 2.6 standard errors above the nominal 10 %; without labels it is a third."""
    told, these = 0, 0
    for seed in range(n):
        found = mad_verdict(*pairs_of_equal_models(seed), image=[*IMAGES, *IMAGES])
        assert found.for_whom == "these people and new images"
        told += not 0.05 < found.p_better < 0.95
        these += not 0.05 < found.p_these < 0.95
    assert told / n < most
    assert these / n > 0.22


def test_one_level_and_much_to_see_is_students_t() -> None:
    """Near a proportion d' is a line, and with many trials only images make noise."""
    shares = np.array([[0.700, 0.703, 0.699, 0.704], [0.702, 0.705, 0.703, 0.702]])
    n = 10**8
    k, total = np.round(shares * n).ravel(), np.full(8, n)
    found = mad_verdict(["a"] * 4 + ["b"] * 4, k, total, image=list("wxyz") * 2)
    assert found.p_better == pytest.approx(
        1 - ttest_1samp(shares[1] - shares[0], 0, alternative="greater").pvalue, abs=0.002
    )


def test_a_verdict_says_for_whom_it_speaks() -> None:
    held, k, n = ["a"] * 3 + ["b"] * 3, [30, 31, 32, 45, 46, 44], [50] * 6
    labels = ["x", "y", "z"] * 2
    plain = mad_verdict(held, k, n)
    assert plain.p_better == plain.p_these
    assert "for these people and these images only" in repr(plain)
    people = mad_verdict(held, k, n, participant=labels)
    assert people.for_whom == "new people and these images" and not people.caution
    assert "P = 0.98" in people.sentence and "for new people and these images;" in people.sentence
    both = mad_verdict(
        held * 3, k * 3, n * 3, participant=np.repeat(["p", "q", "r"], 6), image=labels * 3
    )
    assert both.for_whom == "new people and new images"
    two = mad_verdict(held, k, n, image=["x", "x", "y"] * 2)
    assert two.p_better == two.p_these
    assert two.caution.startswith("nothing is said about other images: there are only 2")
    with pytest.raises(InputError, match="image must be a list of the same length as held: 6"):
        mad_verdict(held, k, n, image=["x"])


def test_a_row_at_a_level_of_one_model_only_changes_nothing() -> None:
    held, k, n = ["a"] * 3 + ["b"] * 3, [30, 31, 32, 45, 40, 44], [50] * 6
    given = {"level": [1] * 6, "image": ["x", "y", "z"] * 2}
    more = {"level": [1] * 6 + [2], "image": ["x", "y", "z"] * 2 + ["new"]}
    one = mad_verdict(held, k, n, **given)
    other = mad_verdict([*held, "a"], [*k, 7], [*n, 50], **more)
    assert other.p_better == one.p_better

"""Sets of models that answers do not tell apart: equal models, exchangeable ones, and images that decide."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.data.cells import Cells, guesses_of
from analysis.infer.holm import holm
from analysis.ranking.folds import folds_of
from analysis.ranking.held_out import score
from analysis.ranking.rank import rank_models
from tests.analysis.studies import coin_for_each_image, exchangeable, lognormal, study


@pytest.fixture(scope="module")
def equal() -> Cells:
    """Four models that say the same up to a gain, a power and rounding, and one that knows nothing."""
    rng = np.random.default_rng(0)
    beta = lognormal(rng, 60)
    evidence = {
        "beta": beta,
        "same": beta.copy(),
        "beta_sq": beta**2,
        "gain": 1e-6 * beta,
        "nearly": beta * (1 + 1e-9 * rng.normal(size=60)),
        "noise": lognormal(rng, 60),
    }
    return study(rng, beta, evidence, people=8)


def test_models_equal_up_to_gain_and_power_are_one_tied_set(equal: Cells) -> None:
    ranking = rank_models(equal, n_draws=200)
    assert set(ranking.best) == {"beta", "same", "beta_sq", "gain", "nearly"}
    assert ranking.sentence == "beta, beta_sq, gain, nearly and same, not told apart"
    bits = [row.bits for row in ranking.rows if row.label != "noise"]
    assert bits == pytest.approx([bits[0]] * 5, abs=1e-8)
    same = {pair.same for pair in ranking.pairs if "noise" not in (pair.first, pair.second)}
    assert same == {True}
    apart = [pair for pair in ranking.pairs if pair.second == "noise"]
    assert len(apart) == 5
    assert all(pair.told_apart and not pair.same for pair in apart)


def test_gain_and_power_of_a_fit_follow_those_of_the_evidence(equal: Cells) -> None:
    fits = {row.label: row.fit for row in rank_models(equal, n_draws=20).rows}
    beta, squared, small = fits["beta"], fits["beta_sq"], fits["gain"]
    assert squared.exponent == pytest.approx(beta.exponent / 2, rel=1e-6)
    assert squared.gain == pytest.approx(beta.gain, rel=1e-6)
    assert small.gain == pytest.approx(beta.gain * 1e6**beta.exponent, rel=1e-6)


def test_one_winner_is_named_where_there_is_one(equal: Cells) -> None:
    two = replace(equal, evidence={k: equal.evidence[k] for k in ("beta", "noise")})
    ranking = rank_models(two, n_draws=200)
    assert ranking.best == ("beta",)
    assert ranking.sentence == "beta"
    assert ranking.headline.startswith("beta: 0.")
    assert ranking.headline.endswith("held-out bits per trial above chance")


def test_baselines_that_no_model_beats_are_in_the_sentence(equal: Cells) -> None:
    ranking = rank_models(replace(equal, evidence={"noise": equal.evidence["noise"]}), n_draws=20)
    top = ranking.rows[0]
    as_good = replace(top, label="level only", bits=top.bits + 0.01, difference=0.01, fit=None)
    worse = replace(top, label="chance", difference=-0.01, fit=None)
    caveat = "no model has more bits than the baseline 'level only'"
    beaten = replace(ranking, baselines=(worse,))
    assert beaten.sentence == beaten.verdict
    held = replace(ranking, baselines=(as_good, worse))
    assert held.sentence == f"{held.verdict}; {caveat}"
    assert held.headline == f"{beaten.headline}; {caveat}"
    assert caveat in repr(held)
    both = replace(ranking, baselines=(as_good, replace(worse, difference=0.0)))
    assert both.sentence.endswith("the baselines 'level only' and 'chance'")


def test_holm_is_the_step_down_of_bonferroni() -> None:
    """The smallest of m p-values is multiplied by m, the next by m − 1, and none falls below one before."""
    p = np.random.default_rng(0).uniform(0, 0.2, 9)
    order, largest = np.argsort(p), 0.0
    for step, index in enumerate(order):
        largest = max(largest, min(1.0, (9 - step) * p[index]))
        assert holm(list(p))[index] == pytest.approx(largest)


def share_with_a_worse_one(sets: int, **size: int) -> float:
    called = 0
    for seed in range(sets):
        ranking = rank_models(exchangeable(seed, **size), baselines=False, n_draws=300)
        called += any(pair.told_apart for pair in ranking.pairs)
    return called / sets


def coverage_of_a_coin(sets: int, **size: int) -> tuple[float, float]:
    """Shares of sets whose interval holds no difference: of the ranking, and of answers alone."""
    held = alone = 0
    for seed in range(sets):
        cells = coin_for_each_image(seed, **size)
        ranking = rank_models(cells, baselines=False, n_draws=300)
        held += ranking.pairs[0].low <= 0 <= ranking.pairs[0].high
        alone += abs(z_of_trials(cells)) <= 1.96
    return held / sets, alone / sets


def z_of_trials(cells: Cells) -> float:
    """The difference between the models in standard errors, if cells were all that is random."""
    folds, guess = folds_of(cells.participant, cells.image, cells.pair), guesses_of(cells)
    a, b = (score(cells, label, folds, guess).held_out for label in ("a", "b"))
    gap = a - b
    return float(gap.mean() / (gap.std(ddof=1) / np.sqrt(len(gap))))


@pytest.mark.long
def test_exchangeable_models_are_not_told_apart_slice() -> None:
    assert share_with_a_worse_one(12) <= 2 / 12


@pytest.mark.long
def test_images_that_decide_at_random_leave_no_difference_slice() -> None:
    held, alone = coverage_of_a_coin(25)
    assert held >= 0.88
    assert alone <= 0.8


@pytest.mark.slow
def test_exchangeable_models_are_not_told_apart() -> None:
    assert share_with_a_worse_one(200) <= 0.07
    assert share_with_a_worse_one(200, people=12, images=16) <= 0.07


@pytest.mark.slow
@pytest.mark.parametrize(("people", "images"), [(8, 8), (12, 20), (5, 12)])
def test_images_that_decide_at_random_leave_no_difference(people: int, images: int) -> None:
    """95 % intervals over images and people hold; those of answers alone fail four times too often."""
    held, alone = coverage_of_a_coin(300, people=people, images=images)
    assert 0.92 <= held <= 0.99
    assert 1 - alone >= 4 * 0.05

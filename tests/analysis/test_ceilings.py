"""Noise ceilings, shares of them, and baselines, against studies whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.curves.choice_model import posteriors_of, predictive, said_by
from analysis.data.cells import Cells, guesses_of
from analysis.observers.links import link_of
from analysis.ranking import held_out
from analysis.ranking.baselines import CHANCE, CONDITION_MEANS, IMAGE_MEANS, LEVEL_ONLY
from analysis.ranking.folds import folds_of
from analysis.ranking.held_out import bits_of, score
from analysis.ranking.rank import rank_models
from analysis.ranking.records import ModelScore, Ranking
from tests.analysis.studies import lognormal, study


def cells_and_truth(seed: int, *, people: int = 6, n: int = 4) -> tuple[Cells, float]:
    """Answers of people without differences, and the bits per trial of their true probabilities."""
    rng = np.random.default_rng([3, seed])
    truth = lognormal(rng, 48)
    cells = study(rng, truth, {"true": truth}, people=people, n=n, sd_people=0)
    p = 0.98 * link_of(cells.tasks["abx"]).p_correct(1.8 * np.tile(truth, people)) + 0.01
    return cells, float(bits_of(cells, p, guesses_of(cells)).sum() / cells.n_trials.sum())


def test_the_ceiling_brackets_what_the_truth_predicts() -> None:
    bounds = []
    for seed in range(8):
        cells, best = cells_and_truth(seed)
        found = rank_models(cells, baselines=False, n_draws=5)
        bounds.append((found.ceiling.lower, best, found.ceiling.upper))
    lower, best, upper = np.mean(bounds, axis=0)
    assert lower < best < upper
    assert upper - lower < 0.05


def test_the_ceiling_closes_with_many_answers_and_the_true_model_reaches_it() -> None:
    cells, best = cells_and_truth(0, n=400)
    found = rank_models(cells, baselines=False, n_draws=300)
    assert found.ceiling.lower == pytest.approx(best, abs=2e-3)
    assert found.ceiling.upper == pytest.approx(best, abs=2e-3)
    (row,) = found.rows
    assert row.of_lower.low <= 1 <= row.of_lower.high
    assert 0.99 <= row.of_upper.value <= 1 <= row.of_lower.value + 0.01


def test_a_share_is_the_ratio_with_the_interval_of_its_rest() -> None:
    cells, _ = cells_and_truth(1)
    noisy = cells.evidence["true"] * np.where(np.char.endswith(cells.pair, "1"), 3.0, 1.0)
    found = rank_models(replace(cells, evidence={"noisy": noisy}), baselines=False, n_draws=300)
    (row,) = found.rows
    assert row.of_lower.value == pytest.approx(row.bits / found.ceiling.lower)
    assert row.of_upper.low < row.of_upper.value < row.of_upper.high < 1


def test_a_ceiling_near_chance_is_not_divided_by() -> None:
    cells, _ = cells_and_truth(2)
    rng = np.random.default_rng(0)
    guesses = rng.binomial(cells.n_trials.astype(int), 0.5).astype(float)
    found = rank_models(replace(cells, n_correct=guesses), n_draws=50)
    assert found.ceiling is not None
    assert {row.of_lower for row in found.rows} == {None}
    assert any("not told apart from chance" in note for note in found.notes)


def test_no_ceiling_without_others_who_saw_the_same() -> None:
    alone, _ = cells_and_truth(3, people=1)
    found = rank_models(alone, n_draws=20)
    assert found.ceiling is None
    assert "two participants" in found.notes[-1]
    cells, _ = cells_and_truth(3, people=3)
    own = replace(cells, pair=np.char.add(cells.participant, cells.pair))
    assert "no answer is to a pair" in rank_models(own, n_draws=20).notes[-1]


def by_label(ranking: Ranking) -> dict[str, ModelScore]:
    return {row.label: row for row in (*ranking.rows, *ranking.baselines)}


def with_levels(seed: int, falling: bool = False) -> Cells:
    """Answers that depend on the level alone, in two conditions of different ease."""
    rng = np.random.default_rng([4, seed])
    level = np.tile(np.geomspace(1, 8, 6), 8)
    easy = np.arange(48) // 6 % 2 == 0
    truth = level / 4 * np.where(easy, 2.0, 0.5)
    cells = study(rng, truth, {"true": truth, "level": level}, people=6, n=8, sd_people=0)
    shown = np.tile(1 / level if falling else level, 6)
    return replace(cells, level=shown, condition=np.where(np.tile(easy, 6), "easy", "hard"))


def test_baselines_know_what_they_say_they_know() -> None:
    rows = by_label(rank_models(with_levels(0), n_draws=200))
    assert rows[CHANCE].bits == 0
    assert rows[LEVEL_ONLY].bits == pytest.approx(rows["level"].bits, abs=1e-6)
    assert 0.05 < rows[LEVEL_ONLY].bits < rows[CONDITION_MEANS].bits - 0.02
    assert rows[CONDITION_MEANS].bits == pytest.approx(rows["true"].bits, abs=0.02)
    assert rows[IMAGE_MEANS].bits < rows[CONDITION_MEANS].bits  # the same, from fewer answers


def test_the_level_may_fall() -> None:
    up, down = (
        by_label(rank_models(with_levels(1, falling), n_draws=5)) for falling in (False, True)
    )
    assert down[LEVEL_ONLY].bits == pytest.approx(up[LEVEL_ONLY].bits, abs=1e-6)


def test_images_differ_where_only_their_own_means_know_it() -> None:
    rng = np.random.default_rng(5)
    truth = np.repeat(lognormal(rng, 8), 6)
    cells = study(rng, truth, {"noise": lognormal(rng, 48)}, people=6, n=8, sd_people=0)
    found = rank_models(cells, n_draws=50)
    rows = by_label(found)
    assert rows[IMAGE_MEANS].bits > max(rows[CONDITION_MEANS].bits, rows["noise"].bits) + 0.02
    assert IMAGE_MEANS in found.caveat
    assert "not held out" in rows[IMAGE_MEANS].note


def test_many_folds_at_once_are_what_each_alone_gives() -> None:
    """Counting equal evidence together and starting from the whole fit changes no prediction."""
    cells = with_levels(2)
    folds, guess = folds_of(cells.participant, cells.image, cells.pair), guesses_of(cells)
    together = score(cells, "true", folds, guess).held_out
    said = said_by(cells, "true")
    alone = np.zeros(len(guess))
    for train, test in folds.pairs:
        one = posteriors_of(said, (cells.n_correct * train)[None], (cells.n_trials * train)[None])
        p = predictive(said, one.mode[0], one.root[0])
        alone[test] = bits_of(cells, p, guess)[test]
    assert together == pytest.approx(alone, abs=1e-4)


def test_fits_to_many_different_values_are_rounded_without_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where every answer has evidence of its own, values are rounded for the fit, not for the score."""
    rng = np.random.default_rng(6)
    truth = lognormal(rng, 200)
    cells = study(rng, truth, {"m": truth}, people=8, pairs=20, n=4)
    own = {"m": cells.evidence["m"] * lognormal(rng, 1600, 0.05)}
    cells = replace(cells, evidence=own)
    folds, guess = folds_of(cells.participant, cells.image, cells.pair), guesses_of(cells)
    exact = score(cells, "m", folds, guess)
    monkeypatch.setattr(held_out, "_MANY", 1000)
    rounded = score(cells, "m", folds, guess)
    assert rounded.in_sample == pytest.approx(exact.in_sample, abs=1e-6)
    assert rounded.held_out == pytest.approx(exact.held_out, abs=5e-3)
    assert (rounded.held_out != exact.held_out).any()

"""Ranking: the generating model wins, chance stands at zero, folds are crossed, intervals are honest."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import beta, norm

from analysis.curves.choice_model import (
    fit_model,
    posteriors_of,
    predicted,
    predictive,
    said_by,
)
from analysis.data.cells import Cells
from analysis.observers.sdt import p_correct
from analysis.ranking.baselines import CHANCE
from analysis.ranking.dual_bootstrap import spread_of
from analysis.ranking.folds import folds_of
from analysis.ranking.rank import rank_models
from stimuli_store.errors import InputError
from tests.analysis.builders import ABX

MODELS = ("true", "level", "flat", "noise")


def cells(
    seed: int,
    *,
    people: int = 4,
    images: int = 2,
    n: int = 6,
    true: str = "true",
    rule: str = "independent",
) -> Cells:
    """Answers of an observer with one of four models; 8 levels and 3 pairs of each image."""
    rng = np.random.default_rng(seed)
    level = np.tile(np.repeat(np.geomspace(8, 96, 8), 3), images)
    image = np.repeat(np.arange(images), 24)
    scale = np.exp(rng.normal(0, 0.5, images))[image]
    distances = {
        "true": scale * (level / 30) ** 1.3 * np.exp(rng.normal(0, 0.15, len(level))),
        "level": (level / 30) ** 0.5 * np.exp(rng.normal(0, 0.6, images))[image],
        "flat": 0.1 * np.exp(rng.normal(0, 0.1, len(level))),
        "noise": np.abs(rng.normal(0, 1, len(level))),
    }
    strength = distances[true] / distances[true].mean()
    p = 0.98 * p_correct(2.2 * strength, "abx", rule) + 0.01
    right = rng.binomial(n, p, size=(people, len(p))).ravel()
    count = len(right)
    return Cells(
        participant=np.repeat([f"p{i}" for i in range(people)], len(p)),
        image=np.tile([f"im{i}" for i in image], people),
        pair=np.tile([f"pair{i}" for i in range(len(p))], people),
        tasks={"abx": ABX},
        task=np.full(count, "abx"),
        rule=np.full(count, rule),
        condition=np.full(count, ""),
        level=np.tile(level, people),
        criterion=np.full(count, np.nan),
        n_correct=right.astype(float),
        n_trials=np.full(count, float(n)),
        evidence={name: np.tile(d, people) for name, d in distances.items()},
    )


@pytest.mark.long
def test_generating_model_wins() -> None:
    first = [rank_models(cells(seed), n_draws=50).rows[0].label for seed in range(12)]
    assert first.count("true") >= 11


@pytest.mark.parametrize("true", ["level", "noise"])
def test_another_generating_model_wins_too(true: str) -> None:
    found = rank_models(cells(3, true=true), n_draws=50)
    assert found.rows[0].label == true


def test_mode_is_where_another_optimiser_finds_it() -> None:
    data = cells(2)
    fit = fit_model(data, "true")
    log = np.log(data.evidence["true"])
    z = (log - log.mean()) / log.std()

    def cost(v: np.ndarray) -> float:
        lapse = v[2]
        if not 0 < lapse < 0.5:
            return 1e9
        d = np.exp(v[0] + np.exp(v[1]) * z)
        p = (1 - lapse) * p_correct(d) + lapse / 2
        fit = data.n_correct * np.log(p) + (data.n_trials - data.n_correct) * np.log(1 - p)
        prior = norm.logpdf(v[0], np.log(1.5), 1.5) + norm.logpdf(v[1], np.log(0.8), 0.8)
        return -float(fit.sum() + prior + beta.logpdf(lapse, 2, 50))

    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 5000}
    best = minimize(cost, [0.5, 0.0, 0.02], method="Nelder-Mead", options=options).x
    exponent = np.exp(best[1]) / log.std()
    gain = np.exp(best[0] - exponent * log.mean())
    assert fit.exponent == pytest.approx(exponent, rel=1e-3)
    assert fit.gain == pytest.approx(gain, rel=1e-3)
    assert fit.lapse == pytest.approx(best[2], abs=2e-4)


def test_predictive_is_the_mean_over_the_posterior() -> None:
    """Six points give what 20,000 draws from the same normal approximation give."""
    data = cells(2, people=2)
    said = said_by(data, "true")
    posterior = posteriors_of(said, data.n_correct[None], data.n_trials[None])
    mode, root = posterior.mode[0], posterior.root[0]
    x = mode + np.random.default_rng(0).standard_normal((20_000, 3)) @ root.T
    d = np.exp(x[:, [0]] + np.exp(x[:, [1]]) * said.z[:24])
    lapse = 1 / (1 + np.exp(-x[:, [2]]))
    mean = ((1 - lapse) * p_correct(d) + lapse / 2).mean(axis=0)
    assert predictive(said, mode, root)[:24] == pytest.approx(mean, abs=0.01)


def test_many_answers_recover_the_parameters() -> None:
    data = cells(0, n=5000)
    fit = fit_model(data, "true")
    assert fit.exponent == pytest.approx(1.0, abs=0.02)
    assert fit.gain * data.evidence["true"].mean() == pytest.approx(2.2, rel=0.02)
    assert fit.converged


def test_units_of_a_distance_do_not_matter() -> None:
    data = cells(1)
    scaled = replace(data, evidence={**data.evidence, "true": 1e-4 * data.evidence["true"]})
    a, b = (rank_models(c, n_draws=20).rows for c in (data, scaled))
    assert [r.label for r in a] == [r.label for r in b]
    assert [r.bits for r in a] == pytest.approx([r.bits for r in b], abs=1e-6)


def test_zero_distance_is_chance() -> None:
    data = cells(4)
    d = data.evidence["true"].copy()
    d[:10] = 0.0
    data = replace(data, evidence={"true": d})
    p = predicted(said_by(data, "true"), np.array([[0.3, 0.2, -4.0]]))[0]
    assert p[:10] == pytest.approx(np.full(10, 0.5))
    assert np.isfinite([row.bits for row in rank_models(data, n_draws=20).rows]).all()
    nothing = replace(data, evidence={"zero": np.zeros_like(d)})
    ranking = rank_models(nothing, n_draws=20)
    assert {row.label: row.bits for row in ranking.rows}["zero"] == pytest.approx(0.0)


@pytest.mark.long
def test_guessing_observers_leave_chance_unbeaten() -> None:
    """Over datasets of pure guesses, held-out bits are not above zero on the average."""
    bits = []
    for seed in range(10):
        data = cells(seed)
        rng = np.random.default_rng(seed)
        guesses = rng.binomial(data.n_trials.astype(int), 0.5).astype(float)
        found = rank_models(replace(data, n_correct=guesses), n_draws=10)
        rows = {row.label: row for row in (*found.rows, *found.baselines)}
        assert rows[CHANCE].bits == 0.0
        bits.append(rows["true"].bits)
    assert np.mean(bits) < 0.002


def test_held_out_cells_are_from_other_people_and_other_images() -> None:
    data = cells(0, people=4, images=3)
    folds = folds_of(data.participant, data.image, data.pair)
    tested = np.zeros(len(data.pair), dtype=int)
    for train, test in folds.pairs:
        assert not set(data.participant[train]) & set(data.participant[test])
        assert not set(data.image[train]) & set(data.image[test])
        tested += test
    assert (tested == 1).all()
    assert "crossed" in folds.scheme


@pytest.mark.parametrize(
    ("people", "images", "said"),
    [(1, 2, "only one participant"), (3, 1, "only one image"), (1, 1, "groups of stimulus pairs")],
)
def test_small_studies_say_what_they_cannot_hold_out(people: int, images: int, said: str) -> None:
    data = cells(0, people=people, images=images, n=20)
    found = rank_models(data, n_draws=20)
    assert said in found.scheme
    folds = folds_of(data.participant, data.image, data.pair)
    assert (np.sum([test for _, test in folds.pairs], axis=0) == 1).all()
    assert not any((train & test).any() for train, test in folds.pairs)


def test_ranking_follows_its_seed() -> None:
    data = cells(0)
    first, again, other = (rank_models(data, n_draws=100, seed=s) for s in (0, 0, 1))
    assert first == again
    assert first.rows[1].difference_low != other.rows[1].difference_low


def test_missing_distances_are_refused() -> None:
    data = cells(0)
    holes = replace(data, evidence={"true": np.where(data.evidence["true"] > 1, np.nan, 1.0)})
    with pytest.raises(InputError, match="has no distance"):
        rank_models(holes)
    with pytest.raises(InputError, match="at least one trial and one model"):
        rank_models(replace(data, evidence={}))


def crossed(rng: np.random.Generator, people: int, images: int, sds: tuple[float, float, float]):  # type: ignore[no-untyped-def]
    rows, columns = (a.ravel() for a in np.mgrid[:people, :images])
    noise = rng.normal(0, sds[2], people * images)
    effects = rng.normal(0, sds[0], people)[rows] + rng.normal(0, sds[1], images)[columns]
    return effects + noise, rows, columns


def test_interval_covers_new_people_and_new_images() -> None:
    """With true mean 0, the interval holds it about 95 times in 100; resampling people alone fails."""
    rng = np.random.default_rng(0)
    covered = alone = 0
    n_sets = 150
    for _ in range(n_sets):
        values, rows, columns = crossed(rng, 8, 8, (0.5, 1.0, 0.7))
        weights = np.ones_like(values)
        both = spread_of(values, weights, rows, columns, n_draws=300)
        one = spread_of(values, weights, rows, np.zeros_like(columns), n_draws=300)
        covered += both.low <= 0 <= both.high
        alone += one.low <= 0 <= one.high
    assert 0.9 <= covered / n_sets <= 1.0
    assert alone / n_sets < 0.85


def test_one_of_each_has_no_interval() -> None:
    spread = spread_of(np.array([1.0]), np.array([2.0]), np.array(["p"]), np.array(["i"]))
    assert spread.mean == 0.5
    assert np.isinf(spread.high)
    assert "no interval" in spread.meaning


@pytest.mark.parametrize(
    ("people", "images", "said"),
    [
        (2, 5, "new images and these participants: there are only 2 participants"),
        (5, 2, "new people and these images: there are only 2 images"),
        (1, 5, "new images and this participant: there is only one"),
        (5, 5, "new people and new images"),
        (2, 1, "no interval: with 2 participants and one image"),
    ],
)
def test_below_three_nothing_is_said_about_others(people: int, images: int, said: str) -> None:
    who, what = (v.ravel() for v in np.meshgrid(np.arange(people), np.arange(images)))
    values = np.random.default_rng(1).normal(size=len(who))
    found = spread_of(values, np.ones(len(who)), who, what)
    assert said in found.meaning
    assert np.isfinite([found.low, found.high]).all() == (max(people, images) > 2)


@pytest.mark.parametrize("task", [3, None, ["abx"]])
def test_a_task_is_a_name_or_a_task(task: object) -> None:
    with pytest.raises(InputError, match="must be a name"):
        p_correct(1.0, task)

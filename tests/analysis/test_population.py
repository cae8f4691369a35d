"""Population thresholds and d': the pooled fit, units, weights, coverage, and for whom they speak."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm, sem, t

from analysis.data.counts import summed_counts
from analysis.fits.engine.settings import FitSettings
from analysis.fits.fit_status import FitStatus
from analysis.fits.fitting import fit_counts, fit_psychometric
from analysis.fits.population import population_dprime, population_threshold
from analysis.infer.jackknife import crossed_jackknife
from analysis.observers.counted.from_counts import dprime_from_counts
from stimuli_store.errors import InputError
from tests.analysis.crossed_people import Study, answers, true_threshold
from tests.helpers import whole

LEVELS = np.array([1.0, 2, 4, 8, 16])
COVERAGE = [(12, 9), whole(400, 368)]


def one(seed: int = 0, **fields: object) -> tuple[np.ndarray, ...]:
    return answers(Study(**{"n_trials": 10, **fields}), np.random.default_rng(seed))[0]


def flattening(ceiling: float, seed: int) -> tuple[np.ndarray, ...]:
    """Rows of 6 people and 6 images, SD .2 octaves, whose curves rise from .5 and level off at a ceiling."""
    rng = np.random.default_rng([11, seed])
    away = np.add.outer(*rng.normal(0, 0.2, (2, 6)))[..., None]
    right = rng.binomial(
        20, 0.5 + (ceiling - 0.5) * -np.expm1(-((LEVELS * np.exp2(away) / 2) ** 2))
    )
    who, where, at = (index.ravel() for index in np.indices(right.shape))
    return who, where, LEVELS[at], right.ravel(), np.full(right.size, 20)


@pytest.mark.parametrize("p", [0.65, 0.75, 0.9])
@pytest.mark.parametrize("sigmoid", ["normal", "weibull"])
def test_with_equal_trials_it_is_the_threshold_of_pooled_answers(sigmoid: str, p: float) -> None:
    who, where, level, right, total = one()
    levels = np.unique(level)
    pooled = [[v[level == at].sum() for at in levels] for v in (right, total)]
    fit = fit_psychometric(levels, *pooled, sigmoid=sigmoid, p=p)
    found = population_threshold(who, where, level, right, total, sigmoid=sigmoid, p=p)
    assert found.value == pytest.approx(fit.threshold, rel=2e-4)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_multiplied_levels_multiply_the_threshold(scale: float) -> None:
    who, where, level, right, total = one()
    for axis in ("log", "linear"):
        plain = population_threshold(who, where, level, right, total, axis=axis)
        scaled = population_threshold(who, where, level * scale, right, total, axis=axis)
        for name in ("value", "low", "high"):
            assert getattr(scaled, name) == pytest.approx(scale * getattr(plain, name), rel=1e-6)
        assert scaled.df == pytest.approx(plain.df, rel=1e-6)


def test_rows_may_be_trials_and_labels_any_words() -> None:
    who, where, level, right, total = one(n_people=3, n_images=3, n_trials=4)
    counts = population_threshold(who, where, level, right, total)
    outcome = [np.repeat([1, 0], [k, n - k]) for k, n in zip(right, total, strict=True)]
    each = [np.repeat(v, total) for v in (who, where, level)]
    words = np.array(["ann", "bo", "cy"])[each[0]]
    trials = population_threshold(
        words, each[1], each[2], np.concatenate(outcome), np.ones(total.sum())
    )
    assert trials.value == pytest.approx(counts.value, rel=1e-9)
    assert trials.low == pytest.approx(counts.low, rel=1e-6)


def test_participants_weigh_equally_unless_trials_do() -> None:
    who, where, level, right, total = one(n_trials=40)
    more = np.where(who == 0, 10, 1)
    plain = population_threshold(who, where, level, right, total)
    equal = population_threshold(who, where, level, right * more, total * more)
    trials = population_threshold(who, where, level, right * more, total * more, weigh="trials")
    assert equal.value == pytest.approx(plain.value, rel=1e-4)  # priors weigh less with more trials
    assert abs(np.log2(trials.value / plain.value)) > 0.01
    assert trials.df < equal.df


@pytest.mark.parametrize(("n_sets", "at_least"), COVERAGE)
@pytest.mark.parametrize(
    ("study", "weigh"),
    [
        (Study(n_trials=4), "participants"),
        (Study(n_people=12, n_images=3, n_trials=20), "participants"),
        (Study(n_images=4, n_trials=10, nested=True), "participants"),
        (Study(n_people=12, n_trials=(50, 50, *[10] * 10)), "participants"),
        (Study(n_people=12, n_trials=(50, 50, *[10] * 10)), "trials"),
    ],
)
def test_intervals_hold_the_population_threshold(
    study: Study, weigh: str, n_sets: int, at_least: int
) -> None:
    truth = np.exp2(true_threshold(study))
    covered, widths, ideals = 0, [], []
    for number in range(n_sets):
        counts, ideal = answers(study, np.random.default_rng([7, number]), weigh)
        found = population_threshold(*counts, sigmoid="normal", weigh=weigh)
        covered += found.low <= truth <= found.high
        widths.append(np.log2(found.high / found.low))
        ideals.append(ideal)
    assert at_least <= covered
    assert np.median(widths) <= np.median(ideals) * (1.4 if study.n_images > 3 else 2.2)


def test_those_who_took_part_have_a_narrower_interval_than_all() -> None:
    who, where, level, right, total = one(n_trials=40)
    everyone = population_threshold(who, where, level, right, total)
    few = (who < 2) & (where < 2)
    these = population_threshold(*(v[few] for v in (who, where, level, right, total)))
    assert these.for_whom == "these people and these images only"
    assert these.df == np.inf
    assert np.log(these.high / these.low) < np.log(everyone.high / everyone.low)
    alone = population_threshold(who, None, level, right, total)
    assert alone.for_whom == "new people"
    assert alone.n_images == 0


def test_answers_at_chance_have_no_threshold() -> None:
    who, level = np.repeat(np.arange(4), 3), np.tile([8, 16, 32], 4)
    found = population_threshold(who, None, level, [10] * 12, [20] * 12)
    assert (found.low, found.high) == (0.0, np.inf)
    assert "no threshold" in found.caution
    beyond = population_threshold(who, None, level, [11, 12, 14] * 4, [20] * 12)
    assert "outside the levels" in beyond.caution


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6))]
)
@pytest.mark.parametrize(("ceiling", "p"), [(0.7, 0.75), (0.825, 0.85)])
def test_curves_that_level_off_below_p_have_no_upper_end(
    ceiling: float, p: float, seed: int
) -> None:
    rows = flattening(ceiling, seed)
    found, fit = population_threshold(*rows, p=p), fit_psychometric(*rows[2:], p=p)
    assert found.high == fit.high == np.inf
    assert found.low <= fit.low


@pytest.mark.parametrize("seed", range(4))
def test_guessing_has_no_upper_end(seed: int) -> None:
    found = population_threshold(*flattening(0.5, seed))
    assert found.high == np.inf
    assert found.caution


@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("right", [[25, 26, 27, 26], [38, 38, 38, 38]])
def test_answers_on_one_side_of_p_have_the_status_of_their_fit(
    right: list[int], rising: bool
) -> None:
    who, level = np.repeat(np.arange(6), 4), np.tile([8.0, 16, 32, 64], 6)
    at, total = level if rising else 512 / level, [40] * 24
    found = population_threshold(who, None, at, 6 * right, total, p=0.85, rising=rising)
    fit = fit_psychometric(at, 6 * right, total, p=0.85, rising=rising)
    assert found.value == fit.threshold == (np.inf if (right[0] < 30) == rising else 0)
    assert (found.low, found.high) == (0, np.inf)
    assert found.caution == fit.status.value


@pytest.mark.parametrize("seed", range(3))
def test_falling_answers_have_the_population_of_the_mirrored_ones(seed: int) -> None:
    study = Study(n_trials=20)
    who, where, level, right, total = one(seed, n_trials=20)
    rises = population_threshold(who, where, level, right, total, sigmoid="normal")
    for rising in (None, False):
        falls = population_threshold(
            who, where, 1 / level, right, total, sigmoid="normal", rising=rising
        )
        assert falls.value == pytest.approx(1 / rises.value, rel=1e-6)
        assert (falls.low, falls.high) == pytest.approx((1 / rises.high, 1 / rises.low), rel=1e-6)
        assert abs(np.log2(falls.value) + true_threshold(study)) < 4 * falls.se
    against = population_threshold(who, where, 1 / level, right, total, rising=True)
    assert (against.low, against.high) == (0, np.inf)
    assert against.caution == FitStatus.WRONG_WAY.value


def test_well_determined_intervals_are_those_of_the_jackknife() -> None:
    who, where, level, right, total = one(n_people=5, n_images=5, n_trials=40)
    settings = FitSettings(sigmoid="normal", dispersion="none")

    def statistic(weights: np.ndarray) -> np.ndarray:
        counts = [
            summed_counts(level, w[:n] * right, w[:n] * right + w[n:] * (total - right))
            for w in weights
        ]
        return np.log2([fit.threshold for fit in fit_counts(counts, settings)])

    n = len(level)
    codes = (np.tile(who, 2), np.tile(where, 2))
    plain = crossed_jackknife(statistic, *codes, n_trials=np.concatenate([right, total - right]))
    found = population_threshold(who, where, level, right, total, sigmoid="normal")
    fit = fit_psychometric(level, right, total, sigmoid="normal")
    assert found.low < fit.low < fit.high < found.high
    assert np.log2([found.low, found.high]) == pytest.approx([plain.low, plain.high], abs=2e-3)


def test_people_who_answer_alike_are_known_no_better_than_their_trials_allow() -> None:
    who, level = np.repeat(np.arange(6), 5), np.tile([8, 12, 16, 24, 32], 6)
    alike = np.tile([11, 13, 15, 18, 19], 6)
    found = population_threshold(who, None, level, alike, [20] * 30, sigmoid="normal")
    fit = fit_psychometric([8, 12, 16, 24, 32], 6 * alike[:5], [120] * 5, sigmoid="normal")
    assert np.log(found.high / found.low) >= 0.9 * np.log(fit.high / fit.low)
    ceiling = population_dprime(who, None, [20] * 30, [20] * 30)
    assert ceiling.high == np.inf
    assert 3 < ceiling.low < ceiling.value < np.inf


def test_dprime_of_a_population_is_that_of_mean_proportion_correct() -> None:
    right = np.array([70, 80, 75, 90, 85])
    found = population_dprime(list("abcde"), None, right, [100] * 5, task="2ifc")
    reach = t.ppf(0.975, 4) * sem(right / 100)

    def beyond(p: float) -> float:  # Student's limit, with the spread that p would leave
        return abs(0.8 - p) - reach * np.sqrt(p * (1 - p) / (0.8 * 0.2))

    ends = [brentq(beyond, *side, xtol=1e-14) for side in ((0.01, 0.8), (0.8, 0.99))]
    for end, p in zip((found.value, found.low, found.high), (0.8, *ends), strict=True):
        assert end == pytest.approx(np.sqrt(2) * norm.ppf(p), abs=1e-9)


@pytest.mark.parametrize("task", ["oddity", "abx", "2afc"])
@pytest.mark.parametrize(
    "right", [[0] * 4, [2] * 4, [6] * 4, [20, 20, 20, 19], [20] * 4, [9, 11, 16, 14]]
)
def test_other_people_are_never_known_better_than_these(right: list[int], task: str) -> None:
    found = population_dprime(list("abcd"), None, right, [20] * 4, task=task)
    these = dprime_from_counts(sum(right), 80, task)
    assert found.low <= these.low + 1e-9
    assert found.high >= these.high - 1e-9
    assert found.low < found.high


@pytest.mark.parametrize(("n_people", "n_images", "n", "mean"), [(8, 8, 4, 3.0), (5, 5, 2, 2.5)])
def test_dprime_of_new_people_is_held_near_the_ceiling(
    n_people: int, n_images: int, n: int, mean: float
) -> None:
    rng, spread = np.random.default_rng(n), 0.5
    true = mean / np.sqrt(1 + spread**2)  # Φ averaged over people and images that are normal
    who, where = (index.ravel() for index in np.indices((n_people, n_images)))
    low = high = 0
    for _ in range(100):
        d = mean + np.add.outer(*(rng.normal(0, spread, k) for k in (n_people, n_images)))
        right = rng.binomial(n, norm.cdf(d / np.sqrt(2))).ravel()
        found = population_dprime(who, where, right, np.full(len(who), n), task="2ifc")
        low, high = low + (true < found.low), high + (true > found.high)
    assert max(low, high) <= 6, (low, high)  # 2.5 % each: more by chance in 1 %


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n_correct": [1.5, 1, 1]}, "whole numbers"),
        ({"n_correct": [9, 1, 1]}, "between 0 and n_trials"),
        ({"level": [0, 1, 2]}, "above zero"),
        ({"level": [1, 2]}, "same length"),
        ({"weigh": "people"}, "unknown weigh"),
        ({"sigmoid": "norml"}, "did you mean 'normal'"),
        ({"p": 0.4}, "between the guess rate, 0.5, and 1"),
        ({"axis": "lg"}, "axis"),
    ],
)
def test_bad_input_is_refused(changed: dict, message: str) -> None:
    given = {
        "participant": ["a", "b", "c"],
        "image": None,
        "level": [1, 2, 3],
        "n_correct": [1, 2, 2],
        "n_trials": [2, 2, 2],
        **changed,
    }
    with pytest.raises(InputError, match=message):
        population_threshold(**given)

"""The crossed jackknife: analysis of variance, Student's t, known populations, and its scope."""

import numpy as np
import pytest
from scipy.stats import binom, t

from analysis.infer.jackknife import WeightedStatistic, crossed_jackknife
from stimuli_store.errors import InputError


def mean_of(values: np.ndarray, n_trials: np.ndarray | float = 1.0) -> WeightedStatistic:
    """The weighted mean of one value per row."""
    return lambda w: (w * n_trials) @ values / (w * n_trials).sum(axis=1)


def test_a_balanced_crossing_is_a_two_way_analysis_of_variance() -> None:
    rng = np.random.default_rng(0)
    n, m = 7, 5
    y = rng.normal(size=(n, 1)) + 2 * rng.normal(size=(1, m)) + 0.7 * rng.normal(size=(n, m))
    who, where = (index.ravel() for index in np.indices((n, m)))
    found = crossed_jackknife(mean_of(y.ravel()), who, where)
    rows, columns = m * y.mean(axis=1).var(ddof=1), n * y.mean(axis=0).var(ddof=1)
    left = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0, keepdims=True) + y.mean()
    rest = (left**2).sum() / (n - 1) / (m - 1)
    total = rows + columns - rest
    df = total**2 / (rows**2 / (n - 1) + columns**2 / (m - 1) + rest**2 / (n - 1) / (m - 1))
    assert found.se == pytest.approx(np.sqrt(total / n / m))
    assert found.df == pytest.approx(df)
    assert found.sd_participants == pytest.approx(np.sqrt((rows - rest) / m))
    assert found.sd_images == pytest.approx(np.sqrt((columns - rest) / n))
    assert found.high - found.value == pytest.approx(t.ppf(0.975, df) * found.se)
    assert found.for_whom == "new people and new images"
    assert found.caution == ""


def test_images_of_their_own_add_nothing_to_the_differences_between_people() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=(6, 4))
    who, image = np.repeat(np.arange(6), 4), np.arange(24)
    found = crossed_jackknife(mean_of(y.ravel()), who, image)
    assert found.se == pytest.approx(y.mean(axis=1).std(ddof=1) / np.sqrt(6))
    assert found.df == pytest.approx(5)
    assert found.for_whom == "new people and new images"
    other = crossed_jackknife(mean_of(y.ravel()), image, who)  # each person with one image
    assert other.se == pytest.approx(found.se)


@pytest.mark.parametrize("seen", [4, 7])
def test_the_variance_of_unbalanced_crossings_is_right_on_average(seen: int) -> None:
    rng = np.random.default_rng(2)
    n, m, sd_people, sd_images, noise = 8, 9, 0.5, 0.8, 1.0
    kept = np.concatenate([i * m + rng.permutation(m)[:seen] for i in range(n)])
    who, where = kept // m, kept % m
    trials = rng.integers(1, 6, len(kept))
    share = trials / np.bincount(who, trials)[who] / n
    variance = noise**2 * (share**2 / trials).sum()
    variance += sd_people**2 / n + sd_images**2 * (np.bincount(where, share) ** 2).sum()
    squares = []
    for _ in range(300):
        y = sd_people * rng.normal(size=n)[who] + sd_images * rng.normal(size=m)[where]
        y += noise * rng.normal(size=len(kept)) / np.sqrt(trials)
        statistic = mean_of(y, trials.astype(float))
        squares.append(crossed_jackknife(statistic, who, where, n_trials=trials).se ** 2)
    error = np.std(squares) / np.sqrt(len(squares))
    # Variances below 0 are taken as 0, which adds a little.
    assert -4 * error <= np.mean(squares) - variance <= 4 * error + 0.05 * variance


def test_two_people_speak_for_themselves_and_for_new_images() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=(2, 10))
    who, where = (index.ravel() for index in np.indices(y.shape))
    found = crossed_jackknife(mean_of(y.ravel()), who, where)
    assert found.for_whom == "these people and new images"
    assert "other people" in found.caution
    assert "at least 3" in found.caution
    assert np.isnan(found.sd_participants)
    assert found.se == pytest.approx(y.mean(axis=0).std(ddof=1) / np.sqrt(10))
    # Each with images of their own: the difference between the two does not count.
    images = np.arange(20)
    apart = crossed_jackknife(mean_of((y + np.array([[0.0], [100.0]])).ravel()), who, images)
    assert apart.se == pytest.approx(crossed_jackknife(mean_of(y.ravel()), who, images).se)


def test_two_people_and_two_images_speak_for_themselves_only() -> None:
    right = np.array([12, 15, 9, 14])
    counts = np.concatenate([right, 20 - right])
    who, where = np.tile([0, 0, 1, 1], 2), np.tile([0, 1, 0, 1], 2)
    found = crossed_jackknife(
        mean_of(np.repeat([1.0, 0.0], 4), counts), who, where, n_trials=counts
    )
    p = right.sum() / 80
    assert found.for_whom == "these people and these images only"
    assert found.se == pytest.approx(np.sqrt(p * (1 - p) / 79), rel=0.02)
    assert found.df == np.inf
    assert "other people" in found.caution
    assert "other images" in found.caution


@pytest.mark.parametrize("weigh", ["participants", "trials"])
def test_people_or_trials_weigh_equally(weigh: str) -> None:
    values, trials = np.array([0.0, 1.0, 2.0, 7.0]), np.array([10, 10, 10, 90])
    statistic = mean_of(values, trials.astype(float))
    found = crossed_jackknife(statistic, list("abcd"), n_trials=trials, weigh=weigh)
    wanted = values.mean() if weigh == "participants" else np.average(values, weights=trials)
    assert found.value == pytest.approx(wanted)
    # One of four has three quarters of the trials: fewer degrees of freedom than three.
    assert found.df == pytest.approx(3) if weigh == "participants" else found.df < 1.5


@pytest.mark.parametrize(
    ("n_sets", "slack"), [(400, 0.03), pytest.param(4000, 0.012, marks=pytest.mark.slow)]
)
def test_intervals_of_few_people_cover(n_sets: int, slack: float) -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(n_sets):
        found = crossed_jackknife(mean_of(rng.normal(size=4)), np.arange(4))
        covered += found.low <= 0 <= found.high
    assert abs(covered / n_sets - 0.95) <= slack
    assert binom.cdf(covered, n_sets, 0.95) > 1e-4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"participant": [1, 2], "image": [1, 2, 3]}, "same length"),
        ({"participant": [1, 2], "weigh": "people"}, "unknown weigh"),
        ({"participant": [1, 2], "n_trials": [1.5, 1]}, "whole numbers"),
        ({"participant": [1, 2], "n_trials": [0, 0]}, "one trial"),
        ({"participant": [1, None]}, "participant is missing in row 1"),
    ],
)
def test_bad_input_is_refused(given: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        crossed_jackknife(lambda w: w.sum(axis=1), **given)

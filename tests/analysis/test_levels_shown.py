"""Levels that follow the answers, or differ between people, are said to bias pooled thresholds."""

import html

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kruskal, norm, t

from analysis import Answers, analyse, fit, read_trials
from analysis.cli.analyse import summary_lines
from analysis.report.levels_shown import (
    FOLLOWING,
    OWN,
    POOLED,
    UNEVEN,
    _between_people,
    caution_on_levels,
)
from analysis.report.page.whole import report_page
from analysis.report.populations import typical_of
from analysis.report.summary import summary_of

PEOPLE, N = 6, 60
TRUE = 2 ** (3 + 0.8 * norm.ppf(0.25 / 0.48))  # median level at which 75 % are right


def read(level: np.ndarray, correct: np.ndarray | int = 1, **further: str) -> Answers:
    """Answers to the levels (people, trials)."""
    person = np.repeat([f"p{i}" for i in range(level.shape[0])], level.shape[1])
    table = pd.DataFrame({"participant": person, "level": level.ravel()})
    right = np.broadcast_to(correct, level.shape).ravel()
    return read_trials(table.assign(correct=right, **further), task="2afc", unit="px")


def staircases(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels and answers of people, SD .6 octaves, three down and one up in steps of a quarter octave."""
    rng = np.random.default_rng(seed)
    level, right = np.zeros((PEOPLE, N)), np.zeros((PEOPLE, N), dtype=int)
    for person, own in enumerate(rng.normal(3, 0.6, PEOPLE)):
        x, run = 5.0, 0
        for i in range(N):
            level[person, i] = 2**x
            right[person, i] = rng.random() < 0.5 + 0.48 * norm.cdf((x - own) / 0.8)
            run = run + 1 if right[person, i] else 0
            x += 0.25 if not right[person, i] else -0.25 * (run == 3)
            run %= 3
    return level, right


@pytest.mark.long
@pytest.mark.usefixtures("undrawn")
def test_staircases_are_told_on_the_card_the_terminal_and_in_the_file() -> None:
    answers = read(*staircases(1))
    results = analyse(answers)
    written, said = summary_of(results, answers), f"{UNEVEN}, {OWN}"
    assert results.headline.levels_caution == written["conditions"][0]["levels_caution"] == said
    assert said in "\n".join(summary_lines(results))
    page = html.unescape(report_page(results, answers, bank=None, sessions=()))
    assert page.count(said[1:]) == 2  # in the card, and above the curve
    assert {"text": said, "alarming": True} in written["headline"]["statements"][0]["notes"]
    own = np.log2([one.threshold for one in fit(answers, by="participant")])
    interval = t.interval(0.95, PEOPLE - 1, own.mean(), own.std(ddof=1) / np.sqrt(PEOPLE))
    assert results.headline.for_whom == "new people"
    assert results.threshold == pytest.approx(2 ** own.mean())
    assert results.interval == pytest.approx(np.exp2(interval))


def test_somebody_without_a_threshold_leaves_the_pooled_one() -> None:
    level, right = staircases(1)
    right[0] = np.arange(N) % 2  # a coin
    (condition,) = analyse(read(level, right)).conditions
    assert condition.levels_caution == f"{UNEVEN}; {POOLED}"


@pytest.mark.slow
def test_everybodys_own_thresholds_hold_the_truth_where_pooled_answers_are_biased() -> None:
    """40 studies of six people, SD .6 octaves."""
    read_in = [read(*staircases(seed)) for seed in range(100, 140)]
    own = [typical_of(tuple(fit(one, by="participant")), one) for one in read_in]
    known = [found for found in own if found is not None]
    assert len(known) >= 36  # nearly everybody has a threshold
    held = [found.low <= TRUE <= found.high for found in known]
    assert np.mean(held) >= 0.85  # of 40, 34 or more in 997 of 1,000 runs at 95 %
    pooled = np.log2([fit(one)[()].threshold / TRUE for one in read_in]).mean()
    assert pooled < -0.25
    assert abs(np.log2([found.value / TRUE for found in known]).mean()) < 0.5 * abs(pooled)


@pytest.mark.parametrize("seed", range(5))
def test_levels_that_do_not_follow_answers_pass(seed: int) -> None:
    assert caution_on_levels(read(staircases(seed)[0])) == UNEVEN
    rng = np.random.default_rng(seed)
    drawn = rng.integers(1, 8, (PEOPLE, N)).astype(float)
    anything = rng.lognormal(size=(PEOPLE, N))  # every level once
    same = rng.permuted(np.tile(np.arange(1.0, 7), (PEOPLE, N // 6)), axis=1)
    assert [caution_on_levels(read(level)) for level in (drawn, anything, same)] == [""] * 3


def test_tracks_of_several_people_or_images_are_told() -> None:
    level = np.tile(np.arange(1.0, 7), (PEOPLE, 10))
    assert caution_on_levels(read(level, track="up", attempt="1")) == FOLLOWING
    assert caution_on_levels(read(level[:1], track="up", attempt="1")) == ""
    assert caution_on_levels(read(level, track="side A")) == ""  # no journal's column


def test_one_person_and_one_level_need_no_caution() -> None:
    assert caution_on_levels(read(staircases(0)[0][:1])) == ""
    assert caution_on_levels(read(np.ones((PEOPLE, N)))) == ""


def test_the_test_is_that_of_kruskal_and_wallis() -> None:
    level = np.round(np.random.default_rng(0).lognormal(size=(PEOPLE, N)), 1) + 1
    found = _between_people(read(level).kept)
    oracle = kruskal(*level)
    assert found[0] == pytest.approx(oracle.statistic / (level.size - 1), rel=1e-9)
    assert found[1] == pytest.approx(oracle.pvalue, rel=1e-9)

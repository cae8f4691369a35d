"""Hierarchies: recovery, whom they speak for, what varies, predictive checks, and bad input."""

from pathlib import Path

import numpy as np
import pytest

from analysis.curves.cell_curve import CellModel
from analysis.curves.cell_models import DPrimeModel, ScalingModel, ThresholdModel
from analysis.fits.hierarchy import fit_hierarchy
from analysis.fits.hierarchy_result import Hierarchy, HierarchyStatus
from analysis.observers.sdt import dprime
from stimuli_store.errors import InputError
from tests.analysis.crossed_people import (
    CRITICAL,
    GAIN,
    LAPSE,
    OCTAVES,
    Study,
    answers,
    proportion,
    scaling_answers,
)
from tests.helpers import whole

MIDDLE = ThresholdModel(p=0.74)  # the middle of the simulated curves, with their lapse rate


@pytest.fixture(scope="module")
def found() -> Hierarchy:
    counts, _ = answers(Study(n_trials=20), np.random.default_rng(2))
    return fit_hierarchy(*counts, model=MIDDLE)


def test_the_population_is_recovered(found: Hierarchy) -> None:
    threshold, width = found.population["threshold"], found.population["width"]
    assert found.status is HierarchyStatus.CONVERGED
    assert threshold.low < 1 < threshold.high
    assert width.low < 0.6 * 3.2897 < width.high  # from .05 to .95 of a normal distribution
    assert threshold.for_whom == "new people and new images"
    rng = np.random.default_rng(2)
    for factor, sd in (("participants", 0.3), ("images", 0.5)):
        spread = found.spread["threshold", factor]
        assert spread.low < sd * rng.standard_normal(8).std(ddof=1) < spread.high
        assert getattr(threshold, f"sd_{factor}") == spread.value
    assert found.n_trials == 20 * 8 * 8 * 7
    assert 0.02 < found.checks.overall < 0.98


def test_these_people_and_images_are_known_better_than_new_ones(found: Hierarchy) -> None:
    for name in ("threshold", "width"):
        new, these = found.population[name], found.these[name]
        assert np.log(these.high / these.low) < np.log(new.high / new.low)
        assert these.for_whom == "these people and these images only"


def test_every_person_and_image_is_estimated(found: Hierarchy) -> None:
    rng = np.random.default_rng(2)
    people, images = 0.3 * rng.standard_normal((8, 1)), 0.5 * rng.standard_normal((1, 8))
    thresholds = [m for m in found.members if m.parameter == "threshold"]
    truth = [*(people[:, 0] + images.mean()), *(images[0] + people.mean())]
    inside = [
        m.estimate.low < np.exp2(true) < m.estimate.high
        for m, true in zip(thresholds, truth, strict=True)
    ]
    assert sum(inside) >= 13
    values = np.log2([m.estimate.value for m in thresholds])
    assert np.corrcoef(values, truth)[0, 1] > 0.95


def test_results_are_short_and_a_table(found: Hierarchy) -> None:
    assert len(repr(found)) < 250
    assert "new people and new images" in repr(found)
    assert found._repr_html_().count("<tr") == 4
    table = found.table
    assert len(table) == 3 + 2 * 16
    assert set(table.factor) == {"population", "participants", "images"}


def test_few_trials_are_pulled_towards_the_others() -> None:
    rng = np.random.default_rng(4)
    n = np.array([200, 200, 200, 200, 8])
    right = rng.binomial(n, [0.7, 0.75, 0.72, 0.78, 0.5])
    right[-1] = 8  # all of the few trials of one person are right
    found = fit_hierarchy(np.arange(5), None, None, right, n, model=DPrimeModel(task="2ifc"))
    last = found.members[-1].estimate
    assert last.value < 3
    assert last.high < 5
    many = found.members[0].estimate
    assert many.value == pytest.approx(float(dprime(right[0] / 200, task="2ifc")), abs=0.1)


def test_levels_may_follow_the_answers() -> None:
    """A staircase for each of six people, whose pooled answers would be flat."""
    rng = np.random.default_rng(5)
    rows = []
    for person, threshold in enumerate(np.linspace(-1.5, 1.5, 6)):
        at = 0.0
        for _ in range(150):
            right = rng.random() < proportion(at - threshold)
            rows.append((person, 2.0**at, right))
            at = np.clip(at + (-0.25 if right else 0.75), -4, 4)
    who, level, right = np.array(rows).T
    found = fit_hierarchy(who, None, level, right, np.ones(len(who)), model=MIDDLE)
    values = [m.estimate.value for m in found.members if m.parameter == "threshold"]
    assert np.log2(values) == pytest.approx(np.linspace(-1.5, 1.5, 6), abs=0.4)
    assert found.population["threshold"].low < 1 < found.population["threshold"].high


def test_images_of_their_own_and_few_people_are_said() -> None:
    study = Study(n_people=2, n_images=4, n_trials=10, nested=True)
    counts, _ = answers(study, np.random.default_rng(6))
    found = fit_hierarchy(*counts, model=MIDDLE, varies={"threshold": ("participants", "images")})
    threshold = found.population["threshold"]
    assert threshold.for_whom == "these people and new images"
    assert "other people" in threshold.caution
    assert threshold.n_images == 8
    assert np.isfinite([threshold.low, threshold.high]).all()


def test_lapse_rates_may_vary_and_the_rest_stay() -> None:
    who, level = np.repeat(np.arange(6), 7), np.tile(np.exp2(OCTAVES), 6)
    lapse = np.repeat([0.01, 0.01, 0.02, 0.02, 0.15, 0.2], 7)
    p = (1 - lapse) * proportion(np.log2(level)) + lapse / 2
    right = np.random.default_rng(7).binomial(300, p)
    varies = {"lapse": ("participants",)}
    found = fit_hierarchy(who, None, level, right, [300] * 42, model=MIDDLE, varies=varies)
    rates = [m.estimate.value for m in found.members]
    assert {m.parameter for m in found.members} == {"lapse"}
    # Half of the random answers are right, and LAPSE comes on top; outliers are pulled in.
    wanted = LAPSE + (0.5 - LAPSE) * lapse[::7]
    assert rates == pytest.approx(wanted, abs=0.035)
    assert min(rates[4:]) > 1.8 * max(rates[:4])
    assert set(found.spread) == {("lapse", "participants")}


def test_predictive_checks_find_people_who_see_each_image_otherwise() -> None:
    """Every cell has a threshold of its own, which people and images do not explain."""
    rng = np.random.default_rng(8)
    who, where, at = (index.ravel() for index in np.indices((5, 5, 7)))
    own = 0.8 * rng.standard_normal((5, 5))[who, where]
    right = rng.binomial(40, proportion(OCTAVES[at] - own))
    found = fit_hierarchy(who, where, np.exp2(OCTAVES)[at], right, [40] * 175, model=MIDDLE)
    assert found.checks.overall < 0.01
    assert (found.checks.by_level["participants"] < 0.05).any()
    varies = {"threshold": ("participants", "images", "interaction")}
    more = fit_hierarchy(
        who, where, np.exp2(OCTAVES)[at], right, [40] * 175, model=MIDDLE, varies=varies
    )
    spread = more.spread["threshold", "interaction"]
    assert spread.low < own.std() < spread.high
    assert more.checks.overall > 0.02
    assert len(more.members) == 10


@pytest.mark.parametrize(
    ("right", "model"),
    [
        ([20, 20, 20], ThresholdModel()),
        ([20, 20, 20], ScalingModel()),
        ([18, 14, 10], ScalingModel()),
        ([20, 20, 20], DPrimeModel()),
    ],
)
def test_a_posterior_that_is_mostly_prior_is_said(right: list[int], model: CellModel) -> None:
    who, level = np.repeat(np.arange(4), 3), np.tile([8, 16, 32], 4)
    found = fit_hierarchy(who, None, level, right * 4, [20] * 12, model=model)
    assert found.status is HierarchyStatus.UNDETERMINED


@pytest.mark.parametrize("model", [ThresholdModel(), ScalingModel()])
@pytest.mark.parametrize(
    ("right", "status"),
    [
        ([10, 10, 10], HierarchyStatus.AT_CHANCE),
        ([11, 9, 11], HierarchyStatus.AT_CHANCE),
        ([10, 11, 10], HierarchyStatus.AT_CHANCE),
        ([20, 14, 10], HierarchyStatus.FALLING),
        ([9, 5, 1], HierarchyStatus.BELOW_CHANCE),
    ],
)
def test_answers_that_no_rising_curve_describes_are_said(
    right: list[int], status: HierarchyStatus, model: CellModel
) -> None:
    who, level = np.repeat(np.arange(4), 3), np.tile([8, 16, 32], 4)
    found = fit_hierarchy(who, None, level, right * 4, [20] * 12, model=model)
    assert found.status is status
    assert f"({status.name})" in repr(found)


@pytest.mark.long
@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(40), marks=pytest.mark.slow)])
def test_coin_flips_are_at_chance(seeds: range) -> None:
    who, where, level, total = (
        np.ravel(v)
        for v in np.broadcast_arrays(
            *np.meshgrid(np.arange(6), np.arange(6), [6, 8, 12, 16, 24, 32, 48], indexing="ij"), 8
        )
    )
    said = []
    for seed in seeds:
        right = np.random.default_rng(seed).binomial(total, 0.5)
        said += [
            fit_hierarchy(who, where, level, right, total, model=model).status
            for model in (ThresholdModel(), ScalingModel())
        ]
    assert said.count(HierarchyStatus.AT_CHANCE) >= 0.95 * len(said)
    assert HierarchyStatus.CONVERGED not in said


def test_levels_that_differ_between_people_make_no_fall() -> None:
    """Everybody's answers rise; pooled they fall, as the worse one has the higher levels."""
    who, level = np.repeat(["ann", "bob", "eve", "kim"], 3), np.tile([1, 2, 4], 4)
    level = np.where(np.isin(who, ["eve", "kim"]), 16 * level, level)
    right = [32, 36, 40, 32, 36, 40, 21, 24, 30, 20, 26, 30]
    found = fit_hierarchy(who, None, level, right, [40] * 12, model=ThresholdModel())
    assert found.status not in (HierarchyStatus.FALLING, HierarchyStatus.AT_CHANCE)


def test_swapped_keys_are_said_of_dprime_too() -> None:
    found = fit_hierarchy(["a", "b", "c"], None, None, [6, 9, 8], [40] * 3, model=DPrimeModel())
    assert found.status is HierarchyStatus.BELOW_CHANCE


@pytest.mark.long
@pytest.mark.parametrize(("n_trials", "most"), [(4, 0.08), (40, 0.03)])
@pytest.mark.parametrize(("n_sets", "at_least"), [(1, 1), whole(100, 90)])
def test_critical_scaling_of_a_population(
    n_trials: int, most: float, n_sets: int, at_least: int
) -> None:
    study = Study(n_trials=n_trials, sd_people=0.3, sd_images=0.3)
    covered, errors = np.zeros(2), []
    for number in range(n_sets):
        counts = scaling_answers(study, np.random.default_rng([9, number]))
        found = fit_hierarchy(*counts, model=ScalingModel()).population
        ends = [(found["critical"], CRITICAL), (found["gain"], GAIN)]
        covered += [f.low <= truth <= f.high for f, truth in ends]
        errors.append(np.log(found["critical"].value / CRITICAL))
    assert (covered >= at_least).all()
    error = np.std(errors) / np.sqrt(n_sets) if n_sets > 10 else 0.15
    assert abs(np.mean(errors)) <= most + 2 * error


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_multiplied_levels_multiply_the_thresholds(found: Hierarchy, scale: float) -> None:
    who, where, level, right, total = answers(Study(n_trials=20), np.random.default_rng(2))[0]
    scaled = fit_hierarchy(who, where, scale * level, right, total, model=MIDDLE)
    for name, factor in (("threshold", scale), ("width", 1.0), ("lapse", 1.0)):
        plain, other = found.population[name], scaled.population[name]
        for end in ("value", "low", "high"):
            assert getattr(other, end) == pytest.approx(factor * getattr(plain, end), rel=1e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "laplac"}, "did you mean 'laplace'"),
        ({"varies": {"treshold": ("participants",)}}, "did you mean 'threshold'"),
        ({"varies": {"threshold": ("people",)}}, "unknown factor 'people'"),
        ({"varies": {"threshold": "images"}}, "unknown factor 'images'"),
        ({"level": [1, 2, -3]}, "above zero"),
        ({"n_correct": [0.5, 1, 1]}, "proportions"),
        ({"participant": ["a", "b"]}, "same length"),
        ({"seed": -1}, "seed"),
        ({"level": None}, "needs the level"),
        ({"model": "threshold"}, "ThresholdModel"),
        ({"model": ThresholdModel(p=0.5)}, "between the guess rate and 1"),
    ],
)
def test_bad_input_is_refused(changed: dict, message: str) -> None:
    given = {
        "participant": ["a", "b", "c"],
        "image": None,
        "level": [1, 2, 3],
        "n_correct": [1, 1, 2],
        "n_trials": [2, 2, 2],
        "model": ThresholdModel(),
        **changed,
    }
    with pytest.raises(InputError, match=message):
        fit_hierarchy(**given)


def test_without_numpyro_nuts_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from stimuli_store.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "numpyro", None)
    with pytest.raises(MissingExtra, match=r"pip install -e .*\[bayes\]"):
        fit_hierarchy([1, 2, 3], None, None, [1, 1, 2], [2] * 3, model=DPrimeModel(), method="nuts")


def test_a_hierarchy_is_saved_and_loaded_whole(tmp_path: Path) -> None:
    rows = (list("aabbcc"), list("xyxyxy"), None, [40, 42, 38, 41, 44, 39], [50] * 6)
    found = fit_hierarchy(*rows, model=DPrimeModel(task="2ifc"))
    again = Hierarchy.load(found.save(tmp_path / "hierarchy.json"))
    assert again.table.equals(found.table)
    assert repr(again) == repr(found) and again.spread == found.spread
    assert [vars(one) for one in again.these.values()] == [
        {**vars(one), "df": pytest.approx(one.df, nan_ok=True)} for one in found.these.values()
    ]
    assert again.checks.by_level["images"].tolist() == found.checks.by_level["images"].tolist()
    (tmp_path / "other.json").write_text('{"format": "stimsynth-hierarchy", "version": 1}')
    with pytest.raises(InputError, match="damaged saved hierarchy"):
        Hierarchy.load(tmp_path / "other.json")

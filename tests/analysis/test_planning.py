"""Simulated studies and their power: against closed forms, variances that were put in, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, binom, chi2

from analysis.curves.psychometric import PsychometricFunction
from analysis.data.answers import Answers
from analysis.infer.estimates import Estimate
from analysis.observers.counted.proportions import wilson
from analysis.planning.efficiency import task_efficiency
from analysis.planning.power import power, power_table
from analysis.planning.precision import precision
from analysis.planning.recovery import calibration, recovery
from analysis.planning.study import StudyDesign, simulated_answers
from analysis.planning.tests import conditions_differ
from analysis.planning.truths import ModelTruth, ScalingTruth, ThresholdTruth
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named

DESIGN = StudyDesign(
    task=task_named("2ifc"), levels=(1.0, 2.0, 4.0), n_participants=4, n_images=3, n_trials=20
)
FLAT = ThresholdTruth(threshold=2.0, width=2.0, lapse=0.02)


def test_counts_have_the_probabilities_of_the_curve() -> None:
    answers = simulated_answers(replace(DESIGN, n_trials=4000), FLAT, seed=1)
    curve = PsychometricFunction(sigmoid="normal", threshold=2.0, width=2.0, guess=0.5, lapse=0.02)
    seen = answers.counts(by="level")
    p, n = curve(seen.level.to_numpy()), seen.n_trials.to_numpy()
    z = (seen.n_correct.to_numpy() - n * p) / np.sqrt(n * p * (1 - p))
    assert (z**2).sum() < chi2.isf(1e-4, 3)


@pytest.mark.parametrize("who", ["participant", "image"])
def test_people_and_images_differ_as_much_as_was_asked(who: str) -> None:
    """At a level far above all thresholds but on a wide curve, probits give the shifts back."""
    from scipy.special import ndtri

    design = replace(DESIGN, levels=(2.0,), n_participants=80, n_images=1, n_trials=40_000)
    truth = replace(FLAT, lapse=0.0, sd_participants=0.4)
    if who == "image":
        design = replace(design, n_participants=1, n_images=80)
        truth = replace(FLAT, lapse=0.0, sd_images=0.4)
    seen = simulated_answers(design, truth, seed=3).counts(by=who)
    p = seen.n_correct / seen.n_trials
    octaves = ndtri(2 * p.to_numpy() - 1) * 2.0 / (2 * ndtri(0.95))
    assert octaves.std(ddof=1) == pytest.approx(0.4, rel=0.25)  # 3 standard errors of 80
    assert octaves.mean() == pytest.approx(0.0, abs=0.15)


def test_conditions_have_the_same_people() -> None:
    design = replace(DESIGN, levels=(2.0,), n_participants=30, n_images=1, n_trials=4000)
    truth = replace(FLAT, sd_participants=0.5)
    answers = simulated_answers(design, {"a": truth, "b": replace(truth, threshold=2.2)}, seed=4)
    table = answers.counts(by=["participant", "condition"]).pivot(
        index="participant", columns="condition", values="n_correct"
    )
    assert np.corrcoef(table.a, table.b)[0, 1] > 0.95


def test_effects_of_a_condition_differ_between_people_as_much_as_was_asked() -> None:
    from scipy.special import ndtri

    design = replace(DESIGN, levels=(2.0,), n_participants=80, n_images=1, n_trials=40_000)
    truth = replace(FLAT, lapse=0.0, sd_participants=0.2)
    for sds, expected in (((0.0, 0.3), 0.3), ((0.3, 0.3), 0.3 * np.sqrt(2))):
        conditions = {c: replace(truth, sd_effect=sd) for c, sd in zip("ab", sds, strict=True)}
        seen = simulated_answers(design, conditions, seed=8).counts(by=["participant", "condition"])
        p = (seen.n_correct / seen.n_trials).to_numpy().reshape(-1, 2)
        octaves = np.diff(ndtri(2 * p - 1) * 2.0 / (2 * ndtri(0.95)), axis=1)
        assert octaves.std(ddof=1) == pytest.approx(expected, rel=0.25)
        assert octaves.mean() == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize(
    "truth",
    [
        ScalingTruth(critical=1.0, gain=1.0, sd_effect=0.5),
        ModelTruth(evidence={"m": np.ones((3, 3))}, true="m", sd_effect=0.5),
    ],
)
def test_people_differ_in_one_condition_only(truth: ScalingTruth | ModelTruth) -> None:
    design = replace(DESIGN, n_trials=40_000)
    answers = simulated_answers(design, {"a": replace(truth, sd_effect=0.0), "b": truth}, seed=9)
    seen = answers.only(level=4.0).counts(by=["condition", "participant"])
    spread = (seen.n_correct / seen.n_trials).to_numpy().reshape(2, -1).std(axis=1)
    assert spread[0] < 0.005 and spread[1] > 0.02


@pytest.mark.long
def test_effects_that_differ_between_people_cost_power() -> None:
    """With as many trials as one likes, six people and an effect of half its spread do not suffice."""
    design = StudyDesign(
        task=task_named("2ifc"),
        levels=(1.0, 2.0, 4.0, 8.0),
        n_participants=6,
        n_images=1,
        n_trials=200,
    )
    same, other = ThresholdTruth(threshold=2.0), ThresholdTruth(threshold=2.0 * 2**0.35)
    found = [
        power(
            design,
            {"a": same, "b": replace(other, sd_effect=sd)},
            conditions_differ(),
            n_studies=8,
        ).power
        for sd in (0.0, 0.7)
    ]
    assert found[0] > 0.9 and found[1] < 0.6


def test_nested_images_belong_to_one_person() -> None:
    answers = simulated_answers(replace(DESIGN, images="nested"), FLAT, seed=0)
    pairs = answers.counts(by=["participant", "image"])
    assert pairs.image.nunique() == 12
    assert (pairs.groupby("image", observed=True).participant.nunique() == 1).all()


def test_critical_scaling_is_at_chance_up_to_the_critical_level() -> None:
    truth = ScalingTruth(critical=2.0, gain=3.0, lapse=0.0)
    answers = simulated_answers(replace(DESIGN, n_trials=5000), truth, seed=5)
    p = answers.counts(by="level").assign(p=lambda t: t.n_correct / t.n_trials).p.to_numpy()
    expected = DESIGN.link.p_correct(3.0 * np.array([0.0, 0.0, 0.75]))
    assert p == pytest.approx(expected, abs=0.01)


def test_evidence_of_every_model_is_in_the_answers() -> None:
    rng = np.random.default_rng(0)
    evidence = {label: rng.uniform(0, 2, (3, 3)) for label in ("a", "b")}
    truth = ModelTruth(evidence=evidence, true="a", lapse=0.0)
    answers = simulated_answers(replace(DESIGN, n_trials=8000), truth, seed=6)
    assert set(answers.models) == {"a", "b"}
    table = answers.table
    p = (table.n_correct / table.n_trials).to_numpy(dtype=float)
    expected = DESIGN.link.p_correct(table.evidence_a.to_numpy())
    assert p == pytest.approx(expected, abs=0.03)


def many_right(answers: Answers) -> bool:
    return bool(answers.table.n_correct.sum() > 60)


@pytest.mark.long
def test_power_is_the_tail_of_the_binomial() -> None:
    design = StudyDesign(
        task=task_named("2ifc"), levels=(2.0,), n_participants=1, n_images=1, n_trials=80
    )
    p = float(FLAT.p_correct(design.cells(), design.link, np.random.default_rng(0))[0])
    found = power(design, FLAT, many_right, n_studies=200, seed=2)
    exact = binom.sf(60, 80, p)
    assert abs(found.power - exact) < 4 * np.sqrt(exact * (1 - exact) / 200)
    assert found.low < found.power < found.high
    assert found.n_trials == 80
    assert power(design, FLAT, many_right, n_studies=20, seed=2) == power(
        design, FLAT, many_right, n_studies=20, seed=2
    )


@pytest.mark.long
def test_precision_is_the_standard_error() -> None:
    design = StudyDesign(
        task=task_named("2ifc"), levels=(2.0,), n_participants=1, n_images=1, n_trials=80
    )
    p = float(FLAT.p_correct(design.cells(), design.link, np.random.default_rng(0))[0])
    found = precision(
        design, FLAT, lambda answers: answers.table.n_correct.sum() / 80, n_studies=200
    )
    assert found.mean == pytest.approx(p, abs=0.01)
    assert found.sd == pytest.approx(np.sqrt(p * (1 - p) / 80), rel=0.2)
    assert found.failed == 0
    none = precision(design, FLAT, lambda _: np.nan, n_studies=3)
    assert none.failed == 1
    assert np.isnan(none.mean)


def test_a_table_has_a_row_for_each_design() -> None:
    designs = [replace(DESIGN, n_participants=n) for n in (1, 2)]
    table = power_table(designs, FLAT, many_right, n_studies=5)
    assert table.participants.tolist() == [1, 2]
    assert table.trials.tolist() == [180, 360]
    assert table["trials per participant"].tolist() == [180, 180]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"n_participants": 0}, "n_participants"),
        ({"n_trials": 2.5}, "n_trials"),
        ({"images": "own"}, "unknown images 'own'.*crossed, nested"),
        ({"levels": ()}, "finite levels"),
        ({"levels": (1.0, np.nan)}, "none of them missing"),
    ],
)
def test_a_design_that_cannot_be_run_is_refused(changed: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        replace(DESIGN, **changed)


def test_evidence_of_another_size_or_an_unknown_true_model_is_refused() -> None:
    wrong = ModelTruth(evidence={"a": np.ones((2, 3))}, true="a")
    with pytest.raises(InputError, match=r"3 images .* 3 levels; its shape is \(2, 3\)"):
        simulated_answers(DESIGN, wrong, seed=0)
    with pytest.raises(InputError, match="true model 'b'"):
        simulated_answers(DESIGN, replace(wrong, true="b"), seed=0)
    with pytest.raises(InputError, match="n_studies"):
        power(DESIGN, FLAT, many_right, n_studies=0)
    with pytest.raises(InputError, match="True or False"):
        power(DESIGN, FLAT, lambda _: np.nan, n_studies=1)
    with pytest.raises(InputError, match="at least one design"):
        power_table([], FLAT, many_right)


@pytest.mark.long
def test_recovery_of_a_proportion_has_the_coverage_of_its_interval() -> None:
    design = StudyDesign(
        task=task_named("2ifc"), levels=(2.0,), n_participants=1, n_images=1, n_trials=80
    )
    p = float(FLAT.p_correct(design.cells(), design.link, np.random.default_rng(0))[0])

    def share(answers: Answers) -> Estimate:
        k = float(answers.table.n_correct.sum())
        low, high = wilson(k, 80)
        return Estimate(value=k / 80, low=float(low), high=float(high))

    found = recovery(design, FLAT, share, p, n_studies=150, seed=3)
    inside = [k for k in range(81) if wilson(k, 80)[0] <= p <= wilson(k, 80)[1]]
    exact = binom.pmf(inside, 80, p).sum()
    assert abs(found.coverage - exact) < 4 * np.sqrt(exact * (1 - exact) / 150)
    assert found.bias == pytest.approx(0.0, abs=0.02)
    assert found.failed == 0
    open_ended = Estimate(value=np.nan, low=-np.inf, high=np.inf)
    none = recovery(design, FLAT, lambda _: open_ended, p, n_studies=3)
    assert (none.failed, none.coverage, none.median_width) == (1, 1, np.inf)


def binomial(rng: np.random.Generator) -> tuple[float, int]:
    p = rng.uniform()
    return p, int(rng.binomial(20, p))


def test_calibration_accepts_a_right_posterior_and_refuses_a_narrow_one() -> None:
    right = calibration(binomial, lambda p, k: beta.cdf(p, k + 1, 21 - k), n_sets=1000)
    narrow = calibration(binomial, lambda p, k: beta.cdf(p, 2 * k + 1, 41 - 2 * k), n_sets=1000)
    assert right.p_value > 0.01
    assert narrow.p_value < 0.001
    with pytest.raises(InputError, match="probability"):
        calibration(binomial, lambda p, k: 2.0, n_sets=3)


def test_the_efficiency_of_tasks_is_that_of_the_design_page() -> None:
    table = task_efficiency(1.0, 0.2, ["2ifc", "abx", "4iax", "oddity"])
    found = {(row.task, row.rule): row.trials for row in table.itertuples()}
    assert found["2ifc", "likelihood"] == 95
    assert found["abx", "differencing"] == 280
    assert found["4iax", "differencing"] == 337
    assert found["oddity", "differencing"] == 250
    assert table.efficiency.max() == 1
    with pytest.raises(InputError, match="has a criterion"):
        task_efficiency(tasks=["yes-no"])

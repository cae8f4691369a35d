"""Simulated observers do what their formula says, in every task and every cell of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from analysis.observers.evidence import Evidence, evidence_of
from analysis.observers.simulated.calibrating import calibrated_observer
from analysis.observers.simulated.model_observer import ModelObserver, observer_from_description
from analysis.observers.simulated.true_thresholds import pooled_true_threshold, true_threshold
from stimuli_store.errors import InputError
from stimuli_store.records.trials import Perturbation, Trial
from stimuli_store.tasks import TASKS, task_named
from tests.analysis.builders import ABX, evidence, trial
from tests.helpers import tiny_bank, whole

PAIR = ("ref", "met")
D = evidence({frozenset(PAIR): 0.6})
TWO = task_named("2ifc")
MAD = task_named("mad-pair")
#: One task of every structure, with one rule; large ones take the same way.
EACH = [
    (name, rule)
    for name, task in TASKS.items()
    for rule in task.rules
    if not name.startswith("ring-") and name[-1] not in "456" and name[0] not in "56"
]


def observer(**fields: object) -> ModelObserver:
    values: dict[str, object] = {
        "model": "m",
        "evidence": D,
        "gain": 3.0,
        "task": ABX,
        "rule": "independent",
    }
    return ModelObserver(**{**values, **fields})  # type: ignore[arg-type]


def right_answers(watcher: ModelObserver, shown: list[Trial], seed: int) -> int:
    rng = np.random.default_rng(seed)
    return sum(watcher.respond(t, rng).response == t.answer for t in shown)


@pytest.mark.parametrize("rule", ["independent", "differencing"])
@pytest.mark.parametrize("cell", range(4))
def test_answers_are_right_as_often_as_the_formula_says_in_every_cell(rule: str, cell: int) -> None:
    watcher = observer(rule=rule, lapse=0.05)
    shown = trial(PAIR, cell=cell)
    right = right_answers(watcher, [shown] * 3000, 42)
    assert binomtest(right, 3000, watcher.p_correct(shown)).pvalue > 0.001


@pytest.mark.parametrize("n_trials", [600, whole(2400)])
@pytest.mark.parametrize(("name", "rule"), EACH)
def test_every_task_is_answered_as_often_right_as_its_link_says(
    name: str, rule: str, n_trials: int
) -> None:
    task = TASKS[name]
    others = {"reference": "ref"} if name == "mad-pair" else {}
    known = evidence({frozenset(PAIR): 0.6, frozenset(("ref", "other")): 0.0})
    watcher = observer(task=task, rule=rule, evidence=known, lapse=0.02)
    shown = [
        trial(PAIR, task=task, cell=i % len(task.cells), rule=rule, others=others)
        for i in range(n_trials)
    ]
    expected = watcher.p_correct(shown[0])
    assert binomtest(right_answers(watcher, shown, 1), n_trials, expected).pvalue > 0.001


def test_two_intervals_follow_the_formula() -> None:
    watcher = observer(task=TWO, rule="likelihood")
    assert watcher.p_correct(trial(PAIR, task=TWO)) == pytest.approx(
        0.98 * norm.cdf(1.8 / np.sqrt(2)) + 0.01, abs=1e-12
    )


def mad_trial(cell: int = 0, reference: str = "ref") -> Trial:
    return trial(("near", "far"), task=MAD, cell=cell, others={"reference": reference})


@pytest.mark.parametrize("rule", MAD.rules)
@pytest.mark.parametrize("preference", [0.6, -0.6])
def test_a_model_that_disagrees_answers_below_chance(rule: str, preference: float) -> None:
    said = evidence({}, preferences={("ref", "near", "far"): preference})
    watcher = observer(task=MAD, rule=rule, evidence=said, lapse=0.0)
    shown = [mad_trial(i % 2) for i in range(3000)]
    p = watcher.p_correct(shown[0])
    assert (p > 0.5) == (preference > 0)
    assert binomtest(right_answers(watcher, shown, 5), 3000, p).pvalue > 0.001
    assert watcher.dprime(shown[0]) == pytest.approx(3 * preference)


def test_preferences_are_those_of_the_bank_in_any_order_or_differences_of_distances() -> None:
    turned = evidence({}, preferences={("ref", "far", "near"): -0.4})
    far, near = frozenset(("ref", "far")), frozenset(("ref", "near"))
    from_distances = evidence({far: 1.0, near: 0.7})
    assert turned(mad_trial(), MAD) == 0.4
    assert from_distances(mad_trial(), MAD) == pytest.approx(0.3)
    # Without a reference, and where no direction is asked for, there is only a distance.
    between = evidence({frozenset(PAIR): 0.6})
    assert between(trial(PAIR, task=TWO), TWO) == 0.6
    assert between(trial(PAIR, others={"reference": "x"}), ABX) == 0.6


def made_trial(amplitude: float) -> Trial:
    how = Perturbation(
        target="ref", distortion="unit", amplitude=amplitude, dither="uniform", seed=0
    )
    return replace(trial(("ref", "between")), made={"between": how})


def distorted() -> Evidence:
    distances = {frozenset(("ref", f"at{a:g}")): a**2 for a in (1.0, 2.0, 4.0)}
    scale = (np.array([1.0, 2.0, 4.0]), ("at1", "at2", "at4"))
    return evidence(distances, amplitudes={("unit", False): scale})


@pytest.mark.parametrize(
    ("amplitude", "low", "high"), [(1.5, 1.0, 4.0), (3.0, 4.0, 16.0), (0.5, 0, 1)]
)
def test_made_stimuli_lie_between_those_of_the_bank(
    amplitude: float, low: float, high: float
) -> None:
    assert low < distorted()(made_trial(amplitude), ABX) < high


def test_made_stimuli_at_an_amplitude_of_the_bank_have_its_distance() -> None:
    assert distorted()(made_trial(2.0), ABX) == pytest.approx(4.0)
    with pytest.raises(InputError, match="at the amplitude 5"):
        distorted()(made_trial(5.0), ABX)
    with pytest.raises(InputError, match="no amplitudes of the distortion"):
        distorted()(made_trial(-2.0), ABX)


def test_evidence_of_a_bank_is_its_distances(tmp_path: Path) -> None:
    bank = tiny_bank(tmp_path)
    said = evidence_of(bank, "right")
    (pair, distance) = next(iter(bank.distances("right").items()))
    assert said(trial(tuple(pair)), ABX) == distance  # type: ignore[arg-type]
    with pytest.raises(InputError, match="did you mean 'right'"):
        evidence_of(bank, "rigth")


def test_same_stimulus_twice_is_chance() -> None:
    assert observer().p_correct(trial(("ref", "ref"))) == pytest.approx(0.5)


def test_lapses_are_random_answers() -> None:
    task = TASKS["4afc"]
    asleep = observer(task=task, rule="likelihood", lapse=1.0, gain=100.0)
    shown, rng = trial(PAIR, task=task), np.random.default_rng(3)
    said = [asleep.respond(shown, rng).response for _ in range(2000)]
    for answer in task.answers:
        assert binomtest(said.count(answer), 2000, 0.25).pvalue > 0.001
    assert asleep.p_correct(shown) == pytest.approx(0.25)


def test_without_a_difference_no_answer_is_preferred() -> None:
    blind, rng = (
        observer(gain=0.0, task=TASKS["oddity"], rule="likelihood"),
        np.random.default_rng(0),
    )
    shown = trial(PAIR, task=TASKS["oddity"])
    said = [blind.respond(shown, rng).response for _ in range(1500)]
    for answer in "123":
        assert binomtest(said.count(answer), 1500, 1 / 3).pvalue > 0.001


@pytest.mark.parametrize("name", ["yes-no", "same-different"])
@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_hits_and_false_alarms_are_those_of_the_answers(name: str, gain: float) -> None:
    task = TASKS[name]
    watcher = observer(task=task, rule=task.rules[0], gain=gain, lapse=0.04)
    rng, reports = np.random.default_rng(8), task.answers[1]
    expected = watcher.rates(trial(PAIR, task=task))
    for right, rate in ((True, expected[0]), (False, expected[1])):
        cells = [i for i, c in enumerate(task.cells) if (c.answer == reports) == right]
        shown = [trial(PAIR, task=task, cell=cells[i % len(cells)]) for i in range(2000)]
        said = sum(watcher.respond(t, rng).response == reports for t in shown)
        assert binomtest(said, 2000, rate).pvalue > 0.001
    assert (1 + expected[0] - expected[1]) / 2 == pytest.approx(
        watcher.p_correct(trial(PAIR, task=task)), abs=1e-6
    )


def test_response_times_are_human() -> None:
    rng = np.random.default_rng(0)
    times = np.array([observer().respond(trial(PAIR), rng).rt_s for _ in range(2000)])
    assert times.min() > 0.15
    assert 0.4 < np.median(times) < 0.9
    assert times.mean() > np.median(times)  # a long right tail


def test_answers_follow_the_seed() -> None:
    def said(seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        return [observer(gain=1.0).respond(trial(PAIR), rng).response for _ in range(60)]

    assert said(1) == said(1)
    assert said(1) != said(2)


def many() -> tuple[Evidence, list[Trial]]:
    distances, trials = {}, []
    for level in (4.0, 8.0, 16.0, 32.0):
        for image in ("p", "q"):
            pair = (f"{image}-ref", f"{image}-{level}")
            distances[frozenset(pair)] = 0.1 * level * (1.3 if image == "p" else 0.8)
            trials.append(trial(pair, factors={"level": level, "target": image}))
    return evidence(distances), trials


@pytest.mark.parametrize("rule", ["independent", "differencing"])
@pytest.mark.parametrize("wanted", [0.6, 0.75, 0.9])
def test_calibration_gives_the_mean_asked_for(rule: str, wanted: float) -> None:
    distances, trials = many()
    made = calibrated_observer("m", distances, trials, ABX, mean_p_correct=wanted, rule=rule)
    assert np.mean([made.p_correct(t) for t in trials]) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("wanted", [0.5, 0.4, 0.99, 1.0])
def test_impossible_calibration_says_what_is_possible(wanted: float) -> None:
    distances, trials = many()
    with pytest.raises(InputError, match=r"between 0\.5 and 0\.99 is possible"):
        calibrated_observer("m", distances, trials, ABX, mean_p_correct=wanted)


def test_a_model_that_sees_nothing_cannot_be_calibrated() -> None:
    distances, trials = many()
    with pytest.raises(InputError, match=r"between 0\.5 and 0\.5"):
        calibrated_observer("m", evidence(dict.fromkeys(distances.distances, 0.0)), trials, ABX)
    with pytest.raises(InputError, match="one task"):
        calibrated_observer("m", distances, [], ABX)


def test_description_makes_the_same_observer() -> None:
    made = observer(exponent=0.7, rule="differencing")
    assert observer_from_description(made.describe(), D, ABX) == made
    with pytest.raises(InputError, match="gain"):
        observer_from_description({**made.describe(), "gian": 1.0}, D, ABX)
    with pytest.raises(InputError, match="answers the task 'abx'"):
        observer_from_description(made.describe(), D, TWO)


def test_true_threshold_is_where_the_mean_passes_p() -> None:
    """With d' = level / 10 for every pair, the level at 75 % solves the ABX formula directly."""
    levels = np.geomspace(4, 64, 13)
    distances = {frozenset(("r", str(v))): v / 10 for v in levels}
    trials = [trial(("r", str(v)), factors={"level": float(v)}) for v in levels]
    made = observer(evidence=evidence(distances), gain=1.0, lapse=0.0)
    assert true_threshold(made, trials) == pytest.approx(17.904, rel=2e-3)
    at_a_level = made.p_correct(trials[7])
    assert true_threshold(made, trials, at_a_level) == pytest.approx(levels[7], rel=1e-9)


def test_true_threshold_beyond_the_levels() -> None:
    distances, trials = many()
    weak = observer(evidence=distances, gain=1e-3)
    strong = observer(evidence=distances, gain=1e3)
    assert np.isposinf(true_threshold(weak, trials))
    assert true_threshold(strong, trials) == 0.0
    with pytest.raises(InputError, match="needs trials"):
        true_threshold(weak, [])


def test_pooled_threshold_lies_between_those_of_its_observers() -> None:
    distances, trials = many()
    keen, dull = (observer(evidence=distances, gain=g) for g in (2.5, 1.5))
    low, high = true_threshold(keen, trials), true_threshold(dull, trials)
    assert low < pooled_true_threshold([(keen, trials), (dull, trials)]) < high


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: observer(rule="guessing"), "unknown decision rule"),
        (lambda: observer(gain=-1.0), "gain of at least 0"),
        (lambda: observer(lapse=1.5), "lapse rate from 0 to 1"),
        (lambda: observer().dprime(trial(("ref", "other"))), "no stored distance"),
        (
            lambda: observer().respond(
                replace(trial(PAIR), intervals={"A": "ref", "B": "met"}), np.random.default_rng(0)
            ),
            "no arrangement of the task 'abx'",
        ),
        (
            lambda: observer().respond(replace(trial(PAIR), answer="B"), np.random.default_rng(0)),
            "no arrangement of the task 'abx'",
        ),
        (
            lambda: observer().dprime(replace(trial(PAIR), stimuli={"p": "ref"})),
            "no stimulus for the role 'q'",
        ),
        (lambda: observer().rates(trial(PAIR)), "no criterion"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()


@pytest.mark.long
def test_booth_modules_need_neither_pandas_nor_matplotlib() -> None:
    import subprocess
    import sys

    code = (
        "import sys, analysis.observers.simulated.model_observer, analysis.observers.sdt, analysis.cli; "
        "bad = {'pandas', 'matplotlib', 'torch', 'psychopy'} & set(sys.modules); "
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

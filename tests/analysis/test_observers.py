"""Simulated observers do what their formula says, whichever side the reference is on."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from analysis.observers.model_observer import (
    ModelObserver,
    calibrated_observer,
    observer_from_description,
    pooled_true_threshold,
    true_threshold,
)
from stimuli_store.errors import InputError
from stimuli_store.records.spec import Level
from tests.analysis.builders import trial

PAIR = ("ref", "met")
D = {frozenset(PAIR): 0.6}


def observer(**fields: object) -> ModelObserver:
    values: dict[str, object] = {"model": "m", "distances": D, "gain": 3.0}
    return ModelObserver(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["independent", "differencing"])
@pytest.mark.parametrize("a", PAIR)
@pytest.mark.parametrize("answer", ["A", "B"])
def test_answers_are_right_as_often_as_the_formula_says(rule: str, a: str, answer: str) -> None:
    b = PAIR[1] if a == PAIR[0] else PAIR[0]
    shown = trial(PAIR, intervals={"A": a, "B": b, "X": {"A": a, "B": b}[answer]}, answer=answer)
    watcher, rng = observer(rule=rule, lapse=0.05), np.random.default_rng(42)
    right = sum(watcher.respond(shown, rng).response == answer for _ in range(4000))
    assert binomtest(right, 4000, watcher.p_correct(shown)).pvalue > 0.001


def test_two_afc_answers_are_right_as_often_as_the_formula_says() -> None:
    shown = trial(PAIR, task="2afc", intervals={"first": "ref", "second": "met"}, answer="second")
    watcher, rng = observer(task="2afc"), np.random.default_rng(1)
    right = sum(watcher.respond(shown, rng).response == "second" for _ in range(4000))
    assert binomtest(right, 4000, watcher.p_correct(shown)).pvalue > 0.001
    assert watcher.p_correct(shown) == pytest.approx(
        0.98 * norm.cdf(1.8 / np.sqrt(2)) + 0.01, abs=1e-12
    )


def test_same_stimulus_twice_is_chance() -> None:
    assert observer().p_correct(trial(("ref", "ref"))) == pytest.approx(0.5)


def test_lapses_are_random_answers() -> None:
    shown, rng = trial(PAIR), np.random.default_rng(3)
    asleep = observer(lapse=1.0, gain=100.0)
    said = [asleep.respond(shown, rng).response for _ in range(2000)]
    assert binomtest(said.count("A"), 2000, 0.5).pvalue > 0.001
    assert asleep.p_correct(shown) == pytest.approx(0.5)


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


def many() -> tuple[dict[frozenset[str], float], list]:
    distances, trials = {}, []
    for level in (4.0, 8.0, 16.0, 32.0):
        for image in ("p", "q"):
            pair = (f"{image}-ref", f"{image}-{level}")
            distances[frozenset(pair)] = 0.1 * level * (1.3 if image == "p" else 0.8)
            trials.append(trial(pair, level=Level(value=level, unit="px"), target=image))
    return distances, trials


@pytest.mark.parametrize("rule", ["independent", "differencing"])
@pytest.mark.parametrize("wanted", [0.6, 0.75, 0.9])
def test_calibration_gives_the_mean_asked_for(rule: str, wanted: float) -> None:
    distances, trials = many()
    made = calibrated_observer("m", distances, trials, mean_p_correct=wanted, rule=rule)
    assert np.mean([made.p_correct(t) for t in trials]) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("wanted", [0.5, 0.4, 0.99, 1.0])
def test_impossible_calibration_says_what_is_possible(wanted: float) -> None:
    distances, trials = many()
    with pytest.raises(InputError, match=r"between 0\.5 and 0\.99 is possible"):
        calibrated_observer("m", distances, trials, mean_p_correct=wanted)


def test_a_model_that_sees_nothing_cannot_be_calibrated() -> None:
    distances, trials = many()
    with pytest.raises(InputError, match=r"between 0\.5 and 0\.5"):
        calibrated_observer("m", dict.fromkeys(distances, 0.0), trials)
    with pytest.raises(InputError, match="one task"):
        calibrated_observer("m", distances, [])


def test_description_makes_the_same_observer() -> None:
    made = observer(exponent=0.7, rule="differencing")
    assert observer_from_description(made.describe(), D) == made
    with pytest.raises(InputError, match="gain"):
        observer_from_description({**made.describe(), "gian": 1.0}, D)


def test_true_threshold_is_where_the_mean_passes_p() -> None:
    """With d' = level / 10 for every pair, the level at 75 % solves the ABX formula directly."""
    levels = np.geomspace(4, 64, 13)
    distances = {frozenset(("r", str(v))): v / 10 for v in levels}
    trials = [trial(("r", str(v)), level=Level(value=v, unit="px")) for v in levels]
    made = ModelObserver(model="m", distances=distances, gain=1.0, lapse=0.0)
    assert true_threshold(made, trials) == pytest.approx(17.904, rel=2e-3)
    at_a_level = made.p_correct(trials[7])
    assert true_threshold(made, trials, at_a_level) == pytest.approx(levels[7], rel=1e-9)


def test_true_threshold_beyond_the_levels() -> None:
    distances, trials = many()
    weak = ModelObserver(model="m", distances=distances, gain=1e-3)
    strong = ModelObserver(model="m", distances=distances, gain=1e3)
    assert np.isposinf(true_threshold(weak, trials))
    assert true_threshold(strong, trials) == 0.0
    with pytest.raises(InputError, match="needs trials"):
        true_threshold(weak, [])


def test_pooled_threshold_lies_between_those_of_its_observers() -> None:
    distances, trials = many()
    keen, dull = (ModelObserver(model="m", distances=distances, gain=g) for g in (2.5, 1.5))
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
                trial(PAIR, intervals={"A": "ref", "B": "met"}), np.random.default_rng(0)
            ),
            "intervals A, B and X",
        ),
        (
            lambda: observer().respond(
                trial(PAIR, intervals={"A": "ref", "B": "met", "X": "odd"}),
                np.random.default_rng(0),
            ),
            "not in its pair",
        ),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()


def test_booth_modules_need_neither_pandas_nor_matplotlib() -> None:
    import subprocess
    import sys

    code = (
        "import sys, analysis.observers.model_observer, analysis.observers.sdt, analysis.cli; "
        "bad = {'pandas', 'matplotlib', 'torch', 'psychopy'} & set(sys.modules); "
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""D, the log ratio of two thresholds: against SciPy, simulated recovery, units, and bad input."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri
from scipy.stats import beta, norm

from analysis.fits.distortion_ratio import fit_distortion_ratio, predicted_ratio
from analysis.observers.links import link_of
from stimuli_store.errors import InputError
from stimuli_store.tasks import task_named

MOST = np.array([1.0, 2, 4, 8, 16])
ENDS = np.array(["most"] * 5 + ["least"] * 5)


def true_p(levels: np.ndarray, threshold: float, width: float, guess: float, lapse: float):
    """Return proportions of a normal curve on log2 amplitude that passes 0.75 at the threshold."""
    rate = (ndtri(0.95) - ndtri(0.05)) / width
    anchor = ndtri((0.75 - guess) / (1 - guess - lapse))
    return guess + (1 - guess - lapse) * ndtr(rate * np.log2(levels / threshold) + anchor)


def answers(seed: int, ratio: float, *, n: int = 40, guess: float = 0.5):
    levels = np.concatenate([MOST, MOST * np.round(ratio)])
    threshold = np.where(ENDS == "most", 3.0, 3.0 * ratio)
    p = true_p(levels, threshold, 2.5, guess, 0.02)
    total = np.full(len(levels), n)
    return ENDS, levels, np.random.default_rng(seed).binomial(total, p), total


@pytest.mark.parametrize("seed", range(5))
def test_the_ratio_is_the_mode_that_scipy_finds(seed: int) -> None:
    ends, levels, right, total = answers(seed, 8.0)
    x, least = np.log2(levels), ends == "least"

    def cost(v: np.ndarray) -> float:
        lapse = 0.245 / (1 + np.exp(-v[3]))
        rate = (ndtri(0.95) - ndtri(0.05)) / 2 ** v[2]
        anchor = ndtri(0.25 / (0.5 - lapse))
        p = 0.5 + (0.5 - lapse) * ndtr(rate * (x - v[0] - v[1] * least) + anchor)
        prior = norm.logpdf(v[2], np.log2(4.0), 1 / np.log(2)) + beta.logpdf(lapse, 2, 50)
        return -(right * np.log(p) + (total - right) * np.log1p(-p)).sum() - prior

    best = min(
        (
            minimize(cost, [1.5, 3.0, width, -2.5], method="Nelder-Mead", options=OPTIONS)
            for width in (0.5, 1.5)
        ),
        key=lambda found: found.fun,
    )
    found = fit_distortion_ratio(ends, levels, right, total)
    assert found.value == pytest.approx(best.x[1] * np.log(2), abs=1e-3)
    assert found.most == pytest.approx(2 ** best.x[0], rel=1e-3)
    assert found.least / found.most == pytest.approx(np.exp(found.value))


OPTIONS = {"xatol": 1e-6, "fatol": 1e-9, "maxiter": 4000, "maxfev": 4000}


def covered(sets: int) -> tuple[int, float]:
    fits = [fit_distortion_ratio(*answers(seed, 8.0)) for seed in range(sets)]
    inside = sum(fit.low <= np.log(8.0) <= fit.high for fit in fits)
    return inside, float(np.mean([fit.value for fit in fits]))


def test_of_20_sets_the_interval_holds_the_truth() -> None:
    inside, mean = covered(20)
    assert inside >= 15  # of 20 at 95 %, fewer happen three times in 10,000
    assert mean == pytest.approx(np.log(8.0), abs=0.15)


@pytest.mark.slow
def test_of_600_sets_the_interval_holds_the_truth() -> None:
    inside, mean = covered(600)
    assert 0.92 <= inside / 600 <= 0.98
    assert mean == pytest.approx(np.log(8.0), abs=0.03)


def test_the_unit_of_the_amplitudes_changes_nothing() -> None:
    ends, levels, right, total = answers(3, 8.0)
    one, other = (fit_distortion_ratio(ends, levels * unit, right, total) for unit in (1.0, 1e-6))
    assert other.value == pytest.approx(one.value, abs=1e-6)
    assert other.low == pytest.approx(one.low, abs=1e-4)
    assert other.least == pytest.approx(one.least * 1e-6, rel=1e-6)


def test_ends_exchanged_give_the_negative_ratio() -> None:
    ends, levels, right, total = answers(4, 8.0)
    swapped = np.where(ends == "most", "least", "most")
    one, other = (fit_distortion_ratio(e, levels, right, total) for e in (ends, swapped))
    assert other.value == pytest.approx(-one.value, abs=2e-3)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low), abs=2e-2)


def test_the_guess_rate_is_that_of_the_task() -> None:
    ends, levels, right, total = answers(5, 8.0, guess=1 / 3, n=400)
    found = fit_distortion_ratio(ends, levels, right, total, task="oddity")
    assert found.value == pytest.approx(np.log(8.0), abs=0.15)
    assert link_of(task_named("oddity")).guess == pytest.approx(1 / 3)


def test_answers_at_chance_leave_the_ratio_open() -> None:
    found = fit_distortion_ratio(ENDS, np.concatenate([MOST, MOST]), [20] * 10, [40] * 10)
    assert not found.determined
    assert found.low == -np.inf


def test_a_prediction_is_compared() -> None:
    ends, levels, right, total = answers(6, 8.0)
    near, far = (
        fit_distortion_ratio(ends, levels, right, total, predicted=predicted_ratio(*pair))
        for pair in ((64.0, 1.0), (1e6, 1.0))
    )
    assert near.agrees is True
    assert far.agrees is False
    assert fit_distortion_ratio(ends, levels, right, total).agrees is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"end": ["most", "more"] * 2}, "'more'"),
        ({"end": ["most"] * 4}, "both ends"),
        ({"amplitude": [1.0, 0.0, 2.0, 3.0]}, "above 0|positive|logarithm"),
        ({"amplitude": ["1,5", "2", "3", "4"]}, "must be numbers"),
        ({"amplitude": [3.0, 24.0] * 2}, "at least two amplitudes of each end"),
        ({"n_correct": [3.5, 4, 5, 6]}, "whole numbers"),
        ({"n_correct": [11, 4, 5, 6]}, "between 0 and n_trials"),
        ({"n_correct": [5, 0, 5, 0], "n_trials": [10, 0, 10, 0]}, "both ends"),
        ({"n_trials": [10, 10, 10, np.inf]}, "whole numbers"),
        ({"n_trials": [10]}, "same length"),
        ({"p": 0.5}, "guess rate 0.5"),
        ({"p": "x"}, "number above 0 and below 1"),
        ({"predicted": np.nan}, "finite number"),
    ],
)
def test_bad_input_is_one_sentence(changed: dict, words: str) -> None:
    given = {"end": ["most", "least"] * 2, "amplitude": [1.0, 2.0, 3.0, 4.0]}
    given = {**given, "n_correct": [5, 4, 6, 7], "n_trials": [10] * 4, **changed}
    with pytest.raises(InputError, match=words):
        fit_distortion_ratio(**given)


@pytest.mark.parametrize("pair", [(1.0, 2.0), (1.0, 0.0), (np.inf, 1.0)])
def test_eigenvalues_must_be_ordered_and_above_zero(pair: tuple[float, float]) -> None:
    with pytest.raises(InputError, match=r"eigenvalue|above 0"):
        predicted_ratio(*pair)


def test_a_ratio_says_for_whom_it_speaks() -> None:
    found = fit_distortion_ratio(*answers(0, 8.0))
    assert found.for_whom == "these people and these images only"
    assert found.for_whom in repr(found) and found.for_whom in found._repr_html_()

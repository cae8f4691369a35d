"""Ratio of the thresholds of a model's least and most noticeable distortions, seen by people.

A model predicts that people need ½·ln(λmax/λmin) more of its least noticeable eigendistortion, on a
logarithmic scale, than of its most noticeable one, where λ are the eigenvalues of its Fisher information.
People's own value is D = ln(threshold of the least) − ln(threshold of the most). Both thresholds are
fitted together, with one slope and one lapse rate.

Source: Berardino, Ballé, Laparra & Simoncelli (2017), *Eigen-distortions of hierarchical representations*.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import to_axis
from analysis.curves.sigmoids import sigmoid_of
from analysis.infer.estimates import Estimate
from analysis.infer.intervals import interval_of, likelihood_profile, with_point
from analysis.infer.likelihood import (
    Curve,
    CurveProblem,
    LogPrior,
    climb,
    lapse_of,
    lapse_prior,
    lapse_start,
    normal_prior,
)
from analysis.infer.population import whom
from analysis.observers.checks import check_counts, numbers_of
from analysis.observers.links import link_of
from analysis.observers.sdt import task_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.forced_choice import TWO_INTERVALS
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_number, a_positive, a_share, optional, takes
from stimuli_store.tools.shown import FieldTable

MOST, LEAST = "most", "least"
_THRESHOLD, _RATIO, _LOG_WIDTH, _LAPSE = 0, 1, 2, 3
_FREE = (_THRESHOLD, _RATIO, _LOG_WIDTH, _LAPSE)
_GRID = 65
_OCTAVE = np.log(2.0)


@dataclass(frozen=True, kw_only=True, repr=False)
class DistortionRatio(FieldTable):
    """Log ratio D of the thresholds of the least and the most noticeable distortion.

    Attributes
    ----------
    value, low, high
        D as a natural logarithm, with its 95 % profile interval; an end is infinite if the answers exclude
        no value on that side.
    most, least
        The two thresholds, in the unit of the amplitudes.
    predicted
        The model's own value, ½·ln(λmax/λmin); None if it was not given.
    determined
        Whether both ends of the interval are finite.
    n_trials
        Number of answers.
    for_whom
        Whom the interval speaks for: it counts trials, so these people and these images only, however many
        there are. For others, take the ratio of each person or image, and their mean with its error.

    Examples
    --------
    >>> from analysis import fit_distortion_ratio
    >>> ends = ["most"] * 4 + ["least"] * 4
    >>> levels = [1, 2, 4, 8, 8, 16, 32, 64]
    >>> correct = [52, 62, 86, 98, 53, 60, 88, 97]
    >>> found = fit_distortion_ratio(ends, levels, correct, [100] * 8, task="2ifc")
    >>> found.low < found.value < found.high
    True
    """

    value: float
    low: float
    high: float
    most: float
    least: float
    predicted: float | None
    determined: bool
    n_trials: int
    for_whom: str = whom(1, 1)

    def __repr__(self) -> str:
        found = Estimate(value=self.value, low=self.low, high=self.high)
        said = "" if self.predicted is None else f", predicted {self.predicted:.3g}"
        return f"DistortionRatio({found}{said}, {self.n_trials} trials; for {self.for_whom})"

    @property
    def agrees(self) -> bool | None:
        """True if the interval holds the prediction; None without a prediction."""
        return None if self.predicted is None else self.low <= self.predicted <= self.high


@takes(largest=a_positive, smallest=a_positive)
def predicted_ratio(largest: float, smallest: float) -> float:
    """Return ½·ln(λmax/λmin) from the largest and the smallest eigenvalue of a model's Fisher information.

    Parameters
    ----------
    largest, smallest
        The eigenvalues λmax and λmin, above 0, in any common unit.

    Raises
    ------
    InputError
        If an eigenvalue is not above 0, or the first is below the second.

    Examples
    --------
    >>> round(predicted_ratio(100.0, 1.0), 3)
    2.303
    """
    if largest < smallest:
        raise InputError(
            f"the largest eigenvalue comes first; {largest!r} and {smallest!r} were given"
        )
    return float(0.5 * np.log(largest / smallest))


@takes(p=a_share, predicted=optional(a_number))
def fit_distortion_ratio(
    end: ArrayLike,
    amplitude: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    task: Task | str = TWO_INTERVALS,
    rule: str | None = None,
    p: float = 0.75,
    predicted: float | None = None,
) -> DistortionRatio:
    """Return the log ratio of two thresholds, fitted together to the answers of one observer and image.

    Parameters
    ----------
    end
        ``"most"`` or ``"least"`` for each row (L,).
    amplitude
        Amplitude of the distortion (L,), above 0.
    n_correct, n_trials
        Right answers and trials (L,).
    task, rule
        Task and decision rule, which give the guess rate.
    p
        Proportion correct that defines the thresholds.
    predicted
        The model's own value (`predicted_ratio`).

    Raises
    ------
    InputError
        If an end has another name or no trials, an amplitude is not above 0, counts are not valid, or `p` is
        not between the guess rate and 1.

    Examples
    --------
    >>> found = fit_distortion_ratio(
    ...     ["most"] * 4 + ["least"] * 4,
    ...     [1, 2, 4, 8, 8, 16, 32, 64],
    ...     [52, 62, 86, 98, 53, 60, 88, 97],
    ...     [100] * 8,
    ... )
    >>> bool(found.low < np.log(8) < found.high), found.determined
    (True, True)
    """
    guess = link_of(task_of(task), rule).guess
    if not guess < p < 1:
        raise InputError(
            f"the proportion correct p must lie between the guess rate {guess:g} and 1; not {p!r}"
        )
    least, x, right, total = _checked(end, amplitude, n_correct, n_trials)
    if min(len(np.unique(x[least])), len(np.unique(x[~least]))) < 2:
        raise InputError(
            "a ratio of thresholds needs at least two amplitudes of each end; with one the slope, and so "
            "the threshold, would be a guess"
        )
    span = max(float(np.ptp(x[least])), float(np.ptp(x[~least])))
    problem = CurveProblem(
        curve=_curve(x, least, guess, p), prior=_prior(span, p), n_correct=right, n_trials=total
    )
    middle = [float(x[~least].mean()), float(x[least].mean() - x[~least].mean())]
    widths, lapse = np.log2(span * np.array([0.3, 1.0])), lapse_start(0.02, 0.98 * (1 - p))
    starts = np.array(
        [[middle[0] + shift * span, 0.0, w, lapse] for w in widths for shift in (-0.5, 0.0, 0.5)]
    )
    reach = 2.0 * span + abs(middle[1])
    values = np.linspace(middle[1] - reach, middle[1] + reach, _GRID)
    profile = likelihood_profile(problem, _RATIO, values, starts)
    top = climb(problem, profile.x[[profile.best]], _FREE)
    if values[0] < top.x[0, _RATIO] < values[-1]:
        profile = with_point(profile, top.x[0], float(top.value[0]))
    best = profile.x[profile.best]
    low, high = interval_of(problem, profile)
    return DistortionRatio(
        value=float(best[_RATIO] * _OCTAVE),
        low=float(min(low, best[_RATIO]) * _OCTAVE),
        high=float(max(high, best[_RATIO]) * _OCTAVE),
        most=float(2.0 ** best[_THRESHOLD]),
        least=float(2.0 ** (best[_THRESHOLD] + best[_RATIO])),
        predicted=predicted,
        determined=bool(np.isfinite([low, high]).all()),
        n_trials=int(total.sum()),
    )


def _checked(
    end: ArrayLike, amplitude: ArrayLike, n_correct: ArrayLike, n_trials: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return a mask of the least noticeable end, log2 amplitudes, and counts, of the rows with trials."""
    ends = np.atleast_1d(np.asarray(end)).astype(str)
    if ends.ndim != 1:
        raise InputError("end must be a list of 'most' and 'least', one for each row")
    given = {"amplitude": amplitude, "n_correct": n_correct, "n_trials": n_trials}
    numbers = [np.atleast_1d(numbers_of(values, name)) for name, values in given.items()]
    if len({v.shape for v in (ends, *numbers)}) != 1:
        raise InputError("end, amplitude, n_correct and n_trials must be lists of the same length")
    if unknown := sorted(set(ends) - {MOST, LEAST}):
        raise InputError(f"an end must be {MOST!r} or {LEAST!r}; not {str(unknown[0])!r}")
    levels, right, total = numbers
    check_counts(right, total)
    used = total > 0
    least = ends[used] == LEAST
    if least.all() or not least.any():
        raise InputError(f"a ratio needs trials of both ends, {MOST!r} and {LEAST!r}")
    return least, to_axis(levels[used]), right[used], total[used]


def _curve(levels: np.ndarray, least: np.ndarray, guess: float, p: float) -> Curve:
    shape, top = sigmoid_of("normal"), 0.98 * (1 - p)

    def curve(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rate = shape.spread / np.exp2(np.clip(x[:, [_LOG_WIDTH]], -20, 20))
        lapse, lapse_slope = lapse_of(x[:, [_LAPSE]], top)
        room = 1 - guess - lapse
        share = (p - guess) / room
        anchor = shape.inverse(share)
        along = rate * (levels - x[:, [_THRESHOLD]] - x[:, [_RATIO]] * least)
        value, slope = shape.value(along + anchor), shape.slope(along + anchor) * room
        by_threshold = -slope * rate
        by_anchor = share / (room * np.maximum(shape.slope(anchor), 1e-12))
        parts = [
            by_threshold,
            by_threshold * least,
            -slope * along * np.log(2),
            (slope * by_anchor - value) * lapse_slope,
        ]
        return guess + room * value, np.stack(parts, axis=1)

    return curve


def _prior(span: float, p: float) -> LogPrior:
    def prior(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        width = normal_prior(x[:, _LOG_WIDTH], float(np.log2(span)), 1 / np.log(2))
        lapse = lapse_prior(x[:, _LAPSE], 0.98 * (1 - p))
        flat = np.zeros(len(x))
        gradient, curvature = (np.stack([flat, flat, width[i], lapse[i]], axis=1) for i in (1, 2))
        return width[0] + lapse[0], gradient, curvature

    return prior

"""Population thresholds and d': statistics of pooled answers with intervals for new people and images.

The population threshold is the level at which proportion correct, averaged over people and images, is p: a
person drawn at random, with an image drawn at random, is right with probability p there. It is not the mean
of the thresholds of individuals, which `fit_hierarchy` estimates. The two are equal where the averaged curve
is symmetric about p, and drift apart as people or images differ more. Pooling takes levels that were chosen
without regard to the answers; thresholds from staircases need `fit_hierarchy`.

A jackknife moves one curve; it does not ask whether curves that never pass p describe the answers as well.
The fit of the pooled answers does, so the interval of a threshold always holds the interval of that fit.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from analysis.curves.axes import Axis, from_axis, to_axis
from analysis.curves.sigmoids import SIGMOIDS, sigmoid_of
from analysis.curves.threshold_curve import ThresholdCurve
from analysis.data.counts import summed_counts
from analysis.data.crossed import CrossedCounts, crossed_counts
from analysis.fits.engine.settings import ANY, FitSettings, checked
from analysis.fits.fit import Fit
from analysis.fits.fit_status import FitStatus
from analysis.fits.fitting import fit_counts
from analysis.infer.jackknife import WEIGHINGS, crossed_jackknife, weights_of
from analysis.infer.likelihood import CurveProblem, climb, lapse_prior
from analysis.infer.population import PopulationEstimate
from analysis.observers.counted.proportions import Z95, share_ends
from analysis.observers.links import link_of
from analysis.observers.sdt import task_of
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_rate, a_share, one_of, takes

_FREE = (0, 1, 2)
_REACH = 1.5  # how far beyond the levels a threshold is believed, in ranges of the levels
_WIDTHS = np.log2([0.1, 0.3, 1.0])
_HAVE_THRESHOLD = frozenset(
    {FitStatus.CONVERGED, FitStatus.FALLING, FitStatus.EXTRAPOLATED, FitStatus.UNDETERMINED}
)


@takes(sigmoid=one_of(ANY, *SIGMOIDS), guess=a_rate, p=a_share, weigh=one_of(*WEIGHINGS))
def population_threshold(
    participant: ArrayLike,
    image: ArrayLike | None,
    level: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    sigmoid: str = ANY,
    guess: float = 0.5,
    p: float = 0.75,
    axis: str | Axis = "log",
    rising: bool | None = None,
    weigh: str = "participants",
) -> PopulationEstimate:
    """Return the level at which proportion correct, averaged over people and images, is `p`.

    Parameters
    ----------
    participant, image, level
        Labels and level of each row (R,); rows may be trials, and may repeat. `image` may be None. People
        share images, some or all, or have images of their own (with labels of their own).
    n_correct, n_trials
        Counts of each row (R,).
    sigmoid
        Shape of the averaged curve; ``"any"`` (default): the best of normal, Weibull (Gumbel on other axes)
        and reversed Gumbel, chosen once for all answers.
    guess, p, axis, rising
        As for `fit_psychometric`; with None (default) the direction is that of the pooled answers.
    weigh
        ``"participants"`` (default): every person has the same weight; ``"trials"``: every trial.

    Returns
    -------
    PopulationEstimate
        Its standard error and deviations are on the axis (octaves on the log axis). With fewer than three
        people or images it says nothing about new ones; `for_whom` and `caution` tell. The interval holds
        that of the pooled answers' own fit: an end is open where curves that stay on one side of `p`
        describe them as well, and both are where that fit has no threshold, for the reason in `caution`.

    Raises
    ------
    InputError
        If the counts or labels are not valid, or `p` is not between `guess` and 1.

    Examples
    --------
    >>> people, levels = np.repeat(["a", "b", "c", "d"], 3), np.tile([8, 16, 32], 4)
    >>> right = [11, 16, 19, 12, 15, 20, 10, 13, 18, 14, 17, 20]
    >>> found = population_threshold(people, None, levels, right, [20] * 12)
    >>> found.for_whom, bool(8 < found.low < found.value < found.high < 32)
    ('new people', True)
    """
    rows = crossed_counts(participant, image, level, n_correct, n_trials)
    settings = FitSettings(sigmoid=sigmoid, guess=guess, p=p, axis=axis, rising=rising)
    weight = weights_of(rows.people, rows.n_trials, weigh)
    pooled = _pooled_fit(rows, weight, settings)
    x, place = np.unique(to_axis(rows.levels, axis), return_inverse=True)
    span, middle = float(np.ptp(x)) or 1.0, float(x[0] + x[-1]) / 2
    side = 1.0 if pooled.rising else -1.0  # a falling curve is fitted as a rising one, mirrored
    curves = [
        ThresholdCurve(shape=sigmoid_of(name, axis), x=side * (x - middle) / span, guess=guess, p=p)
        for name in settings.shapes
    ]
    by_level = csr_array((np.ones(len(place)), (np.arange(len(place)), place)))
    curve, start = _best(
        curves, weight * rows.n_correct @ by_level, weight * rows.n_trials @ by_level
    )

    def threshold(right: np.ndarray, total: np.ndarray) -> np.ndarray:
        if pooled.status not in _HAVE_THRESHOLD:
            return np.full(len(right), np.inf)
        problem = _problem(curve, right @ by_level, total @ by_level)
        at = climb(problem, np.tile(start, (len(right), 1)), _FREE).x[:, 0]
        return np.where(np.abs(at) < _REACH, at, np.copysign(np.inf, at))

    noise = _trial_variance(curve, start, weight, rows, by_level)
    found = jackknife_of_counts(rows, threshold, weigh, noise)
    ends = (found.value, found.low, found.high)
    value, *sides = (float(from_axis(middle + side * span * end, axis)) for end in ends)
    placed = replace(found, value=value, low=min(sides), high=max(sides))
    return _no_narrower(_spreads_times(placed, span), pooled)


def _pooled_fit(rows: CrossedCounts, weight: np.ndarray, settings: FitSettings) -> Fit:
    """Return the fit of answers pooled with weights (R,), which count as Kish's effective number of trials.

    Source: Kish (1965), *Survey Sampling*, section 11.7.
    """
    worth = weight * (weight @ rows.n_trials) / (weight**2 @ rows.n_trials)
    # Rounded, so that equal weights leave whole counts.
    right, total = (np.round(worth * v, 6) for v in (rows.n_correct, rows.n_trials))
    return fit_counts([summed_counts(rows.levels, right, total)], checked(settings))[0]


def _no_narrower(found: PopulationEstimate, pooled: Fit) -> PopulationEstimate:
    """Return an estimate, widened to hold the interval of a fit, with the sentence of the fit's status."""
    status, value = pooled.status, found.value
    if status not in _HAVE_THRESHOLD:
        value = pooled.threshold
    elif value in from_axis([-np.inf, np.inf], pooled.function.axis):
        reached = (value == np.inf) == pooled.rising
        status = FitStatus.UNREACHED if reached else FitStatus.EXCEEDED
    cautions = ["" if status.is_found else status.value, found.caution]
    return replace(
        found,
        value=value,
        low=min(found.low, pooled.low),
        high=max(found.high, pooled.high),
        caution="; ".join(sentence for sentence in cautions if sentence),
    )


@takes(weigh=one_of(*WEIGHINGS))
def population_dprime(
    participant: ArrayLike,
    image: ArrayLike | None,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    task: Task | str = ABX,
    rule: str | None = None,
    weigh: str = "participants",
) -> PopulationEstimate:
    """Return the d' at proportion correct averaged over people and images.

    It lies below the mean of the d' of individuals, and by more the further these are apart. The interval is
    Wilson's for the proportion, as in `dprime_from_counts`, of the number of independent answers that would
    be as precise as these people and images are (Korn & Graubard 1998, Survey Methodology 24, 193-201): it
    is skewed near the ends, never narrower than that of the counts, and no interval has the width 0.

    Parameters
    ----------
    participant, image, n_correct, n_trials, weigh
        As for `population_threshold`.
    task, rule
        As for `analysis.observers.sdt.p_correct`.

    Raises
    ------
    InputError
        If the counts or labels are not valid, or the rule is unknown.

    Examples
    --------
    >>> found = population_dprime(["a", "b", "c", "d"], None, [40, 42, 38, 41], [50] * 4, task="2ifc")
    >>> round(found.value, 2), found.for_whom
    (1.22, 'new people')
    """
    link = link_of(task_of(task), rule)
    rows = crossed_counts(participant, image, None, n_correct, n_trials)
    weight = weights_of(rows.people, rows.n_trials, weigh)
    total = rows.n_trials.sum()
    # As for single counts, none or all right count as half a trial from there.
    p = np.clip(weight @ rows.n_correct / total, 0.5 / total, 1 - 0.5 / total)
    noise = float(p * (1 - p) * (weight**2 @ rows.n_trials) / total**2)
    found = jackknife_of_counts(
        rows, lambda right, total: right.sum(axis=1) / total.sum(axis=1), weigh, noise
    )
    # So many independent answers have Wilson's interval as wide as Student's, and skewed near 0 and 1.
    worth = p * (1 - p) * (2 * Z95 / (found.high - found.low)) ** 2
    ends = share_ends(link, worth * np.array(weight @ rows.n_correct / total), np.array(worth))
    value, low, high = (float(d) for d in link.dprime(np.array([p, *ends])))
    slope = float(link.slope(np.array(value)))
    scaled = _spreads_times(found, 1 / slope if slope > 0 else np.inf)
    return replace(scaled, value=value, low=low, high=high)


def _spreads_times(found: PopulationEstimate, scale: float) -> PopulationEstimate:
    """Return an estimate with its standard error and deviations on another scale."""
    return replace(
        found,
        se=scale * found.se,
        sd_participants=scale * found.sd_participants,
        sd_images=scale * found.sd_images,
    )


#: Weighted right answers and trials by row (B, R) to values (B,).
CountStatistic = Callable[[np.ndarray, np.ndarray], np.ndarray]


def jackknife_of_counts(
    rows: CrossedCounts, statistic: CountStatistic, weigh: str, noise: float
) -> PopulationEstimate:
    """Return the crossed jackknife of a statistic of counts; right and wrong answers are rows apart."""
    n, wrong = len(rows.n_trials), rows.n_trials - rows.n_correct

    def of_weights(weights: np.ndarray) -> np.ndarray:
        right = weights[:, :n] * rows.n_correct
        return statistic(right, right + weights[:, n:] * wrong)

    return crossed_jackknife(
        of_weights,
        np.tile(rows.people, 2),
        None if rows.images is None else np.tile(rows.images, 2),
        n_trials=np.concatenate([rows.n_correct, wrong]),
        weigh=weigh,
        least_variance=noise,
    )


def _problem(curve: ThresholdCurve, right: np.ndarray, total: np.ndarray) -> CurveProblem:
    """Return the likelihood problem of counts, with the priors of `fit_psychometric`."""

    (width_prior,) = FitSettings().priors_of(("width",))

    def prior(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        width, turn, bend = width_prior.terms(theta[:, 1])
        lapse = lapse_prior(theta[:, 2], curve.top)
        flat = np.zeros(len(theta))
        gradient = np.stack([flat, turn, lapse[1]], axis=1)
        return width + lapse[0], gradient, np.stack([flat, -bend, lapse[2]], axis=1)

    return CurveProblem(curve=curve.terms, prior=prior, n_correct=right, n_trials=total)


def _trial_variance(
    curve: ThresholdCurve,
    theta: np.ndarray,
    weight: np.ndarray,
    rows: CrossedCounts,
    by_level: csr_array,
) -> float:
    """Return the variance of a pooled threshold by the chance of single answers, of weights (R,)."""
    right, total = weight * rows.n_correct @ by_level, weight * rows.n_trials @ by_level
    twice = weight**2 * rows.n_trials @ by_level
    information = _problem(curve, right, total).evaluate(theta[None])[2][0]
    p, slopes = (part[0] for part in curve.terms(theta[None]))
    noise = slopes * (twice / np.maximum(p * (1 - p), 1e-9)) @ slopes.T
    inverse = np.linalg.inv(information + 1e-9 * np.eye(len(theta)))
    return float((inverse @ noise @ inverse)[0, 0])


def _best(
    curves: Sequence[ThresholdCurve], right: np.ndarray, total: np.ndarray
) -> tuple[ThresholdCurve, np.ndarray]:
    """Return the curve of highest posterior density for counts (L,), and its parameters (3,)."""
    ends = []
    for curve in curves:
        starts = [
            [at, width, curve.lapse_start] for at in np.linspace(-0.5, 0.5, 5) for width in _WIDTHS
        ]
        found = climb(_problem(curve, right, total), np.array(starts), _FREE)
        best = int(found.value.argmax())
        ends.append((float(found.value[best]), curve, found.x[best]))
    _, curve, x = max(ends, key=lambda end: end[0])
    return curve, x

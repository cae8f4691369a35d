"""Psychometric functions as likelihood problems whose first parameter is the threshold itself.

The parameters are the threshold on the axis, log2 of the width, and the unconstrained lapse rate. The
threshold has a flat prior; the width has a broad log-normal prior around the range of the levels (a
factor of e is one standard deviation); the lapse rate has the prior Beta(2, 50).
"""

from dataclasses import dataclass

import numpy as np

from analysis.curves.psychometric import (
    PsychometricFunction,
    Sigmoid,
    from_axis,
    sigmoid_of,
    to_axis,
)
from analysis.data.counts import Counts
from analysis.infer.likelihood import (
    Curve,
    CurveProblem,
    Prior,
    lapse_of,
    lapse_prior,
    lapse_start,
    normal_prior,
)
from stimuli_store.errors import InputError

THRESHOLD, LOG_WIDTH, LAPSE = 0, 1, 2
_GRID = 49
_REACH = 1.5  # how far beyond the levels the grid of thresholds reaches, in ranges of the levels


@dataclass(frozen=True, kw_only=True)
class Parametrization:
    """Fixed quantities of a fit: sigmoid, guess rate, proportion `p`, axis, and the levels `x` on the
    axis.
    """

    shape: Sigmoid
    guess: float
    p: float
    axis: str
    x: np.ndarray

    @property
    def span(self) -> float:
        """Range of the levels on the axis, at least 1."""
        return float(max(np.ptp(self.x), 1.0))

    @property
    def top(self) -> float:
        """Largest lapse rate at which the curve still reaches p."""
        return 0.98 * (1 - self.p)

    @property
    def grid(self) -> np.ndarray:
        """Grid of candidate thresholds on the axis."""
        reach = _REACH * self.span
        return np.linspace(self.x.min() - reach, self.x.max() + reach, _GRID)

    @property
    def starts(self) -> np.ndarray:
        """Starting parameters (3, 3) of the fit, one row for each of three widths."""
        lapse = lapse_start(0.02, self.top)
        widths = np.log2(self.span * np.array([0.15, 0.5, 1.5]))
        return np.array([[0.0, width, lapse] for width in widths])


def parametrization_of(
    counts: Counts, sigmoid: str, guess: float, p: float, axis: str
) -> Parametrization:
    """Return the parametrization of a fit; raise InputError if `p` is not between `guess` and 1."""
    if not 0 <= guess < p < 1:
        raise InputError(
            "the proportion correct p of a threshold must lie between the guess rate and 1; "
            f"p={p!r} with guess={guess!r} was given"
        )
    shape = sigmoid_of(sigmoid, axis)
    return Parametrization(shape=shape, guess=guess, p=p, axis=axis, x=to_axis(counts.levels, axis))


def problem_of(
    setting: Parametrization, n_correct: np.ndarray, n_trials: np.ndarray
) -> CurveProblem:
    """Return the likelihood problem of counts (L,) or (B, L) in a parametrization."""
    return CurveProblem(
        curve=_curve(setting), prior=_prior(setting), n_correct=n_correct, n_trials=n_trials
    )


def _curve(setting: Parametrization) -> Curve:
    shape, levels = setting.shape, setting.x

    def curve(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        width = np.exp2(np.clip(x[:, LOG_WIDTH], -20, 20))
        lapse, lapse_slope = lapse_of(x[:, LAPSE], setting.top)
        room = 1 - setting.guess - lapse
        share = (setting.p - setting.guess) / room
        anchor = shape.inverse(share)
        rate = shape.spread / width
        along = rate[:, None] * (levels - x[:, [THRESHOLD]])
        z = along + anchor[:, None]
        value, slope = shape.value(z), shape.slope(z) * room[:, None]
        by_anchor = share / (room * np.maximum(shape.slope(anchor), 1e-12))
        by_lapse = (slope * by_anchor[:, None] - value) * lapse_slope[:, None]
        parts = [-slope * rate[:, None], -slope * along * np.log(2), by_lapse]
        return setting.guess + room[:, None] * value, np.stack(parts, axis=1)

    return curve


def _prior(setting: Parametrization) -> Prior:
    centre = float(np.log2(setting.span))

    def prior(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        width = normal_prior(x[:, LOG_WIDTH], centre, 1 / np.log(2))
        lapse = lapse_prior(x[:, LAPSE], setting.top)
        flat = np.zeros(len(x))
        gradient, curvature = (np.stack([flat, width[i], lapse[i]], axis=1) for i in (1, 2))
        return width[0] + lapse[0], gradient, curvature

    return prior


def function_of(x: np.ndarray, setting: Parametrization) -> PsychometricFunction:
    """Return the psychometric function with parameters (3,)."""
    width = float(np.exp2(x[LOG_WIDTH]))
    lapse = float(lapse_of(x[LAPSE], setting.top)[0])
    share = np.asarray((setting.p - setting.guess) / (1 - setting.guess - lapse))
    offset = (float(setting.shape.inverse(share)) - setting.shape.median) / setting.shape.spread
    return PsychometricFunction(
        sigmoid=setting.shape.name,
        threshold=float(from_axis(x[THRESHOLD] - width * offset, setting.axis)),
        width=width,
        guess=setting.guess,
        lapse=lapse,
        axis=setting.axis,
    )

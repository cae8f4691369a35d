"""Models of the answers in every cell of people and images: threshold, critical scaling, d'."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import LOG_AXIS, Axis, axis_of, from_axis, to_axis
from analysis.curves.cell_curve import CellCurve
from analysis.curves.cell_prior import CellPrior
from analysis.curves.scaling_curve import ScalingCurve, link_table
from analysis.curves.sigmoids import sigmoid_of
from analysis.curves.threshold_curve import ThresholdCurve
from analysis.infer.likelihood import lapse_of, lapse_start
from analysis.observers.links import link_of
from analysis.observers.rules import rule_of
from analysis.observers.sdt import task_of
from stimuli_store.tasks.abx import ABX
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_rate, a_share, check_fields

_FACTOR = 0.3  # half-Cauchy scale of differences between people, in natural logarithms
_LOG2_OF_E = float(1 / np.log(2))
_OF_RANGE = 0.15  # the same on other axes, in ranges of the levels
_LOGITS = 0.5
_DPRIME = 0.3


@dataclass(frozen=True, kw_only=True)
class ThresholdModel:
    """Threshold at proportion correct `p`, width, and lapse rate of a psychometric function.

    Parameters
    ----------
    sigmoid, guess, p, axis
        As for `fit_psychometric`, but with one sigmoid.

    Examples
    --------
    >>> ThresholdModel(sigmoid="logistic").p
    0.75
    """

    sigmoid: str = "normal"
    guess: float = 0.5
    p: float = 0.75
    axis: str | Axis = "log"

    def __post_init__(self) -> None:
        sigmoid_of(self.sigmoid, self.axis)
        check_fields(self, guess=a_rate, p=a_share)

    @property
    def levelled(self) -> bool:
        """True if answers depend on a level."""
        return True

    @property
    def varies(self) -> tuple[str, ...]:
        """Names of the parameters that vary between people and images unless said otherwise."""
        return ("threshold", "width")

    def at(self, levels: np.ndarray) -> CellCurve:
        """Return the curve at levels (..., L)."""
        x = to_axis(levels, self.axis)
        span, middle = float(np.ptp(x)) or 1.0, float(x.min() + x.max()) / 2
        curve = ThresholdCurve(
            shape=sigmoid_of(self.sigmoid, self.axis),
            x=(x - middle) / span,
            guess=self.guess,
            p=self.p,
        )
        prior = CellPrior(mean=(0.0, 0.0), sd=(2.0, _LOG2_OF_E), top=curve.top)
        between = _FACTOR * _LOG2_OF_E / span if axis_of(self.axis) == LOG_AXIS else _OF_RANGE
        return CellCurve(
            positions=x,
            chance=self.guess,
            names=("threshold", "width", "lapse"),
            curve=curve.terms,
            formula=curve.formula,
            prior=prior.terms,
            log_prior=prior.log_density,
            starts=_combinations(np.linspace(-0.4, 0.4, 5), [-2.0, -0.5], [curve.lapse_start]),
            scales=np.array([between, _FACTOR * _LOG2_OF_E, _LOGITS]),
            vague=np.array([0.4, np.inf, np.inf]),
            units=np.array([span, 1.0, 1.0]),
            integrated=(2,),
            reported=(
                lambda t: from_axis(middle + span * t, self.axis),
                lambda w: span * np.exp2(w),
                lambda u: lapse_of(u, curve.top)[0],
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ScalingModel:
    """Critical scaling s₀, gain α₀, and lapse rate (`fit_critical_scaling`).

    Parameters
    ----------
    task, rule
        A task or the name of a declared one, and one of its rules; None for the first.

    Examples
    --------
    >>> ScalingModel(task="abx").rule is None
    True
    """

    task: Task | str = ABX
    rule: str | None = None

    def __post_init__(self) -> None:
        rule_of(task_of(self.task), self.rule)

    @property
    def levelled(self) -> bool:
        """True if answers depend on a level."""
        return True

    @property
    def varies(self) -> tuple[str, ...]:
        """Names of the parameters that vary between people and images unless said otherwise."""
        return ("critical", "gain")

    def at(self, levels: np.ndarray) -> CellCurve:
        """Return the curve at levels (..., L)."""
        x = to_axis(levels) * np.log(2)
        middle, span = float(x.min() + x.max()) / 2, float(max(np.ptp(x), np.log(2)))
        curve = ScalingCurve(link=link_of(task_of(self.task), self.rule), log_levels=x)
        prior = CellPrior(mean=(middle, np.log(2)), sd=(1.5 * span, 1.5), top=1.0)
        criticals = x.min() + span * np.array([-0.1, 0.15, 0.4, 0.65])
        return CellCurve(
            positions=x,
            chance=curve.link.guess,
            names=("critical", "gain", "lapse"),
            curve=curve.terms,
            formula=curve.formula,
            prior=prior.terms,
            log_prior=prior.log_density,
            starts=_combinations(criticals, np.log([1.0, 3.0]), [lapse_start(0.02)]),
            scales=np.array([_FACTOR, _FACTOR, _LOGITS]),
            vague=np.array([0.25 * span, np.inf, np.inf]),
            units=np.ones(3),
            integrated=(2,),
            reported=(np.exp, np.exp, lambda u: lapse_of(u)[0]),
        )


@dataclass(frozen=True, kw_only=True)
class DPrimeModel:
    """d' of answers without regard to their level, and without lapses.

    Parameters
    ----------
    task, rule
        As for `ScalingModel`.

    Examples
    --------
    >>> DPrimeModel(task="2ifc")
    DPrimeModel(task='2ifc', rule=None)
    """

    task: Task | str = ABX
    rule: str | None = None

    def __post_init__(self) -> None:
        rule_of(task_of(self.task), self.rule)

    @property
    def levelled(self) -> bool:
        """True if answers depend on a level."""
        return False

    @property
    def varies(self) -> tuple[str, ...]:
        """Names of the parameters that vary between people and images unless said otherwise."""
        return ("dprime",)

    def at(self, levels: np.ndarray) -> CellCurve:
        """Return the curve at levels (..., L), of which only the number matters."""
        task = task_of(self.task)
        link = link_of(task, self.rule)
        # Without a direction a d' below 0 means nothing; a population near 0 reaches there.
        least = 0.0 if link.curve.below is None else -np.inf
        table, ones = link_table(link), np.ones(np.shape(levels))

        def terms(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            dprime = np.maximum(theta * ones, least)
            slope = np.where(theta * ones > least, link.slope(dprime), 0.0)
            return link.p_correct(dprime), slope[..., None, :]

        prior = CellPrior(mean=(1.0,), sd=(2.0,))
        return CellCurve(
            positions=np.zeros(np.shape(levels)),
            chance=0.0 if task.directed else link.guess,
            names=("dprime",),
            curve=terms,
            formula=lambda xp, theta: table(xp, xp.maximum(theta * xp.asarray(ones), least)),
            prior=prior.terms,
            log_prior=prior.log_density,
            starts=_combinations([0.5, 1.5, 3.0]),
            scales=np.array([_DPRIME]),
            vague=np.array([0.6]),
            units=np.ones(1),
            integrated=(),
            reported=(lambda d: np.maximum(d, least),),
        )


def _combinations(*axes: ArrayLike) -> np.ndarray:
    """Return all combinations (M, K) of values of K parameters."""
    return np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)

"""Psychometric functions: proportion correct as a function of level.

P(level) = γ + (1 − γ − λ)·S(x), where x is log2(level) or the level itself, S is a sigmoid that is
1/2 at the threshold and rises from 0.05 to 0.95 over the width, γ is the guess rate and λ the
lapse rate.

Source of this parametrisation: Schütt, Harmeling, Macke & Wichmann (2016), Vision Research 122.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log1p, logit, ndtr, ndtri

from stimuli_store.errors import InputError, unknown_name

AXES = ("log", "linear")
_Shape = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Sigmoid:
    """A function rising from 0 to 1, with its derivative and its inverse, before scaling.

    `log_only` marks a shape whose name already means a logarithmic axis.
    """

    name: str
    value: _Shape
    slope: _Shape
    inverse: _Shape
    log_only: bool = False

    @property
    def median(self) -> float:
        """Argument at which the unscaled sigmoid is 1/2."""
        return float(self.inverse(np.asarray(0.5)))

    @property
    def spread(self) -> float:
        """Distance on the unscaled axis between the values 0.05 and 0.95."""
        return float(self.inverse(np.asarray(0.95)) - self.inverse(np.asarray(0.05)))


def _logistic_slope(z: np.ndarray) -> np.ndarray:
    return expit(z) * expit(-z)


def _normal_slope(z: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _capped_exp(z: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(z, 30.0))


def _gumbel(z: np.ndarray) -> np.ndarray:
    return -np.expm1(-_capped_exp(z))


def _gumbel_slope(z: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(z, 30.0) - _capped_exp(z))


def _gumbel_inverse(s: np.ndarray) -> np.ndarray:
    return np.log(-log1p(-s))


def _reversed(shape: _Shape) -> _Shape:
    return lambda z: 1 - shape(-z)


def _student(z: np.ndarray) -> np.ndarray:
    return 0.5 + np.arctan(z) / np.pi


SIGMOIDS = MappingProxyType(
    {
        s.name: s
        for s in (
            Sigmoid(name="logistic", value=expit, slope=_logistic_slope, inverse=logit),
            Sigmoid(name="normal", value=ndtr, slope=_normal_slope, inverse=ndtri),
            Sigmoid(name="gumbel", value=_gumbel, slope=_gumbel_slope, inverse=_gumbel_inverse),
            Sigmoid(
                name="reversed_gumbel",
                value=_reversed(_gumbel),
                slope=lambda z: _gumbel_slope(-z),
                inverse=lambda s: -_gumbel_inverse(1 - s),
            ),
            Sigmoid(
                name="weibull",
                value=_gumbel,
                slope=_gumbel_slope,
                inverse=_gumbel_inverse,
                log_only=True,
            ),
            Sigmoid(
                name="student",
                value=_student,
                slope=lambda z: 1 / (np.pi * (1 + z**2)),
                inverse=lambda s: np.tan(np.pi * (s - 0.5)),
            ),
        )
    }
)


def sigmoid_of(name: str, axis: str = "log") -> Sigmoid:
    """Return the sigmoid of a name, after checking that it fits the axis.

    Raises
    ------
    InputError
        If either name is unknown, or a Weibull function is asked for on a linear axis.
    """
    if name not in SIGMOIDS:
        raise unknown_name("sigmoid", name, list(SIGMOIDS))
    if axis not in AXES:
        raise unknown_name("axis", axis, list(AXES))
    if SIGMOIDS[name].log_only and axis != "log":
        raise InputError(
            f"a {name} function of the level is a gumbel function of its logarithm; "
            "use axis='log', or sigmoid='gumbel'"
        )
    return SIGMOIDS[name]


def to_axis(levels: ArrayLike, axis: str = "log") -> np.ndarray:
    """Return levels as coordinates on the axis: log2(level) or the level itself.

    Raises
    ------
    InputError
        If a level is not finite, or not positive on a logarithmic axis.

    Examples
    --------
    >>> to_axis([8, 16, 64]).tolist()
    [3.0, 4.0, 6.0]
    """
    if axis not in AXES:
        raise unknown_name("axis", axis, list(AXES))
    values = np.asarray(levels, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError("a level is not a finite number; leave out conditions without a level")
    if axis == "linear":
        return values
    if (values <= 0).any():
        raise InputError(
            f"a logarithmic axis takes levels above zero; {values.min():g} was given; use "
            f"axis='linear'"
        )
    return np.log2(values)


def from_axis(x: ArrayLike, axis: str = "log") -> np.ndarray:
    """Return the levels at coordinates `x` on the axis (the inverse of `to_axis`)."""
    values = np.asarray(x, dtype=np.float64)
    return values if axis == "linear" else np.exp2(values)


@dataclass(frozen=True, kw_only=True)
class PsychometricFunction:
    """Proportion correct as a function of level.

    Attributes
    ----------
    sigmoid
        ``logistic``, ``normal``, ``gumbel``, ``reversed_gumbel``, ``weibull`` or ``student``.
    threshold
        Level at which the sigmoid is 1/2 (see `level_at` for the level of a proportion correct).
    width
        Distance between 0.05 and 0.95 of the sigmoid: octaves on the log axis, else level units.
    guess, lapse
        Lower asymptote γ, and distance λ of the upper one from 1.
    axis
        ``"log"`` (default) or ``"linear"``.

    Examples
    --------
    >>> curve = PsychometricFunction(sigmoid="normal", threshold=32, width=2, guess=0.5, lapse=0.02)
    >>> float(curve(32)), round(float(curve.level_at(0.74)), 6)
    (0.74, 32.0)
    """

    sigmoid: str
    threshold: float
    width: float
    guess: float = 0.5
    lapse: float = 0.0
    axis: str = "log"

    def __post_init__(self) -> None:
        sigmoid_of(self.sigmoid, self.axis)
        if not self.width > 0:
            raise InputError(f"the width must be above zero; {self.width!r} was given")
        if not (self.guess >= 0 and self.lapse >= 0 and self.guess + self.lapse < 1):
            raise InputError(
                "guess and lapse rates must be at least 0 and have a sum below 1; "
                f"guess={self.guess!r}, lapse={self.lapse!r} were given"
            )

    def __call__(self, level: ArrayLike) -> np.ndarray:
        """Return the proportion correct at each level (same shape)."""
        shape = sigmoid_of(self.sigmoid, self.axis)
        centre = to_axis(self.threshold, self.axis)
        z = shape.median + shape.spread * (to_axis(level, self.axis) - centre) / self.width
        return self.guess + (1 - self.guess - self.lapse) * shape.value(z)

    def level_at(self, p: ArrayLike) -> np.ndarray:
        """Return the level at which the proportion correct is `p`.

        It is infinite for proportions that the curve never reaches, and 0 (log axis) or minus infinity
        for proportions below the curve.
        """
        shape = sigmoid_of(self.sigmoid, self.axis)
        share = (np.asarray(p, dtype=np.float64) - self.guess) / (1 - self.guess - self.lapse)
        with np.errstate(divide="ignore"):
            z = shape.inverse(np.clip(share, 0.0, 1.0))
        z = np.where(share <= 0, -np.inf, np.where(share >= 1, np.inf, z))
        centre = to_axis(self.threshold, self.axis)
        return from_axis(centre + self.width * (z - shape.median) / shape.spread, self.axis)

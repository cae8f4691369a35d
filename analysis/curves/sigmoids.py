"""Sigmoids: functions that rise from 0 to 1, with derivative and inverse, before any scaling."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from scipy.special import expit, log1p, logit, ndtr, ndtri

from analysis.curves.axes import LOG_AXIS, Axis
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import one_of

_Shape = Callable[[np.ndarray], np.ndarray]
_MOST = 30.0  # exponents beyond this change no probability


@dataclass(frozen=True, kw_only=True)
class Sigmoid:
    """A function rising from 0 to 1 with its derivative, inverse, and the derivative of the log derivative.

    Attributes
    ----------
    name
        Its key in `SIGMOIDS`.
    value, slope, inverse
        S(z), S'(z) and z(S), each from an array to one of the same shape.
    bend
        Derivative of log S'(z).
    log_only
        True for a shape whose name already means a logarithmic axis.
    """

    name: str
    value: _Shape
    slope: _Shape
    inverse: _Shape
    bend: _Shape
    log_only: bool = False

    @cached_property
    def median(self) -> float:
        """Argument at which the unscaled sigmoid is 1/2."""
        return float(self.inverse(np.asarray(0.5)))

    @cached_property
    def spread(self) -> float:
        """Distance on the unscaled axis between the values 0.05 and 0.95."""
        return float(self.inverse(np.asarray(0.95)) - self.inverse(np.asarray(0.05)))


def _logistic_slope(z: np.ndarray) -> np.ndarray:
    return expit(z) * expit(-z)


def _normal_slope(z: np.ndarray) -> np.ndarray:
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _capped_exp(z: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(z, _MOST))


def _gumbel(z: np.ndarray) -> np.ndarray:
    return -np.expm1(-_capped_exp(z))


def _gumbel_slope(z: np.ndarray) -> np.ndarray:
    return np.exp(np.minimum(z, _MOST) - _capped_exp(z))


def _gumbel_inverse(s: np.ndarray) -> np.ndarray:
    return np.log(-log1p(-s))


def _gumbel_bend(z: np.ndarray) -> np.ndarray:
    return 1 - _capped_exp(z)


def _reversed_gumbel(z: np.ndarray) -> np.ndarray:
    return np.exp(-_capped_exp(-z))


def _student(z: np.ndarray) -> np.ndarray:
    return 0.5 + np.arctan(z) / np.pi


SIGMOIDS = MappingProxyType(
    {
        s.name: s
        for s in (
            Sigmoid(
                name="logistic",
                value=expit,
                slope=_logistic_slope,
                inverse=logit,
                bend=lambda z: -np.tanh(z / 2),
            ),
            Sigmoid(
                name="normal", value=ndtr, slope=_normal_slope, inverse=ndtri, bend=np.negative
            ),
            Sigmoid(
                name="gumbel",
                value=_gumbel,
                slope=_gumbel_slope,
                inverse=_gumbel_inverse,
                bend=_gumbel_bend,
            ),
            Sigmoid(
                name="reversed_gumbel",
                value=_reversed_gumbel,
                slope=lambda z: _gumbel_slope(-z),
                inverse=lambda s: -np.log(-np.log(s)),
                bend=lambda z: -_gumbel_bend(-z),
            ),
            Sigmoid(
                name="weibull",
                value=_gumbel,
                slope=_gumbel_slope,
                inverse=_gumbel_inverse,
                bend=_gumbel_bend,
                log_only=True,
            ),
            Sigmoid(
                name="student",
                value=_student,
                slope=lambda z: 1 / (np.pi * (1 + z**2)),
                inverse=lambda s: np.tan(np.pi * (s - 0.5)),
                bend=lambda z: -2 * z / (1 + z**2),
            ),
        )
    }
)


def sigmoid_of(name: str, axis: str | Axis = LOG_AXIS) -> Sigmoid:
    """Return the sigmoid of a name, after checking that it fits the axis.

    Raises
    ------
    InputError
        If the name is unknown, or a Weibull function is asked for on another axis than the logarithmic one.

    Examples
    --------
    >>> round(sigmoid_of("logistic").spread, 3)
    5.889
    """
    one_of(*SIGMOIDS)(name, "sigmoid")
    if SIGMOIDS[name].log_only and axis not in (LOG_AXIS, LOG_AXIS.name):
        raise InputError(
            f"a {name} function of the level is a gumbel function of its logarithm; "
            "use axis='log', or sigmoid='gumbel'"
        )
    return SIGMOIDS[name]

"""Coordinates of psychometric functions in which fits climb, and the quantities that they stand for.

A curve has the quantities position (where its sigmoid is 1/2), log2 width, free rates (lapse, guess) and
the parameters of its noise. Levels and widths are in units of the range of the levels, from its middle, so
that no fit depends on the unit of the level. A coordinate replaces the position by the threshold at `p`, or
the width by the slope there, where a likelihood profile fixes one of these.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from analysis.curves.asymptotes import Asymptotes, rates_of, unconstrained
from analysis.curves.sigmoids import Sigmoid
from analysis.infer.noise import Noise

THRESHOLD, STEEPNESS, RATES = 0, 1, 2
_LN2 = float(np.log(2))
_LEAST_SHARE = 1e-12
_STEEP = 30.0  # log2 of the largest and of the smallest ratio of a width to the range of the levels


class Steepness(Enum):
    """Meaning of the second coordinate: log2 of the width, or log2 of the slope at the threshold."""

    WIDTH = -1.0
    SLOPE = 1.0


@dataclass(frozen=True, kw_only=True)
class Parametrization:
    """Coordinates of a family of curves.

    Attributes
    ----------
    shape, asymptotes, noise
        The family.
    p
        Proportion that defines the threshold coordinate; None for the sigmoid's half.
    steepness
        Meaning of the second coordinate.
    """

    shape: Sigmoid
    asymptotes: Asymptotes
    noise: Noise
    p: float | None
    steepness: Steepness

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities (K of them)."""
        return ("threshold", "width", *self.asymptotes.names, *self.noise.names)

    @cached_property
    def tops(self) -> np.ndarray:
        """Upper ends (K − 2,) of the rates and of the noise's parameters."""
        return np.concatenate([self.asymptotes.tops(self.p), np.ones(len(self.noise.names))])


@dataclass(frozen=True, kw_only=True)
class CurvesAt:
    """Curves at coordinates (B, K), with derivatives by the coordinates.

    Attributes
    ----------
    quantities
        Position, log2 width, rates, noise parameters (B, K).
    jacobian
        Derivatives of the quantities by the coordinates (B, K, K).
    guess, room
        Lower asymptote and distance between the asymptotes (B,).
    anchor, rate
        The sigmoid's argument is anchor + rate·(x − threshold), each (B,).
    by_rate
        Derivatives of the anchor and of log rate by each free rate (2, B, J).
    """

    quantities: np.ndarray
    jacobian: np.ndarray
    guess: np.ndarray
    room: np.ndarray
    anchor: np.ndarray
    rate: np.ndarray
    by_rate: np.ndarray


def curves_at(parametrization: Parametrization, c: np.ndarray) -> CurvesAt:
    """Return the curves at coordinates (B, K)."""
    shape, bounds = parametrization.shape, parametrization.asymptotes
    n_rates = len(bounds.names)
    held, moved = rates_of(c[:, RATES:], parametrization.tops)
    rates = held[:, :n_rates]
    guess, room = bounds.guess_and_room(rates)
    anchor, by_guess, by_lapse = _anchor(parametrization, guess, room)
    steep = np.clip(c[:, STEEPNESS], -_STEEP, _STEEP)
    log_rate, bend, gone = _rate(parametrization, steep, anchor, room)
    rate = np.exp(log_rate)
    anchor_by = _mix(bounds, by_guess, by_lapse)
    by_rate = np.stack([anchor_by, _mix(bounds, gone, gone) - bend[:, None] * anchor_by])
    off = (shape.median - anchor) / rate
    quantities = c.copy()
    quantities[:, THRESHOLD] += off
    quantities[:, STEEPNESS] = np.log2(shape.spread) - log_rate / _LN2
    quantities[:, RATES:] = held
    jacobian = np.zeros((*c.shape, c.shape[1]))
    jacobian[:, THRESHOLD, THRESHOLD] = 1
    jacobian[:, THRESHOLD, STEEPNESS] = -off * parametrization.steepness.value * _LN2
    jacobian[:, STEEPNESS, STEEPNESS] = -parametrization.steepness.value
    each = np.arange(RATES, c.shape[1])
    jacobian[:, each, each] = moved
    at = slice(RATES, RATES + n_rates)
    through = moved[:, :n_rates]
    jacobian[:, THRESHOLD, at] = (-by_rate[0] / rate[:, None] - off[:, None] * by_rate[1]) * through
    jacobian[:, STEEPNESS, at] = -by_rate[1] * through / _LN2
    return CurvesAt(
        quantities=quantities,
        jacobian=jacobian,
        guess=guess,
        room=room,
        anchor=anchor,
        rate=rate,
        by_rate=by_rate,
    )


def coordinates_of(parametrization: Parametrization, quantities: np.ndarray) -> np.ndarray:
    """Return the coordinates of curves with quantities (B, K); rates too large to reach `p` are lowered."""
    tops = parametrization.tops
    c = quantities.copy()
    c[:, RATES:] = unconstrained(quantities[:, RATES:], tops)
    bounds, shape = parametrization.asymptotes, parametrization.shape
    rates = rates_of(c[:, RATES:], tops)[0][:, : len(bounds.names)]
    guess, room = bounds.guess_and_room(rates)
    anchor, _, _ = _anchor(parametrization, guess, room)
    log_rate = np.log(shape.spread) - quantities[:, STEEPNESS] * _LN2
    c[:, THRESHOLD] -= (shape.median - anchor) / np.exp(log_rate)
    if parametrization.steepness is Steepness.SLOPE:
        c[:, STEEPNESS] = (log_rate + np.log(room * shape.slope(anchor))) / _LN2
    return c


def curve_terms(
    parametrization: Parametrization, found: CurvesAt, x: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities (B, L) at positions x (B, L), and their derivatives by the coordinates (B, K, L).

    Parameters of the noise have derivatives of zero.
    """
    shape, bounds = parametrization.shape, parametrization.asymptotes
    along = found.rate[:, None] * (x - c[:, [THRESHOLD]])
    z = along + found.anchor[:, None]
    share, dense = shape.value(z), found.room[:, None] * shape.slope(z)
    slopes = np.zeros((len(c), c.shape[1], x.shape[1]))
    slopes[:, THRESHOLD] = -found.rate[:, None] * dense
    steep = along * dense
    slopes[:, STEEPNESS] = (parametrization.steepness.value * _LN2) * steep
    for j in range(len(bounds.names)):
        drawn = -(bounds.in_guess[j] + bounds.in_lapse[j]) * share + bounds.in_guess[j]
        drawn += dense * found.by_rate[0, :, [j]].T + steep * found.by_rate[1, :, [j]].T
        slopes[:, RATES + j] = drawn * found.jacobian[:, RATES + j, [RATES + j]]
    return found.guess[:, None] + found.room[:, None] * share, slopes


def probabilities(parametrization: Parametrization, x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return probabilities (B, L) at positions x (B, L) or (L,) for coordinates (B, K)."""
    found = curves_at(parametrization, c)
    z = found.anchor[:, None] + found.rate[:, None] * (x - c[:, [THRESHOLD]])
    return found.guess[:, None] + found.room[:, None] * parametrization.shape.value(z)


def _anchor(
    parametrization: Parametrization, guess: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sigmoid's argument at the threshold, and its derivatives by guess and lapse rate (B,)."""
    if parametrization.p is None:
        flat = np.zeros_like(guess)
        return flat + parametrization.shape.median, flat, flat
    share = np.clip((parametrization.p - guess) / room, _LEAST_SHARE, 1 - _LEAST_SHARE)
    anchor = parametrization.shape.inverse(share)
    scale = 1 / (room * np.maximum(parametrization.shape.slope(anchor), _LEAST_SHARE))
    return anchor, (share - 1) * scale, share * scale


def _rate(
    parametrization: Parametrization, steep: np.ndarray, anchor: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log rate, −its derivative by the anchor, and its derivative by room lost (B,)."""
    if parametrization.steepness is Steepness.WIDTH:
        flat = np.zeros_like(steep)
        return np.log(parametrization.shape.spread) - steep * _LN2, flat, flat
    dense = room * np.maximum(parametrization.shape.slope(anchor), _LEAST_SHARE)
    return steep * _LN2 - np.log(dense), parametrization.shape.bend(anchor), 1 / room


def _mix(bounds: Asymptotes, by_guess: np.ndarray, by_lapse: np.ndarray) -> np.ndarray:
    """Return derivatives by each free rate (B, J), from those by guess and lapse rate (B,)."""
    return by_guess[:, None] * bounds.shares[0] + by_lapse[:, None] * bounds.shares[1]

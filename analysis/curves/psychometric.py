"""Psychometric functions: proportion correct as a function of level.

P(level) = γ + (1 − γ − λ)·S(x), where x is the position of the level on an axis, S is a sigmoid that
is 1/2 at the threshold and rises from 0.05 to 0.95 over the width, γ is the guess rate and λ the
lapse rate. A falling function mirrors S.

Source of this parametrisation: Schütt, Harmeling, Macke & Wichmann (2016), Vision Research 122.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.curves.axes import Axis, from_axis, to_axis
from analysis.curves.sigmoids import sigmoid_of
from analysis.observers.checks import as_numbers
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_number, a_positive, a_rate, check_fields
from stimuli_store.tools.shown import FieldTable


@dataclass(frozen=True, kw_only=True)
class PsychometricFunction(FieldTable):
    """Proportion correct as a function of level.

    Attributes
    ----------
    sigmoid
        ``logistic``, ``normal``, ``gumbel``, ``reversed_gumbel``, ``weibull`` or ``student``.
    threshold
        Level at which the sigmoid is 1/2 (see `level_at` for the level of a proportion correct).
    width
        Distance between 0.05 and 0.95 of the sigmoid, on the axis: octaves on the log axis.
    guess, lapse
        Lower asymptote γ, and distance λ of the upper one from 1.
    axis
        ``"log"`` (default), ``"linear"``, or an `Axis`.
    rising
        False for a function that falls with the level.

    Raises
    ------
    InputError
        If a name is unknown, the width is not above 0, or the asymptotes leave no room between them.

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
    axis: str | Axis = "log"
    rising: bool = True

    def __post_init__(self) -> None:
        sigmoid_of(self.sigmoid, self.axis)
        check_fields(self, threshold=a_number, width=a_positive, guess=a_rate, lapse=a_rate)
        if not self.guess + self.lapse < 1:
            raise InputError(
                "guess and lapse rates must be at least 0 and have a sum below 1; "
                f"guess={self.guess!r}, lapse={self.lapse!r} were given"
            )

    def __call__(self, level: ArrayLike) -> np.ndarray:
        """Return the proportion correct at each level (same shape)."""
        shape = sigmoid_of(self.sigmoid, self.axis)
        off = to_axis(level, self.axis) - to_axis(self.threshold, self.axis)
        z = shape.median + shape.spread * self._side * off / self.width
        return self.guess + (1 - self.guess - self.lapse) * shape.value(z)

    def level_at(self, p: ArrayLike) -> np.ndarray:
        """Return the level at which the proportion correct is `p`.

        It is infinite for proportions that a rising curve never reaches, and 0 (log axis) or minus infinity
        for proportions below the curve; the other way round for a falling curve.
        """
        shape = sigmoid_of(self.sigmoid, self.axis)
        share = (as_numbers(p, "p") - self.guess) / (1 - self.guess - self.lapse)
        with np.errstate(divide="ignore"):
            z = shape.inverse(np.clip(share, 0.0, 1.0))
        z = np.where(share <= 0, -np.inf, np.where(share >= 1, np.inf, z))
        off = self._side * self.width * (z - shape.median) / shape.spread
        return from_axis(to_axis(self.threshold, self.axis) + off, self.axis)

    def slope_at(self, p: ArrayLike) -> np.ndarray:
        """Return the derivative of the proportion correct by the position on the axis where it is `p`.

        It is per octave on the log axis, negative for a falling curve, and 0 for proportions that the curve
        does not reach.
        """
        shape = sigmoid_of(self.sigmoid, self.axis)
        room = 1 - self.guess - self.lapse
        share = (as_numbers(p, "p") - self.guess) / room
        inside = (share > 0) & (share < 1)
        rate = self._side * room * shape.spread / self.width
        return np.where(
            inside, rate * shape.slope(shape.inverse(np.where(inside, share, 0.5))), 0.0
        )

    @property
    def _side(self) -> float:
        return 1.0 if self.rising else -1.0

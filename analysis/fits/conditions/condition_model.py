"""Psychometric functions of all conditions at once, of which some parameters are shared."""

from dataclasses import dataclass

import numpy as np

from analysis.curves.sigmoids import Sigmoid
from analysis.infer.likelihood import (
    Climb,
    Curve,
    CurveProblem,
    climb,
    lapse_of,
    lapse_start,
    log_likelihood,
)

_WIDTHS = (-1.5, 0.0)
_TOP = 0.25  # largest lapse rate


@dataclass(frozen=True, kw_only=True)
class ConditionModel:
    """Psychometric functions of all cells: the parameters of each condition alone, and the data."""

    name: str
    own: tuple[bool, bool, bool]
    group: np.ndarray
    x: np.ndarray
    n_trials: np.ndarray
    guess: float
    shape: Sigmoid

    @property
    def places(self) -> list[np.ndarray]:
        """Place of each cell's position, width and lapse rate among the parameters, three arrays (L,)."""
        found, begin = [], 0
        for own in self.own:
            place = self.group if own else np.zeros_like(self.group)
            found.append(begin + place)
            begin += int(place.max()) + 1
        return found

    @property
    def n_parameters(self) -> int:
        """Number of parameters."""
        return int(self.places[2].max()) + 1

    def fitted(self, n_correct: np.ndarray, *starts: np.ndarray) -> Climb:
        """Return the best of several maximizations for each of B data sets (B, L).

        Further starts are parameters (B, K), such as those of the smaller model.
        """
        problem = CurveProblem(
            curve=self._curve(), prior=_flat_prior, n_correct=n_correct, n_trials=self.n_trials
        )
        free = tuple(range(self.n_parameters))
        tiled = [np.tile(start, (len(n_correct), 1)) for start in self._starts]
        ends = [climb(problem, start, free) for start in (*tiled, *starts)]
        best = np.argmax([end.value for end in ends], axis=0), np.arange(len(n_correct))
        return Climb(
            **{name: np.stack([getattr(end, name) for end in ends])[best] for name in vars(ends[0])}
        )

    def p(self, fit: Climb) -> np.ndarray:
        """Return the probabilities (B, L) of fitted parameters."""
        return self._curve()(fit.x)[0]

    def height(self, fit: Climb, n_correct: np.ndarray) -> np.ndarray:
        """Return the log likelihoods (B,) of data sets (B, L)."""
        return log_likelihood(self.p(fit), n_correct, self.n_trials)

    def holding(self, small: "ConditionModel", fit: Climb) -> np.ndarray:
        """Return the parameters (B, K) of this model that give the curves of a smaller one."""
        found = np.empty((len(fit.x), self.n_parameters))
        for own, others in zip(self.places, small.places, strict=True):
            found[:, own] = fit.x[:, others]
        return found

    @property
    def _starts(self) -> list[np.ndarray]:
        starts = []
        for shift in (-0.25, 0.25):
            for width in _WIDTHS:
                start = np.empty(self.n_parameters)
                for place, value in zip(
                    self.places, (shift, width, lapse_start(0.02, _TOP)), strict=True
                ):
                    start[place] = value
                starts.append(start)
        return starts

    def _curve(self) -> Curve:
        position, width, lapse = self.places
        count, rows = self.n_parameters, np.arange(len(self.x))

        def curve(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            rate = self.shape.spread / np.exp2(np.clip(x[:, width], -20, 20))
            lost, lost_slope = lapse_of(x[:, lapse], _TOP)
            room = (1 - self.guess) * (1 - lost)
            along = rate * (self.x - x[:, position])
            z = along + self.shape.median
            value, slope = self.shape.value(z), self.shape.slope(z) * room
            parts = np.zeros((len(x), count, len(self.x)))
            parts[:, position, rows] += -slope * rate
            parts[:, width, rows] += -slope * along * np.log(2)
            parts[:, lapse, rows] += -(1 - self.guess) * value * lost_slope
            return self.guess + room * value, parts

        return curve


def _flat_prior(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a flat prior, under which the mode is the maximum of the likelihood."""
    return np.zeros(len(x)), np.zeros_like(x), np.zeros_like(x)

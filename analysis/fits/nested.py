"""Nested models of several conditions: one curve for all, own thresholds, or own curves.

Each model is compared with the next larger one by the likelihood ratio, whose distribution under the
smaller model is simulated, and all of them by Akaike's criterion (Akaike 1974, IEEE TAC 19, 716).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd

from analysis.curves.axes import to_axis
from analysis.curves.sigmoids import SIGMOIDS, Sigmoid, sigmoid_of
from analysis.data.answers import Answers
from analysis.data.counts import trend_of
from analysis.data.kinds import scored_answers
from analysis.fits.groups import guess_of
from analysis.infer.likelihood import (
    Climb,
    Curve,
    CurveProblem,
    climb,
    lapse_of,
    lapse_start,
    log_likelihood,
)
from stimuli_store.errors import InputError
from stimuli_store.tools import html
from stimuli_store.tools.gates import a_count, a_seed, a_text, one_of, takes
from stimuli_store.tools.shown import p_text, p_value
from stimuli_store.tools.whole import whole

#: Models from the smallest to the largest: which of position, width and lapse rate each condition has alone.
NESTED: Mapping[str, tuple[bool, bool, bool]] = MappingProxyType(
    {
        "one curve": (False, False, False),
        "own thresholds": (True, False, False),
        "own curves": (True, True, True),
    }
)
_WIDTHS = (-1.5, 0.0)
_TOP = 0.25  # largest lapse rate


@dataclass(frozen=True, kw_only=True)
class NestedModel:
    """One model of all conditions, and its comparison with the next smaller one.

    Attributes
    ----------
    name, n_parameters
        Name in `NESTED`, and number of free parameters.
    log_likelihood, aic
        At the maximum of the likelihood; AIC is twice the number of parameters less twice that.
    ratio, p_value
        Twice the gain in log likelihood over the next smaller model, and the share of data sets simulated
        under that model with a gain as large; NaN for the smallest.
    n_draws
        Number of these data sets: p is at least 1/(n_draws + 1). It is 0 for the smallest model.
    """

    name: str
    n_parameters: int
    log_likelihood: float
    aic: float
    ratio: float
    p_value: float
    n_draws: int


@dataclass(frozen=True, kw_only=True)
class NestedModels:
    """Models of the conditions of one column, from the smallest to the largest.

    Attributes
    ----------
    between
        Column of the condition.
    rows
        A `NestedModel` for each, from the smallest to the largest.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import compare_groups, read_trials
    >>> rows = [("a", x, k, 50) for x, k in zip([8, 16, 32, 64], [26, 31, 41, 48])]
    >>> rows += [("b", x, k, 50) for x, k in zip([8, 16, 32, 64], [25, 26, 29, 36])]
    >>> table = pd.DataFrame(rows, columns=["condition", "level", "n_correct", "n_trials"])
    >>> found = compare_groups(read_trials(table, task="2afc"), "condition", n_draws=19)
    >>> found.best
    'own thresholds'
    """

    between: str
    rows: tuple[NestedModel, ...]

    @property
    def best(self) -> str:
        """Name of the model with the smallest AIC."""
        return min(self.rows, key=lambda row: row.aic).name

    @property
    def table(self) -> pd.DataFrame:
        """A row for each model."""
        return pd.DataFrame([vars(row) for row in self.rows])

    def __repr__(self) -> str:
        tests = [
            f"{row.name} {p_value(row.p_value, row.n_draws)}" for row in self.rows if row.n_draws
        ]
        return f"NestedModels(by {self.between}: {self.best} by AIC; {', '.join(tests)})"

    def _repr_html_(self) -> str:
        rows = [
            [
                row.name,
                str(row.n_parameters),
                f"{row.log_likelihood:.2f}",
                f"{row.aic:.2f}",
                "" if np.isnan(row.ratio) else f"{row.ratio:.2f}",
                p_text(row.p_value, row.n_draws),
                str(row.n_draws or ""),
            ]
            for row in self.rows
        ]
        return html.table(list(vars(self.rows[0])), rows)


@takes(
    answers=scored_answers, between=a_text, sigmoid=one_of(*SIGMOIDS), n_draws=a_count, seed=a_seed
)
def compare_groups(
    answers: Answers,
    between: str,
    *,
    sigmoid: str = "normal",
    axis: str = "log",
    n_draws: int = 199,
    seed: int = 0,
) -> NestedModels:
    """Compare one curve for all conditions with own thresholds and own curves.

    Trials are taken as independent, so the result speaks for these people and images. Curves rise or fall
    as the answers do altogether.

    Parameters
    ----------
    answers
        From `read_trials` or `answers_of`, with levels that are numbers.
    between
        Column of the condition.
    sigmoid, axis
        As for `fit_psychometric`; one sigmoid for all models.
    n_draws, seed
        Data sets simulated under each smaller model, and their seed.

    Raises
    ------
    InputError
        If there is no such column, it has one value, or the task has a criterion.

    Examples
    --------
    >>> from analysis.data.reading import read_trials
    >>> rows = [("a", x, k, 50) for x, k in zip([8, 16, 32, 64], [26, 31, 41, 48])]
    >>> rows += [("b", x, k, 50) for x, k in zip([8, 16, 32, 64], [25, 26, 29, 36])]
    >>> table = pd.DataFrame(rows, columns=["condition", "level", "n_correct", "n_trials"])
    >>> found = compare_groups(read_trials(table, task="2afc"), "condition", n_draws=19)
    >>> found.best, found.rows[1].p_value <= 0.05
    ('own thresholds', True)
    """
    guess = guess_of(answers)
    if isinstance(guess, str):
        raise InputError(
            "models of proportion correct need a task without a criterion; compare d' between conditions"
        )
    cells = answers.counts(by=[between, "level"])
    group, conditions = pd.factorize(cells[between], sort=True)
    if len(conditions) < 2:
        raise InputError(f"a comparison needs two conditions; {between} has {len(conditions)}")
    x = to_axis(cells.level.to_numpy(dtype=np.float64), axis)
    span = float(np.ptp(x)) or 1.0
    shape = sigmoid_of(sigmoid, axis)
    right, total = (cells[name].to_numpy(dtype=np.float64) for name in ("n_correct", "n_trials"))
    side = -1.0 if trend_of(x[None], right[None], total[None])[0] < 0 else 1.0
    models = [
        _Model(
            name=name,
            own=own,
            group=group,
            x=side * (x - x.mean()) / span,
            n_trials=total,
            guess=guess,
            shape=shape,
        )
        for name, own in NESTED.items()
    ]
    rng, n_draws = np.random.default_rng(whole(seed, "seed", 0)), whole(n_draws, "n_draws", 1)
    fits = [models[0].fitted(right[None])]
    for small, large in pairwise(models):
        fits.append(large.fitted(right[None], large.holding(small, fits[-1])))
    rows = [_row(models[0], fits[0], right)]
    for (small, fit), (large, found) in pairwise(zip(models, fits, strict=True)):
        ratio = 2 * float(large.height(found, right[None])[0] - small.height(fit, right[None])[0])
        p = _p_value(small, large, small.p(fit)[0], ratio, n_draws, rng)
        row = _row(large, found, right)
        rows.append(replace(row, ratio=ratio, p_value=p, n_draws=n_draws))
    return NestedModels(between=between, rows=tuple(rows))


@dataclass(frozen=True, kw_only=True)
class _Model:
    """A model of all cells: which parameters each condition has alone, and the cells' conditions."""

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
            curve=self._curve(), prior=_flat, n_correct=n_correct, n_trials=self.n_trials
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

    def holding(self, small: "_Model", fit: Climb) -> np.ndarray:
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


def _flat(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a flat prior, under which the mode is the maximum of the likelihood."""
    return np.zeros(len(x)), np.zeros_like(x), np.zeros_like(x)


def _row(model: _Model, fit: Climb, right: np.ndarray) -> NestedModel:
    """Return a model without its comparison."""
    height = float(model.height(fit, right[None])[0])
    count = model.n_parameters
    return NestedModel(
        name=model.name,
        n_parameters=count,
        log_likelihood=height,
        aic=2 * count - 2 * height,
        ratio=np.nan,
        p_value=np.nan,
        n_draws=0,
    )


def _p_value(
    small: _Model,
    large: _Model,
    p: np.ndarray,
    ratio: float,
    n_draws: int,
    rng: np.random.Generator,
) -> float:
    """Return the share of data sets drawn under the smaller model whose ratio is as large."""
    drawn = rng.binomial(small.n_trials.astype(int), p, size=(n_draws, len(p))).astype(np.float64)
    null = small.fitted(drawn)
    more = large.fitted(drawn, large.holding(small, null))
    gain = 2 * (large.height(more, drawn) - small.height(null, drawn))
    return float((1 + (gain >= ratio - 1e-9).sum()) / (n_draws + 1))

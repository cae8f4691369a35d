"""Nested models of several conditions: one curve for all, own thresholds, or own curves.

Each model is compared with the next larger one by the likelihood ratio, whose distribution under the
smaller model is simulated, and all of them by Akaike's criterion (Akaike 1974, IEEE TAC 19, 716).
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd

from analysis.curves.axes import to_axis
from analysis.curves.sigmoids import SIGMOIDS, sigmoid_of
from analysis.data.answers import Answers
from analysis.data.counts import trend_of
from analysis.data.kinds import scored_answers
from analysis.fits.conditions.condition_model import ConditionModel
from analysis.fits.conditions.nested_record import NestedModel, NestedModels
from analysis.fits.groups import guess_of
from analysis.infer.likelihood import Climb
from stimuli_store.errors import InputError
from stimuli_store.tools.gates import a_count, a_seed, a_text, one_of, takes
from stimuli_store.tools.whole import whole

#: Models from the smallest to the largest: which of position, width and lapse rate each condition has alone.
NESTED: Mapping[str, tuple[bool, bool, bool]] = MappingProxyType(
    {
        "one curve": (False, False, False),
        "own thresholds": (True, False, False),
        "own curves": (True, True, True),
    }
)


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
        ConditionModel(
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
    rng, n_draws = np.random.default_rng(a_seed(seed, "seed")), whole(n_draws, "n_draws", 1)
    fits = [models[0].fitted(right[None])]
    for small, large in pairwise(models):
        fits.append(large.fitted(right[None], large.holding(small, fits[-1])))
    rows = [_uncompared(models[0], fits[0], right)]
    for (small, fit), (large, found) in pairwise(zip(models, fits, strict=True)):
        ratio = 2 * float(large.height(found, right[None])[0] - small.height(fit, right[None])[0])
        p = _p_value(small, large, small.p(fit)[0], ratio, n_draws, rng)
        row = _uncompared(large, found, right)
        rows.append(replace(row, ratio=ratio, p_value=p, n_draws=n_draws))
    return NestedModels(between=between, rows=tuple(rows))


def _uncompared(model: ConditionModel, fit: Climb, right: np.ndarray) -> NestedModel:
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
    small: ConditionModel,
    large: ConditionModel,
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

"""Verdict of a maximum-differentiation competition: which of two models people contradict less.

A pair of stimuli between which a model sees no difference is held by it; the other model made the pair as
different as it could. The model whose held pairs people tell apart more easily is the worse one.

Source: Wang & Simoncelli (2008), *Maximum differentiation (MAD) competition*, Journal of Vision 8(12):8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, betainc

from analysis.observers.checks import check_counts, numbers_of
from analysis.observers.links import link_of
from analysis.observers.sdt import task_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.forced_choice import TWO_INTERVALS
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_seed, takes
from stimuli_store.tools.shown import FieldTable

_GRID = 2001
_FINEST = 1e9
_DRAWS = 20_000
_RELIABLY = 0.01


@dataclass(frozen=True, kw_only=True)
class HeldPairs(FieldTable):
    """Answers to the pairs that one model holds at one level, and the d' of people for them.

    `low` and `high` are the ends of the central 95 % of the posterior of d', `dprime` is its median.
    """

    model: str
    level: float | str | None
    n_correct: int
    n_trials: int
    dprime: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, repr=False)
class MADVerdict(FieldTable):
    """Probability that the first of two models is the better one, by level and overall.

    Attributes
    ----------
    models
        The two models, A and B.
    p_better
        Posterior probability that people tell the pairs held by A apart less easily than those held by B:
        that the mean of d' over the levels is the smaller one.
    by_level
        The same for each level at which both hold pairs.
    levels
        These levels, in the order of `by_level`.
    pairs
        Answers and d' by model and level.
    below_chance
        Models at whose pairs people are reliably below chance, by an exact binomial test at 1 %.

    Examples
    --------
    >>> from analysis import mad_verdict
    >>> mad_verdict(["ssim", "mse"], [56, 91], [100, 100]).models
    ('mse', 'ssim')
    """

    models: tuple[str, str]
    p_better: float
    by_level: tuple[float, ...]
    levels: tuple[float | str | None, ...]
    pairs: tuple[HeldPairs, ...]
    below_chance: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"MADVerdict({self.sentence})"

    @property
    def sentence(self) -> str:
        """The verdict in words; no model is called better below a probability of 0.95."""
        return self._verdict + self._doubt

    @property
    def _doubt(self) -> str:
        if not self.below_chance:
            return ""
        named = " and ".join(self.below_chance)
        return f"; but answers to pairs held by {named} are reliably below chance: are the keys swapped?"

    @property
    def _verdict(self) -> str:
        first, second = self.models
        p = self.p_better
        if p < 0.5:
            first, second, p = second, first, 1 - p
        if p < 0.95:
            return f"{self.models[0]} and {self.models[1]} are not told apart: P({first} better) = {p:.2f}"
        return (
            f"{first} is better than {second}: P {'> 0.999' if p > 0.999 else f'= {p:.3f}'}; people tell "
            f"pairs that {second} holds apart more easily"
        )


@takes(seed=a_seed)
def mad_verdict(
    held: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    level: ArrayLike | None = None,
    task: Task | str = TWO_INTERVALS,
    rule: str | None = None,
    seed: int = 0,
) -> MADVerdict:
    """Return the posterior probability that one model is better than another, from answers to MAD pairs.

    The prior of proportion correct is flat between the guess rate and 1; in a task with a direction
    (which of two is better), from 0 to 1, and the size of d' counts. The people and images are taken as
    they are: for others, compare verdicts between them.

    Parameters
    ----------
    held
        For each row (L,) the model that holds the pair.
    n_correct, n_trials
        Right answers and trials (L,); rows of one model and level are added up.
    level
        Level of each row (L,), such as the noise at the start; None for a single one.
    task, rule
        Task and decision rule, which turn proportion correct into d'.
    seed
        Seed of the draws behind the verdict over all levels.

    Raises
    ------
    InputError
        If there are not two models with answers at a common level, or counts are not valid.

    Examples
    --------
    >>> found = mad_verdict(["ssim", "mse"], [56, 91], [100, 100])
    >>> found.models, found.p_better < 0.001  # mse is in front in the alphabet, and loses
    (('mse', 'ssim'), True)
    """
    names, levels, right, total = _checked(held, level, n_correct, n_trials)
    models = tuple(sorted(set(names.tolist())))
    if len(models) != 2:
        raise InputError(f"a verdict compares two models; {', '.join(models)} hold pairs here")
    known = [_where(names, levels, model) for model in models]
    common = [value for value in known[0] if value in known[1]]
    if not common:
        raise InputError(
            f"{models[0]} and {models[1]} hold pairs at no common level, so they cannot be compared"
        )
    link, directed = link_of(task_of(task), rule), task_of(task).directed
    grid = _grid(0.0 if directed else link.guess)
    # At 1 (and 0, where a task has a direction) d' is infinite: the end points get a nearby value.
    size = np.abs(link.dprime(np.clip(grid, 0.5 / _FINEST, 1 - 0.5 / _FINEST)))
    rng = np.random.default_rng(seed)
    pairs, drawn, by_level = [], [], []
    for value in common:
        both = []
        for model, places in zip(models, known, strict=True):
            k, n = (int(v[places[value]].sum()) for v in (right, total))
            both.append(_draws(grid, size, (k, n), rng))
            low, middle, high = np.quantile(both[-1], [0.025, 0.5, 0.975])
            pairs.append(
                HeldPairs(
                    model=model,
                    level=value,
                    n_correct=k,
                    n_trials=n,
                    dprime=float(middle),
                    low=float(low),
                    high=float(high),
                )
            )
        drawn.append(both)
        by_level.append(_share_below(both[0], both[1]))
    means = np.mean(drawn, axis=0)
    return MADVerdict(
        models=(models[0], models[1]),
        p_better=_share_below(means[0], means[1]),
        by_level=tuple(by_level),
        levels=tuple(common),
        pairs=tuple(pairs),
        below_chance=_below(pairs, link.guess),
    )


def _below(pairs: Sequence[HeldPairs], chance: float) -> tuple[str, ...]:
    """Return the models whose pairs are told apart less often than by chance, beyond doubt."""
    found = []
    for model in dict.fromkeys(pair.model for pair in pairs):
        own = [pair for pair in pairs if pair.model == model]
        right, total = sum(p.n_correct for p in own), sum(p.n_trials for p in own)
        if bdtr(right, total, chance) < _RELIABLY:
            found.append(model)
    return tuple(found)


def _grid(low: float) -> np.ndarray:
    """Return proportions from `low` to 1, finer towards 1, and towards 0 if it starts there."""
    near = np.geomspace(0.5 / _FINEST, 0.01, _GRID // 4)
    below = [np.zeros(1), near] if low == 0 else [np.array([low])]
    middle = np.linspace(max(low, 0.01), 0.99, _GRID)[1:]
    return np.unique(np.concatenate([*below, middle, 1 - near, np.ones(1)]))


def _draws(
    grid: np.ndarray, size: np.ndarray, counts: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Return draws (D,) from the posterior of |d'|, whose value at each proportion of the grid is `size`."""
    k, n = counts
    cumulative = betainc(k + 1, n - k + 1, grid)
    p = np.interp(rng.uniform(cumulative[0], cumulative[-1], _DRAWS), cumulative, grid)
    return np.interp(p, grid, size)


def _share_below(one: np.ndarray, other: np.ndarray) -> float:
    """Return the probability that a draw of the first lies below one of the second; ties count half."""
    order = np.sort(other)
    above = len(order) - np.searchsorted(order, one, side="right")
    equal = np.searchsorted(order, one, side="right") - np.searchsorted(order, one, side="left")
    return float((above + 0.5 * equal).mean() / len(order))


def _where(
    names: np.ndarray, levels: Sequence[float | str | None], model: str
) -> dict[float | str | None, list[int]]:
    found: dict[float | str | None, list[int]] = {}
    for row in np.flatnonzero(names == model):
        found.setdefault(levels[row], []).append(int(row))
    return dict(sorted(found.items(), key=lambda item: (isinstance(item[0], str), item[0] or 0)))


def _checked(
    held: ArrayLike, level: ArrayLike | None, n_correct: ArrayLike, n_trials: ArrayLike
) -> tuple[np.ndarray, list[float | str | None], np.ndarray, np.ndarray]:
    given = np.atleast_1d(np.asarray(held, dtype=object))
    if any(name is None or name != name for name in given.tolist()):
        raise InputError("held must name a model in every row; some rows have none")
    names = given.astype(str)
    right, total = (
        np.atleast_1d(numbers_of(values, name))
        for name, values in (("n_correct", n_correct), ("n_trials", n_trials))
    )
    levels = [None] * len(names) if level is None else np.atleast_1d(np.asarray(level)).tolist()
    if not len(names) == len(levels) == len(right) == len(total):
        raise InputError("held, level, n_correct and n_trials must be lists of the same length")
    check_counts(right, total)
    if any(isinstance(value, float) and value != value for value in levels):
        raise InputError("level must be a number or a word in every row; some are NaN")
    used = np.flatnonzero(total > 0)
    return (
        np.array(names.tolist(), dtype=object)[used],
        [levels[row] for row in used],
        right[used],
        total[used],
    )

"""Verdict of a maximum-differentiation competition: which of two models people contradict less.

A pair of stimuli between which a model sees no difference is held by it; the other model made the pair as
different as it could. The model whose held pairs people tell apart more easily is the worse one.

Pairs that one model holds differ from each other, and so do people. With their labels the verdict is one for
new pairs and new people: Student's distribution of the difference of d', with the error of a crossed
jackknife. Without, it speaks for the pairs and people of the answers only.

Source: Wang & Simoncelli (2008), *Maximum differentiation (MAD) competition*, Journal of Vision 8(12):8.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from analysis.fits.mad.others import labelled_sample, p_for_others
from analysis.fits.mad.record import HeldPairs, MADVerdict
from analysis.infer.population import caution_of, whom
from analysis.infer.proportion_draws import FINEST, posterior_draws, proportion_grid, share_below
from analysis.observers.checks import check_counts, numbers_of
from analysis.observers.links import Link, link_of
from analysis.observers.sdt import task_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.forced_choice import TWO_INTERVALS
from stimuli_store.tasks.types import Task
from stimuli_store.tools.gates import a_seed, takes

_RELIABLY = 0.01


@takes(seed=a_seed)
def mad_verdict(
    held: ArrayLike,
    n_correct: ArrayLike,
    n_trials: ArrayLike,
    *,
    level: ArrayLike | None = None,
    participant: ArrayLike | None = None,
    image: ArrayLike | None = None,
    task: Task | str = TWO_INTERVALS,
    rule: str | None = None,
    seed: int = 0,
) -> MADVerdict:
    """Return the probability that one model is better than another, from answers to MAD pairs.

    Give `image`, and `participant`, wherever there are three or more: without them the probability is that
    for these people and images only, and other ones may well turn it round.

    For these, the prior of proportion correct is flat between the guess rate and 1; in a task with a
    direction (which of two is better), from 0 to 1, and the size of d' counts.

    Parameters
    ----------
    held
        For each row (L,) the model that holds the pair.
    n_correct, n_trials
        Right answers and trials (L,); rows of one model and level are added up.
    level
        Level of each row (L,), such as the noise at the start; None for a single one.
    participant, image
        Who answered in each row (L,), and from which image the pair was made, or a label of the pair itself.
        Those with at least three at each level and of each model are taken as a sample of others.
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
    >>> found.for_whom
    'these people and these images only'
    >>> photographs = ["camera", "grass", "astronaut"]
    >>> found = mad_verdict(
    ...     ["ssim"] * 3 + ["mse"] * 3, [54, 58, 56, 92, 88, 93], [100] * 6, image=photographs * 2
    ... )
    >>> found.for_whom, found.p_better < 0.01
    ('these people and new images', True)
    """
    names, levels, right, total, used = _checked(held, level, n_correct, n_trials)
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
    low = 0.0 if directed else link.guess
    groups = [[places[value] for places in known] for value in common]
    counts = [[_sums(rows, right, total) for rows in both] for both in groups]
    drawn = _posteriors(counts, link, low, np.random.default_rng(seed))
    # Of the mean over the levels, then of each of them.
    posteriors = [np.mean(drawn, axis=0), *drawn]
    own = [share_below(*both) for both in posteriors]
    sample = labelled_sample(participant, image, used, groups, (right, total))
    p = own
    if sample.is_random:
        p = p_for_others(sample, link, low, [float(np.var(d[1] - d[0])) for d in posteriors])
    pairs = [
        _held(models[m], value, counts[at][m], drawn[at][m])
        for at, value in enumerate(common)
        for m in range(2)
    ]
    return MADVerdict(
        models=(models[0], models[1]),
        p_better=p[0],
        for_whom=whom(max(sample.n_participants, 1), max(sample.n_images, 1)),
        p_these=own[0],
        by_level=tuple(p[1:]),
        levels=tuple(common),
        pairs=tuple(pairs),
        below_chance=_below(pairs, link.guess),
        caution=caution_of(sample.n_participants, sample.n_images),
    )


def _sums(rows: list[int], right: np.ndarray, total: np.ndarray) -> tuple[int, int]:
    return int(right[rows].sum()), int(total[rows].sum())


def _posteriors(
    counts: Sequence[Sequence[tuple[int, int]]], link: Link, low: float, rng: np.random.Generator
) -> list[list[np.ndarray]]:
    """Return draws (D,) from the posterior of the size of d' for each level and model."""
    grid = proportion_grid(low)
    # At 1 (and 0, where a task has a direction) d' is infinite: the end points get a nearby value.
    size = np.abs(link.dprime(np.clip(grid, 0.5 / FINEST, 1 - 0.5 / FINEST)))
    return [[posterior_draws(grid, size, pair, rng) for pair in both] for both in counts]


def _held(
    model: str, level: float | str | None, counts: tuple[int, int], draws: np.ndarray
) -> HeldPairs:
    low, middle, high = (float(end) for end in np.quantile(draws, [0.025, 0.5, 0.975]))
    right, total = counts
    return HeldPairs(
        model=model, level=level, n_correct=right, n_trials=total, dprime=middle, low=low, high=high
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


def _where(
    names: np.ndarray, levels: Sequence[float | str | None], model: str
) -> dict[float | str | None, list[int]]:
    found: dict[float | str | None, list[int]] = {}
    for row in np.flatnonzero(names == model):
        found.setdefault(levels[row], []).append(int(row))
    return dict(sorted(found.items(), key=lambda item: (isinstance(item[0], str), item[0] or 0)))


def _checked(
    held: ArrayLike, level: ArrayLike | None, n_correct: ArrayLike, n_trials: ArrayLike
) -> tuple[np.ndarray, list[float | str | None], np.ndarray, np.ndarray, np.ndarray]:
    """Return names, levels and counts of the rows with trials, and which rows have some (L,)."""
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
        total > 0,
    )

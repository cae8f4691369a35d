"""Proportions of right answers as predictions: baselines that need no model, and noise ceilings."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.data.cells import Cells
from analysis.ranking.folds import Folds
from analysis.ranking.held_out import bits_of

LOWER, UPPER = "lower ceiling", "upper ceiling"
_PRIOR_TRIALS = 4.0  # weight of the wider group's proportion, in trials
_MOST_LEVELS = 24  # of a condition; more are not told apart in means of conditions
_WEIGHTS = 2.0 ** np.arange(-1, 11)
_SHARED = 0.5  # share of answers to pairs that other participants answered too, for a ceiling


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Numbers of the groups that the cells belong to (C,), from wide to narrow.

    `kind` is the task and rule, `condition` also the condition and the level, `image` also the image,
    `pair` also the pair of stimuli.
    """

    kind: np.ndarray
    condition: np.ndarray
    image: np.ndarray
    pair: np.ndarray


def groups_of(cells: Cells) -> Groups:
    """Return the groups of cells whose proportions of right answers are predictions."""
    kind = _numbered(cells.task, cells.rule)
    level = np.nan_to_num(cells.level, nan=np.inf)
    if len(np.unique(level)) > _MOST_LEVELS:
        level = np.zeros(len(level))
    condition = _numbered(kind, cells.condition, level)
    image = _numbered(condition, cells.image)
    return Groups(kind=kind, condition=condition, image=image, pair=_numbered(image, cells.pair))


def _numbered(*keys: np.ndarray) -> np.ndarray:
    """Return a number for every different combination of keys (C,)."""
    number = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        values, place = np.unique(key, return_inverse=True)
        number = np.unique(number * len(values) + place, return_inverse=True)[1]
    return number


def proportion_bits(
    cells: Cells, nested: tuple[np.ndarray, ...], folds: Folds, guess: np.ndarray
) -> np.ndarray:
    """Return the bits (C,) of predicting the proportion in the training cells of a cell's group.

    Parameters
    ----------
    cells, folds, guess
        As in `analysis.ranking.held_out.score`.
    nested
        Numbers of groups (C,), from wide to narrow. A proportion is drawn to that of the wider group as if
        `_PRIOR_TRIALS` more trials had it, and the widest to the guess rate.
    """
    bits = np.zeros(len(guess))
    for train, test in folds.pairs:
        p = guess[test]
        for group in nested:
            right, total = (
                np.bincount(group[train], n[train], minlength=group.max() + 1)
                for n in (cells.n_correct, cells.n_trials)
            )
            at = group[test]
            p = (right[at] + _PRIOR_TRIALS * p) / (total[at] + _PRIOR_TRIALS)
        bits[test] = bits_of(cells, p, guess, test)
    return bits


@dataclass(frozen=True, kw_only=True)
class CeilingBits:
    """Bits of the bounds of the noise ceiling in each cell, by name, summed over its trials (C,).

    Without a ceiling there are no bounds, and `why` is a sentence that says why.
    """

    bounds: Mapping[str, np.ndarray]
    why: str = ""


def ceiling_bits(cells: Cells, groups: Groups, guess: np.ndarray) -> CeilingBits:
    """Return the noise ceiling, or the reason why there is none.

    Lower bound: everybody's proportion of right answers to a pair without the participant's own. Upper
    bound: with them. Both are drawn to the proportion in the pair's condition, by the weight at which the
    lower bound is highest (Nili et al. 2014, PLoS Computational Biology 10, e1003553, for the two bounds).
    """
    _, person = np.unique(cells.participant, return_inverse=True)
    if person.max() < 1:
        return _none("it needs the answers of two participants")
    if any(task.criterion for task in cells.tasks.values()):
        return _none("participants differ by their criterion")
    every = _everybody(cells, groups.pair)
    others = [n - o for n, o in zip(every, _own(cells, groups.pair, person), strict=True)]
    shared = cells.n_trials[others[1] > 0].sum() / cells.n_trials.sum()
    if shared < _SHARED:
        return _none(
            f"only {100 * shared:.0f} % of the answers are to pairs that other participants answered too"
            if shared > 0
            else "no answer is to a pair that another participant answered too"
        )
    wide = _everybody(cells, groups.condition)
    of_others = [n - o for n, o in zip(wide, _own(cells, groups.condition, person), strict=True)]
    around, without = (_drawn(n, guess, _PRIOR_TRIALS) for n in (wide, of_others))
    lower = [bits_of(cells, _drawn(others, without, weight), guess) for weight in _WEIGHTS]
    best = int(np.argmax([bits.sum() for bits in lower]))
    upper = bits_of(cells, _drawn(every, around, _WEIGHTS[best]), guess)
    return CeilingBits(bounds={LOWER: lower[best], UPPER: upper})


def _none(reason: str) -> CeilingBits:
    return CeilingBits(bounds={}, why=f"there is no noise ceiling, since {reason}")


def _everybody(cells: Cells, group: np.ndarray) -> list[np.ndarray]:
    """Return right answers and trials of all participants in each cell's group, two arrays (C,)."""
    return [np.bincount(group, n)[group] for n in (cells.n_correct, cells.n_trials)]


def _own(cells: Cells, group: np.ndarray, person: np.ndarray) -> list[np.ndarray]:
    return _everybody(cells, _numbered(group, person))


def _drawn(counts: list[np.ndarray], centre: np.ndarray, weight: float) -> np.ndarray:
    right, total = counts
    return (right + weight * centre) / (total + weight)

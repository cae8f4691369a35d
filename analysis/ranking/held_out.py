"""Bits per trial of a model: on answers it was not fitted to, and on those it was.

Cells about which a model says the same are counted together, and all folds are fitted at once from the mode
of the fit to everything, so that a ranking of many trials takes seconds.
"""

from dataclasses import dataclass

import numpy as np

from analysis.curves.choice_model import (
    ModelFit,
    Posteriors,
    Said,
    fit_of,
    posteriors_of,
    predicted,
    predictive,
    said_by,
)
from analysis.data.cells import Cells, kinds_of
from analysis.ranking.folds import Folds

_TINY = 1e-12
_MANY = 4096  # different values of evidence in a fit; more are rounded to as many steps


@dataclass(frozen=True, kw_only=True)
class ScoredModel:
    """Bits above chance in each cell, summed over its trials, and the parameters behind them.

    Attributes
    ----------
    held_out
        Bits (C,) under fits to the other folds; in sample where nothing was held out.
    in_sample
        Bits per trial under the fit to all cells.
    fit
        Parameters fitted to all cells.
    heights
        Log posterior of the fit to each fold (F,), up to a constant that no model has for itself.
    """

    held_out: np.ndarray
    in_sample: float
    fit: ModelFit
    heights: np.ndarray


def score(cells: Cells, label: str, folds: Folds, guess: np.ndarray) -> ScoredModel:
    """Return the bits of a model in every cell.

    Parameters
    ----------
    cells, label
        Answers, and the model.
    folds
        Which cells are fitted and which are predicted.
    guess
        Guess rate in each cell (C,).

    Raises
    ------
    InputError
        If the model has no evidence for a cell, or negative evidence in a task without a direction.
    """
    said = said_by(cells, label)
    first, group = _distinct(cells, said.sign, said.z)
    small = said.take(first)
    whole, learned = _fitted(cells, said, folds)
    p = predicted(small, whole.mode)[0][group]
    held_out = np.zeros(len(guess))
    for fold, (_, test) in enumerate(folds.pairs):
        asked, place = np.unique(group[test], return_inverse=True)
        seen = predictive(small.take(asked), learned.mode[fold], learned.root[fold])
        held_out[test] = bits_of(cells, seen[place], guess, test)
    return ScoredModel(
        held_out=held_out,
        in_sample=float(bits_of(cells, p, guess).sum() / cells.n_trials.sum()),
        fit=fit_of(said, whole),
        heights=learned.value,
    )


def bits_of(
    cells: Cells, p: np.ndarray, guess: np.ndarray, chosen: np.ndarray | None = None
) -> np.ndarray:
    """Return the bits above chance of predictions p (n,), summed over the trials of each cell.

    `chosen` (C,) tells which cells the n are; None for all.
    """
    every = slice(None) if chosen is None else chosen
    right, total, at = cells.n_correct[every], cells.n_trials[every], guess[every]
    p = np.clip(p, _TINY, 1 - _TINY)
    return right * np.log2(p / at) + (total - right) * np.log2((1 - p) / (1 - at))


def _fitted(cells: Cells, said: Said, folds: Folds) -> tuple[Posteriors, Posteriors]:
    """Return the posterior given all cells, and those given the training cells of each fold."""
    z, step = said.z, np.ptp(said.z) / _MANY
    first, group = _distinct(cells, said.sign, z)
    if len(first) > _MANY:
        first, group = _distinct(cells, said.sign, np.round(z / step))
    small = said.take(first)

    def counts(of: np.ndarray, chosen: np.ndarray | slice) -> np.ndarray:
        return np.bincount(group[chosen], of[chosen], minlength=len(first))

    whole = posteriors_of(
        small, *(counts(n, slice(None))[None] for n in (cells.n_correct, cells.n_trials))
    )
    learned = posteriors_of(
        small,
        np.stack([counts(cells.n_correct, train) for train, _ in folds.pairs]),
        np.stack([counts(cells.n_trials, train) for train, _ in folds.pairs]),
        whole.mode[0],
    )
    return whole, learned


def _distinct(cells: Cells, sign: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a cell of every different task, rule, criterion and evidence, and each cell's number among them.

    The first is ascending.
    """
    keys = (z, sign, np.nan_to_num(cells.criterion), kinds_of(cells)[1])
    order = np.lexsort(keys)
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    first = order[new]  # lexsort is stable: the first of equal cells
    place = np.argsort(first)
    rank = np.empty_like(place)
    rank[place] = np.arange(len(place))
    return first[place], rank[number]

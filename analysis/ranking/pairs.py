"""Comparisons of all pairs of models, with Holm's correction."""

from itertools import combinations

import numpy as np

from analysis.infer.holm import holm
from analysis.ranking.dual_bootstrap import Resampled, spreads_of
from analysis.ranking.records import ModelPair

_SAME = 1e-6  # mean difference in bits per trial below which two models predict the same


def compare_pairs(
    labels: list[str], bits: np.ndarray, n_trials: np.ndarray, resampled: Resampled
) -> tuple[ModelPair, ...]:
    """Return the comparisons of all pairs of models.

    Parameters
    ----------
    labels
        The models, most bits first.
    bits
        Bits of each model in each cell, summed over the cell's trials (M, C).
    n_trials
        Sizes of the cells (C,).
    resampled
        Resamplings of the rows of `bits`, and perhaps of further quantities after them.
    """
    places = list(combinations(range(len(labels)), 2))
    if not places:
        return ()
    contrasts = np.zeros((len(places), len(resampled.means)))
    for row, (one, two) in enumerate(places):
        contrasts[row, one], contrasts[row, two] = 1.0, -1.0
    spreads = spreads_of(resampled, contrasts)
    same = [bool(np.abs(bits[i] - bits[j]).sum() <= _SAME * n_trials.sum()) for i, j in places]
    p = [1.0 if alike else spread.p for alike, spread in zip(same, spreads, strict=True)]
    corrected = _corrected_once(places, p, same)
    return tuple(
        ModelPair(
            first=labels[one],
            second=labels[two],
            difference=spread.mean,
            low=spread.low,
            high=spread.high,
            p=plain,
            p_holm=p_holm,
            same=alike,
        )
        for (one, two), spread, plain, p_holm, alike in zip(
            places, spreads, p, corrected, same, strict=True
        )
    )


def _corrected_once(places: list[tuple[int, int]], p: list[float], same: list[bool]) -> list[float]:
    """Return p-values after Holm's correction, where models that predict the same count as one."""
    kind: dict[int, int] = {}
    for (one, two), alike in zip(places, same, strict=True):
        kind.setdefault(one, one)
        kind.setdefault(two, kind[one] if alike else two)
    sorts = [(kind[one], kind[two]) for one, two in places]
    family = {sort: value for sort, value in zip(sorts, p, strict=True) if sort[0] != sort[1]}
    corrected = dict(zip(family, holm(list(family.values())), strict=True))
    return [corrected.get(sort, 1.0) for sort in sorts]

"""Ranking of models by how well their evidence predicts answers they were not fitted to.

All models have the same choice model and the same three free parameters (`analysis.curves.choice_model`).
The parameters are fitted on some images and participants and scored on other images **and** other
participants. The score is the log probability of the held-out answers, averaged over the posterior of the
parameters, in bits per trial above chance. Every answer counts equally.
"""

from collections.abc import Mapping

import numpy as np

from analysis.data.cells import Cells, guesses_of
from analysis.ranking.baselines import (
    CHANCE,
    CONDITION_MEANS,
    IMAGE_MEANS,
    LEVEL_ONLY,
    baselines_of,
    guessing,
)
from analysis.ranking.folds import folds_of
from analysis.ranking.held_out import score
from analysis.ranking.pairs import compare_pairs
from analysis.ranking.proportions import ceiling_bits, groups_of
from analysis.ranking.records import GroupScore, Ranking
from analysis.ranking.scores import measure, summarized
from stimuli_store.errors import InputError
from stimuli_store.tools.progress import progress_bar

_RESERVED = (CHANCE, LEVEL_ONLY, CONDITION_MEANS, IMAGE_MEANS)


def rank_models(
    cells: Cells, *, baselines: bool = True, n_draws: int = 2000, seed: int = 0
) -> Ranking:
    """Return the models of `cells.evidence` ranked by held-out bits per trial, all pairs compared.

    Parameters
    ----------
    cells
        Counts of answers.
    baselines
        Whether to score predictions that need no model too; chance is always there.
    n_draws, seed
        Resamplings of participants and images for the intervals, and the seed that draws them.

    Raises
    ------
    InputError
        If there is no answer or no model, a model has the name of a baseline, or lacks evidence.
    """
    _check(cells)
    guess, groups = guesses_of(cells), groups_of(cells)
    folds = folds_of(cells.participant, cells.image, cells.pair)
    scored = {}
    with progress_bar(len(cells.evidence), "model") as bar:
        for label in cells.evidence:
            scored[label] = score(cells, label, folds, guess)
            bar.update()
    models = _ordered({label: one.held_out for label, one in scored.items()}, cells)
    known = {CHANCE: guessing(cells)}
    if baselines:
        known |= baselines_of(cells, groups, folds, guess)
    others = _ordered({label: one.bits for label, one in known.items()}, cells)
    measured = measure(
        cells,
        {**models, **others},
        ceiling_bits(cells, groups, guess),
        n_draws=n_draws,
        seed=seed,
    )
    bits = np.stack(list(models.values()))
    return Ranking(
        rows=tuple(summarized(measured, label, scored[label]) for label in models),
        baselines=tuple(summarized(measured, label, note=known[label].note) for label in others),
        pairs=compare_pairs(list(models), bits, cells.n_trials, measured.resampled),
        ceiling=measured.ceiling,
        notes=measured.notes,
        held_out=folds.held_out,
        scheme=folds.scheme,
        spread=measured.resampled.meaning,
        n_trials=int(cells.n_trials.sum()),
        n_participants=len(np.unique(cells.participant)),
        n_images=len(np.unique(cells.image)),
        by_image=_by_group(cells.image, cells, models),
        by_participant=_by_group(cells.participant, cells, models),
    )


def _check(cells: Cells) -> None:
    if not cells.n_trials.sum() or not cells.evidence:
        raise InputError("a ranking needs at least one trial and one model with stored predictions")
    for label in cells.evidence:
        if label in _RESERVED:
            raise InputError(
                f"a model cannot have the name {label!r}, which is that of a baseline; give it another"
            )


def _ordered(bits: Mapping[str, np.ndarray], cells: Cells) -> dict[str, np.ndarray]:
    """Return bits by label, the most first; sums that differ by rounding go by their labels."""
    mean = {label: round(float(b.sum() / cells.n_trials.sum()), 9) for label, b in bits.items()}
    return {label: bits[label] for label in sorted(bits, key=lambda label: (-mean[label], label))}


def _by_group(
    names: np.ndarray, cells: Cells, bits: Mapping[str, np.ndarray]
) -> tuple[GroupScore, ...]:
    known, place = np.unique(names, return_inverse=True)
    total = np.bincount(place, cells.n_trials)
    means = {label: np.bincount(place, b) / total for label, b in bits.items()}
    return tuple(
        GroupScore(
            name=str(name),
            n_trials=float(total[i]),
            bits={label: float(mean[i]) for label, mean in means.items()},
        )
        for i, name in enumerate(known)
    )

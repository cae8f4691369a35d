"""Ranking of models by how well their evidence predicts answers they were not fitted to.

All models have the same choice model and the same three free parameters (`analysis.curves.choice_model`).
The parameters are fitted on some images and participants and scored on other images **and** other
participants. The score is the log probability of the held-out answers, averaged over the posterior of the
parameters, in bits per trial above chance.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.curves.choice_model import ModelFit, fit_model, posterior_of, predicted, predictive
from analysis.data.cells import Cells, guesses_of
from analysis.ranking.dual_bootstrap import Spread, spread_of
from analysis.ranking.folds import Folds, folds_of
from stimuli_store.errors import InputError
from stimuli_store.tools.progress import progress_bar

CHANCE = "chance"
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class ModelScore:
    """Scores of one model in a ranking.

    Attributes
    ----------
    label
        The model; ``"chance"`` is the observer who always guesses.
    bits, bits_in_sample
        Bits per trial above chance: on held-out answers, and on all answers by a fit to all answers.
    difference, difference_low, difference_high
        Held-out bits minus the best model's bits, with a 95 % interval (0 for the best model).
    fit
        Parameters fitted to all answers; None for chance.
    """

    label: str
    bits: float
    bits_in_sample: float
    difference: float
    difference_low: float
    difference_high: float
    fit: ModelFit | None


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Models in order of held-out bits, with descriptions of folds and intervals.

    `scheme` says what was held out, `spread` what the intervals cover, both as sentences.
    """

    rows: tuple[ModelScore, ...]
    scheme: str
    spread: str
    n_trials: int
    n_participants: int
    n_images: int

    @property
    def winner(self) -> str:
        """Label of the model with the most held-out bits."""
        return self.rows[0].label


def rank_models(cells: Cells, *, n_draws: int = 2000, seed: int = 0) -> Ranking:
    """Return the models of `cells.evidence`, and chance, ranked by held-out bits per trial.

    Parameters
    ----------
    cells
        From `analysis.data.tables.cells_of`.
    n_draws, seed
        Resamplings of participants and images for the intervals, and the seed that draws them.

    Raises
    ------
    InputError
        If there is no trial or no model.
    """
    if not len(cells.n_trials) or not cells.evidence:
        raise InputError("a ranking needs at least one trial and one model with stored predictions")
    folds = folds_of(cells.participant, cells.image, cells.pair)
    guess = guesses_of(cells)
    fits = {label: fit_model(cells, label) for label in cells.evidence}
    inside = {
        label: _bits(cells, predicted(cells, label, fit), guess) for label, fit in fits.items()
    }
    outside = {}
    with progress_bar(len(fits), "model") as bar:
        for label in fits:
            outside[label] = _held_out(cells, label, folds, guess)
            bar.update()
    inside[CHANCE] = outside[CHANCE] = np.zeros(len(cells.n_trials))
    total = cells.n_trials.sum()
    order = sorted(outside, key=lambda label: (-outside[label].sum(), label))
    spreads = {
        label: spread_of(
            outside[label] - outside[order[0]],
            cells.n_trials,
            cells.participant,
            cells.image,
            n_draws=n_draws,
            seed=seed,
        )
        for label in order[1:]
    }
    rows = tuple(
        _row(label, outside[label].sum() / total, inside[label].sum() / total, spreads, fits)
        for label in order
    )
    return Ranking(
        rows=rows,
        scheme=folds.scheme,
        spread=next(iter(spreads.values())).meaning,
        n_trials=int(total),
        n_participants=len(np.unique(cells.participant)),
        n_images=len(np.unique(cells.image)),
    )


def _row(
    label: str,
    bits: float,
    in_sample: float,
    spreads: Mapping[str, Spread],
    fits: Mapping[str, ModelFit],
) -> ModelScore:
    spread = spreads.get(label)
    return ModelScore(
        label=label,
        bits=float(bits),
        bits_in_sample=float(in_sample),
        difference=spread.mean if spread else 0.0,
        difference_low=spread.low if spread else 0.0,
        difference_high=spread.high if spread else 0.0,
        fit=fits.get(label),
    )


def _held_out(cells: Cells, label: str, folds: Folds, guess: np.ndarray) -> np.ndarray:
    """Return each cell's bits above chance (C,), predicted by fits to the other folds."""
    bits = np.zeros(len(cells.n_trials))
    for train, test in folds.pairs:
        held = cells.take(test)
        learned = posterior_of(cells.take(train), label)
        bits[test] = _bits(held, predictive(held, label, learned), guess[test])
    return bits


def _bits(cells: Cells, p: np.ndarray, guess: np.ndarray) -> np.ndarray:
    p = np.clip(p, _TINY, 1 - _TINY)
    wrong = cells.n_trials - cells.n_correct
    return cells.n_correct * np.log2(p / guess) + wrong * np.log2((1 - p) / (1 - guess))

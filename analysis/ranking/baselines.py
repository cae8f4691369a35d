"""Baselines of a ranking: predictions of answers that need no model of vision."""

from dataclasses import dataclass, replace

import numpy as np

from analysis.data.cells import Cells
from analysis.ranking.folds import Folds, folds_over_people
from analysis.ranking.held_out import score
from analysis.ranking.proportions import Groups, proportion_bits

CHANCE = "chance"
LEVEL_ONLY = "level only"
CONDITION_MEANS = "condition means"
IMAGE_MEANS = "image × condition means"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A baseline: its bits in each cell, summed over the cell's trials (C,), and how it was predicted."""

    bits: np.ndarray
    note: str


def guessing(cells: Cells) -> Baseline:
    """Return the baseline that always guesses."""
    return Baseline(bits=np.zeros(len(cells.n_trials)), note="always guesses")


def baselines_of(
    cells: Cells, groups: Groups, folds: Folds, guess: np.ndarray
) -> dict[str, Baseline]:
    """Return the baselines beside chance that are defined for these answers, by label."""
    found = {}
    if np.isfinite(cells.level).all() and len(np.unique(cells.level)) > 1:
        found[LEVEL_ONLY] = Baseline(
            bits=_level_bits(cells, folds, guess),
            note="a psychometric function of the level, the same for all images and conditions",
        )
    found[CONDITION_MEANS] = Baseline(
        bits=proportion_bits(cells, (groups.kind, groups.condition), folds, guess),
        note="proportion of right answers in the condition and at the level",
    )
    several = len(np.unique(cells.image)) > 1 and len(np.unique(cells.participant)) > 1
    if several:
        nested = (groups.kind, groups.condition, groups.image)
        people = folds_over_people(cells.participant)
        found[IMAGE_MEANS] = Baseline(
            bits=proportion_bits(cells, nested, people, guess),
            note="proportion of right answers to the image in the condition and at the level, by other "
            "participants; the image itself is not held out",
        )
    return found


def _level_bits(cells: Cells, folds: Folds, guess: np.ndarray) -> np.ndarray:
    """Return the bits of d' that rises or falls with the level, whichever the training cells say."""
    level = np.log(cells.level) if (cells.level > 0).all() else cells.level
    z = (level - level.mean()) / level.std()
    both = {"up": np.exp(z), "down": np.exp(-z)}
    answers = replace(cells, evidence=both)
    up, down = (score(answers, label, folds, guess) for label in both)
    bits = np.empty(len(guess))
    for fold, (_, test) in enumerate(folds.pairs):
        better = up if up.heights[fold] >= down.heights[fold] else down
        bits[test] = better.held_out[test]
    return bits

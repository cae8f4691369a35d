"""Counts of answers by cell, on which models are compared."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.observers.sdt import Link, link_of
from stimuli_store.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Counts of answers by participant, image, pair, task and rule; arrays (C,).

    `distances` holds, per model label, the distance of each cell's pair.
    """

    participant: np.ndarray
    image: np.ndarray
    pair: np.ndarray
    task: np.ndarray
    rule: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray
    distances: Mapping[str, np.ndarray]

    def take(self, chosen: np.ndarray) -> "Cells":
        """Return the cells for which `chosen` (C,) is true."""
        arrays = ("participant", "image", "pair", "task", "rule", "n_correct", "n_trials")
        return Cells(
            **{name: getattr(self, name)[chosen] for name in arrays},
            distances={label: d[chosen] for label, d in self.distances.items()},
        )


def links_of(cells: Cells) -> list[tuple[Link, np.ndarray]]:
    """Return every link (d' to proportion correct) in use, with a mask (C,) of the cells it applies to."""
    named = sorted(set(zip(cells.task.tolist(), cells.rule.tolist(), strict=True)))
    return [
        (link_of(task, rule), (cells.task == task) & (cells.rule == rule)) for task, rule in named
    ]


def guesses_of(cells: Cells) -> np.ndarray:
    """Return the guess rate of each cell (C,): the proportion correct at no difference."""
    guess = np.empty(len(cells.n_trials))
    for link, where in links_of(cells):
        guess[where] = link.guess
    return guess


def strength_of(cells: Cells, label: str) -> np.ndarray:
    """Return a model's distance in each cell (C,); raise InputError if one is missing or negative."""
    strength = np.asarray(cells.distances[label], dtype=np.float64)
    if not (np.isfinite(strength) & (strength >= 0)).all():
        raise InputError(
            f"the model {label!r} has no distance for some pairs that were shown, or a negative "
            "one; rank models for which the bank holds a distance of every pair"
        )
    return strength

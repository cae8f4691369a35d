"""Counts of answers by cell, on which models are compared."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.observers.links import Link, link_of
from stimuli_store.errors import InputError
from stimuli_store.tasks.types import Task


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Counts of answers to one task by participant, image, pair and rule; arrays (C,).

    `evidence` holds, per model label, what the model says about each cell's pair: a distance, or a signed
    preference (`analysis.observers.evidence`).
    """

    task: Task
    participant: np.ndarray
    image: np.ndarray
    pair: np.ndarray
    rule: np.ndarray
    n_correct: np.ndarray
    n_trials: np.ndarray
    evidence: Mapping[str, np.ndarray]

    def take(self, chosen: np.ndarray) -> "Cells":
        """Return the cells for which `chosen` (C,) is true."""
        arrays = ("participant", "image", "pair", "rule", "n_correct", "n_trials")
        return Cells(
            task=self.task,
            **{name: getattr(self, name)[chosen] for name in arrays},
            evidence={label: e[chosen] for label, e in self.evidence.items()},
        )


def links_of(cells: Cells) -> list[tuple[Link, np.ndarray]]:
    """Return every link (d' to proportion correct) in use, with a mask (C,) of the cells it applies to."""
    return [
        (link_of(cells.task, rule), cells.rule == rule) for rule in sorted(set(cells.rule.tolist()))
    ]


def guesses_of(cells: Cells) -> np.ndarray:
    """Return the guess rate of each cell (C,): the proportion correct at no difference."""
    guess = np.empty(len(cells.n_trials))
    for link, where in links_of(cells):
        guess[where] = link.guess
    return guess


def strength_of(cells: Cells, label: str) -> np.ndarray:
    """Return a model's evidence in each cell (C,).

    Raises
    ------
    InputError
        If it is missing somewhere, or negative although the task does not ask which stimulus is the higher.
    """
    strength = np.asarray(cells.evidence[label], dtype=np.float64)
    if not (np.isfinite(strength) & ((strength >= 0) | cells.task.directed)).all():
        raise InputError(
            f"the model {label!r} has no distance for some pairs that were shown, or a negative "
            "one; rank models for which the bank holds a distance of every pair"
        )
    return strength

"""Answers gathered into cells, the data that models are compared on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.observers.sdt import Link, link_of
from stimuli_store.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Answers gathered by what was the same: participant, image, pair, task and rule; arrays (C,).

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
        """Return the cells where `chosen` (C,) is true."""
        arrays = ("participant", "image", "pair", "task", "rule", "n_correct", "n_trials")
        return Cells(
            **{name: getattr(self, name)[chosen] for name in arrays},
            distances={label: d[chosen] for label, d in self.distances.items()},
        )


def links_of(cells: Cells) -> list[tuple[Link, np.ndarray]]:
    """Return every link in use, with a mask of the cells (C,) it applies to."""
    named = sorted(set(zip(cells.task.tolist(), cells.rule.tolist(), strict=True)))
    return [
        (link_of(task, rule), (cells.task == task) & (cells.rule == rule)) for task, rule in named
    ]


def guesses_of(cells: Cells) -> np.ndarray:
    """Return each cell's proportion correct at no difference (C,)."""
    guess = np.empty(len(cells.n_trials))
    for link, where in links_of(cells):
        guess[where] = link.guess
    return guess


def strength_of(cells: Cells, label: str) -> np.ndarray:
    """Return a model's distances (C,), or raise InputError if one is missing or negative."""
    strength = np.asarray(cells.distances[label], dtype=np.float64)
    if not (np.isfinite(strength) & (strength >= 0)).all():
        raise InputError(
            f"the model {label!r} lacks a distance for some pairs that were shown, or has a "
            "negative one; rank models whose predictions the bank holds for every pair"
        )
    return strength
